//! A container registry's API: OCI distribution specification 1.1, which Docker Registry v2 became. Signs in as
//! challenged, lists repositories and tags, reads manifests. What is scanned and kept is decided in
//! `integrations/registries`; a registry with an API of its own gets its own file beside this one.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use futures_util::future::BoxFuture;
use serde::Deserialize;
use sha2::{Digest, Sha256};
use tokio_util::sync::CancellationToken;
use url::Url;

use super::ProviderError;
use super::egress::{Answer, BODY_LIMIT, Client};
use manifest::Platform;
use session::Session;

mod challenge;
mod manifest;
mod session;
mod tokens;

pub use manifest::{is_repository, is_tag};
pub use session::AT_ONCE;
pub use tokens::{Login, SentTo};
/// What registries write, read by the fuzz targets too.
#[doc(hidden)]
pub use {challenge::Challenge, manifest::Manifest, session::next_page, session::retry_after};

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

/// What a tag names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Described {
    /// `sha256:…` of the manifest's bytes, as received.
    pub digest: String,
    /// Compressed layers and configurations, summed over platforms, in bytes.
    pub size_bytes: u64,
    pub platforms: Vec<String>,
}

#[derive(Clone, Debug, Default)]
struct Part {
    size_bytes: u64,
    platform: String,
}

#[derive(Deserialize)]
struct Catalog {
    repositories: Option<Vec<String>>,
}

#[derive(Deserialize)]
struct TagList {
    tags: Option<Vec<String>>,
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
    pub async fn repositories(&self) -> Result<Vec<String>, ProviderError> {
        let names =
            self.list("v2/_catalog", CATALOG_SCOPE, |answer| Ok(answer.json::<Catalog>()?.repositories)).await?;
        if names.iter().all(|name| is_repository(name)) { Ok(names) } else { Err(ProviderError::BadAnswer) }
    }

    /// `GET /v2/<repository>/tags/list`, all pages.
    pub async fn tags(&self, repository: &str) -> Result<Vec<String>, ProviderError> {
        let (path, scope) = (format!("v2/{repository}/tags/list"), pull(repository));
        let names = self.list(&path, &scope, |answer| Ok(answer.json::<TagList>()?.tags)).await?;
        if names.iter().all(|name| is_tag(name)) { Ok(names) } else { Err(ProviderError::BadAnswer) }
    }

    async fn list(
        &self,
        path: &str,
        scope: &str,
        entries: fn(&Answer) -> Result<Option<Vec<String>>, ProviderError>,
    ) -> Result<Vec<String>, ProviderError> {
        let page = |size: usize| self.session.url(&format!("{path}?n={size}"));
        match self.session.pages(page(self.page_size)?, scope, entries).await {
            // Some registries refuse a page larger than their own limit instead of giving less.
            Err(ProviderError::UnexpectedStatus { status: 400 }) if self.page_size > SMALL_PAGE => {
                self.session.pages(page(SMALL_PAGE)?, scope, entries).await
            }
            other => other,
        }
    }

    /// `GET /v2/<repository>/manifests/<tag>`, and what the sizes and platforms need beyond it.
    pub async fn describe(&self, repository: &str, tag: &str) -> Result<Described, ProviderError> {
        let (digest, manifest) = self.manifest(repository, tag).await?;
        let mut described = Described { digest, size_bytes: 0, platforms: Vec::new() };
        let parts = match manifest {
            Manifest::Image { .. } => vec![self.part(repository, &described.digest, manifest).await?],
            Manifest::Index(children) => {
                let mut parts = Vec::with_capacity(children.len());
                for child in children {
                    let mut part = self.child(repository, &child.digest).await?;
                    if !child.platform.is_empty() {
                        part.platform = child.platform;
                    }
                    parts.push(part);
                }
                parts
            }
        };
        for part in parts {
            described.size_bytes = described.size_bytes.saturating_add(part.size_bytes);
            if !part.platform.is_empty() && !described.platforms.contains(&part.platform) {
                described.platforms.push(part.platform);
            }
        }
        Ok(described)
    }

    /// One image of an index, by digest.
    async fn child(&self, repository: &str, digest: &str) -> Result<Part, ProviderError> {
        if let Some(part) = self.known(digest) {
            return Ok(part);
        }
        let (found, manifest) = self.manifest(repository, digest).await?;
        if found != digest {
            return Err(ProviderError::BadAnswer);
        }
        self.part(repository, digest, manifest).await
    }

    async fn part(&self, repository: &str, digest: &str, manifest: Manifest) -> Result<Part, ProviderError> {
        if let Some(part) = self.known(digest) {
            return Ok(part);
        }
        let part = match manifest {
            // An index inside an index has no size of its own, and nobody builds them deeper.
            Manifest::Index(_) => Part::default(),
            Manifest::Image { size_bytes, config: None } => Part { size_bytes, ..Part::default() },
            Manifest::Image { size_bytes, config: Some(config) } => {
                Part { size_bytes, platform: self.platform(repository, &config).await? }
            }
        };
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        if read.len() >= 10_000 {
            read.clear();
        }
        read.insert(digest.to_owned(), part.clone());
        Ok(part)
    }

    fn known(&self, digest: &str) -> Option<Part> {
        self.read.lock().unwrap_or_else(PoisonError::into_inner).get(digest).cloned()
    }

    async fn manifest(&self, repository: &str, reference: &str) -> Result<(String, Manifest), ProviderError> {
        let url = self.session.url(&format!("v2/{repository}/manifests/{reference}"))?;
        let answer = self.session.get(&url, &pull(repository), Some(manifest::ACCEPT), BODY_LIMIT).await?;
        let digest = sha256(&answer.body);
        match answer.header("docker-content-digest") {
            Some(said) if said.starts_with("sha256:") && said != digest => Err(ProviderError::BadAnswer),
            _ => Ok((digest, Manifest::parse(&answer.body)?)),
        }
    }

    /// The platform in an image's configuration. Empty when the registry keeps its blobs elsewhere and redirects
    /// there: that is not followed, and not worth failing for. Whoever knows the address by other means has it read
    /// without any credential; the digest tells whether it is the right one.
    async fn platform(&self, repository: &str, digest: &str) -> Result<String, ProviderError> {
        let url = self.session.url(&format!("v2/{repository}/blobs/{digest}"))?;
        let answer = match self.session.get(&url, &pull(repository), None, BODY_LIMIT).await {
            Err(ProviderError::Redirected { .. } | ProviderError::RedirectedWithin { .. }) => {
                match self.elsewhere(repository, digest).await {
                    Some(answer) => answer,
                    None => return Ok(String::new()),
                }
            }
            Err(ProviderError::TooLarge) => return Ok(String::new()),
            other => other?,
        };
        if sha256(&answer.body) != digest {
            return Err(ProviderError::BadAnswer);
        }
        Ok(answer.json::<Platform>()?.name())
    }
}

impl Registry {
    async fn elsewhere(&self, repository: &str, digest: &str) -> Option<Answer> {
        let url = self.blobs.as_ref()?(repository, digest).await.ok()?;
        self.session.open(&url).await.ok()
    }
}

fn pull(repository: &str) -> String {
    format!("repository:{repository}:pull")
}

fn sha256(bytes: &[u8]) -> String {
    format!("sha256:{}", hex::encode(Sha256::digest(bytes)))
}
