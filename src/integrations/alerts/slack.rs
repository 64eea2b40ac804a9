//! Slack: an incoming webhook, or `chat.postMessage` with a bot's token and a channel. Every word of ours is in a
//! rich-text element, which Slack shows as it is: no markup, no mention and no link comes of a name.
//! <https://docs.slack.dev/reference/methods/chat.postMessage>,
//! <https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks/>,
//! <https://docs.slack.dev/reference/block-kit/blocks/rich-text-block>

use futures_util::future::BoxFuture;
use reqwest::Method;
use secrecy::ExposeSecret;
use serde::Deserialize;
use serde_json::{Value, json};
use url::Url;

use super::call::{self, Caller, Peer};
use super::text::{self, BRIEF, Extent, FULL, Words};
use super::{Channel, Dispatch, Failure, Line, Message, Receipt, Severity, fields, webhook};
use crate::credentials;
use crate::form::{Errors, Field, Values};
use crate::integrations::context::Context;
use crate::integrations::spec::{Does, Host, Spec, Use, no_grants};
use crate::providers::ProviderError;
use crate::providers::egress::{Answer, Tls};
use crate::providers::endpoints::Service;

/// In bytes, well below what Slack cuts off, which it counts in characters.
/// <https://docs.slack.dev/changelog/2018-truncating-really-long-messages>
const LONGEST: usize = 36 * 1024;

static FIELDS: [Field; 1 + fields::TRIGGERS] = fields::with_triggers([Field::text("channel", "Channel")
    .optional()
    .placeholder("#security")
    .help("With an API token: the channel's name or, better, its ID. A Webhook URL belongs to one channel already.")
    .max(80)
    .check(channel)]);

static PEER: Peer = Peer {
    who: "Slack",
    bad_request: "Slack rejected this message. Check that the Webhook URL is that of an incoming webhook.",
    unauthorized: "Slack doesn't know the token or webhook URL. Create a new one and rotate the credential.",
    forbidden: "Slack doesn't let this webhook post there. Its channel may \
                be archived or restricted: create a webhook for another channel.",
    not_found: "Slack no longer knows this webhook URL. Create a \
                new one in the app's settings and rotate the credential.",
};

pub static SLACK: Spec = Spec {
    slug: "slack",
    label: "Slack",
    fields: &FIELDS,
    uses: &[Use::main(&["webhook", "api_token"])],
    host: Host::Vendor(host),
    suits,
    grants: no_grants,
    check: Some(|cx| call::checked(check(cx))),
    // One block a line: far below the 50 that Slack takes, and still to be read.
    does: Does::Channel(&Channel::service(20, &PEER, send)),
};

fn suits(settings: &Values, kind: &str, _: &Values) -> Result<(), Errors> {
    match (kind, settings.get("channel")) {
        ("api_token", "") => Err(Errors::one("channel", "An API token needs a channel: enter its name or ID.")),
        ("webhook", name) if !name.is_empty() => {
            Err(Errors::one("channel", "A Webhook URL belongs to one channel already: leave this blank."))
        }
        _ => Ok(()),
    }
}

/// Only a token needs a channel.
fn host(settings: &Values) -> Option<String> {
    let fixed = if settings.get("channel").is_empty() { "the address in the credential" } else { "slack.com" };
    Some(fixed.to_owned())
}

fn send<'a>(cx: &'a Context<'a>, dispatch: Dispatch<'a>) -> BoxFuture<'a, Result<Receipt, Failure>> {
    Box::pin(async move {
        match cx.main() {
            Some(secret) if secret.kind.slug == "api_token" => by_token(cx, dispatch.message).await,
            _ => by_webhook(cx, dispatch.message).await,
        }
    })
}

/// `#name` or an ID, as people copy it.
fn channel(text: &str) -> Result<String, String> {
    let name = text.trim().trim_start_matches('#');
    let odd = |c: char| c.is_whitespace() || c.is_control() || ",<>&@/".contains(c);
    if name.is_empty() || name.contains(odd) {
        return Err("Enter a channel's name or ID, such as #security or C0123456789.".to_owned());
    }
    Ok(text.trim().to_owned())
}

