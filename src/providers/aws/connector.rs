//! The SDK's way out: our own client, so that the egress rules, no proxy, no redirect and the limits hold for AWS too.

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use reqwest::header::{HeaderName, HeaderValue};
use reqwest::{Method, Request};
use url::Url;

use crate::providers::ProviderError;
use crate::providers::egress::{Client, LIST_LIMIT};

#[derive(Clone)]
pub(super) struct Connector(pub Client);

impl std::fmt::Debug for Connector {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Connector")
    }
}

impl HttpClient for Connector {
    /// Connections and time limits are the client's own.
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for Connector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let client = self.0.clone();
        HttpConnectorFuture::new(async move {
            let request = outgoing(&request).ok_or(ProviderError::InvalidAddress).map_err(refused)?;
            let answer = client.send(request, LIST_LIMIT).await.map_err(refused)?;
            let mut response = HttpResponse::new(answer.status.try_into().map_err(bad)?, SdkBody::from(answer.body));
            for (name, value) in &answer.headers {
                let value = std::str::from_utf8(value.as_bytes()).map_err(bad)?;
                response.headers_mut().try_append(name.as_str().to_owned(), value.to_owned()).map_err(bad)?;
            }
            Ok(response)
        })
    }
}

/// `None` for what the SDK never sends here: a body that streams, a header or an address out of form.
fn outgoing(request: &HttpRequest) -> Option<Request> {
    let method = Method::from_bytes(request.method().as_bytes()).ok()?;
    let mut sent = Request::new(method, Url::parse(request.uri()).ok()?);
    for (name, value) in request.headers().iter() {
        let name = HeaderName::from_bytes(name.as_bytes()).ok()?;
        sent.headers_mut().append(name, HeaderValue::from_str(value).ok()?);
    }
    *sent.body_mut() = Some(request.body().bytes()?.to_vec().into());
    Some(sent)
}

fn bad<E>(_: E) -> ConnectorError {
    refused(ProviderError::BadAnswer)
}

/// Says whether another attempt could help; the cause travels along and is found again by [`super::refusal`].
fn refused(cause: ProviderError) -> ConnectorError {
    match cause {
        ProviderError::Unreachable { .. } | ProviderError::Dropped { .. } | ProviderError::Broken { .. } => {
            ConnectorError::io(cause.into())
        }
        // A time limit has been spent already: another attempt would spend it again.
        _ => ConnectorError::user(cause.into()),
    }
}
