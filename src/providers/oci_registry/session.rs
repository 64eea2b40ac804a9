//! Talking to one registry: signing in as challenged, requests with the right header, lists over several pages. Which
//! requests are made is [`super`]'s business, and how often one is sent is the [`Line`]'s.

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{PoisonError, RwLock};

use reqwest::header::{ACCEPT, AUTHORIZATION, HeaderValue};
use reqwest::{Method, Request};
use tokio_util::sync::CancellationToken;
use url::Url;

use super::challenge::Challenge;
use super::line::Line;
use super::links::next_page;
use super::tokens::{Exchange, Login, Realm, SentTo, Tokens};
use crate::providers::addresses::shown;
use crate::providers::egress::{Answer, BODY_LIMIT, Client, LIST_LIMIT};
use crate::providers::patience::Observer;
use crate::providers::{ProviderError, Sent};

/// Bounds of one list. A registry with more needs a narrower question.
const MAX_PAGES: usize = 1000;
const MAX_NAMES: usize = 100_000;
/// Longest manifest and longest configuration, in bytes: as much as the distribution specification asks of clients.
const MANIFEST_LIMIT: usize = 4 * 1024 * 1024;

pub(super) struct Session {
    line: Line,
    /// Ends with a slash: `https://registry.example.com/`.
    base: Url,
    login: Login,
    challenge: RwLock<Option<Challenge>>,
    tokens: Tokens,
    pub sent_to: SentTo,
    /// The registry was closed without the credential and opened with it: a later refusal is about what is asked for.
    proven: AtomicBool,
}

/// How one kind of answer is asked for.
#[derive(Clone, Copy)]
pub(super) struct Ask {
    accept: Option<&'static str>,
    /// Bytes of the answer.
    limit: usize,
    /// Lists are made when they are asked for and take their time.
    is_list: bool,
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
    pub const DOOR: Self = Self { accept: None, limit: BODY_LIMIT, is_list: false };
    const LIST: Self = Self { accept: None, limit: LIST_LIMIT, is_list: true };

    pub const fn manifest(accept: &'static str) -> Self {
        Self { accept: Some(accept), limit: MANIFEST_LIMIT, is_list: false }
    }

    pub const fn blob() -> Self {
        Self { accept: None, limit: MANIFEST_LIMIT, is_list: false }
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
            sent_to: SentTo::default(),
            proven: AtomicBool::new(false),
        }
    }

    /// Tells when everybody waits.
    pub fn tell(&mut self, observer: Observer) {
        self.line.tell(observer);
    }

    /// `GET /v2/`: finds out how to sign in, and that the credential is good.
    pub async fn sign_in(&self) -> Result<(), ProviderError> {
        let url = self.url("v2/")?;
        let first = self.send(&url, self.login.bearer(), Ask::DOOR).await?;
        let closed = first.status == 401;
        if closed && self.login.bearer().is_none() {
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

    /// Follows `Link: <…>; rel="next"` (RFC 8288) on the registry's own host. Pages after the first may be missing: then
    /// the reason comes with the names of those before.
    pub async fn pages<T>(
        &self,
        first: Url,
        sign: Sign<'_>,
        pages: Pages,
        entries: fn(&Answer) -> Result<Vec<T>, ProviderError>,
    ) -> Result<(Vec<T>, Option<ProviderError>), ProviderError> {
        let (mut names, mut seen, mut next) = (Vec::new(), HashSet::new(), Some(first));
        while let Some(url) = next {
            let begun = !seen.is_empty();
            match self.page(&url, sign, entries).await {
                Ok((found, after)) => {
                    names.extend(found);
                    next = match after {
                        Ok(after) => after,
                        Err(cause) => return Ok((names, Some(cause))),
                    };
                }
                Err(ProviderError::Stopped) => return Err(ProviderError::Stopped),
                Err(cause) if begun => return Ok((names, Some(cause))),
                Err(cause) => return Err(cause),
            }
            if pages == Pages::First {
                return Ok((names, None));
            }
            seen.insert(url);
            let rest = match &next {
                // A list that leads back into itself would never end.
                Some(next) if seen.contains(next) => Some(ProviderError::BadAnswer),
                Some(_) if seen.len() >= MAX_PAGES => Some(ProviderError::TooLarge),
                _ if names.len() > MAX_NAMES => Some(ProviderError::TooLarge),
                _ => None,
            };
            if rest.is_some() {
                names.truncate(MAX_NAMES);
                return Ok((names, rest));
            }
        }
        Ok((names, None))
    }

    /// The names of one page, and the address of the next.
    async fn page<T>(
        &self,
        url: &Url,
        sign: Sign<'_>,
        entries: fn(&Answer) -> Result<Vec<T>, ProviderError>,
    ) -> Result<(Vec<T>, Result<Option<Url>, ProviderError>), ProviderError> {
        let answer = self.get(url, sign, Ask::LIST).await?;
        Ok((entries(&answer)?, next_page(&answer, url)))
    }

    /// A request with whatever sign-in it needs; a success or an error.
    pub async fn get(&self, url: &Url, sign: Sign<'_>, ask: Ask) -> Result<Answer, ProviderError> {
        let scope = match sign {
            Sign::For(scope) => scope,
            Sign::Login => {
                let header = self.login.bearer().or_else(|| self.login.basic());
                return self.send(url, header, ask).await.and_then(|answer| self.accepted(answer));
            }
        };
        let header = self.authorization(scope).await?;
        let answer = self.send(url, header, ask).await?;
        if answer.status != 401 || self.login.bearer().is_some() {
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

    /// A public address: no sign-in goes along.
    pub async fn open(&self, url: &Url) -> Result<Answer, ProviderError> {
        self.send(url, None, Ask::blob()).await?.accepted(Sent::Nothing)
    }

    /// The answer if it is a success, else what its status means here.
    fn accepted(&self, answer: Answer) -> Result<Answer, ProviderError> {
        if answer.status == 401 && self.login.bearer().is_some() {
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
            _ if self.login.bearer().is_some() => Ok(self.login.bearer()),
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
        let answer = self.line.send(|| exchange.request(), BODY_LIMIT, false).await;
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
            if let Some(accept) = ask.accept {
                request.headers_mut().insert(ACCEPT, HeaderValue::from_static(accept));
            }
            if let Some(authorization) = &authorization {
                request.headers_mut().insert(AUTHORIZATION, authorization.clone());
            }
            request
        };
        self.line.send(request, ask.limit, ask.is_list).await
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
pub(super) fn pull(repository: &str) -> String {
    format!("repository:{repository}:pull")
}