/// `auth.test` tells whose a token is. A Webhook URL can only be posted to.
/// <https://docs.slack.dev/reference/methods/auth.test>
async fn check(cx: &Context<'_>) -> Result<Option<String>, Failure> {
    if cx.main().is_none_or(|secret| secret.kind.slug != "api_token") {
        return Ok(None);
    }
    let payload: credentials::api_token::Payload = call::payload(cx, &PEER)?;
    let url = cx.outside.endpoints.url(Service::Slack, "https://slack.com", "/api/auth.test");
    let request = call::json(Method::POST, url.map_err(|error| PEER.failed(&error))?, &json!({}));
    let request = call::with_token(request, "Bearer", &payload.token)?;
    let answer = Caller::new(cx, Tls::default(), &PEER)?.call(request).await?;
    match PEER.json(&answer)? {
        Said { ok: true, .. } => {
            let found = "Slack knows the token. Whether the bot may post to the channel shows with a test alert.";
            Ok(Some(found.to_owned()))
        }
        Said { error: Some(code), .. } => Err(refusal(&code, &answer)),
        Said { .. } => Err(PEER.not_understood()),
    }
}

async fn by_webhook(cx: &Context<'_>, message: &Message) -> Result<Receipt, Failure> {
    let payload: credentials::webhook::Payload = call::payload(cx, &PEER)?;
    let request = call::json(Method::POST, webhook::target(&payload, &PEER)?, &said(message));
    let answer = Caller::new(cx, Tls::default(), &PEER)?.call(request).await?;
    // Slack's own word for success. Receivers that speak like Slack have others, such as Rocket.Chat and Zulip.
    let is_slack = Url::parse(payload.url.expose_secret()).is_ok_and(|url| url.domain() == Some("hooks.slack.com"));
    let good = if is_slack { answer.body.trim_ascii() == b"ok" } else { !call::is_page(&answer) };
    if good { Ok(Receipt::default()) } else { Err(PEER.not_understood()) }
}

async fn by_token(cx: &Context<'_>, message: &Message) -> Result<Receipt, Failure> {
    let payload: credentials::api_token::Payload = call::payload(cx, &PEER)?;
    let mut body = said(message);
    let channel = cx.settings.get("channel");
    if channel.is_empty() {
        return Err(Failure::never(
            "An API token needs a channel. Edit the profile, and enter the channel's name or ID.",
        ));
    }
    body["channel"] = json!(channel);
    let url = cx.outside.endpoints.url(Service::Slack, "https://slack.com", "/api/chat.postMessage");
    let request = call::json(Method::POST, url.map_err(|error| PEER.failed(&error))?, &body);
    let request = call::with_token(request, "Bearer", &payload.token)?;
    let answer = Caller::new(cx, Tls::default(), &PEER)?.call(request).await?;
    let said: Said = PEER.json(&answer)?;
    match said {
        Said { ok: true, ts: Some(_), .. } => Ok(Receipt::default()),
        Said { ok: false, error: Some(code), .. } => Err(refusal(&code, &answer)),
        Said { .. } => Err(PEER.not_understood()),
    }
}

#[derive(Deserialize)]
struct Said {
    ok: bool,
    error: Option<String>,
    ts: Option<String>,
}

/// An error code of a 200, in a sentence.
fn refusal(code: &str, answer: &Answer) -> Failure {
    let sentence = match code {
        "channel_not_found" => {
            "Slack does not know the channel, or the bot cannot see it. Check the name, and invite the bot to it."
        }
        "not_in_channel" => "The bot is not in the channel. Invite it there: /invite and the bot's name.",
        "is_archived" => "The channel is archived. Enter another one.",
        "invalid_auth" | "not_authed" | "token_revoked" | "account_inactive" | "not_allowed_token_type" => {
            "Slack refused the token. Copy the bot's token (xoxb-…) again, and edit the credential."
        }
        "token_expired" => "The token has expired. Create a new one and rotate the credential.",
        "missing_scope" | "no_permission" => {
            "The token may not post messages. Give the bot the scope chat:write, install the app again, and edit the \
             credential."
        }
        "restricted_action" | "restricted_action_read_only_channel" | "restricted_action_thread_only_channel" => {
            "A rule of the workspace keeps the bot from posting to the channel. Enter another one, or ask an owner."
        }
        "team_access_not_granted" | "access_denied" | "ekm_access_denied" | "org_login_required" => {
            "Slack does not let the app into this workspace. Ask an owner to approve it."
        }
        "ratelimited" | "rate_limited" | "message_limit_exceeded" => return PEER.throttled(call::pause(answer)),
        "internal_error" | "fatal_error" | "service_unavailable" | "request_timeout" | "team_added_to_org" => {
            return Failure::later("Slack returned an error. Strongroom retries later.");
        }
        "msg_too_long" | "msg_blocks_too_long" | "invalid_blocks" | "invalid_blocks_format" | "invalid_arguments" => {
            "Slack can't read this message. Please report this."
        }
        _ => return PEER.failed(&ProviderError::UnexpectedStatus { status: answer.status }),
    };
    Failure::never(sentence)
}

