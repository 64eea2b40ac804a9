//! Splunk, by its HTTP Event Collector: an event for each alert, several in one call.
//! <https://docs.splunk.com/Documentation/Splunk/latest/Data/FormateventsforHTTPEventCollector>,
//! <https://docs.splunk.com/Documentation/Splunk/latest/Data/TroubleshootHTTPEventCollector>

use futures_util::future::BoxFuture;
use reqwest::Method;
use reqwest::header::HeaderValue;
use serde::Deserialize;
use serde_json::{Value, json};
use url::Url;

use super::call::{self, Caller, Peer};
use super::{Channel, Dispatch, Failure, Message, Receipt, fields, wire};
use crate::credentials::api_token::Payload;
use crate::form::{Field, Values};
use crate::integrations::context::Context;
use crate::integrations::spec::{Does, Host, Spec, Use, no_grants, suits_all};
use crate::integrations::{ca_certificate, service_address};
use crate::providers::ProviderError;
use crate::providers::egress::Answer;

static FIELDS: [Field; 4 + fields::TRIGGERS] = fields::with_triggers([
    Field::text("url", "URL")
        .placeholder("https://splunk.example.com:8088")
        .help("The address of the HTTP Event Collector, with its port, as Splunk shows it.")
        .check(address)
        .identity(),
    Field::text("index", "Index").optional().help("Leave blank to use the token's default.").max(80).check(word),
    Field::text("source", "Source").default("strongroom").max(80).check(word),
    ca_certificate::FIELD,
]);

static PEER: Peer = Peer {
    who: "Splunk",
    bad_request: "Splunk rejected the events. Check the index, and that the token may write to it.",
    unauthorized: "Splunk asks for a token. Check the credential, and edit it if it has changed.",
    forbidden: "Splunk doesn't know the token, or it is disabled. \
                Check it under HTTP Event Collector, and edit the credential.",
    not_found: "There is no HTTP Event Collector at this address. Check the address and its port, usually 8088.",
};

pub static SPLUNK: Spec = Spec {
    slug: "splunk",
    label: "Splunk",
    fields: &FIELDS,
    uses: &[Use::main(&["api_token"])],
    host: Host::Chosen(base),
    suits: suits_all,
    grants: no_grants,
    check: Some(|cx| call::checked(check(cx))),
    // Splunk Cloud takes calls of up to 1 MB.
    does: Does::Channel(&Channel::service(100, &PEER, send)),
};

fn base(settings: &Values) -> Option<Url> {
    collector(settings.get("url")).ok()
}

/// The paths of the collector, which Splunk shows with its address.
/// <https://docs.splunk.com/Documentation/Splunk/latest/RESTREF/RESTinput>
const COLLECTOR: &str = "/services/collector";

/// The address before the collector's own path; a proxy may have put another before that.
fn collector(text: &str) -> Result<Url, &'static str> {
    let mut url = service_address(text)?;
    if let Some((base, rest)) = url.path().rsplit_once(COLLECTOR)
        && (rest.is_empty() || rest.starts_with('/'))
    {
        let base = base.to_owned();
        url.set_path(&base);
    }
    Ok(url)
}

fn address(text: &str) -> Result<String, String> {
    Ok(collector(text)?.as_str().trim_end_matches('/').to_owned())
}

fn send<'a>(cx: &'a Context<'a>, dispatch: Dispatch<'a>) -> BoxFuture<'a, Result<Receipt, Failure>> {
    Box::pin(async move {
        let payload: Payload = call::payload(cx, &PEER)?;
        let base = base(cx.settings).ok_or_else(|| PEER.failed(&ProviderError::InvalidAddress))?;
        let url = call::below(&base, &format!("{COLLECTOR}/event"), &PEER)?;
        let mut request = call::with_token(call::json(Method::POST, url, &Value::Null), "Splunk", &payload.token)?;
        // Tokens with indexer acknowledgement demand a channel; the others do not mind one.
        if let Ok(channel) = HeaderValue::from_str(&dispatch.message.id.to_string()) {
            request.headers_mut().insert("X-Splunk-Request-Channel", channel);
        }
        *request.body_mut() = Some(events(cx, dispatch.message).into());
        let answer = Caller::new(cx, ca_certificate::tls(cx.settings), &PEER)?.ask(request).await?;
        taken(&answer).map(|()| Receipt::default())
    })
}

