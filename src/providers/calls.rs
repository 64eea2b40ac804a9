//! What the calls to cloud providers share: bounded patience with throttling, forms, tokens, and failures in words.
//! What one provider's answer means stands in that provider's file.

use std::time::Duration;

use chrono::{DateTime, Utc};
use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use reqwest::{Method, Request};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use url::Url;
use zeroize::Zeroizing;

use super::egress::{Answer, BODY_LIMIT, Client, LIST_LIMIT};
use super::patience::{Patience, Pause, retry_after};
use super::probe::{Finding, Verdict};
use super::{Failure, ProviderError, capital, clock, jwt};

/// A result, or what to tell people instead.
pub type Outcome<T> = Result<T, Failure>;

/// A throttled or overloaded provider is asked this often in all, so that a test ends in time.
const ATTEMPTS: u32 = 3;
const FIRST_PAUSE: Duration = Duration::from_millis(250);
/// A provider that asks for more is not asked again.
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// Sends, and sends again while the provider asks for patience. After that a 429 is [`ProviderError::Throttled`].
pub(super) async fn send(client: &Client, request: Request) -> Result<Answer, ProviderError> {
    send_within(client, request, BODY_LIMIT).await
}

/// The same for an answer as long as that of a list.
pub(super) async fn send_list(client: &Client, request: Request) -> Result<Answer, ProviderError> {
    send_within(client, request, LIST_LIMIT).await
}

async fn send_within(client: &Client, request: Request, limit: usize) -> Result<Answer, ProviderError> {
    let patience = Patience::new(LONGEST_PAUSE * ATTEMPTS);
    let ask = || async { client.send(request.try_clone().ok_or(ProviderError::InvalidAddress)?, limit).await };
    let again = |result: &Result<Answer, ProviderError>, answers| {
        let answer = result.as_ref().ok().filter(|answer| matches!(answer.status, 429 | 503) && answers < ATTEMPTS)?;
        Some(Pause::after(answers, retry_after(answer), FIRST_PAUSE)).filter(|pause| pause.length <= LONGEST_PAUSE)
    };
    match patience.ask(ask, again).await? {
        answer if answer.status == 429 => {
            Err(ProviderError::Throttled { retry_after: retry_after(&answer).map(|asked| asked.as_secs()) })
        }
        answer => Ok(answer),
    }
}

pub(super) fn get(url: Url) -> Request {
    let mut request = Request::new(Method::GET, url);
    request.headers_mut().insert(ACCEPT, HeaderValue::from_static("application/json"));
    request
}

/// A form as browsers post it, which is how OAuth asks for tokens (RFC 6749, appendix B).
pub(super) fn form(url: Url, fields: &[(&str, &str)]) -> Request {
    let mut request = Request::new(Method::POST, url);
    let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
    request.headers_mut().insert(ACCEPT, HeaderValue::from_static("application/json"));
    request.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"));
    *request.body_mut() = Some(body.into());
    request
}

/// Adds an Authorization header; `false` when the value cannot stand in one.
pub(super) fn authorize(request: &mut Request, scheme: &str, secret: &str) -> bool {
    let text = Zeroizing::new(format!("{scheme} {secret}"));
    let Ok(mut header) = HeaderValue::from_str(&text) else { return false };
    header.set_sensitive(true);
    request.headers_mut().insert(AUTHORIZATION, header);
    true
}

/// A provider's short-lived token.
#[derive(Clone)]
pub struct AccessToken {
    pub secret: SecretString,
    /// As the provider said, from now on.
    pub lifetime: Duration,
}

impl AccessToken {
    /// When it ends, by this machine's clock. Right only for a token that was got just now.
    pub fn ends_at(&self) -> DateTime<Utc> {
        clock::now() + self.lifetime
    }
}

/// How long it is until then, by this machine's clock; nothing if it has passed.
pub fn left(until: DateTime<Utc>) -> Duration {
    (until - clock::now()).to_std().unwrap_or_default()
}

/// When a JWT ends by its own claim; `None` when it says nothing, or is no JWT.
pub fn ends_at(token: &SecretString) -> Option<DateTime<Utc>> {
    DateTime::from_timestamp(jwt::claims(token.expose_secret())["exp"].as_i64()?, 0)
}

