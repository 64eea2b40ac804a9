//! What the channels that speak HTTP share: requests with a JSON body, credentials in a header, and a refusal in a
//! sentence. A vendor's own error codes are read in that vendor's file; its words are shown nowhere.

use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use futures_util::future::BoxFuture;
use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use reqwest::{Method, Request};
use secrecy::{ExposeSecret, SecretString};
use serde::de::DeserializeOwned;
use serde_json::Value;
use url::Url;
use zeroize::Zeroizing;

use super::outcome::not_sent;
pub(super) use super::peer::Peer;
use super::{Dispatch, Line};
use crate::credentials;
use crate::integrations::context::{Context, Secret};
use crate::providers::egress::{Answer, BODY_LIMIT, Client, Tls};
use crate::providers::patience::retry_after;
use crate::providers::{Failure, ProviderError, Retry, capital};

/// A peer that asks for a longer pause is asked sooner all the same.
const LONGEST_PAUSE: Duration = Duration::from_secs(24 * 3600);

/// A way to one service.
pub(super) struct Caller {
    client: Client,
    pub peer: &'static Peer,
}

impl Caller {
    pub fn new(cx: &Context<'_>, tls: Tls, peer: &'static Peer) -> Result<Self, Failure> {
        let client = cx.outside.egress.client(tls).map_err(|error| peer.failed(&error))?;
        Ok(Self { client, peer })
    }

    /// The answer, whatever its status.
    pub async fn ask(&self, request: Request) -> Result<Answer, Failure> {
        self.client.send(request, BODY_LIMIT).await.map_err(|error| self.peer.failed(&error))
    }

    /// The answer, if its status is from 200 to 299.
    pub async fn call(&self, request: Request) -> Result<Answer, Failure> {
        let answer = self.ask(request).await?;
        if (200..300).contains(&answer.status) { Ok(answer) } else { Err(self.peer.refusal(&answer)) }
    }
}

impl Peer {
    pub fn failed(&self, error: &ProviderError) -> Failure {
        not_sent(error, self.who)
    }

    pub fn not_understood(&self) -> Failure {
        self.failed(&ProviderError::BadAnswer)
    }

    /// What a status that is no success means.
    pub fn refusal(&self, answer: &Answer) -> Failure {
        match answer.status {
            400 | 409 | 422 => Failure::never(self.bad_request),
            401 => Failure::never(self.unauthorized),
            403 => Failure::never(self.forbidden),
            404 | 410 => Failure::never(self.not_found),
            408 | 425 => Failure::later(format!("{} did not get the message in time.", capital(self.who))),
            413 => Failure::never(format!(
                "{} says that the message is too large. Check its own limit for what is posted.",
                capital(self.who)
            )),
            429 => self.throttled(pause(answer)),
            status @ 500.. => {
                let error = self.failed(&ProviderError::ServerError { status });
                error.with(Retry::Postponed(pause(answer)))
            }
            status => self.failed(&ProviderError::UnexpectedStatus { status }),
        }
    }

    pub fn throttled(&self, pause: Option<Duration>) -> Failure {
        let who = capital(self.who);
        let sentence = match pause {
            Some(pause) if pause.as_secs() > 0 => format!(
                "{who} limits the number of messages and asks for a pause of {} seconds. Strongroom tries later.",
                pause.as_secs()
            ),
            _ => format!("{who} limits the number of messages. Strongroom sends this one later."),
        };
        Failure::new(sentence, Retry::Postponed(pause))
    }

    /// The body as JSON of that shape: HTML, from a proxy or a login page in between, is no answer.
    pub fn json<T: DeserializeOwned>(&self, answer: &Answer) -> Result<T, Failure> {
        answer.json().map_err(|error| self.failed(&error))
    }
}

/// The credential of the call.
pub(super) fn secret<'a>(cx: &Context<'a>, peer: &Peer) -> Result<Secret<'a>, Failure> {
    cx.main().ok_or_else(|| peer.failed(&ProviderError::WrongCredential))
}

/// Its typed payload.
pub(super) fn payload<P: DeserializeOwned>(cx: &Context<'_>, peer: &Peer) -> Result<P, Failure> {
    let payload = credentials::payload(secret(cx, peer)?.values);
    payload.ok_or_else(|| peer.failed(&ProviderError::WrongCredential))
}

/// The outcome of a connection test: a sentence, nothing, or what failed.
pub(super) fn checked<'a>(
    work: impl Future<Output = Result<impl Into<Option<String>> + Send, Failure>> + Send + 'a,
) -> BoxFuture<'a, Result<Option<String>, Failure>> {
    Box::pin(async move { work.await.map(Into::into) })
}

/// The line of a message of a channel that sends each by itself.
pub(super) fn only_line<'a>(dispatch: &Dispatch<'a>) -> Result<&'a Line, Failure> {
    dispatch.message.lines.first().ok_or_else(|| Failure::never("The message is empty. Please report this."))
}

/// An address below a base that may have a path of its own.
pub(super) fn below(base: &Url, path: &str, peer: &Peer) -> Result<Url, Failure> {
    let whole = format!("{}{path}", base.as_str().trim_end_matches('/'));
    Url::parse(&whole).map_err(|_| peer.failed(&ProviderError::InvalidAddress))
}

pub(super) fn get(url: Url) -> Request {
    let mut request = Request::new(Method::GET, url);
    request.headers_mut().insert(ACCEPT, HeaderValue::from_static("application/json"));
    request
}

pub(super) fn json(method: Method, url: Url, body: &Value) -> Request {
    let mut request = get(url);
    *request.method_mut() = method;
    request.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json; charset=utf-8"));
    *request.body_mut() = Some(body.to_string().into());
    request
}

/// The same request with a token: `Bearer`, `Splunk`.
pub(super) fn with_token(mut request: Request, scheme: &str, token: &SecretString) -> Result<Request, Failure> {
    let text = Zeroizing::new(format!("{scheme} {}", token.expose_secret()));
    let unusable = |_| Failure::never("The token has characters that can't be sent. Edit the credential.");
    let mut header = HeaderValue::from_str(&text).map_err(unusable)?;
    header.set_sensitive(true);
    request.headers_mut().insert(AUTHORIZATION, header);
    Ok(request)
}

/// The same request with a user name and password (RFC 7617).
pub(super) fn with_password(request: Request, basic: &credentials::basic::Payload) -> Result<Request, Failure> {
    let pair = Zeroizing::new(format!("{}:{}", basic.username, basic.password.expose_secret()));
    with_token(request, "Basic", &SecretString::from(BASE64_STANDARD.encode(pair.as_bytes())))
}

/// Whether a success is a page for people, as proxies and login pages give it, instead of a receiver's answer. Its type
/// says little: Slack's own `ok` is called HTML.
pub(super) fn is_page(answer: &Answer) -> bool {
    answer.body.trim_ascii_start().starts_with(b"<")
}

/// The pause that a service asks for, within reason.
pub fn pause(answer: &Answer) -> Option<Duration> {
    retry_after(answer).map(|pause| pause.min(LONGEST_PAUSE))
}
