//! A container registry's API: OCI distribution specification 1.1, which Docker Registry v2 became. Signs in as
//! challenged, lists repositories and tags, reads manifests. What is scanned and kept is decided in
//! `integrations/registries`; a registry with an API of its own gets its own file beside this one.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use futures_util::future::BoxFuture;
use serde::{Deserialize, Deserializer};
use tokio_util::sync::CancellationToken;
use url::Url;

use super::ProviderError;
use super::egress::{Answer, Client};
use super::patience::Observer;
use contents::Part;
use session::Session;

mod challenge;
mod contents;
mod digest;
mod line;
mod links;
mod manifest;
mod session;
mod tokens;

pub use contents::Described;
pub use digest::is_digest;
pub use line::AT_ONCE;
pub use manifest::{is_repository, is_tag};
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
    /// Size and platform by digest: the same content is read once, under however many tags.
    read: Mutex<HashMap<String, Part>>,
}

/// The names of a list, as far as it could be read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Names {
    pub good: Vec<String>,
    /// Names that the protocol does not allow, as they came.
    pub odd: Vec<String>,
    /// Why the pages after these are missing.
    pub rest: Option<ProviderError>,
}

#[derive(Deserialize)]
struct Catalog {
    #[serde(deserialize_with = "list_or_null")]
    repositories: Vec<String>,
}

#[derive(Deserialize)]
struct TagList {
    #[serde(deserialize_with = "list_or_null")]
    tags: Vec<String>,
}

/// Registries written in Go answer `null` for a list without entries. The member itself must be there: an answer
/// without it is not the listing, and must not count as an empty one.
fn list_or_null<'de, D: Deserializer<'de>>(member: D) -> Result<Vec<String>, D::Error> {
    Option::deserialize(member).map(Option::unwrap_or_default)
}

impl Registry {
    /// `address` may have a path in front of `/v2/`. Cancelling `stop` ends every call with [`ProviderError::Stopped`].
    pub fn new(client: Client, address: &Url, login: Login, stop: CancellationToken) -> Self {
        Self {
            session: Session::new(client, address, login, stop),
            page_size: PAGE_SIZE,
            blobs: None,
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
    pub async fn repositories(&self) -> Result<Names, ProviderError> {
        let found =
            self.list("v2/_catalog", CATALOG_SCOPE, |answer| Ok(answer.json::<Catalog>()?.repositories)).await?;
        Ok(sorted_out(found, is_repository))
    }

    /// `GET /v2/<repository>/tags/list`, all pages. Some registries list the digests of what has no tag among them: those
    /// are left out, as they name no tag.
    pub async fn tags(&self, repository: &str) -> Result<Names, ProviderError> {
        let (path, scope) = (format!("v2/{repository}/tags/list"), pull(repository));
        let (mut names, rest) = self.list(&path, &scope, |answer| Ok(answer.json::<TagList>()?.tags)).await?;
        names.retain(|name| !is_digest(name));
        Ok(sorted_out((names, rest), is_tag))
    }

    async fn list(
        &self,
        path: &str,
        scope: &str,
        entries: fn(&Answer) -> Result<Vec<String>, ProviderError>,
    ) -> Result<Listed, ProviderError> {
        let page = |size: usize| self.session.url(&format!("{path}?n={size}"));
        match self.session.pages(page(self.page_size)?, scope, entries).await {
            // Some registries refuse a page larger than their own limit instead of giving less.
            Err(ProviderError::UnexpectedStatus { status: 400 }) if self.page_size > SMALL_PAGE => {
                self.session.pages(page(SMALL_PAGE)?, scope, entries).await
            }
            other => other,
        }
    }
}

/// Names, and why there are no more.
type Listed = (Vec<String>, Option<ProviderError>);

fn sorted_out((names, rest): Listed, is_good: fn(&str) -> bool) -> Names {
    let (good, odd) = names.into_iter().partition(|name| is_good(name));
    Names { good, odd, rest }
}

fn pull(repository: &str) -> String {
    format!("repository:{repository}:pull")
}