/// RFC 6749, section 5.1. Azure's metadata service writes the number as text.
#[derive(Deserialize)]
struct TokenAnswer {
    access_token: SecretString,
    expires_in: Option<Seconds>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Seconds {
    Number(u64),
    Text(String),
}

/// Lifetime of a token whose answer says none: too short to be kept.
const UNKNOWN_LIFETIME: Duration = Duration::from_secs(60);
/// No provider gives tokens for longer.
const LONGEST_LIFETIME: u64 = 24 * 3600;

/// The token of a successful answer.
pub(super) fn token(answer: &Answer, who: &str) -> Outcome<AccessToken> {
    let wire: TokenAnswer = json(answer, who)?;
    let seconds = match wire.expires_in {
        Some(Seconds::Number(seconds)) => Some(seconds),
        Some(Seconds::Text(text)) => text.parse().ok(),
        None => None,
    };
    let lifetime = seconds.map_or(UNKNOWN_LIFETIME, |seconds| Duration::from_secs(seconds.min(LONGEST_LIFETIME)));
    Ok(AccessToken { secret: wire.access_token, lifetime })
}

pub(super) fn json<T: DeserializeOwned>(answer: &Answer, who: &str) -> Outcome<T> {
    answer.json().map_err(|error| failed(&error, who))
}

/// A finding to return as the error of an [`Outcome`].
pub(super) fn found<T>(verdict: Verdict, sentence: impl Into<String>, remedy: impl Into<String>) -> Outcome<T> {
    Err(Failure::from(Finding::new(verdict, sentence, remedy)))
}

/// A call that did not come to an answer of its own kind; `who` as in [`ProviderError::sentence`].
pub fn finding(error: &ProviderError, who: &str) -> Finding {
    let verdict = match error {
        ProviderError::Unauthorized { .. } => Verdict::BadKey,
        ProviderError::Forbidden | ProviderError::Google(_) => Verdict::Denied,
        ProviderError::Throttled { .. } => Verdict::Throttled,
        ProviderError::RefusedByPolicy { .. } | ProviderError::Reserved { .. } => Verdict::RefusedByPolicy,
        ProviderError::Aws(refusal) => refusal.verdict(),
        ProviderError::SignIn(finding) => finding.verdict,
        _ => Verdict::Unreachable,
    };
    let (cause, remedy) = error.told_apart(who);
    Finding::new(verdict, cause, remedy)
}

/// A call that came to no answer of its own kind. `who` is the service in lower case: `Google's token service`.
pub(super) fn failed(error: &ProviderError, who: &str) -> Failure {
    let mut finding = finding(error, who);
    match error {
        ProviderError::Throttled { retry_after: None | Some(0) } => {
            finding.sentence = format!("{} limits the number of requests and kept refusing.", capital(who));
            finding.remedy = "Try again in a few minutes.".to_owned();
        }
        ProviderError::BadAnswer
        | ProviderError::TooLarge
        | ProviderError::Redirected { .. }
        | ProviderError::RedirectedWithin { .. } => {
            finding.sentence = format!("{} gave an answer that is not understood.", capital(who));
            finding.remedy = "Check the address, and whether a proxy between answers in its place.".to_owned();
        }
        // The forms of credentials take no address with http://.
        ProviderError::NotTls { host } => {
            finding.sentence = format!("{host} answered with plain http, although the address says https.");
            finding.remedy =
                "Check the address and its port: Strongroom sends this credential by https only.".to_owned();
        }
        _ => {}
    }
    Failure::from(finding)
}

/// An answer whose status is neither success nor explained by the provider's own rules.
pub(super) fn unexplained(answer: Answer, who: &str) -> Failure {
    let error = answer.accepted(super::Sent::Token).err().unwrap_or(ProviderError::BadAnswer);
    failed(&error, who)
}

/// A value that a provider named, if it is fit to be shown: at most 255 visible characters.
pub fn shown(text: &str) -> Option<String> {
    let fit = !text.is_empty() && text.chars().count() <= 255 && !text.chars().any(char::is_control);
    fit.then(|| text.to_owned())
}
