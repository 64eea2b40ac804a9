//! Google Cloud: a service account's key signs an assertion that becomes an access token (RFC 7523). The APIs that are
//! called with the token have a file each, with what each call needs; a [`mod@line`] leads to one of them.
//! <https://developers.google.com/identity/protocols/oauth2/service-account>

use secrecy::ExposeSecret;
use serde::Deserialize;
use serde_json::json;

use super::calls::{self, AccessToken, Outcome};
use super::egress::{Answer, Egress, Tls};
use super::endpoints::{Endpoints, Service};
use super::probe::{Finding, Verdict};
use super::{Failure, ProviderError, clock, jwt};
use crate::credentials::gcp::{Payload, ServiceAccount};
use crate::credentials::pem::RsaKey;
use crate::form::Values;

pub mod activities;
pub mod artifacts;
pub mod cluster_doors;
pub mod clusters;
pub mod functions;
pub mod iam;
pub mod line;
pub mod projects;
mod refusal;
pub mod run;
pub mod secrets;
pub mod workload;

pub use refusal::{Api, Refusal, Right, Why};

const WHO: &str = "Google's token service";
/// The audience stays the vendor's own wherever the operator moved the service to.
const AUDIENCE: &str = "https://oauth2.googleapis.com/token";
/// What the account may do is decided by its roles.
pub const CLOUD_PLATFORM: &str = "https://www.googleapis.com/auth/cloud-platform";
/// Mail by SMTP, for a mailbox that the account acts for.
/// <https://developers.google.com/workspace/gmail/imap/xoauth2-protocol>
pub const MAIL: &str = "https://mail.google.com/";
/// The longest that Google takes is an hour; a slow clock there must not see more.
const ASSERTION_SECONDS: i64 = 3000;

/// What a token is asked for.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    pub scope: &'a str,
    /// The user of a Google Workspace that the account acts for, by its domain-wide delegation.
    /// <https://developers.google.com/identity/protocols/oauth2/service-account#authorizingrequests>
    pub subject: Option<&'a str>,
}

impl<'a> From<&'a str> for Asked<'a> {
    fn from(scope: &'a str) -> Self {
        Self { scope, subject: None }
    }
}

/// A token for one scope; of one's own making each time, see [`super::sessions`] for keeping it.
pub async fn token(
    account: &ServiceAccount,
    asked: impl Into<Asked<'_>>,
    egress: &Egress,
    endpoints: &Endpoints,
) -> Outcome<AccessToken> {
    let asked = asked.into();
    let request = || {
        let assertion = assertion(account, asked)?;
        let url = endpoints.url(Service::GoogleToken, "https://oauth2.googleapis.com", "/token")?;
        let fields = [("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"), ("assertion", assertion.as_str())];
        Ok((egress.client(Tls::default())?, calls::form(url, &fields)))
    };
    let (http, request) = request().map_err(|error: ProviderError| calls::failed(&error, WHO))?;
    let answer = calls::send(&http, request).await.map_err(|error| calls::failed(&error, WHO))?;
    if answer.status == 200 { calls::token(&answer, WHO) } else { Err(explain(answer, asked.subject)) }
}

fn assertion(account: &ServiceAccount, asked: Asked<'_>) -> Result<zeroize::Zeroizing<String>, ProviderError> {
    let key = RsaKey::parse(account.private_key.expose_secret()).map_err(|_| ProviderError::BadCertificate)?;
    let header = json!({ "alg": "RS256", "typ": "JWT", "kid": account.private_key_id });
    let now = clock::now().timestamp();
    let mut claims = json!({
        "iss": account.client_email,
        "scope": asked.scope,
        "aud": AUDIENCE,
        "iat": now,
        "exp": now + ASSERTION_SECONDS,
    });
    if let Some(subject) = asked.subject {
        claims["sub"] = json!(subject);
    }
    jwt::sign(&header, &claims, &key)
}

