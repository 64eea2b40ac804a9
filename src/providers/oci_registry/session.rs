//! Talking to one registry: signing in as challenged, and requests with the right header. Which requests are made is
//! [`super`]'s business, lists over several pages are in [`super::lists`], and how often one is sent is the [`Line`]'s.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{PoisonError, RwLock};

use reqwest::header::{ACCEPT, AUTHORIZATION, HeaderMap, HeaderValue};
use reqwest::{Method, Request};
use secrecy::SecretString;
use tokio_util::sync::CancellationToken;
use url::Url;

use super::challenge::Challenge;
use super::line::Line;
use super::tokens::{Exchange, Login, Realm, SentTo, Tokens, bearer};
use crate::providers::addresses::shown;
use crate::providers::egress::{Answer, BODY_LIMIT, Client, LIST_LIMIT};
use crate::providers::patience::Observer;
use crate::providers::{ProviderError, Sent};

/// Longest manifest and longest configuration, in bytes: as much as the distribution specification asks of clients.
const MANIFEST_LIMIT: usize = 4 * 1024 * 1024;

pub(super) struct Session {
    line: Line,
    /// Ends with a slash: `https://registry.example.com/`.
    base: Url,
    login: Login,
    challenge: RwLock<Option<Challenge>>,
    tokens: Tokens,
    /// The header of a newer access token than that of `login`.
    renewed: RwLock<Option<HeaderValue>>,
    /// What an answer of the vendor's own interface means that is no success, where its status does not say.
    pub explain: Option<Explain>,
    /// Sent with each request to the registry itself, and to nobody else.
    pub headers: HeaderMap,
    pub sent_to: SentTo,
    /// The registry was closed without the credential and opened with it: a later refusal is about what is asked for.
    proven: AtomicBool,
}

/// See [`super::Registry::explaining`].
pub type Explain = fn(&Answer) -> Option<ProviderError>;

/// How one kind of answer is asked for.
#[derive(Clone, Copy)]
pub(super) struct Ask {
    accept: Option<&'static str>,
    /// Bytes of the answer.
    pub limit: usize,
    /// Lists are made when they are asked for and take their time.
    pub is_list: bool,
    /// A redirect is an answer, too.
    pub may_lead: bool,
}

/// By what a request is signed.
#[derive(Clone, Copy)]
pub enum Sign<'a> {
    /// What the registry asks for, for a scope in its own words: `repository:team/app:pull`.
    For(&'a str),
    /// The login itself, for an interface beside `/v2/` that exchanges nothing.
    Login,
}

impl Ask {
    pub const DOOR: Self = Self { accept: None, limit: BODY_LIMIT, is_list: false, may_lead: false };
    pub const LIST: Self = Self { limit: LIST_LIMIT, is_list: true, ..Self::DOOR };
    pub const BLOB: Self = Self { limit: MANIFEST_LIMIT, may_lead: true, ..Self::DOOR };

    pub const fn manifest(accept: &'static str) -> Self {
        Self { accept: Some(accept), limit: MANIFEST_LIMIT, ..Self::DOOR }
    }
}

impl Session {
    pub fn new(client: Client, address: &Url, login: Login, stop: CancellationToken) -> Self {
        let mut base = address.clone();
        base.set_query(None);
        base.set_fragment(None);
        base.set_path(&format!("{}/", address.path().trim_end_matches('/')));
        Self {
            line: Line::new(client, stop),
            base,
            login,
            challenge: RwLock::default(),
            tokens: Tokens::default(),
            renewed: RwLock::default(),
            explain: None,
            headers: HeaderMap::new(),
            sent_to: SentTo::default(),
            proven: AtomicBool::new(false),
        }
    }

    /// From now on an access token is this one.
    pub fn renew(&self, token: &SecretString) {
        *self.renewed.write().unwrap_or_else(PoisonError::into_inner) = bearer(token);
    }

    fn bearer(&self) -> Option<HeaderValue> {
        let renewed = self.renewed.read().unwrap_or_else(PoisonError::into_inner).clone();
        renewed.or_else(|| self.login.bearer())
    }

    /// Tells when everybody waits.
    pub fn tell(&mut self, observer: Observer) {
        self.line.tell(observer);
    }

    /// `GET /v2/`: finds out how to sign in, and that the credential is good.
    pub async fn sign_in(&self) -> Result<(), ProviderError> {
        let url = self.url("v2/")?;
        let first = self.send(&url, self.bearer(), Ask::DOOR).await?;
        let closed = first.status == 401;
        if closed && self.bearer().is_none() {
            let asked = Challenge::of(&first.headers);
            // Any server may say 401; a registry says how to do better.
            self.learn(Some(asked.ok_or(ProviderError::Unauthorized { sent: self.login.sent() })?));
        } else {
            self.accepted(first)?;
            // An open door may still show less to strangers, so a password is used where there is one.
            self.learn(self.login.basic().map(|_| Challenge::Basic));
        }
        match self.challenge() {
            Some(Challenge::Bearer { realm, service, .. }) => {
                let realm = Realm { url: realm, service, scope: String::new() };
                self.fetch(realm, "").await.map(drop)?;
            }
            Some(Challenge::Basic) => {
                let answer = self.send(&url, self.login.basic(), Ask::DOOR).await?;
                self.accepted(answer)?;
            }
            None => return Ok(()),
        }
        self.proven.store(closed && self.login.basic().is_some(), Ordering::Relaxed);
        Ok(())
    }

