//! One signed call to a service whose SDK crate would be larger than the product: JSON over POST, with the session's
//! keys (Signature Version 4). <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv.html>

use aws_credential_types::provider::ProvideCredentials;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4;
use reqwest::header::{CONTENT_TYPE, HeaderValue};
use reqwest::{Method, Request};
use serde_json::Value;
use url::Url;

use super::{Region, Session};
use crate::providers::egress::{Answer, BODY_LIMIT, Egress, Tls};
use crate::providers::{ProviderError, clock};

/// A service that has no client among those of [`Session`].
pub struct Rest {
    /// As the endpoint and the signature name it: `securityhub`.
    pub service: &'static str,
    /// As the variable of the operator names it: `SECURITYHUB`.
    pub variable: &'static str,
}

impl Rest {
    /// `securityhub.eu-central-1.amazonaws.com`, in China with `.cn`.
    pub fn host(&self, region: &Region) -> String {
        format!("{}.{}.{}", self.service, region.as_str(), region.dns_suffix())
    }
}

impl Session {
    /// POSTs a JSON document; the answer has whatever status the service gave.
    pub async fn post(
        &self,
        rest: &Rest,
        region: &Region,
        path: &str,
        body: &Value,
        egress: &Egress,
    ) -> Result<Answer, ProviderError> {
        let base = match self.endpoints().of(rest.variable) {
            Some(base) => base.trim_end_matches('/').to_owned(),
            None => format!("https://{}", rest.host(region)),
        };
        let url = Url::parse(&format!("{base}{path}")).map_err(|_| ProviderError::InvalidAddress)?;
        let body = body.to_string();
        let mut request = Request::new(Method::POST, url);
        request.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        self.sign(&mut request, rest, region, body.as_bytes()).await?;
        *request.body_mut() = Some(body.into());
        egress.client(Tls::default())?.send(request, BODY_LIMIT).await
    }

    async fn sign(
        &self,
        request: &mut Request,
        rest: &Rest,
        region: &Region,
        body: &[u8],
    ) -> Result<(), ProviderError> {
        let unsigned = || ProviderError::WrongCredential;
        let keys = self.config().credentials_provider().ok_or_else(unsigned)?;
        let identity = keys.provide_credentials().await.map_err(|_| unsigned())?.into();
        let parameters = v4::SigningParams::builder()
            .identity(&identity)
            .region(region.as_str())
            .name(rest.service)
            .time(clock::now().into())
            .settings(SigningSettings::default())
            .build()
            .map_err(|_| unsigned())?
            .into();
        let url = request.url().clone();
        let headers = [("content-type", "application/json")].into_iter();
        let signable = SignableRequest::new("POST", url.as_str(), headers, SignableBody::Bytes(body));
        let signable = signable.map_err(|_| ProviderError::InvalidAddress)?;
        let (instructions, _) = sign(signable, &parameters).map_err(|_| unsigned())?.into_parts();
        let (headers, _) = instructions.into_parts();
        for header in headers {
            let mut value = HeaderValue::from_str(header.value()).map_err(|_| unsigned())?;
            value.set_sensitive(header.sensitive());
            request.headers_mut().insert(header.name(), value);
        }
        Ok(())
    }
}
