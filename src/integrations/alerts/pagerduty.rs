//! PagerDuty, by its Events API v2: an alert triggers an incident, and closing it resolves the incident. The alert's id
//! is the deduplication key, so that a repeated attempt changes nothing.
//! <https://developer.pagerduty.com/docs/events-api-v2-overview>

use futures_util::future::BoxFuture;
use reqwest::Method;
use secrecy::ExposeSecret;
use serde::Deserialize;
use serde_json::{Value, json};

use super::call::{self, Caller, Peer};
use super::{Channel, Dispatch, Failure, Line, Message, Receipt, fields, text, wire};
use crate::credentials::api_token::Payload;
use crate::form::{Field, Values};
use crate::integrations::context::Context;
use crate::integrations::spec::{Does, Host, Spec, Use, no_grants, suits_all};
use crate::providers::egress::{Answer, Tls};
use crate::providers::endpoints::Service;

static FIELDS: [Field; 1 + fields::TRIGGERS] =
    fields::with_triggers([Field::choice("region", "Service region", &[("us", "US"), ("eu", "EU")])
        .help("Of the PagerDuty account. The address of an account in the EU has eu in it.")]);

/// <https://support.pagerduty.com/main/docs/service-regions>
#[derive(Clone, Copy)]
enum Region {
    Us,
    Eu,
}

impl Region {
    fn of(settings: &Values) -> Self {
        if settings.get("region") == "eu" { Self::Eu } else { Self::Us }
    }

    fn host(self) -> &'static str {
        match self {
            Self::Us => "events.pagerduty.com",
            Self::Eu => "events.eu.pagerduty.com",
        }
    }

    fn service(self) -> Service {
        match self {
            Self::Us => Service::PagerDuty,
            Self::Eu => Service::PagerDutyEu,
        }
    }

    /// What a key that is not known there may mean.
    fn unknown_key(self) -> &'static str {
        match self {
            Self::Us => {
                "PagerDuty's US service region does not know the integration key. If the account is in the EU, set \
                         Service region to EU. Otherwise copy the key again, and edit the credential."
            }
            Self::Eu => {
                "PagerDuty's EU service region does not know the integration key. If the account is in the US, set \
                         Service region to US. Otherwise copy the key again, and edit the credential."
            }
        }
    }
}

static PEER: Peer = Peer {
    who: "PagerDuty",
    bad_request: "PagerDuty rejected the event. Check that the token is the integration key of an Events API v2 \
                  integration, which has 32 characters.",
    unauthorized: "PagerDuty does not know the integration key. Copy it again from the service's integrations, and edit \
                   the credential.",
    forbidden: "PagerDuty doesn't accept events with this integration key. The service may be disabled: look at it there.",
    not_found: "PagerDuty's Events API is not at this address. Ask the operator about STRONGROOM_ENDPOINTS.",
};

pub static PAGERDUTY: Spec = Spec {
    slug: "pagerduty",
    label: "PagerDuty",
    fields: &FIELDS,
    uses: &[Use::main(&["api_token"])],
    host: Host::Vendor(|settings| Some(Region::of(settings).host().to_owned())),
    suits: suits_all,
    grants: no_grants,
    check: None,
    // One event an alert.
    does: Does::Channel(&Channel::service(1, &PEER, send)),
};

fn send<'a>(cx: &'a Context<'a>, dispatch: Dispatch<'a>) -> BoxFuture<'a, Result<Receipt, Failure>> {
    Box::pin(async move {
        let line = call::only_line(&dispatch)?;
        let payload: Payload = call::payload(cx, &PEER)?;
        let mut body = event(dispatch.message, line);
        body["routing_key"] = json!(payload.token.expose_secret());
        let region = Region::of(cx.settings);
        let url = cx.outside.endpoints.url(region.service(), &format!("https://{}", region.host()), "/v2/enqueue");
        let request = call::json(Method::POST, url.map_err(|error| PEER.failed(&error))?, &body);
        let answer = Caller::new(cx, Tls::default(), &PEER)?.ask(request).await?;
        if !(200..300).contains(&answer.status) {
            return Err(refusal(&answer, region));
        }
        let taken: Taken = PEER.json(&answer)?;
        if answer.status != 202 || taken.status != "success" || taken.dedup_key != line.alert.to_string() {
            return Err(PEER.not_understood());
        }
        Ok(Receipt { reference: Some(taken.dedup_key) })
    })
}

#[derive(Deserialize)]
struct Refused {
    errors: Vec<String>,
}

/// A key of the other region is as unknown as a wrong one.
fn refusal(answer: &Answer, region: Region) -> Failure {
    let unknown = |errors: &[String]| errors.iter().any(|error| error.eq_ignore_ascii_case("invalid routing key"));
    match answer.json::<Refused>() {
        Ok(refused) if answer.status == 400 && unknown(&refused.errors) => Failure::never(region.unknown_key()),
        _ => PEER.refusal(answer),
    }
}

#[derive(Deserialize)]
struct Taken {
    status: String,
    dedup_key: String,
}

fn event(message: &Message, line: &Line) -> Value {
    let mut body = json!({"dedup_key": line.alert, "event_action": "resolve"});
    if text::is_closed(line) {
        return body;
    }
    body["event_action"] = json!("trigger");
    body["client"] = json!("Strongroom");
    body["client_url"] = json!(line.url);
    body["links"] = json!([{"href": line.url, "text": "Alert"}, {"href": line.subject_url, "text": "Subject"}]);
    body["payload"] = json!({
        "summary": text::clean(&line.title, 1000),
        "source": message.console.host_str().unwrap_or("strongroom"),
        "severity": line.severity.slug(),
        "timestamp": wire::timestamp(message),
        "component": text::clean(&line.subject, 120),
        "group": "strongroom",
        "class": line.trigger.slug(),
        "custom_details": wire::line(line),
    });
    body
}
