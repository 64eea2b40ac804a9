//! GitHub, on github.com and on enterprise servers: where its API is, and who a token is. Images are read by the
//! integrations.
//! <https://docs.github.com/en/rest/users/users#get-the-authenticated-user>

use chrono::{DateTime, NaiveDateTime, Utc};
use reqwest::header::HeaderValue;
use secrecy::ExposeSecret;
use serde::Deserialize;
use url::Url;

use super::calls::{self, Outcome};
use super::egress::{Answer, Egress, Tls};
use super::endpoints::{Endpoints, Service};
use super::probe::{Finding, Verdict};
use super::tls_faults::Form;
use super::{Failure, ProviderError};
use crate::credentials::forge_token::Payload;
use crate::credentials::github_token::SERVER;
use crate::form::Values;

const WHO: &str = "GitHub";
/// Any of these lets a classic token read images.
pub const PACKAGE_SCOPES: [&str; 3] = ["read:packages", "write:packages", "delete:packages"];

/// A path of the REST API: `api.github.com`, `api.<name>.ghe.com`, or below `/api/v3` of a server of one's own.
/// <https://docs.github.com/en/enterprise-server/rest/using-the-rest-api/getting-started-with-the-rest-api>
pub fn api(server: &str, path: &str, endpoints: &Endpoints) -> Result<Url, ProviderError> {
    let url = Url::parse(server).map_err(|_| ProviderError::InvalidAddress)?;
    match url.host_str() {
        Some("github.com" | "www.github.com") => endpoints.url(Service::Github, "https://api.github.com", path),
        Some(host) if host.ends_with(".ghe.com") && !host.starts_with("api.") => {
            Url::parse(&format!("https://api.{host}{path}")).map_err(|_| ProviderError::InvalidAddress)
        }
        _ => Url::parse(&format!("{}/api/v3{path}", server.trim_end_matches('/')))
            .map_err(|_| ProviderError::InvalidAddress),
    }
}

/// What each call of the REST API carries.
pub const HEADERS: [(&str, &str); 2] =
    [("accept", "application/vnd.github+json"), ("x-github-api-version", "2022-11-28")];

#[derive(Deserialize)]
struct User {
    login: String,
}

/// The user, the scopes and the expiry of a token.
pub(super) async fn probe(values: &Values, egress: &Egress, endpoints: &Endpoints) -> Finding {
    let Some(payload) = crate::credentials::payload::<Payload>(values) else { return Finding::unreadable() };
    let answer = match ask(&payload, egress, endpoints).await {
        Ok(answer) => answer,
        Err(error) => return calls::failed(&error, WHO).into(),
    };
    let found = if answer.status == 200 { welcome(&answer) } else { Err(explain(answer)) };
    found.unwrap_or_else(Finding::from)
}

async fn ask(payload: &Payload, egress: &Egress, endpoints: &Endpoints) -> Result<Answer, ProviderError> {
    let mut request = calls::get(api(payload.server(SERVER), "/user", endpoints)?);
    if !calls::authorize(&mut request, "Bearer", payload.token.expose_secret()) {
        return Err(ProviderError::WrongCredential);
    }
    for (name, value) in HEADERS {
        request.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    let ca_certificates = payload.ca_certificate.iter().cloned().collect();
    let client = egress.client(Tls { ca_certificates, identity: None, form: Form::CA_FIELD })?;
    calls::send(&client, request).await
}

fn welcome(answer: &Answer) -> Outcome<Finding> {
    let user: User = calls::json(answer, WHO)?;
    let Some(login) = calls::shown(&user.login) else { return Err(calls::failed(&ProviderError::BadAnswer, WHO)) };
    let mut finding = Finding::ok(format!("GitHub knows the token: it is {login}'s.")).fact("User", login);
    // Fine-grained and app tokens have permissions in place of scopes, and this header is absent.
    if let Some(scopes) = answer.header("x-oauth-scopes") {
        let scopes: Vec<&str> = scopes.split(',').map(str::trim).filter(|scope| !scope.is_empty()).collect();
        if !scopes.iter().any(|scope| PACKAGE_SCOPES.contains(scope)) {
            finding.remedy = "Registry scans need the scope read:packages, which this token doesn't have.".to_owned();
        }
        let list = if scopes.is_empty() { Some("none".to_owned()) } else { calls::shown(&scopes.join(", ")) };
        finding.facts.extend(list.map(|scopes| ("Scopes", scopes)));
    }
    finding.expires_at = answer.header("github-authentication-token-expiration").and_then(expiry);
    Ok(finding)
}

/// `2026-11-01 08:00:00 UTC`, or with an offset.
fn expiry(text: &str) -> Option<DateTime<Utc>> {
    if let Some(text) = text.strip_suffix(" UTC") {
        return Some(NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S").ok()?.and_utc());
    }
    Some(DateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S %z").ok()?.with_timezone(&Utc))
}

pub(super) fn explain(answer: Answer) -> Failure {
    let throttled = answer.header("x-ratelimit-remaining") == Some("0") || answer.header("retry-after").is_some();
    let (verdict, sentence, remedy) = match answer.status {
        401 => (
            Verdict::BadKey,
            "GitHub refused the token: it is wrong, was withdrawn or has expired.",
            "Create a new token and store it here.",
        ),
        403 if throttled => return calls::failed(&ProviderError::Throttled { retry_after: None }, WHO),
        403 => (
            Verdict::Denied,
            "GitHub knows the token, but does not let it ask who it is.",
            "Use a personal access token; where the organisation has single sign-on, authorise the token for it.",
        ),
        404 => (
            Verdict::Unreachable,
            "There is no GitHub API at this address.",
            "Check the server URL: it is the address that people open, without /api.",
        ),
        _ => return calls::unexplained(answer, WHO),
    };
    Failure::from(Finding::new(verdict, sentence, remedy))
}
