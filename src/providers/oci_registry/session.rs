//! Talking to one registry: signing in as challenged, requests with the right header, patience when throttled, lists
//! over several pages. Which requests are made is [`super`]'s business.

use std::collections::HashSet;
use std::sync::{PoisonError, RwLock};
use std::time::Duration;

use reqwest::header::{ACCEPT, AUTHORIZATION, HeaderValue, LINK, RETRY_AFTER};
use reqwest::{Method, Request};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use url::Url;

use super::challenge::Challenge;
use super::tokens::{Login, Realm, SentTo, Tokens};
use crate::providers::addresses::shown;
use crate::providers::egress::{Answer, BODY_LIMIT, Client, LIST_LIMIT};
use crate::providers::{ProviderError, Sent};

/// Requests under way at once, over all tasks of one scan.
pub const AT_ONCE: usize = 8;
/// Bounds of one list. A registry with more needs a narrower question.
const MAX_PAGES: usize = 1000;
const MAX_NAMES: usize = 100_000;
/// A throttled or overloaded registry is asked this often, with growing pauses, or those that it asks for.
const ATTEMPTS: u32 = 5;
const FIRST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

pub(super) struct Session {
    client: Client,
    /// Ends with a slash: `https://registry.example.com/`.
    base: Url,
    login: Login,
    stop: CancellationToken,
    challenge: RwLock<Option<Challenge>>,
    tokens: Tokens,
    pub sent_to: SentTo,
    permits: Semaphore,
}

impl Session {
    pub fn new(client: Client, address: &Url, login: Login, stop: CancellationToken) -> Self {
        let mut base = address.clone();
        base.set_query(None);
        base.set_fragment(None);
        base.set_path(&format!("{}/", address.path().trim_end_matches('/')));
        let permits = Semaphore::new(AT_ONCE);
        Self {
            client,
            base,
            login,
            stop,
            challenge: RwLock::default(),
            tokens: Tokens::default(),
            sent_to: SentTo::default(),
            permits,
        }
    }

    /// `GET /v2/`: finds out how to sign in, and that the credential is good.
    pub async fn sign_in(&self) -> Result<(), ProviderError> {
        let url = self.url("v2/")?;
        let first = self.send(&url, None, self.login.bearer(), BODY_LIMIT).await?;
        if first.status == 401 && self.login.bearer().is_none() {
            let asked = Challenge::of(&first.headers);
            // Any server may say 401; a registry says how to do better.
            self.learn(Some(asked.ok_or(ProviderError::Unauthorized { sent: self.login.sent() })?));
        } else {
            first.accepted(self.login.sent())?;
            // An open door may still show less to strangers, so a password is used where there is one.
            self.learn(self.login.basic().map(|_| Challenge::Basic));
        }
        match self.challenge() {
            Some(Challenge::Bearer { realm, service, .. }) => {
                self.fetch(Realm { url: realm, service, scope: String::new() }, "").await.map(drop)
            }
            Some(Challenge::Basic) => {
                let answer = self.send(&url, None, self.login.basic(), BODY_LIMIT).await?;
                answer.accepted(self.login.sent()).map(drop)
            }
            None => Ok(()),
        }
    }

    /// Follows `Link: <…>; rel="next"` (RFC 8288) on the registry's own origin.
    pub async fn pages(
        &self,
        first: Url,
        scope: &str,
        entries: fn(&Answer) -> Result<Option<Vec<String>>, ProviderError>,
    ) -> Result<Vec<String>, ProviderError> {
        let mut names = Vec::new();
        let mut seen = HashSet::new();
        let mut next = Some(first);
        while let Some(url) = next {
            if seen.len() >= MAX_PAGES {
                return Err(ProviderError::TooLarge);
            }
            // A list that leads back into itself would never end.
            if !seen.insert(url.clone()) {
                return Err(ProviderError::BadAnswer);
            }
            let answer = self.get(&url, scope, None, LIST_LIMIT).await?;
            names.extend(entries(&answer)?.unwrap_or_default());
            if names.len() > MAX_NAMES {
                return Err(ProviderError::TooLarge);
            }
            next = next_page(&answer, &url)?;
        }
        Ok(names)
    }

