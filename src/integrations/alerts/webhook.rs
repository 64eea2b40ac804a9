//! A webhook of one's own: one POST of JSON for each digest.

use futures_util::future::BoxFuture;
use reqwest::header::{CONTENT_TYPE, HeaderValue};
use reqwest::{Method, Request};
use secrecy::ExposeSecret;
use serde_json::json;
use url::Url;

use super::{Channel, Job, Receipt, SendError, TRIGGER_FIELDS};
use crate::credentials::{self, webhook};
use crate::form::{Field, Values};
use crate::integrations::Spec;
use crate::providers::egress::{BODY_LIMIT, Tls};
use crate::providers::{ProviderError, Sent};

const WHO: &str = "the receiver of the webhook";

pub struct Webhook;

impl Spec for Webhook {
    fn slug(&self) -> &'static str {
        "webhook_channel"
    }

    fn label(&self) -> &'static str {
        "Webhook"
    }

    fn fields(&self) -> &'static [Field] {
        &TRIGGER_FIELDS
    }

    fn credential_kinds(&self) -> &'static [&'static str] {
        &["webhook"]
    }

    fn needs_credential(&self) -> bool {
        true
    }

    fn address(&self, _: &Values) -> Option<Url> {
        None
    }

    fn host(&self, _: &Values) -> Option<String> {
        Some("the address in the credential".to_owned())
    }

    /// The credential is the address.
    fn chooses_host(&self) -> bool {
        false
    }
}

impl Channel for Webhook {
    fn lines_at_once(&self) -> usize {
        500
    }

    fn send<'a>(&'a self, job: Job<'a>) -> BoxFuture<'a, Result<Receipt, SendError>> {
        Box::pin(async move {
            let failed = |error: ProviderError| SendError::call(&error, WHO);
            let payload = job.credential.and_then(|(_, values)| credentials::payload::<webhook::Payload>(values));
            let payload = payload.ok_or_else(|| failed(ProviderError::WrongCredential))?;
            let url = Url::parse(payload.url.expose_secret());
            let url = url.map_err(|_| failed(ProviderError::InvalidAddress))?;
            let mut request = Request::new(Method::POST, url);
            request.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
            let lines: Vec<_> = job.message.lines.iter().map(|line| json!({ "title": line.title })).collect();
            *request.body_mut() = Some(json!({ "id": job.message.id, "lines": lines }).to_string().into());
            let client = job.egress.client(Tls::default()).map_err(failed)?;
            let answer = client.send(request, BODY_LIMIT).await.map_err(failed)?;
            answer.accepted(Sent::Nothing).map_err(failed)?;
            Ok(Receipt::default())
        })
    }
}
