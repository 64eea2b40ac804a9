//! A container registry's API: OCI distribution specification 1.1, which Docker Registry v2 became. Signs in as
//! challenged, lists repositories and tags, reads manifests. What is scanned and kept is decided in
//! `integrations/registries`; a registry with an API of its own gets its own file beside this one.

use std::collections::HashMap;
use std::sync::atomic::AtomicU32;
use std::sync::{Arc, Mutex};

use futures_util::future::BoxFuture;
use reqwest::header::{HeaderName, HeaderValue};
use secrecy::SecretString;
use serde::{Deserialize, Deserializer};
use tokio_util::sync::CancellationToken;
use url::Url;

use super::ProviderError;
use super::egress::{Answer, Client};
use super::patience::Observer;
use contents::Part;
use session::{Ask, Session};

mod challenge;
mod contents;
mod digest;
mod line;
mod links;
mod lists;
mod manifest;
mod session;
mod tokens;

pub use contents::Described;
pub use digest::is_digest;
pub use line::AT_ONCE;
pub use lists::{Entries, Lenient, Next};
pub use manifest::{is_repository, is_tag, platform};
pub use session::{Pages, Sign, pull};
pub use tokens::{Login, SentTo};
/// What registries write, read by the fuzz targets too.
#[doc(hidden)]
pub use {super::patience::retry_after, challenge::Challenge, links::next_page, manifest::Manifest};

/// Entries asked for on a page of a list; a registry may give fewer.
const PAGE_SIZE: usize = 1000;
const SMALL_PAGE: usize = 100;

const CATALOG_SCOPE: &str = "registry:catalog:*";

/// Where a registry says that it keeps a blob, by repository and digest; vetted by whoever asks.
pub type BlobAddress = Arc<dyn Fn(&str, &str) -> BoxFuture<'static, Result<Url, ProviderError>> + Send + Sync>;

/// One registry, for the length of one scan.
pub struct Registry {
    session: Session,
    page_size: usize,
    blobs: Option<BlobAddress>,
    /// How often in a row the store of its blobs did not answer.
    silent: AtomicU32,
    /// Size and platform by digest: the same content is read once, under however many tags.
    read: Mutex<HashMap<String, Part>>,
}

/// The entries of a list, as far as it could be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listing<T> {
    pub good: Vec<T>,
    /// Names that the protocol does not allow, as they came.
    pub odd: Vec<String>,
    /// Why there are no more, if there should be.
    pub rest: Option<ProviderError>,
}

impl<T> Default for Listing<T> {
    fn default() -> Self {
        Self { good: Vec::new(), odd: Vec::new(), rest: None }
    }
}

impl<T> Listing<T> {
    /// What came, sorted by whether the name of each entry is one.
    pub fn sorted_out(
        (entries, rest): (Vec<T>, Option<ProviderError>),
        name: impl Fn(&T) -> &str,
        is_good: fn(&str) -> bool,
    ) -> Self {
        let (good, bad): (Vec<T>, Vec<T>) = entries.into_iter().partition(|entry| is_good(name(entry)));
        Self { good, odd: bad.iter().map(|entry| name(entry).to_owned()).collect(), rest }
    }

    /// Adds what another list has. The first reason for missing entries stays.
    pub fn add(&mut self, other: Self) {
        self.good.extend(other.good);
        self.odd.extend(other.odd);
        self.rest = self.rest.take().or(other.rest);
    }

    /// The same of other entries.
    pub fn map<U>(self, each: impl FnMut(T) -> U) -> Listing<U> {
        Listing { good: self.good.into_iter().map(each).collect(), odd: self.odd, rest: self.rest }
    }
}

#[derive(Deserialize)]
struct Catalog {
    #[serde(deserialize_with = "list_or_null")]
    repositories: Vec<Lenient<String>>,
}

#[derive(Deserialize)]
struct TagList {
    #[serde(deserialize_with = "list_or_null")]
    tags: Vec<Lenient<String>>,
}

/// Registries written in Go answer `null` for a list without entries. The member itself must be there: an answer
/// without it is not the listing, and must not count as an empty one.
pub fn list_or_null<'de, D: Deserializer<'de>, T: Deserialize<'de>>(member: D) -> Result<Vec<T>, D::Error> {
    Option::deserialize(member).map(Option::unwrap_or_default)
}

impl Registry {
    /// `address` may have a path in front of `/v2/`. Cancelling `stop` ends every call with [`ProviderError::Stopped`].
    pub fn new(client: Client, address: &Url, login: Login, stop: CancellationToken) -> Self {
        Self {
            session: Session::new(client, address, login, stop),
            page_size: PAGE_SIZE,
            blobs: None,
            silent: AtomicU32::new(0),
            read: Mutex::default(),
        }
    }