/// The health of the collector, with the token.
/// <https://docs.splunk.com/Documentation/Splunk/latest/RESTREF/RESTinput#services.2Fcollector.2Fhealth>
async fn check(cx: &Context<'_>) -> Result<String, Failure> {
    let payload: Payload = call::payload(cx, &PEER)?;
    let base = base(cx.settings).ok_or_else(|| PEER.failed(&ProviderError::InvalidAddress))?;
    let url = call::below(&base, &format!("{COLLECTOR}/health"), &PEER)?;
    let request = call::with_token(call::get(url), "Splunk", &payload.token)?;
    let answer = Caller::new(cx, ca_certificate::tls(cx.settings), &PEER)?.ask(request).await?;
    match (answer.status, answer.json::<Taken>().map(|taken| taken.code)) {
        (200, Ok(17)) => Ok("The collector is healthy. Send a test alert to see that it accepts the token and the \
        index."
            .to_owned()),
        (200, _) => Err(PEER.not_understood()),
        (503, _) => Err(Failure::later("The collector of Splunk answers, but its queues are full. Try later.")),
        (400, _) => Err(Failure::never(PEER.forbidden)),
        _ => Err(PEER.refusal(&answer)),
    }
}

fn word(text: &str) -> Result<String, String> {
    let good = |c: char| c.is_ascii_alphanumeric() || "_-.:".contains(c);
    if text.chars().all(good) {
        Ok(text.to_owned())
    } else {
        Err("Letters, digits and _-.: are allowed here.".to_owned())
    }
}

/// The events, one after the other, as the collector takes them.
fn events(cx: &Context<'_>, message: &Message) -> String {
    let lines = message.lines.iter().map(|line| {
        let mut said = wire::line(line);
        said["message_id"] = json!(message.id);
        said["test"] = json!(message.test);
        let mut event = json!({
            "time": message.at.timestamp(),
            "host": message.console.host_str().unwrap_or("strongroom"),
            "source": cx.settings.get("source"),
            "sourcetype": "strongroom:alert",
            "event": said,
        });
        if !cx.settings.get("index").is_empty() {
            event["index"] = json!(cx.settings.get("index"));
        }
        event.to_string()
    });
    lines.collect::<Vec<_>>().join("\n")
}

#[derive(Deserialize)]
struct Taken {
    code: u32,
}

/// The collector's code says more than its status.
fn taken(answer: &Answer) -> Result<(), Failure> {
    let success = (200..300).contains(&answer.status);
    let sentence = match answer.json::<Taken>().map(|taken| taken.code) {
        Ok(0) if success => return Ok(()),
        Ok(1) => "The token is disabled in Splunk. Enable it under HTTP Event Collector, or use another.",
        Ok(2 | 3) => PEER.unauthorized,
        Ok(4) => "Splunk does not know the token. Copy it again, and edit the credential.",
        Ok(7) => "Splunk does not have the index, or the token may not write to it. Check the index.",
        Ok(8 | 9 | 17..=20) => {
            return Err(Failure::later("Splunk is busy, or shutting down. Strongroom sends the events later."));
        }
        Ok(_) if success => return Err(PEER.not_understood()),
        Ok(_) => return Err(PEER.refusal(answer)),
        Err(_) if success => return Err(PEER.not_understood()),
        Err(_) => return Err(PEER.refusal(answer)),
    };
    Err(Failure::never(sentence))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn field_c05_the_collectors_path_is_taken_off_an_address() {
        let base = Ok("https://splunk.example:8088".to_owned());
        for rest in [
            "",
            "/",
            "/services/collector",
            "/services/collector/",
            "/services/collector/event",
            "/services/collector/raw",
        ] {
            assert_eq!(address(&format!("https://splunk.example:8088{rest}")), base, "{rest}");
        }
        let below = address("https://proxy.example/splunk/services/collector/event/1.0");
        assert_eq!(below.as_deref(), Ok("https://proxy.example/splunk"));
        assert_eq!(
            address("https://x.example/services/collectors").as_deref(),
            Ok("https://x.example/services/collectors")
        );
    }
}
