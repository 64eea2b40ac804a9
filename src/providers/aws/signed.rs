//! Signed calls to the services whose SDK crates would be larger than the product: any method, with JSON or a form in
//! the body, with the session's keys (Signature Version 4), in any region. What a service answers is read in the file of
//! that service. <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv.html>

use std::time::Duration;

use aws_credential_types::Credentials;
use aws_credential_types::provider::ProvideCredentials;
use aws_sigv4::http_request::{
    SignableBody, SignableRequest, SignatureLocation, SigningInstructions, SigningSettings, sign,
};
use aws_sigv4::sign::v4;
use reqwest::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use reqwest::{Method, Request};
use serde_json::Value;
use url::Url;
use zeroize::Zeroizing;

use super::service::{Endpoint, Service};
use super::{Region, Session, answered};
use crate::providers::egress::{Answer, Client, Egress, LIST_LIMIT, Tls};
use crate::providers::patience::{MOST_WAITING, Observer, Patience, Pause};
use crate::providers::{ProviderError, clock};

/// A call that is throttled is made this often in all: 31 seconds of pauses, unless the service asks for others.
const THROTTLED_ATTEMPTS: u32 = 6;
const THROTTLED_PAUSE: Duration = Duration::from_secs(1);
/// And one that fails by a fault of the service or of the connection.
const FAULT_ATTEMPTS: u32 = 3;
const FAULT_PAUSE: Duration = Duration::from_millis(250);

const TARGET: HeaderName = HeaderName::from_static("x-amz-target");

/// One call, as the service's API reference has it.
pub struct Call<'a> {
    pub service: &'static Service,
    /// The right that it needs: `lambda:ListFunctions`.
    pub action: &'static str,
    pub method: Method,
    /// From the `/`; what varies in it goes through [`encoded`].
    pub path: &'a str,
    pub query: &'a [(&'a str, &'a str)],
    pub body: Body<'a>,
}

