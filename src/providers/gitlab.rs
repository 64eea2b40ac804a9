//! GitLab, on gitlab.com and on servers of one's own: where it is reached, and who a token is. Images are read by the
//! integrations.
//! <https://docs.gitlab.com/api/personal_access_tokens/#self-inform>

use chrono::{DateTime, NaiveDate, NaiveTime, Utc};
use reqwest::header::HeaderValue;
use secrecy::ExposeSecret;
use serde::Deserialize;
use url::Url;

use super::calls::{self, Outcome};
use super::egress::{Answer, Client, Egress, Tls};
use super::endpoints::{Endpoints, Service};
use super::probe::{Finding, Verdict};
use super::tls_faults::Form;
use super::{Failure, ProviderError};
use crate::credentials::checks;
use crate::credentials::forge_token::Payload;
use crate::credentials::gitlab_token::SERVER;
use crate::form::Values;

const WHO: &str = "GitLab";
/// Any of these lets a token list what registries hold.
const API_SCOPES: [&str; 2] = ["read_api", "api"];

#[derive(Deserialize)]
struct Token {
    id: Option<i64>,
    name: String,
    scopes: Vec<String>,
    /// The token is good until midnight (UTC) of this day begins.
    expires_at: Option<NaiveDate>,
    created_at: Option<DateTime<Utc>>,
    last_used_at: Option<DateTime<Utc>>,
    #[serde(default = "yes")]
    active: bool,
    #[serde(default)]
    revoked: bool,
}

fn yes() -> bool {
    true
}

#[derive(Deserialize)]
struct User {
    username: String,
}

/// The user, the scopes and the expiry of a token. Servers before 15.5 and tokens of another sort do not tell of
/// themselves; then the user alone.
pub(super) async fn probe(values: &Values, egress: &Egress, endpoints: &Endpoints) -> Finding {
    let Some(payload) = crate::credentials::payload::<Payload>(values) else { return Finding::unreadable() };
    outcome(&payload, egress, endpoints).await.unwrap_or_else(Finding::from)
}

async fn outcome(payload: &Payload, egress: &Egress, endpoints: &Endpoints) -> Outcome<Finding> {
    let ca_certificates = payload.ca_certificate.iter().cloned().collect();
    let client = egress
        .client(Tls { ca_certificates, identity: None, form: Form::CA_FIELD })
        .map_err(|error| calls::failed(&error, WHO))?;
    let ask = |path: &'static str| ask(&client, payload, path, endpoints);
    let (own, user) = futures_util::join!(ask("/api/v4/personal_access_tokens/self"), ask("/api/v4/user"));
    let own = own.map_err(|error| calls::failed(&error, WHO))?;
    let username = user.as_ref().ok().filter(|answer| answer.status == 200);
    let username = username.and_then(|answer| calls::shown(&answer.json::<User>().ok()?.username));
    let token = match (own.status, &username) {
        (200, _) => Some(calls::json::<Token>(&own, WHO)?),
        (400 | 403 | 404, Some(_)) => None,
        // It was stored before the form knew them. The API takes none, and says the same as to a wrong token.
        (401, _) if payload.token.expose_secret().starts_with("gldt-") => {
            return calls::found(
                Verdict::NotHere,
                "GitLab's API doesn't accept deploy tokens.",
                "Add its user name and the token as a credential of the type Basic authentication, and use that one.",
            );
        }
        _ => return Err(explain(own)),
    };
    let key_id = token.as_ref().and_then(|token| Some(key_id(payload.server(SERVER), token.id?)));
    Ok(Finding { key_id, ..describe(token, username) })
}

/// What a token is called among those of all servers: `gitlab.example.com/42`. Tokens of people, groups and projects
/// share one row of numbers.
pub fn key_id(server: &str, id: i64) -> String {
    format!("{}/{id}", checks::host(server))
}

/// A path of a server: `/api/v4/user`.
pub fn address(server: &str, path: &str, endpoints: &Endpoints) -> Result<Url, ProviderError> {
    match Url::parse(server).map(|url| url.host_str() == Some("gitlab.com")) {
        Ok(true) => endpoints.url(Service::Gitlab, "https://gitlab.com", path),
        _ => Url::parse(&format!("{server}{path}")).map_err(|_| ProviderError::InvalidAddress),
    }
}

async fn ask(client: &Client, payload: &Payload, path: &str, endpoints: &Endpoints) -> Result<Answer, ProviderError> {
    let mut request = calls::get(address(payload.server(SERVER), path, endpoints)?);
    let token = HeaderValue::from_str(payload.token.expose_secret());
    let mut token = token.map_err(|_| ProviderError::WrongCredential)?;
    token.set_sensitive(true);
    request.headers_mut().insert("PRIVATE-TOKEN", token);
    calls::send(client, request).await
}

fn describe(token: Option<Token>, username: Option<String>) -> Finding {
    let mut finding = match &username {
        Some(name) => Finding::ok(format!("GitLab knows the token: it is {name}'s.")).fact("User", name),
        None => Finding::ok("GitLab knows the token."),
    };
    let Some(token) = token else { return finding };
    if token.revoked || !token.active {
        return Finding::new(
            Verdict::Expired,
            "GitLab says that the token is no longer active.",
            "Create a new token and store it here.",
        );
    }
    finding.facts.extend(calls::shown(&token.name).map(|name| ("Token", name)));
    finding.facts.extend(calls::shown(&token.scopes.join(", ")).map(|scopes| ("Scopes", scopes)));
    finding.expires_at = token.expires_at.map(midnight);
    finding = finding.dated(token.created_at, token.last_used_at);
    if !token.scopes.iter().any(|scope| API_SCOPES.contains(&scope.as_str())) {
        finding.remedy = "Registry scans need the scope read_api, which this token doesn't have.".to_owned();
    }
    finding
}

fn midnight(day: NaiveDate) -> DateTime<Utc> {
    day.and_time(NaiveTime::MIN).and_utc()
}

pub(super) fn explain(answer: Answer) -> Failure {
    let (verdict, sentence, remedy) = match answer.status {
        401 => (
            Verdict::BadKey,
            "GitLab refused the token: it is wrong, was withdrawn or has expired.",
            "Create a new token and store it here.",
        ),
        403 => (
            Verdict::Denied,
            "GitLab knows the token, but does not let it ask who it is.",
            "Give it the scope read_api; where the group limits addresses, add this machine's.",
        ),
        404 => (
            Verdict::Unreachable,
            "There is no GitLab API at this address.",
            "Check the server URL: it is the address that people open, without /api.",
        ),
        _ => return calls::unexplained(answer, WHO),
    };
    Failure::from(Finding::new(verdict, sentence, remedy))
}