    /// Tells when the registry makes the scan wait, and until when.
    pub fn telling(mut self, observer: Observer) -> Self {
        self.session.tell(observer);
        self
    }

    /// Asks for pages of that many entries instead of 1000.
    pub fn pages_of(self, page_size: usize) -> Self {
        Self { page_size, ..self }
    }

    /// Sends this header with each request to the registry itself.
    pub fn with_header(mut self, name: &'static str, value: &str) -> Self {
        // A value that cannot stand in a header is left out: the registry then says what it misses.
        self.session
            .headers
            .extend(HeaderValue::from_str(value).ok().map(|value| (HeaderName::from_static(name), value)));
        self
    }

    /// From now on signs by this access token instead of the one of the login.
    pub fn renew(&self, token: &SecretString) {
        self.session.renew(token);
    }

    /// Asks first what an answer of the vendor's own interface means; `None` leaves it to its status.
    pub fn explaining(mut self, explain: fn(&Answer) -> Option<ProviderError>) -> Self {
        self.session.explain = Some(explain);
        self
    }

    /// Lists the other hosts that are sent the credential.
    pub fn listing(mut self, sent_to: SentTo) -> Self {
        self.session.sent_to = sent_to;
        self
    }

    /// Asks elsewhere for the address of a blob that the registry itself does not give.
    pub fn with_blobs_by(self, address: BlobAddress) -> Self {
        Self { blobs: Some(address), ..self }
    }

    /// `GET /v2/`: finds out how to sign in, and that the credential is good.
    pub async fn sign_in(&self) -> Result<(), ProviderError> {
        self.session.sign_in().await
    }

    /// `GET /v2/_catalog`, all pages. Many registries offer it to few, or not at all.
    pub async fn repositories(&self, pages: Pages) -> Result<Listing<String>, ProviderError> {
        let read = |answer: &Answer| Ok(answer.json::<Catalog>()?.repositories);
        let found = self.list("v2/_catalog", CATALOG_SCOPE, pages, read).await?;
        Ok(Listing::sorted_out(found, String::as_str, is_repository))
    }

    /// `GET /v2/<repository>/tags/list`, all pages. Some registries list the digests of what has no tag among them: those
    /// are left out, as they name no tag.
    pub async fn tags(&self, repository: &str, pages: Pages) -> Result<Listing<String>, ProviderError> {
        let (path, scope) = (format!("v2/{repository}/tags/list"), pull(repository));
        let read = |answer: &Answer| Ok(answer.json::<TagList>()?.tags);
        let (mut names, rest) = self.list(&path, &scope, pages, read).await?;
        names.retain(|name| !is_digest(name));
        Ok(Listing::sorted_out((names, rest), String::as_str, is_tag))
    }

    /// A list of the vendor's own, at a path below the registry's address; pages by their `Link`.
    pub async fn vendor_list<T>(
        &self,
        path: &str,
        sign: Sign<'_>,
        pages: Pages,
        entries: fn(&Answer) -> Result<Vec<Lenient<T>>, ProviderError>,
    ) -> Result<Entries<T>, ProviderError> {
        self.vendor_pages(path, sign, pages, |answer| Ok((entries(answer)?, Next::Link))).await
    }

    /// The same, where each answer says in its own way where the next page is.
    pub async fn vendor_pages<T, R>(
        &self,
        path: &str,
        sign: Sign<'_>,
        pages: Pages,
        read: R,
    ) -> Result<Entries<T>, ProviderError>
    where
        R: Fn(&Answer) -> Result<(Vec<Lenient<T>>, Next), ProviderError>,
    {
        self.session.pages(self.session.url(path)?, sign, pages, read).await
    }

    /// One answer of the vendor's own interface.
    pub async fn vendor_get(&self, path: &str, sign: Sign<'_>) -> Result<Answer, ProviderError> {
        self.session.get(&self.session.url(path)?, sign, Ask::DOOR).await
    }

    async fn list(
        &self,
        path: &str,
        scope: &str,
        pages: Pages,
        entries: fn(&Answer) -> Result<Vec<Lenient<String>>, ProviderError>,
    ) -> Result<Entries<String>, ProviderError> {
        let page = |size: usize| self.session.url(&format!("{path}?n={size}"));
        let (sign, read) = (Sign::For(scope), |answer: &Answer| Ok((entries(answer)?, Next::Link)));
        match self.session.pages(page(self.page_size)?, sign, pages, read).await {
            // Some registries refuse a page larger than their own limit instead of giving less.
            Err(ProviderError::UnexpectedStatus { status: 400 }) if self.page_size > SMALL_PAGE => {
                self.session.pages(page(SMALL_PAGE)?, sign, pages, read).await
            }
            other => other,
        }
    }
}