    /// A request with whatever sign-in its scope needs; a success or an error.
    pub async fn get(
        &self,
        url: &Url,
        scope: &str,
        accept: Option<&'static str>,
        limit: usize,
    ) -> Result<Answer, ProviderError> {
        let header = self.authorization(scope).await?;
        let answer = self.send(url, accept, header, limit).await?;
        if answer.status != 401 || self.login.bearer().is_some() {
            return answer.accepted(self.login.sent());
        }
        let asked = Challenge::of(&answer.headers);
        let Some(Challenge::Bearer { realm, service, scope: wanted }) = asked.clone() else {
            return answer.accepted(self.login.sent());
        };
        // The token has run out, or the registry words the scope in its own way, or its front door was open.
        self.learn(asked);
        self.tokens.forget(scope).await;
        let wanted = if wanted.is_empty() { scope.to_owned() } else { wanted };
        let fetched = self.fetch(Realm { url: realm, service, scope: wanted }, scope).await?;
        let answer = self.send(url, accept, Some(fetched), limit).await?;
        // The realm knew the password, so it is the permission that is missing.
        let refused = answer.status == 401 && self.login.basic().is_some();
        if refused { Err(ProviderError::Forbidden) } else { answer.accepted(self.login.sent()) }
    }

    /// A public address: no sign-in goes along.
    pub async fn open(&self, url: &Url) -> Result<Answer, ProviderError> {
        self.send(url, None, None, BODY_LIMIT).await?.accepted(Sent::Nothing)
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

    async fn fetch(&self, realm: Realm, scope: &str) -> Result<HeaderValue, ProviderError> {
        self.until_stopped(async {
            let _permit = self.permits.acquire().await.map_err(|_| ProviderError::Stopped)?;
            self.tokens.fetch(&self.client, &self.base, realm, scope, &self.login, &self.sent_to).await
        })
        .await
    }

    /// Sends, waits and sends again while the registry asks for patience. Holding the permit meanwhile slows down
    /// the other tasks too, as is wanted then.
    async fn send(
        &self,
        url: &Url,
        accept: Option<&'static str>,
        authorization: Option<HeaderValue>,
        limit: usize,
    ) -> Result<Answer, ProviderError> {
        self.until_stopped(async {
            let _permit = self.permits.acquire().await.map_err(|_| ProviderError::Stopped)?;
            let mut pause = FIRST_PAUSE;
            let mut attempt = 1;
            loop {
                let mut request = Request::new(Method::GET, url.clone());
                if let Some(accept) = accept {
                    request.headers_mut().insert(ACCEPT, HeaderValue::from_static(accept));
                }
                if let Some(authorization) = &authorization {
                    request.headers_mut().insert(AUTHORIZATION, authorization.clone());
                }
                let answer = self.client.send(request, limit).await?;
                if !matches!(answer.status, 429 | 503) {
                    return Ok(answer);
                }
                let asked = retry_after(&answer);
                let too_long = asked.is_some_and(|asked| asked > LONGEST_PAUSE);
                if attempt == ATTEMPTS || too_long {
                    let retry_after = asked.map(|asked| asked.as_secs());
                    let throttled = answer.status == 429;
                    return if throttled { Err(ProviderError::Throttled { retry_after }) } else { Ok(answer) };
                }
                tokio::time::sleep(asked.unwrap_or(pause)).await;
                pause *= 2;
                attempt += 1;
            }
        })
        .await
    }

    async fn until_stopped<T>(&self, work: impl Future<Output = Result<T, ProviderError>>) -> Result<T, ProviderError> {
        self.stop.run_until_cancelled(work).await.unwrap_or(Err(ProviderError::Stopped))
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

/// The pause that a registry asks for. The date form (RFC 9110, section 10.2.3) is not used by registries and left
/// to the usual pauses.
pub fn retry_after(answer: &Answer) -> Option<Duration> {
    answer.header(RETRY_AFTER.as_str())?.trim().parse().ok().map(Duration::from_secs)
}

/// The next page of a list by its `Link` (RFC 8288); an error where it is not on the registry's own origin.
pub fn next_page(answer: &Answer, current: &Url) -> Result<Option<Url>, ProviderError> {
    let links = answer.headers.get_all(LINK).iter().filter_map(|value| value.to_str().ok());
    let next = links.flat_map(|links| links.split(',')).find_map(|link| {
        let (target, parameters) = link.trim().strip_prefix('<')?.split_once('>')?;
        let is_next = parameters.split(';').any(|p| matches!(p.trim(), r#"rel="next""# | "rel=next"));
        is_next.then_some(target)
    });
    let Some(target) = next else { return Ok(None) };
    let url = current.join(target).map_err(|_| ProviderError::BadAnswer)?;
    if url.origin() == current.origin() && url.username().is_empty() && url.password().is_none() {
        Ok(Some(url))
    } else {
        Err(ProviderError::Redirected { host: shown(&url) })
    }
}