    /// A request with whatever sign-in it needs; a success or an error.
    pub async fn get(&self, url: &Url, sign: Sign<'_>, ask: Ask) -> Result<Answer, ProviderError> {
        let scope = match sign {
            Sign::For(scope) => scope,
            Sign::Login => {
                let bearer = self.bearer();
                let is_token = bearer.is_some();
                let answer = self.send(url, bearer.or_else(|| self.login.basic()), ask).await?;
                if let Some(cause) = self.explain.and_then(|explain| explain(&answer)) {
                    return Err(cause);
                }
                // A challenge is for the registry's own interface: beside it nothing exchanges a token.
                return if is_token { answer.accepted(self.login.sent()) } else { self.accepted(answer) };
            }
        };
        let header = self.authorization(scope).await?;
        let answer = self.send(url, header, ask).await?;
        if answer.status != 401 || self.bearer().is_some() {
            return self.accepted(answer);
        }
        let asked = Challenge::of(&answer.headers);
        let Some(Challenge::Bearer { realm, service, scope: wanted }) = asked.clone() else {
            return self.accepted(answer);
        };
        // The token has run out, or the registry words the scope in its own way, or its front door was open.
        self.learn(asked);
        self.tokens.forget(scope).await;
        let wanted = if wanted.is_empty() { scope.to_owned() } else { wanted };
        let fetched = self.fetch(Realm { url: realm, service, scope: wanted }, scope).await?;
        let answer = self.send(url, Some(fetched), ask).await?;
        // The realm knew the secret, so it is the permission that is missing.
        let refused = answer.status == 401 && self.login.is_exchanged();
        if refused { Err(ProviderError::Forbidden) } else { self.accepted(answer) }
    }

    /// A blob on another host: nothing of what the registry gets goes along, and no second redirect is followed.
    pub async fn open(&self, url: &Url) -> Result<Answer, ProviderError> {
        let request = Request::new(Method::GET, url.clone());
        self.line.ask_elsewhere(request, Ask::BLOB).await?.accepted(Sent::Nothing)
    }

    /// The answer if it is a success, or a redirect where one may be; else what its status means here.
    fn accepted(&self, answer: Answer) -> Result<Answer, ProviderError> {
        if answer.leads() {
            return Ok(answer);
        }
        if answer.status == 401 && self.bearer().is_some() {
            let asked = Challenge::of(&answer.headers);
            if let Some(Challenge::Bearer { realm, .. }) = asked {
                return Err(ProviderError::NeedsExchange { realm: shown(&realm) });
            }
        } else if answer.status == 401 && self.proven.load(Ordering::Relaxed) {
            return Err(ProviderError::Forbidden);
        }
        answer.accepted(self.login.sent())
    }

    async fn authorization(&self, scope: &str) -> Result<Option<HeaderValue>, ProviderError> {
        match self.challenge() {
            _ if self.bearer().is_some() => Ok(self.bearer()),
            Some(Challenge::Bearer { realm, service, .. }) => match self.tokens.kept(scope).await {
                Some(header) => Ok(Some(header)),
                None => self.fetch(Realm { url: realm, service, scope: scope.to_owned() }, scope).await.map(Some),
            },
            Some(Challenge::Basic) => Ok(self.login.basic()),
            None => Ok(None),
        }
    }

    /// A token of the realm, kept under `scope`, the caller's own word for it.
    async fn fetch(&self, realm: Realm, scope: &str) -> Result<HeaderValue, ProviderError> {
        let exchange = Exchange::new(&realm, &self.base, &self.login, &self.sent_to)?;
        let answer = self.line.send(|| exchange.request(), Ask::DOOR).await;
        exchange.ended(&answer);
        let answer = match answer {
            // The person entered the registry's address, and not this one.
            Err(cause) if exchange.is_elsewhere() => return Err(cause.of_token_server(exchange.host())),
            answer => answer?,
        };
        // Without a scope nothing can be forbidden: some realms answer a wrong password like that.
        let status = if answer.status == 403 && realm.scope.is_empty() { 401 } else { answer.status };
        let kept = match (Answer { status, ..answer }).accepted(self.login.sent()) {
            Ok(answer) => self.tokens.keep(&answer, scope).await,
            Err(cause) => Err(cause),
        };
        kept.map_err(|cause| cause.of_token_server(exchange.host()))
    }

    /// Sends a GET to the registry, with patience.
    async fn send(&self, url: &Url, authorization: Option<HeaderValue>, ask: Ask) -> Result<Answer, ProviderError> {
        let request = || {
            let mut request = Request::new(Method::GET, url.clone());
            request.headers_mut().extend(self.headers.clone());
            if let Some(accept) = ask.accept {
                request.headers_mut().insert(ACCEPT, HeaderValue::from_static(accept));
            }
            if let Some(authorization) = &authorization {
                request.headers_mut().insert(AUTHORIZATION, authorization.clone());
            }
            request
        };
        self.line.send(request, ask).await
    }

    fn challenge(&self) -> Option<Challenge> {
        self.challenge.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn learn(&self, challenge: Option<Challenge>) {
        *self.challenge.write().unwrap_or_else(PoisonError::into_inner) = challenge;
    }

    pub fn url(&self, path: &str) -> Result<Url, ProviderError> {
        self.base.join(path).map_err(|_| ProviderError::InvalidAddress)
    }
}

/// How much of a list is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pages {
    /// As much as shows that it can be read.
    First,
    All,
}

/// The scope of reading a repository.
pub fn pull(repository: &str) -> String {
    format!("repository:{repository}:pull")
}
