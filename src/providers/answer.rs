//! What a service answers: whole and no longer than it may be, or where it leads instead.

use reqwest::Response;
use reqwest::header::{HeaderMap, LOCATION};
use url::Url;

use super::addresses::shown;
use super::silence::cut_off;
use super::{Detour, ProviderError, Sent};

/// A whole answer. The body is the service's: never show or log it.
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

impl Answer {
    /// One that no service gave, to be explained in the help.
    pub(super) fn made_up(status: u16, body: &str) -> Self {
        Self { status, headers: HeaderMap::new(), body: body.as_bytes().to_vec() }
    }

    /// The answer if it is a success, else its status as an error. `sent` is what the request carried.
    pub fn accepted(self, sent: Sent) -> Result<Self, ProviderError> {
        match self.status {
            200..=299 => Ok(self),
            401 => Err(ProviderError::Unauthorized { sent }),
            403 => Err(ProviderError::Forbidden),
            404 => Err(ProviderError::NotFound),
            429 => Err(ProviderError::Throttled { retry_after: None }),
            status @ 500.. => Err(ProviderError::ServerError { status }),
            status => Err(ProviderError::UnexpectedStatus { status }),
        }
    }

    /// Whether it is a redirect.
    pub fn leads(&self) -> bool {
        (300..400).contains(&self.status)
    }

    /// Where a redirect leads from the address that was asked.
    pub fn location(&self, asked: &Url) -> Option<Url> {
        self.headers.get(LOCATION).and_then(|value| value.to_str().ok()).and_then(|target| asked.join(target).ok())
    }

    /// A header's value, when it is readable text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// The body as JSON of that shape. What serde says is dropped: it quotes the body.
    pub fn json<T: serde::de::DeserializeOwned>(&self) -> Result<T, ProviderError> {
        serde_json::from_slice(&self.body).map_err(|_| ProviderError::BadAnswer)
    }
}

/// The answer, of at most `limit` bytes. Any status but a redirect is one.
pub(super) async fn read(
    response: Response,
    url: &Url,
    limit: usize,
    failed: impl Fn(reqwest::Error) -> ProviderError,
) -> Result<Answer, ProviderError> {
    not_led(read_or_lead(response, limit, failed).await?, url)
}

/// The same, where a redirect is an answer, too: without a body.
pub(super) async fn read_or_lead(
    mut response: Response,
    limit: usize,
    failed: impl Fn(reqwest::Error) -> ProviderError,
) -> Result<Answer, ProviderError> {
    let status = response.status();
    if status.is_redirection() {
        let headers = std::mem::take(response.headers_mut());
        return Ok(Answer { status: status.as_u16(), headers, body: Vec::new() });
    }
    let limit = limit as u64;
    if response.content_length().is_some_and(|length| length > limit) {
        return Err(ProviderError::TooLarge);
    }
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| cut_off(failed(error)))? {
        if (body.len() + chunk.len()) as u64 > limit {
            return Err(ProviderError::TooLarge);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Answer { status: status.as_u16(), headers: std::mem::take(response.headers_mut()), body })
}

/// The answer if it is no redirect.
pub(super) fn not_led(answer: Answer, url: &Url) -> Result<Answer, ProviderError> {
    if !answer.leads() {
        return Ok(answer);
    }
    Err(redirected(url, answer.location(url).as_ref().unwrap_or(url)))
}

/// Where a redirect leads. A path is never named: that of a webhook is a secret.
fn redirected(from: &Url, to: &Url) -> ProviderError {
    let host = shown(to);
    let how = match (from.scheme(), to.scheme()) {
        _ if from.host() != to.host() => return ProviderError::Redirected { host },
        ("http", "https") => Detour::Encrypted,
        _ if from.origin() != to.origin() => return ProviderError::Redirected { host },
        _ if from.path().trim_end_matches('/') == to.path().trim_end_matches('/') && from.path() != to.path() => {
            Detour::Slash
        }
        _ => Detour::Path,
    };
    ProviderError::RedirectedWithin { host, how }
}
