//! Docker Hub: a user name with a password or an access token becomes a token of its API.
//! <https://docs.docker.com/reference/api/hub/latest/>

use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderValue};
use reqwest::{Method, Request};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::json;
use url::Url;

use super::calls;
use super::egress::{Egress, Tls};
use super::endpoints::{Endpoints, Service};
use super::{ProviderError, Sent};

/// Where the API is.
pub fn address(endpoints: &Endpoints, path: &str) -> Result<Url, ProviderError> {
    endpoints.url(Service::DockerHub, "https://hub.docker.com", path)
}

/// `POST /v2/auth/token`. The token lives for minutes.
pub async fn token(
    username: &str,
    password: &SecretString,
    egress: &Egress,
    endpoints: &Endpoints,
) -> Result<SecretString, ProviderError> {
    #[derive(Deserialize)]
    struct Answered {
        access_token: SecretString,
    }
    let json = HeaderValue::from_static("application/json");
    let mut request = Request::new(Method::POST, address(endpoints, "/v2/auth/token")?);
    request.headers_mut().insert(ACCEPT, json.clone());
    request.headers_mut().insert(CONTENT_TYPE, json);
    let body = json!({ "identifier": username, "secret": password.expose_secret() });
    *request.body_mut() = Some(body.to_string().into());
    let answer = calls::send(&egress.client(Tls::default())?, request).await?;
    Ok(answer.accepted(Sent::Password)?.json::<Answered>()?.access_token)
}