#[derive(Deserialize)]
struct TokenRefused {
    error: String,
    #[serde(default)]
    error_description: String,
}

/// What it refuses, for the help: (error, description).
pub(super) fn known_refusals() -> Vec<Failure> {
    let refused = [
        ("invalid_grant", "Token must be a short-lived token and in a reasonable timeframe"),
        ("invalid_grant", "Invalid grant: account not found"),
        ("disabled_client", ""),
        ("unauthorized_client", ""),
        ("invalid_grant", "Invalid JWT Signature."),
    ];
    let explained = |(error, description): (&str, &str)| {
        let body = json!({ "error": error, "error_description": description });
        explain(Answer::made_up(400, &body.to_string()), None)
    };
    refused.map(explained).into()
}

fn explain(answer: Answer, subject: Option<&str>) -> Failure {
    if !matches!(answer.status, 400 | 401 | 403) {
        return calls::unexplained(answer, WHO);
    }
    let skew = clock::skew(&answer);
    let Ok(refusal) = answer.json::<TokenRefused>() else { return calls::failed(&ProviderError::BadAnswer, WHO) };
    // Google tells these apart in its description only, which is looked at and never shown.
    let says = |words: &str| refusal.error_description.to_ascii_lowercase().contains(words);
    let mut finding = match refusal.error.as_str() {
        _ if says("reasonable timeframe") || says("token must be a short-lived") => Finding::new(
            Verdict::BadKey,
            "The time in the signed assertion is outside of what Google accepts.",
            "Set the clock of the machine that Strongroom runs on: let it follow a time server (NTP).",
        ),
        _ if says("account not found") => Finding::new(
            Verdict::BadKey,
            "Google does not know this service account.",
            "It may have been deleted. Create a key for one that exists and store it here.",
        ),
        _ if let Some(subject) = subject.filter(|_| says("invalid email or user id")) => Finding::new(
            Verdict::Denied,
            format!("Google does not know {subject} as a user of the organisation."),
            "Enter a mailbox of the organisation as Sender address: groups and aliases do not do.",
        ),
        "unauthorized_client" | "access_denied" if let Some(subject) = subject => Finding::new(
            Verdict::Denied,
            format!("The service account may not act for {subject}."),
            "Have an administrator of Google Workspace add its client ID with the scope mail.google.com under Security, \
             API controls, Domain-wide delegation: the guide of the credential's type has the exact words.",
        ),
        "disabled_client" | "account_disabled" => disabled(),
        _ if says("disabled") => disabled(),
        "unauthorized_client" | "access_denied" => Finding::new(
            Verdict::Denied,
            "Google does not let this service account ask for a token.",
            "Check that the account is enabled, under IAM & Admin, Service Accounts.",
        ),
        _ => Finding::new(
            Verdict::BadKey,
            "Google does not accept this key: it was deleted or disabled, or belongs to another account.",
            "Create a new key for the service account and store it here.",
        ),
    };
    if let Some(skew) = skew.filter(|_| finding.verdict == Verdict::BadKey) {
        finding.remedy = format!("{skew}: set it first, then test again. {}", finding.remedy);
    }
    finding.into()
}

fn disabled() -> Finding {
    Finding::new(
        Verdict::Denied,
        "The service account is disabled.",
        "Enable it under IAM & Admin, Service Accounts, or use the key of another one.",
    )
}

/// A token, and whose it is. The API token beside the key is left alone: no harmless call takes any.
pub(super) async fn probe(values: &Values, egress: &Egress, endpoints: &Endpoints) -> Finding {
    let Some(payload) = crate::credentials::payload::<Payload>(values) else { return Finding::unreadable() };
    let account = payload.service_account;
    match token(&account, CLOUD_PLATFORM, egress, endpoints).await {
        Ok(_) => Finding::ok("Google gave a token.")
            .fact("Service account", account.client_email)
            .fact("Project", account.project_id),
        Err(finding) => finding.into(),
    }
}
