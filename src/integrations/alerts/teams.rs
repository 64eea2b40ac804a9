//! Microsoft Teams: an Adaptive Card, posted to the address of a workflow ("Post to a channel when a webhook request is
//! received") or of an old connector. Every word of ours is a text run, in which Markdown means nothing.
//! <https://learn.microsoft.com/microsoftteams/platform/webhooks-and-connectors/how-to/connectors-using>,
//! <https://learn.microsoft.com/adaptive-cards/schema-explorer/text-run>

use futures_util::future::BoxFuture;
use reqwest::Method;
use serde::Deserialize;
use serde_json::{Value, json};
use url::Url;

use super::call::{self, Caller, Peer};
use super::text::{self, BRIEF, Extent, FULL, Words};
use super::{Channel, Dispatch, Failure, Line, Message, Receipt, Severity, TRIGGER_FIELDS, webhook};
use crate::integrations::context::Context;
use crate::integrations::spec::{Does, Host, Spec, Use, no_grants, suits_all};
use crate::providers::egress::{Answer, Tls};

/// Teams takes messages of 28 KB.
const LONGEST: usize = 27 * 1024;

static PEER: Peer = Peer {
    who: "Microsoft Teams",
    bad_request: "Microsoft Teams rejected this message. Check that the workflow is one that posts when a webhook \
                  request is received.",
    unauthorized: "Microsoft Teams refused the address. Copy it again from the workflow, and edit the credential.",
    forbidden: "Microsoft Teams refused the address, or the workflow's owner may not post to the channel. Look at the \
                workflow, and copy its address again.",
    not_found: "The workflow or connector no longer exists. Add one to the channel, and edit the credential.",
};

pub static TEAMS: Spec = Spec {
    slug: "teams",
    label: "Microsoft Teams",
    fields: &TRIGGER_FIELDS,
    uses: &[Use::main(&["webhook"])],
    host: Host::OfCredential,
    suits: suits_all,
    grants: no_grants,
    check: None,
    does: Does::Channel(&Channel::service(10, &PEER, send)),
};

fn send<'a>(cx: &'a Context<'a>, dispatch: Dispatch<'a>) -> BoxFuture<'a, Result<Receipt, Failure>> {
    Box::pin(async move {
        let payload = call::payload(cx, &PEER)?;
        let request = call::json(Method::POST, webhook::target(&payload, &PEER)?, &said(dispatch.message));
        let answer = Caller::new(cx, Tls::default(), &PEER)?.ask(request).await?;
        if !(200..300).contains(&answer.status) {
            return Err(refusal(&answer));
        }
        taken(&answer).map(|()| Receipt::default())
    })
}

/// The error of a workflow, by its code; its words are dropped.
#[derive(Deserialize)]
struct Refused {
    error: Code,
}

#[derive(Deserialize)]
struct Code {
    code: String,
}

fn refusal(answer: &Answer) -> Failure {
    let sentence = match answer.json::<Refused>().map(|refused| refused.error.code).as_deref() {
        Ok("WorkflowTriggerIsNotEnabled") => {
            "The workflow of Microsoft Teams is switched off. Turn it on where it was made: in the Workflows app, or in Power \
             Automate."
        }
        Ok("DirectApiAuthorizationRequired") => {
            "The workflow of Microsoft Teams did not take the signature in its address: it was not copied whole, or the \
             workflow may be triggered by people of the organisation only. Set who can trigger it to anyone, copy its \
             address again with all that follows the question mark, and edit the credential."
        }
        Ok("TriggerInputSchemaMismatch") => {
            "The workflow of Microsoft Teams expects a message of another kind. Use the template that posts to a channel \
             when a webhook request is received."
        }
        _ => return PEER.refusal(answer),
    };
    Failure::never(sentence)
}