/// What a call carries.
pub enum Body<'a> {
    Empty,
    /// A document of a REST service.
    Json(&'a Value),
    /// A document of a JSON 1.1 service, with the operation as `X-Amz-Target` names it.
    Target(&'static str, &'a Value),
    /// The parameters of a Query service, `Action` and `Version` among them. It answers in XML.
    Form(&'a [(&'a str, &'a str)]),
}

impl<'a> Call<'a> {
    /// `GET` of a REST service.
    pub fn get(
        service: &'static Service,
        action: &'static str,
        path: &'a str,
        query: &'a [(&'a str, &'a str)],
    ) -> Self {
        Self { service, action, method: Method::GET, path, query, body: Body::Empty }
    }

    /// `POST`, as all services take it that are not REST.
    pub fn post(service: &'static Service, action: &'static str, path: &'a str, body: Body<'a>) -> Self {
        Self { service, action, method: Method::POST, path, query: &[], body }
    }

    /// The request without its signature, and its body.
    fn request(&self, base: &str) -> Result<(Request, Vec<u8>), ProviderError> {
        let query = pairs(self.query);
        let query = if query.is_empty() { query } else { format!("?{query}") };
        let url = Url::parse(&format!("{}{}{query}", base.trim_end_matches('/'), self.path));
        let mut request = Request::new(self.method.clone(), url.map_err(|_| ProviderError::InvalidAddress)?);
        let headers = request.headers_mut();
        let (kind, body) = match &self.body {
            Body::Empty => return Ok((request, Vec::new())),
            Body::Json(document) => ("application/json", document.to_string()),
            Body::Target(target, document) => {
                headers.insert(TARGET, HeaderValue::from_static(target));
                ("application/x-amz-json-1.1", document.to_string())
            }
            Body::Form(parameters) => ("application/x-www-form-urlencoded; charset=utf-8", pairs(parameters)),
        };
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
        *request.body_mut() = Some(body.clone().into());
        Ok((request, body.into_bytes()))
    }
}

/// A text in a path or a query as a signature wants it: all but letters, digits and `-._~` as `%XX`.
pub fn encoded(text: &str) -> String {
    let form: String = form_urlencoded::byte_serialize(text.as_bytes()).collect();
    form.replace('+', "%20").replace('*', "%2A").replace("%7E", "~")
}

/// Sorted by the name.
fn pairs(list: &[(&str, &str)]) -> String {
    let mut list: Vec<String> =
        list.iter().map(|(name, value)| format!("{}={}", encoded(name), encoded(value))).collect();
    list.sort_unstable();
    list.join("&")
}

/// The signed calls of one scan: they share a session, an HTTP client and what a scan waits for a busy service in all.
pub struct SignedCalls {
    session: Session,
    client: Client,
    patience: Patience,
}

impl SignedCalls {
    pub fn new(session: Session, egress: &Egress) -> Result<Self, ProviderError> {
        Ok(Self { session, client: egress.client(Tls::default())?, patience: Patience::new(MOST_WAITING) })
    }

    /// The same, telling when all calls wait.
    #[must_use]
    pub fn told_to(self, observer: Observer) -> Self {
        Self { patience: self.patience.told_to(observer), ..self }
    }

    pub fn session(&self) -> &Session {
        &self.session
    }

    /// The answer if it is a success. Else which right is missing, or what else is wrong, after having asked again
    /// while the service was busy or out of order: only for a call that may be made twice.
    pub async fn ask(&self, region: &Region, call: &Call<'_>) -> Result<Answer, ProviderError> {
        let once = || async {
            let answer = self.session.send(&self.client, region, call).await?;
            if (200..300).contains(&answer.status) { Ok(answer) } else { Err(answered(&answer, call.action)) }
        };
        self.patience.ask(once, again).await
    }
}

/// AWS limits calls by account and region: a pause is for the task that was answered, the other regions go on.
fn again(result: &Result<Answer, ProviderError>, answers: u32) -> Option<Pause> {
    let (attempts, asked, first) = match result {
        Err(ProviderError::Throttled { retry_after }) => {
            (THROTTLED_ATTEMPTS, retry_after.map(Duration::from_secs), THROTTLED_PAUSE)
        }
        Err(ProviderError::ServerError { .. } | ProviderError::Dropped { .. } | ProviderError::Broken { .. }) => {
            (FAULT_ATTEMPTS, None, FAULT_PAUSE)
        }
        _ => return None,
    };
    (answers < attempts).then(|| Pause::after(answers, asked, first))
}

impl Session {
    /// Makes a call once. The answer has whatever status the service gave: [`answered`] knows what it means.
    pub async fn send(&self, client: &Client, region: &Region, call: &Call<'_>) -> Result<Answer, ProviderError> {
        let endpoint = call.service.endpoint(region);
        let base = match self.endpoints().of(call.service.variable) {
            Some(base) => base.to_owned(),
            None => format!("https://{}", endpoint.host),
        };
        let (mut request, body) = call.request(&base)?;
        self.sign(&mut request, call.service, &endpoint, &body).await?;
        client.send(request, LIST_LIMIT).await
    }

    async fn sign(
        &self,
        request: &mut Request,
        service: &Service,
        endpoint: &Endpoint,
        body: &[u8],
    ) -> Result<(), ProviderError> {
        let keys = self.keys().await?;
        let instructions = {
            let headers =
                request.headers().iter().filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?)));
            let (method, url) = (request.method().as_str(), request.url().as_str());
            let signable = SignableRequest::new(method, url, headers, SignableBody::Bytes(body));
            let signable = signable.map_err(|_| ProviderError::InvalidAddress)?;
            instructions(signable, keys, service.name, &endpoint.region, SigningSettings::default())?
        };
        let (headers, _) = instructions.into_parts();
        for header in headers {
            let mut value = HeaderValue::from_str(header.value()).map_err(|_| unsigned())?;
            value.set_sensitive(header.sensitive());
            request.headers_mut().insert(header.name(), value);
        }
        Ok(())
    }

    /// A presigned address: whoever has it can make this `GET` with these headers within that time. The signature is in
    /// the query.
    pub(super) async fn presigned(
        &self,
        url: &str,
        headers: &[(&str, &str)],
        service: &str,
        region: &Region,
        valid: Duration,
    ) -> Result<Zeroizing<String>, ProviderError> {
        let mut settings = SigningSettings::default();
        settings.signature_location = SignatureLocation::QueryParams;
        settings.expires_in = Some(valid);
        let signable = SignableRequest::new("GET", url, headers.iter().copied(), SignableBody::Bytes(&[]));
        let signable = signable.map_err(|_| ProviderError::InvalidAddress)?;
        let (_, parameters) = instructions(signable, self.keys().await?, service, region, settings)?.into_parts();
        let mut whole = Zeroizing::new(url.to_owned());
        for (name, value) in parameters {
            whole.push_str(&format!("&{name}={}", encoded(&value)));
        }
        Ok(whole)
    }

    async fn keys(&self) -> Result<Credentials, ProviderError> {
        let keys = self.config().credentials_provider().ok_or_else(unsigned)?;
        keys.provide_credentials().await.map_err(|_| unsigned())
    }
}

