//! IBM Cloud findings: an occurrence for each alert, of a note for each trigger, which is made when it is missing. The
//! vendor has moved the service before: its address is a setting. Closing an alert takes its occurrence away.
//! <https://cloud.ibm.com/apidocs/security-advisor/findings>

use futures_util::future::BoxFuture;
use reqwest::header::HeaderValue;
use reqwest::{Method, Request};
use secrecy::SecretString;
use serde_json::json;
use url::Url;

use super::call::{self, Caller, Peer};
use super::text::{self, FULL, Words};
use super::{Channel, Dispatch, Failure, Line, Receipt, Severity, Trigger, fields};
use crate::credentials::ibm_cloud::Payload;
use crate::form::{Field, Values};
use crate::integrations::context::Context;
use crate::integrations::spec::{Does, Host, Spec, Use, no_grants, suits_all};
use crate::integrations::{ca_certificate, service_address};
use crate::providers::ProviderError;
use crate::providers::egress::Answer;

static FIELDS: [Field; 3 + fields::TRIGGERS] = fields::with_triggers([
    Field::text("url", "Findings URL")
        .placeholder("https://us-south.secadvisor.cloud.ibm.com/findings")
        .help("The address of the findings API, without /v1.")
        .check(fields::check_address)
        .identity(),
    Field::text("provider", "Provider ID")
        .default("strongroom")
        .help("Under which findings are listed.")
        .max(64)
        .check(id),
    ca_certificate::FIELD,
]);

static PEER: Peer = Peer {
    who: "IBM Cloud findings",
    bad_request: "IBM Cloud rejected the finding. Check the provider ID and the address.",
    unauthorized: "IBM Cloud refused the token of the API key. Test the credential, and edit it if its key was replaced.",
    forbidden: "The API key may not write findings. Give its service ID the role Writer on Security Advisor.",
    not_found: "There is no findings API at this address, or the account has none. Check the findings URL.",
};

pub static IBM: Spec = Spec {
    slug: "ibm_findings",
    label: "IBM Cloud findings",
    fields: &FIELDS,
    uses: &[Use::main(&["ibm_cloud"])],
    host: Host::Chosen(findings),
    suits: suits_all,
    grants: no_grants,
    check: Some(|cx| call::checked(check(cx))),
    // One occurrence an alert.
    does: Does::Channel(&Channel::service(1, &PEER, send)),
};

fn findings(settings: &Values) -> Option<Url> {
    service_address(settings.get("url")).ok()
}

fn send<'a>(cx: &'a Context<'a>, dispatch: Dispatch<'a>) -> BoxFuture<'a, Result<Receipt, Failure>> {
    Box::pin(async move {
        let line = call::only_line(&dispatch)?;
        let base = findings(cx.settings).ok_or_else(|| PEER.failed(&ProviderError::InvalidAddress))?;
        let payload: Payload = call::payload(cx, &PEER)?;
        let secret = call::secret(cx, &PEER)?;
        let token = cx.outside.tokens.ibm_token(secret.stored, secret.values).await;
        let token = token?.secret;
        let caller = Caller::new(cx, ca_certificate::tls(cx.settings), &PEER)?;
        let provider = cx.settings.get("provider");
        let path = format!("/v1/{}/providers/{provider}", payload.account_guid);
        let findings =
            Findings { caller, token, base: call::below(&base, &path, &PEER)?, account: payload.account_guid };
        if text::is_closed(line) {
            findings.remove(line).await?;
        } else {
            findings.put(line, provider).await?;
        }
        Ok(Receipt { reference: Some(occurrence(line)) })
    })
}

/// A token for the API key. The findings API has no call that changes nothing and needs no other role.
async fn check(cx: &Context<'_>) -> Result<String, Failure> {
    let secret = call::secret(cx, &PEER)?;
    let token = cx.outside.tokens.ibm_token(secret.stored, secret.values).await;
    token?;
    Ok("IBM Cloud knows the API key. Whether it may write findings shows with a test alert.".to_owned())
}

