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

use crate::providers::addresses::shown;
use crate::providers::egress::{Answer, BODY_LIMIT, Client};
use crate::providers::{ProviderError, Sent};

/// Who signs in. A client certificate belongs to the client and counts as [`Login::Certificate`] here.
#[derive(Debug)]
pub enum Login {
    Anonymous,
    Basic { username: String, password: SecretString },
    Token(SecretString),
    Certificate,
}

impl Login {
    pub(super) fn sent(&self) -> Sent {
        match self {
            Self::Anonymous => Sent::Nothing,
            Self::Basic { .. } => Sent::Password,
            Self::Token(_) => Sent::Token,
            Self::Certificate => Sent::Certificate,
        }
    }

    /// The header of a user name and password (RFC 7617).
    pub(super) fn basic(&self) -> Option<HeaderValue> {
        let Self::Basic { username, password } = self else { return None };
        let pair = Zeroizing::new(format!("{username}:{}", password.expose_secret()));
        secret_header("Basic", &Zeroizing::new(STANDARD.encode(pair.as_bytes())))
    }

    /// The header of an access token (RFC 6750).
    pub(super) fn bearer(&self) -> Option<HeaderValue> {
        let Self::Token(token) = self else { return None };
        secret_header("Bearer", token.expose_secret())
    }
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
    expires_in: Option<u64>,
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

    /// Asks the realm, and keeps the token under `scope`, the caller's own word for it. The password goes there over
    /// https, or over plain http to the registry's own host and port when the registry itself is plain. Another https
    /// host is fine, as with Docker Hub and Harbor: the registry that names it could have asked for the password
    /// itself. `sent_to` lists it.
    pub async fn fetch(
        &self,
        client: &Client,
        registry: &Url,
        realm: Realm,
        scope: &str,
        login: &Login,
        sent_to: &SentTo,
    ) -> Result<HeaderValue, ProviderError> {
        let mut url = realm.url;
        let elsewhere = url.origin() != registry.origin();
        if url.scheme() != "https" && (elsewhere || url.scheme() != "http") {
            let scheme: String = url.scheme().chars().take(20).collect();
            return Err(ProviderError::RealmRefused { realm: format!("{scheme}://{}", shown(&url)) });
        }
        {
            let mut query = url.query_pairs_mut();
            if !realm.service.is_empty() {
                query.append_pair("service", &realm.service);
            }
            for scope in realm.scope.split_ascii_whitespace() {
                query.append_pair("scope", scope);
            }
        }
        let answer = ask(client, url, login, sent_to, elsewhere).await?;
        // Without a scope nothing can be forbidden: some realms answer a wrong password like that.
        let status = if answer.status == 403 && realm.scope.is_empty() { 401 } else { answer.status };
        let wire: Wire = Answer { status, ..answer }.accepted(login.sent())?.json()?;
        let token = wire.token.or(wire.access_token).ok_or(ProviderError::BadAnswer)?;
        let header = secret_header("Bearer", token.expose_secret()).ok_or(ProviderError::BadAnswer)?;
        let life = wire.expires_in.map_or(DEFAULT_LIFE, |seconds| Duration::from_secs(seconds.clamp(1, 3600)));
        let until = Instant::now() + life.saturating_sub(MARGIN);
        let mut kept = self.0.lock().await;
        if kept.len() >= MAX_KEPT {
            kept.clear();
        }
        kept.insert(scope.to_owned(), Token { header: header.clone(), until });
        Ok(header)
    }
}

/// The request for a token. `elsewhere`: its host is not the registry's.
async fn ask(
    client: &Client,
    url: Url,
    login: &Login,
    sent_to: &SentTo,
    elsewhere: bool,
) -> Result<Answer, ProviderError> {
    let host = shown(&url);
    let mut request = Request::new(Method::GET, url);
    let mut added = false;
    if let Some(header) = login.basic() {
        request.headers_mut().insert(AUTHORIZATION, header);
        added = elsewhere && sent_to.add(&host);
    }
    let answer = client.send(request, BODY_LIMIT).await;
    // Refused before a byte of the request left.
    let kept_back = matches!(
        answer,
        Err(ProviderError::InvalidAddress
            | ProviderError::RefusedByPolicy { .. }
            | ProviderError::Reserved { .. }
            | ProviderError::Certificate { .. }
            | ProviderError::NotTls { .. })
    );
    if added && kept_back {
        sent_to.remove(&host);
    }
    answer
}