/// Any success of a workflow is one, whatever its author has it answer. A connector says `1`, and tells its failures in
/// a 200.
fn taken(answer: &Answer) -> Result<(), Failure> {
    let said = String::from_utf8_lossy(&answer.body);
    match said.trim() {
        said if said.contains("HTTP error 429") => Err(PEER.throttled(call::pause(answer))),
        said if said.contains("HTTP error 413") || said.contains("too large") => {
            Err(Failure::never("Microsoft Teams says that the message is too large. Please report this."))
        }
        said if said.contains("HTTP error") => {
            Err(Failure::later("Microsoft Teams took the message and could not post it. Strongroom sends it again."))
        }
        _ if call::is_page(answer) => Err(PEER.not_understood()),
        _ => Ok(()),
    }
}

/// The message, in brief when it would be too long otherwise.
fn said(message: &Message) -> Value {
    let full = envelope(card(message, &FULL));
    if full.to_string().len() <= LONGEST { full } else { envelope(card(message, &BRIEF)) }
}

fn envelope(card: Value) -> Value {
    json!({"type": "message", "attachments": [
        {"contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": null, "content": card}]})
}

fn card(message: &Message, extent: &Extent) -> Value {
    let number = (message.lines.len() as u64).saturating_add(message.more);
    let title = match (message.test, number) {
        (true, _) => "Strongroom: test alert".to_owned(),
        (_, 1) => "Strongroom: 1 alert".to_owned(),
        (_, number) => format!("Strongroom: {number} alerts"),
    };
    let mut body = vec![rich(vec![run(&title, &[("size", "Large"), ("weight", "Bolder")])])];
    for line in &message.lines {
        body.push(container(line, message.test, extent));
    }
    if message.more > 0 {
        body.push(rich(vec![run(&format!("{} more alerts are on the Alerts page.", message.more), &[])]));
    }
    let alerts = message.console.join("alerts").unwrap_or_else(|_| message.console.clone());
    json!({
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "body": body,
        "actions": [{"type": "Action.OpenUrl", "title": "All alerts", "url": alerts}],
        "msteams": {"width": "Full"},
    })
}

fn container(line: &Line, test: bool, extent: &Extent) -> Value {
    let words = Words::of(line, extent);
    let (style, colour) = match line.severity {
        _ if text::is_closed(line) => ("good", "Good"),
        Severity::Critical | Severity::Error => ("attention", "Attention"),
        Severity::Warning => ("warning", "Warning"),
        Severity::Info => ("default", "Default"),
    };
    let word = if test { "Test" } else { text::word(line.event) };
    let first = vec![
        run(&format!("{word}: "), &[("weight", "Bolder"), ("color", colour)]),
        run(&words.title, &[("weight", "Bolder")]),
    ];
    let mut items = vec![rich(first)];
    if !words.detail.is_empty() {
        items.push(rich(vec![run(&words.detail, &[])]));
    }
    if !words.usages.is_empty() || (words.more_usages > 0 && !words.remedy.is_empty()) {
        let mut runs = vec![run("Used by ", &[])];
        for (place, (name, url)) in words.usages.iter().enumerate() {
            if place > 0 {
                runs.push(run(", ", &[]));
            }
            runs.push(link(name, url));
        }
        if words.more_usages > 0 {
            let and = if words.usages.is_empty() { "" } else { " and " };
            runs.push(run(&format!("{and}{} more", words.more_usages), &[]));
        }
        items.push(rich(runs));
    }
    if !words.remedy.is_empty() {
        items.push(rich(vec![run(&words.remedy, &[])]));
    }
    let subject = if words.subject.is_empty() { "Subject" } else { &words.subject };
    items.push(rich(vec![link("Alert", &line.url), run(" · ", &[]), link(subject, &line.subject_url)]));
    json!({"type": "Container", "style": style, "items": items, "separator": true})
}

fn rich(runs: Vec<Value>) -> Value {
    json!({"type": "RichTextBlock", "inlines": runs})
}

fn run(text: &str, looks: &[(&str, &str)]) -> Value {
    let mut run = json!({"type": "TextRun", "text": text});
    for (name, value) in looks {
        run[name] = json!(value);
    }
    run
}

fn link(text: &str, url: &Url) -> Value {
    json!({"type": "TextRun", "text": text, "selectAction": {"type": "Action.OpenUrl", "url": url}})
}
