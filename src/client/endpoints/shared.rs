//! What the protocols have in common: what they serve, who may ask, and how an answer is written.

use std::sync::Arc;

use hyper::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderValue};
use hyper::{Response, StatusCode};
use serde_json::Value;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use super::super::net::{Body, text};
use super::super::source::Source;
use super::super::trouble::{Result, Trouble};
use super::super::wire::form;

/// Which rule each protocol serves.
#[derive(Clone, Debug, Default)]
pub struct Clouds {
    pub aws: Option<String>,
    pub azure: Option<String>,
    pub google: Option<String>,
}

impl Clouds {
    pub fn is_empty(&self) -> bool {
        self.aws.is_none() && self.azure.is_none() && self.google.is_none()
    }

    /// The place of a form's rule; `None` for a form that no protocol knows.
    pub fn slot(&mut self, form: &str) -> Option<&mut Option<String>> {
        match form {
            form::AWS => Some(&mut self.aws),
            form::AZURE => Some(&mut self.azure),
            form::GOOGLE => Some(&mut self.google),
            _ => None,
        }
    }
}

pub struct Endpoints {
    pub source: Arc<Source>,
    pub clouds: Clouds,
    /// What AWS's and Azure's SDKs send along. Google's send nothing: there the kernel says whose the request is.
    pub secret: Zeroizing<String>,
    /// Whether `/aws/RULE` and `/azure/RULE` serve every rule.
    pub every_rule: bool,
}

/// 256 random bits.
pub fn new_secret() -> Result<Zeroizing<String>> {
    let mut bytes = Zeroizing::new([0; 32]);
    getrandom::fill(&mut *bytes).map_err(|error| Trouble::Local(format!("no random numbers: {error}")))?;
    Ok(Zeroizing::new(hex::encode(bytes.as_slice())))
}

impl Endpoints {
    pub fn is_secret(&self, sent: Option<&HeaderValue>) -> bool {
        sent.is_some_and(|sent| bool::from(sent.as_bytes().ct_eq(self.secret.as_bytes())))
    }
}

pub fn plain(status: StatusCode, words: &str) -> Response<Body> {
    let mut response = Response::new(text(words.to_owned()));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain"));
    response
}

pub fn json(status: u16, body: &Value) -> Response<Body> {
    let mut response = Response::new(text(body.to_string()));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