fn unsigned() -> ProviderError {
    ProviderError::WrongCredential
}

fn instructions(
    request: SignableRequest<'_>,
    keys: Credentials,
    service: &str,
    region: &Region,
    settings: SigningSettings,
) -> Result<SigningInstructions, ProviderError> {
    let identity = keys.into();
    let parameters = v4::SigningParams::builder()
        .identity(&identity)
        .region(region.as_str())
        .name(service)
        .time(clock::now().into())
        .settings(settings)
        .build()
        .map_err(|_| unsigned())?
        .into();
    Ok(sign(request, &parameters).map_err(|_| unsigned())?.into_parts().0)
}

#[cfg(test)]
mod tests {
    use super::*;

    static LISTS: Service = Service::regional("lists", "LISTS");

    #[test]
    fn a_query_is_sorted_and_a_blank_in_it_is_no_plus() {
        let query = [("b", "x y+z*~/"), ("a", "1"), ("A", "é")];
        let call = Call::get(&LISTS, "lists:Read", "/v1/things", &query);
        let (request, body) = call.request("http://127.0.0.1:9/").unwrap();
        let expected = "http://127.0.0.1:9/v1/things?A=%C3%A9&a=1&b=x%20y%2Bz%2A~%2F";
        assert_eq!((request.url().as_str(), body.len()), (expected, 0));
        assert!(request.headers().is_empty());
    }

    #[test]
    fn each_protocol_has_its_own_headers_and_body() {
        let document = serde_json::json!({"a": 1});
        let call = Call::post(&LISTS, "lists:Read", "/", Body::Target("Lists_2014.Read", &document));
        let (request, body) = call.request("http://127.0.0.1:9").unwrap();
        let header = |name: &str| request.headers().get(name).unwrap().to_str().unwrap().to_owned();
        assert_eq!(header("x-amz-target"), "Lists_2014.Read");
        assert_eq!(header("content-type"), "application/x-amz-json-1.1");
        assert_eq!(body, br#"{"a":1}"#);
        let form = [("Version", "2010-05-08"), ("Action", "ListUsers"), ("PathPrefix", "/a b/")];
        let (request, body) = Call::post(&LISTS, "iam:ListUsers", "/", Body::Form(&form)).request("http://x").unwrap();
        assert_eq!(String::from_utf8(body).unwrap(), "Action=ListUsers&PathPrefix=%2Fa%20b%2F&Version=2010-05-08");
        assert!(request.headers()["content-type"].to_str().unwrap().contains("x-www-form-urlencoded"));
    }

    #[test]
    fn a_busy_service_is_asked_again_and_a_refusal_is_final() {
        let throttled = |retry_after| Err(ProviderError::Throttled { retry_after });
        let pause = |result, answers| again(&result, answers).map(|pause| pause.length.as_millis());
        assert_eq!(pause(throttled(None), 3), Some(4000));
        assert_eq!(pause(throttled(Some(7)), 3), Some(7000));
        assert_eq!(pause(throttled(None), THROTTLED_ATTEMPTS), None);
        assert_eq!(pause(Err(ProviderError::ServerError { status: 503 }), 2), Some(500));
        assert_eq!(pause(Err(ProviderError::ServerError { status: 503 }), 3), None);
        assert_eq!(pause(Err(ProviderError::Forbidden), 1), None);
    }
}
