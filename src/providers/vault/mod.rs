//! HashiCorp Vault and OpenBao, by the interface that both have: a login, and the key/value engine in both versions.
//! What is listed and read of it is decided by `integrations::stores`.
//! <https://developer.hashicorp.com/vault/api-docs/secret/kv/kv-v2>,
//! <https://openbao.org/api-docs/secret/kv/kv-v2/>

use reqwest::header::{CONTENT_TYPE, HeaderValue};
use reqwest::{Method, Request};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use url::Url;
use zeroize::Zeroize;

use super::calls;
use super::egress::{Answer, Client};
use super::{ProviderError, Sent};

mod kv;

pub use kv::{Kv, List, Read, Version};

/// How to sign in.
pub enum Login {
    Token(SecretString),
    /// <https://developer.hashicorp.com/vault/api-docs/auth/approle>
    AppRole {
        mount: String,
        role: String,
        secret: SecretString,
    },
    /// By the client certificate of the connection.
    /// <https://developer.hashicorp.com/vault/api-docs/auth/cert>
    Certificate {
        mount: String,
    },
}

impl Login {
    /// What is shown to the server.
    fn sent(&self) -> Sent {
        match self {
            Self::Token(_) => Sent::Token,
            Self::AppRole { .. } => Sent::Password,
            Self::Certificate { .. } => Sent::Certificate,
        }
    }
}

/// A server and a namespace of it.
pub struct Server {
    pub client: Client,
    /// Without `/v1`.
    pub address: Url,
    /// Blank: the root.
    pub namespace: String,
}

/// A signed-in server. End it with [`Session::end`].
pub struct Session {
    server: Server,
    token: SecretString,
    /// The token was got for this session alone.
    is_own: bool,
    sent: Sent,
}

impl Server {
    pub async fn sign_in(self, login: Login) -> Result<Session, ProviderError> {
        let sent = login.sent();
        let (path, body) = match &login {
            Login::Token(token) => return Ok(Session { token: token.clone(), server: self, is_own: false, sent }),
            Login::AppRole { mount, role, secret } => {
                (mount, json!({ "role_id": role, "secret_id": secret.expose_secret() }))
            }
            Login::Certificate { mount } => (mount, json!({})),
        };
        let request = self.request(Method::POST, &["auth", path, "login"], None, Some(&body))?;
        let answer = calls::send(&self.client, request).await?;
        // A wrong role or secret is a 400, an unknown certificate a 400 or a 403.
        if matches!(answer.status, 400 | 401 | 403) {
            return Err(ProviderError::Unauthorized { sent });
        }
        let token = wiped::<LoggedIn>(accepted(answer)?)?.auth.client_token;
        Ok(Session { server: self, token, is_own: true, sent })
    }

    /// A path in parts; each may have slashes.
    fn request(
        &self,
        method: Method,
        path: &[&str],
        token: Option<&SecretString>,
        body: Option<&Value>,
    ) -> Result<Request, ProviderError> {
        let mut url = self.address.clone();
        let parts = path.iter().flat_map(|part| part.split('/')).filter(|part| !part.is_empty());
        url.path_segments_mut().map_err(|()| ProviderError::InvalidAddress)?.pop_if_empty().push("v1").extend(parts);
        let mut request = calls::get(url);
        *request.method_mut() = method;
        let headers = request.headers_mut();
        // Without it an agent between refuses the request, as it is asked to against forged requests of browsers.
        headers.insert("X-Vault-Request", HeaderValue::from_static("true"));
        if !self.namespace.is_empty() {
            let namespace = HeaderValue::from_str(&self.namespace).map_err(|_| ProviderError::InvalidAddress)?;
            headers.insert("X-Vault-Namespace", namespace);
        }
        if let Some(token) = token {
            let mut value = HeaderValue::from_str(token.expose_secret()).map_err(|_| ProviderError::WrongCredential)?;
            value.set_sensitive(true);
            headers.insert("X-Vault-Token", value);
        }
        if let Some(body) = body {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
            *request.body_mut() = Some(body.to_string().into());
        }
        Ok(request)
    }
}

impl Session {
    async fn get(&self, path: &[&str], is_list: bool) -> Result<Answer, ProviderError> {
        let mut request = self.server.request(Method::GET, path, Some(&self.token), None)?;
        if is_list {
            // What the method LIST is to proxies that know it not.
            request.url_mut().set_query(Some("list=true"));
        }
        calls::send_list(&self.server.client, request).await
    }

    /// Whether the server knows the token at all: a wrong one is refused as one without rights is.
    /// <https://developer.hashicorp.com/vault/api-docs/auth/token#lookup-a-token-self>
    async fn is_known(&self) -> bool {
        let asked = self.get(&["auth/token/lookup-self"], false).await;
        asked.is_ok_and(|answer| answer.status != 403)
    }

    /// The refusal of what was asked: of the token itself, or of this path alone.
    async fn told(&self, answer: Answer) -> Result<Answer, ProviderError> {
        match accepted(answer) {
            Err(ProviderError::Forbidden) if !self.is_own && !self.is_known().await => {
                Err(ProviderError::Unauthorized { sent: self.sent })
            }
            other => other,
        }
    }

    /// Gives back a token that was got for this session. One that cannot be given back ends by itself.
    /// <https://developer.hashicorp.com/vault/api-docs/auth/token#revoke-a-token-self>
    pub async fn end(self) {
        if !self.is_own {
            return;
        }
        let path = ["auth/token/revoke-self"];
        if let Ok(request) = self.server.request(Method::POST, &path, Some(&self.token), Some(&json!({}))) {
            let _ = calls::send(&self.server.client, request).await;
        }
    }
}

fn accepted(answer: Answer) -> Result<Answer, ProviderError> {
    answer.accepted(Sent::Token)
}

/// What an answer holds. Its text, which has secrets, is wiped.
fn wiped<T: DeserializeOwned>(mut answer: Answer) -> Result<T, ProviderError> {
    let read = answer.json();
    answer.body.zeroize();
    read
}

#[derive(Deserialize)]
struct LoggedIn {
    auth: Auth,
}

#[derive(Deserialize)]
struct Auth {
    client_token: SecretString,
}
