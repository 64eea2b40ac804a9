//! Registry tokens: who signs in, the exchange of a password for a token at the challenge's realm, and the tokens'
//! short life in memory. <https://distribution.github.io/distribution/spec/auth/token/>

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use reqwest::header::{AUTHORIZATION, HeaderValue};
use reqwest::{Method, Request};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use tokio::sync::Mutex;
use url::Url;
use zeroize::Zeroizing;

use super::links;
use crate::providers::addresses::shown;
use crate::providers::calls;
use crate::providers::egress::Answer;
use crate::providers::{ProviderError, Sent};

/// Who signs in. A client certificate belongs to the client and counts as [`Login::Certificate`] here.
#[derive(Debug)]
pub enum Login {
    Anonymous,
    Basic {
        username: String,
        password: SecretString,
    },
    Token(SecretString),
    /// A token that the realm exchanges for those of scopes: OAuth's grant refresh_token.
    /// <https://distribution.github.io/distribution/spec/auth/oauth/>
    Refresh(SecretString),
    Certificate,
}

impl Login {
    pub(super) fn sent(&self) -> Sent {
        match self {
            Self::Anonymous => Sent::Nothing,
            Self::Basic { .. } => Sent::Password,
            Self::Token(_) | Self::Refresh(_) => Sent::Token,
            Self::Certificate => Sent::Certificate,
        }
    }

    /// The header of a user name and password (RFC 7617).
    pub(super) fn basic(&self) -> Option<HeaderValue> {
        let Self::Basic { username, password } = self else { return None };
        let pair = Zeroizing::new(format!("{username}:{}", password.expose_secret()));
        secret_header("Basic", &Zeroizing::new(STANDARD.encode(pair.as_bytes())))
    }

    /// Whether the realm of a challenge is shown a secret, for a token of its own.
    pub(super) fn is_exchanged(&self) -> bool {
        matches!(self, Self::Basic { .. } | Self::Refresh(_))
    }

    /// The header of an access token (RFC 6750).
    pub(super) fn bearer(&self) -> Option<HeaderValue> {
        let Self::Token(token) = self else { return None };
        bearer(token)
    }
}

/// The header of an access token (RFC 6750); `None` when it cannot stand in one.
pub(super) fn bearer(token: &SecretString) -> Option<HeaderValue> {
    secret_header("Bearer", token.expose_secret())
}

fn secret_header(scheme: &str, value: &str) -> Option<HeaderValue> {
    let text = Zeroizing::new(format!("{scheme} {value}"));
    let mut header = HeaderValue::from_str(&text).ok()?;
    header.set_sensitive(true);
    Some(header)
}

/// Hosts other than the registry's that were sent the stored credential, for the audit trail. Clones share the list.
#[derive(Clone, Debug, Default)]
pub struct SentTo(Arc<std::sync::Mutex<BTreeSet<String>>>);

impl SentTo {
    /// More are counted as "others": a hostile registry must not fill the trail.
    const MOST: usize = 5;

    pub fn hosts(&self) -> Vec<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }

    /// Adds a host before anything is sent to it, so that a scan that is stopped meanwhile has it on the list. `true`
    /// when it was not there.
    fn add(&self, host: &str) -> bool {
        let mut hosts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let host = if hosts.len() < Self::MOST || hosts.contains(host) { host } else { "others" };
        hosts.insert(host.to_owned())
    }

    fn remove(&self, host: &str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(host);
    }
}

/// A token lives this long where the realm does not say (the specification's own figure), and is not used in its
/// last seconds.
const DEFAULT_LIFE: Duration = Duration::from_secs(60);
const MARGIN: Duration = Duration::from_secs(10);
/// Tokens kept at once; a scan needs one a repository and is done with it soon.
const MAX_KEPT: usize = 64;

#[derive(Default)]
pub(super) struct Tokens(Mutex<HashMap<String, Token>>);

struct Token {
    header: HeaderValue,
    until: Instant,
}

#[derive(Deserialize)]
struct Wire {
    token: Option<SecretString>,
    access_token: Option<SecretString>,
    /// Seconds. A number; some issuers write it as text.
    expires_in: Option<serde_json::Value>,
}