fn id(text: &str) -> Result<String, String> {
    let good = |c: char| c.is_ascii_alphanumeric() || "-_".contains(c);
    if text.chars().all(good) {
        Ok(text.to_owned())
    } else {
        Err("Letters, digits, - and _ are allowed here.".to_owned())
    }
}

/// The provider's findings in an account.
struct Findings {
    caller: Caller,
    token: SecretString,
    base: Url,
    account: String,
}

impl Findings {
    async fn ask(&self, request: Request) -> Result<Answer, Failure> {
        self.caller.ask(call::with_token(request, "Bearer", &self.token)?).await
    }

    async fn put(&self, line: &Line, provider: &str) -> Result<(), Failure> {
        let answer = self.ask(self.finding(line, provider)?).await?;
        // The note of the trigger is made with its first finding.
        let answer = match answer.status {
            400 | 404 => {
                self.note(line.trigger, provider).await?;
                self.ask(self.finding(line, provider)?).await?
            }
            _ => answer,
        };
        accepted(answer).map(drop)
    }

    fn finding(&self, line: &Line, provider: &str) -> Result<Request, Failure> {
        let words = Words::of(line, &FULL);
        let body = json!({
            "note_name": format!("{}/providers/{provider}/notes/{}", self.account, note(line.trigger)),
            "kind": "FINDING",
            "id": occurrence(line),
            "resource_url": line.subject_url,
            "remediation": format!("{} {}", words.title, words.remedy).trim_end(),
            "context": {"resource_type": "Credential", "resource_name": words.subject, "service_name": "Strongroom"},
            "finding": {
                "severity": severity(line.severity),
                "certainty": "HIGH",
                "next_steps": [{"title": "Open the alert", "url": line.url}],
            },
        });
        let mut request = call::json(Method::POST, call::below(&self.base, "/occurrences", &PEER)?, &body);
        // A repeated attempt, and a reminder, are the same finding.
        request.headers_mut().insert("Replace-If-Exists", HeaderValue::from_static("true"));
        Ok(request)
    }

    async fn note(&self, trigger: Trigger, provider: &str) -> Result<(), Failure> {
        let body = json!({
            "kind": "FINDING",
            "id": note(trigger),
            "provider_id": provider,
            "short_description": format!("Strongroom: {}", trigger.label()),
            "long_description": format!("{}, as found by Strongroom.", trigger.label()),
            "reported_by": {"id": "strongroom", "title": "Strongroom"},
            "finding": {"severity": "MEDIUM", "next_steps": []},
        });
        let answer = self.ask(call::json(Method::POST, call::below(&self.base, "/notes", &PEER)?, &body)).await?;
        // 409: there is one.
        if answer.status == 409 { Ok(()) } else { accepted(answer).map(drop) }
    }

    async fn remove(&self, line: &Line) -> Result<(), Failure> {
        let url = call::below(&self.base, &format!("/occurrences/{}", occurrence(line)), &PEER)?;
        let mut request = call::get(url);
        *request.method_mut() = Method::DELETE;
        let answer = self.ask(request).await?;
        if answer.status == 404 { Ok(()) } else { accepted(answer).map(drop) }
    }
}

/// A success with JSON, or with nothing: a page in between is none.
fn accepted(answer: Answer) -> Result<Answer, Failure> {
    if !(200..300).contains(&answer.status) {
        return Err(PEER.refusal(&answer));
    }
    if !answer.body.trim_ascii().is_empty() {
        PEER.json::<serde_json::Value>(&answer)?;
    }
    Ok(answer)
}

fn note(trigger: Trigger) -> String {
    format!("strongroom-{}", trigger.slug().replace('_', "-"))
}

fn occurrence(line: &Line) -> String {
    format!("strongroom-{}", line.alert)
}

fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Info => "LOW",
        Severity::Warning => "MEDIUM",
        Severity::Error => "HIGH",
        Severity::Critical => "CRITICAL",
    }
}