/// The message, in brief when it would be too long otherwise.
fn said(message: &Message) -> Value {
    let full = blocks(message, &FULL);
    if full.to_string().len() <= LONGEST { full } else { blocks(message, &BRIEF) }
}

/// Blocks, and the text that notifications show instead of them.
fn blocks(message: &Message, extent: &Extent) -> Value {
    let mut blocks = vec![json!({"type": "header",
        "text": {"type": "plain_text", "text": short_headline(message), "emoji": false}})];
    blocks.extend(message.lines.iter().map(|line| block(line, message.test, extent)));
    let mut end = Vec::new();
    if message.more > 0 {
        end.push(plain(&format!("{} more alerts are on the ", message.more)));
    }
    let alerts = message.console.join("alerts").unwrap_or_else(|_| message.console.clone());
    end.push(link(&alerts, if message.more > 0 { "Alerts page" } else { "All alerts" }));
    blocks.push(json!({"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": end}]}));
    json!({
        "text": escaped(&text::headline(message)),
        "blocks": blocks,
        "parse": "none",
        "link_names": false,
        "unfurl_links": false,
        "unfurl_media": false,
    })
}

/// A header takes 150 characters, and names belong further down.
fn short_headline(message: &Message) -> String {
    match (message.test, (message.lines.len() as u64).saturating_add(message.more)) {
        (true, _) => "Strongroom: test alert".to_owned(),
        (_, 1) => "Strongroom: 1 alert".to_owned(),
        (_, number) => format!("Strongroom: {number} alerts"),
    }
}

fn block(line: &Line, test: bool, extent: &Extent) -> Value {
    let words = Words::of(line, extent);
    let word = if test { "Test" } else { text::word(line.event) };
    let sign = match line.severity {
        Severity::Critical | Severity::Error => "red_circle",
        Severity::Warning => "large_yellow_circle",
        Severity::Info => "white_circle",
    };
    let sign = if text::is_closed(line) { "white_check_mark" } else { sign };
    let mut parts =
        vec![json!({"type": "emoji", "name": sign}), bold(&format!(" {word}: ")), bold(&words.title), plain("\n")];
    if !words.detail.is_empty() {
        parts.push(plain(&format!("{}\n", words.detail)));
    }
    if !words.usages.is_empty() || words.more_usages > 0 {
        parts.push(plain("Used by "));
        for (place, (name, url)) in words.usages.iter().enumerate() {
            if place > 0 {
                parts.push(plain(", "));
            }
            parts.push(link(url, name));
        }
        if words.more_usages > 0 {
            let and = if words.usages.is_empty() { "" } else { " and " };
            parts.push(plain(&format!("{and}{} more", words.more_usages)));
        }
        parts.push(plain("\n"));
    }
    if !words.remedy.is_empty() {
        parts.push(plain(&format!("{}\n", words.remedy)));
    }
    parts.push(link(&line.url, "Alert"));
    parts.push(plain(" · "));
    parts.push(link(&line.subject_url, if words.subject.is_empty() { "Subject" } else { &words.subject }));
    json!({"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": parts}]})
}

fn plain(text: &str) -> Value {
    json!({"type": "text", "text": text})
}

fn bold(text: &str) -> Value {
    json!({"type": "text", "text": text, "style": {"bold": true}})
}

fn link(url: &Url, text: &str) -> Value {
    json!({"type": "link", "url": url, "text": text})
}

/// The three characters that Slack gives a meaning.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