/// Where tokens come from, and for what.
pub(super) struct Realm {
    pub url: Url,
    pub service: String,
    /// As the registry words it; blank only to sign in.
    pub scope: String,
}

impl Tokens {
    pub async fn kept(&self, scope: &str) -> Option<HeaderValue> {
        let mut kept = self.0.lock().await;
        kept.retain(|_, token| token.until > Instant::now());
        kept.get(scope).map(|token| token.header.clone())
    }

    pub async fn forget(&self, scope: &str) {
        self.0.lock().await.remove(scope);
    }

    /// Keeps the token of a realm's answer under `scope`, the caller's own word for it. How long it lives is an extra: what
    /// cannot be read counts as not said.
    pub async fn keep(&self, answer: &Answer, scope: &str) -> Result<HeaderValue, ProviderError> {
        let wire: Wire = answer.json()?;
        let token = wire.token.or(wire.access_token).ok_or(ProviderError::BadAnswer)?;
        let header = secret_header("Bearer", token.expose_secret()).ok_or(ProviderError::BadAnswer)?;
        let seconds = wire.expires_in.and_then(|value| match value {
            serde_json::Value::String(text) => text.trim().parse().ok(),
            other => other.as_u64(),
        });
        let life = seconds.map_or(DEFAULT_LIFE, |seconds| Duration::from_secs(u64::clamp(seconds, 1, 3600)));
        let until = Instant::now() + life.saturating_sub(MARGIN);
        let mut kept = self.0.lock().await;
        if kept.len() >= MAX_KEPT {
            kept.clear();
        }
        kept.insert(scope.to_owned(), Token { header: header.clone(), until });
        Ok(header)
    }
}

/// A password or a refresh token on its way to a realm, for a token.
pub(super) struct Exchange<'a> {
    url: Url,
    service: String,
    scope: String,
    login: &'a Login,
    sent_to: &'a SentTo,
    /// The realm is at another address than the registry.
    elsewhere: bool,
    /// `sent_to` names the host because of this exchange.
    added: bool,
}

impl<'a> Exchange<'a> {
    /// Where it goes is [`links::realm`]'s to say. `sent_to` lists the host if it is another one than the registry's.
    pub fn new(realm: &Realm, registry: &Url, login: &'a Login, sent_to: &'a SentTo) -> Result<Self, ProviderError> {
        let url = links::realm(&realm.url, registry)?;
        let elsewhere = url.origin() != registry.origin();
        let added = elsewhere && login.is_exchanged() && sent_to.add(&shown(&url));
        let (service, scope) = (realm.service.clone(), realm.scope.clone());
        Ok(Self { url, service, scope, login, sent_to, elsewhere, added })
    }

    pub fn is_elsewhere(&self) -> bool {
        self.elsewhere
    }

    pub fn host(&self) -> String {
        shown(&self.url)
    }

    pub fn request(&self) -> Request {
        if let Login::Refresh(token) = self.login {
            return self.grant(token);
        }
        let mut url = self.url.clone();
        {
            let mut query = url.query_pairs_mut();
            if !self.service.is_empty() {
                query.append_pair("service", &self.service);
            }
            for scope in self.scope.split_ascii_whitespace() {
                query.append_pair("scope", scope);
            }
        }
        let mut request = Request::new(Method::GET, url);
        if let Some(header) = self.login.basic() {
            request.headers_mut().insert(AUTHORIZATION, header);
        }
        request
    }

    /// All scopes in one field, separated by blanks (RFC 6749, section 6).
    fn grant(&self, token: &SecretString) -> Request {
        calls::form(
            self.url.clone(),
            &[
                ("grant_type", "refresh_token"),
                ("client_id", "strongroom"),
                ("service", &self.service),
                ("scope", &self.scope),
                ("refresh_token", token.expose_secret()),
            ],
        )
    }

    /// Takes the host off the list when the request was refused before a byte of it left.
    pub fn ended(&self, result: &Result<Answer, ProviderError>) {
        let kept_back = matches!(
            result,
            Err(ProviderError::InvalidAddress
                | ProviderError::RefusedByPolicy { .. }
                | ProviderError::Reserved { .. }
                | ProviderError::Certificate { .. }
                | ProviderError::NotTls { .. })
        );
        if self.added && kept_back {
            self.sent_to.remove(&self.host());
        }
    }
}
