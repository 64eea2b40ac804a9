//! What a tag names: its digest, size and platforms, read from its manifest and, for an index, from the manifests that
//! it lists, however deep. Part of an image may be missing: the rest is told, with the reason.

use std::collections::{HashSet, VecDeque};
use std::sync::PoisonError;
use std::sync::atomic::Ordering;

use url::Url;

use super::Registry;
use super::digest::{promises, sha256, signed_part};
use super::links;
use super::manifest::{self, Child, Manifest, Platform};
use super::session::{Ask, Sign, pull};
use crate::providers::ProviderError;
use crate::providers::egress::Answer;

/// Manifests that are read for one tag. What an index lists beyond them is known by the index alone.
const MOST_READ: usize = 1000;
/// A store of blobs that so often in a row does not answer is asked no more.
const MOST_SILENT: u32 = 3;
/// Images that are remembered by their digest.
const MOST_KNOWN: usize = 10_000;

/// What a tag names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Described {
    /// `sha256:…` of the manifest's bytes, as received, or the digest of another algorithm that the registry named and
    /// that holds.
    pub digest: String,
    /// Compressed layers and configurations, summed over platforms, in bytes.
    pub size_bytes: u64,
    pub platforms: Vec<String>,
    /// Why something of this is less than it should be. That a registry does not keep all platforms of an index is no
    /// fault: mirrors often do not.
    pub missing: Option<ProviderError>,
}

/// Size and platform of a single image.
#[derive(Clone, Debug, Default)]
pub(super) struct Part {
    size_bytes: u64,
    platform: String,
}

impl Described {
    fn new(digest: String) -> Self {
        Self { digest, size_bytes: 0, platforms: Vec::new(), missing: None }
    }

    fn add(&mut self, size_bytes: u64, platform: &str) {
        self.size_bytes = self.size_bytes.saturating_add(size_bytes);
        if !platform.is_empty() && !self.platforms.iter().any(|known| known == platform) {
            self.platforms.push(platform.to_owned());
        }
    }

    /// Notes the first reason. *Stop* is none: it ends everything.
    fn misses(&mut self, cause: ProviderError) -> Result<(), ProviderError> {
        match cause {
            ProviderError::Stopped => return Err(cause),
            // A mirror without all of an index's platforms.
            ProviderError::NotFound => {}
            cause => drop(self.missing.get_or_insert(cause)),
        }
        Ok(())
    }
}

impl Registry {
    /// `GET /v2/<repository>/manifests/<tag>`, and what the sizes and platforms need beyond it. An error when the tag's
    /// own manifest cannot be read.
    pub async fn describe(&self, repository: &str, tag: &str) -> Result<Described, ProviderError> {
        let (digest, manifest) = self.manifest(repository, tag).await?;
        let mut found = Described::new(digest.clone());
        let mut left = VecDeque::from(self.add(repository, &digest, manifest, "", &mut found).await?);
        let (mut seen, mut read) = (HashSet::from([digest]), 0);
        while let Some(child) = left.pop_front() {
            if !seen.insert(child.digest.clone()) {
                found.add(0, &child.platform);
            } else if !child.is_manifest {
                found.add(child.size_bytes, &child.platform);
            } else if let Some(part) = self.known(&child.digest) {
                found.add(part.size_bytes, named(&child, &part));
            } else if read >= MOST_READ {
                found.add(0, &child.platform);
                found.misses(ProviderError::TooLarge)?;
            } else {
                read += 1;
                left.extend(self.child(repository, &child, &mut found).await?);
            }
        }
        Ok(found)
    }

    /// One entry of an index, by digest. Returns the entries of an index inside.
    async fn child(&self, repository: &str, child: &Child, found: &mut Described) -> Result<Vec<Child>, ProviderError> {
        let cause = match self.manifest(repository, &child.digest).await {
            Ok((digest, manifest)) if digest == child.digest => {
                return self.add(repository, &digest, manifest, &child.platform, found).await;
            }
            Ok(_) => ProviderError::BadAnswer,
            Err(cause) => cause,
        };
        found.add(0, &child.platform);
        found.misses(cause)?;
        Ok(Vec::new())
    }

    /// Adds what a manifest says of itself. `platform` is the index's word for it, which wins.
    async fn add(
        &self,
        repository: &str,
        digest: &str,
        manifest: Manifest,
        platform: &str,
        found: &mut Described,
    ) -> Result<Vec<Child>, ProviderError> {
        let mut part = match manifest {
            Manifest::Index(children) => return Ok(children),
            Manifest::Other { size_bytes, platform } => Part { size_bytes, platform },
            Manifest::Image { size_bytes, config: None } => Part { size_bytes, ..Part::default() },
            Manifest::Image { size_bytes, config: Some(config) } => match self.known(digest) {
                Some(part) => part,
                None => {
                    let platform = self.platform(repository, &config).await;
                    let part = Part { size_bytes, platform: platform.as_ref().cloned().unwrap_or_default() };
                    match platform {
                        Ok(_) => self.remember(digest, part.clone()),
                        Err(cause) => found.misses(cause)?,
                    }
                    part
                }
            },
        };
        if !platform.is_empty() {
            platform.clone_into(&mut part.platform);
        }
        found.add(part.size_bytes, &part.platform);
        Ok(Vec::new())
    }

    fn known(&self, digest: &str) -> Option<Part> {
        self.read.lock().unwrap_or_else(PoisonError::into_inner).get(digest).cloned()
    }

    fn remember(&self, digest: &str, part: Part) {
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        if read.len() >= MOST_KNOWN {
            read.clear();
        }
        read.insert(digest.to_owned(), part);
    }

    async fn manifest(&self, repository: &str, reference: &str) -> Result<(String, Manifest), ProviderError> {
        let url = self.session.url(&format!("v2/{repository}/manifests/{reference}"))?;
        let answer = self.session.get(&url, Sign::For(&pull(repository)), Ask::manifest(manifest::ACCEPT)).await?;
        let said = answer.header("docker-content-digest").or(Some(reference).filter(|text| text.contains(':')));
        let digest = digest_of(&answer.body, said).ok_or(ProviderError::BadAnswer)?;
        Ok((digest, Manifest::parse(&answer.body)?))
    }

    /// The platform in an image's configuration. Many registries keep their blobs elsewhere and redirect there: that is
    /// followed once. Empty when it leads to nothing: not worth failing for.
    async fn platform(&self, repository: &str, digest: &str) -> Result<String, ProviderError> {
        let url = self.session.url(&format!("v2/{repository}/blobs/{digest}"))?;
        let answer = self.session.get(&url, Sign::For(&pull(repository)), Ask::BLOB).await?;
        if !answer.leads() {
            return match promises(digest, &answer.body) {
                Some(true) => Ok(answer.json::<Platform>()?.name()),
                Some(false) => Err(ProviderError::BadAnswer),
                None => Ok(String::new()),
            };
        }
        let kept = self.elsewhere(repository, digest, &answer, &url).await?;
        let kept = kept.filter(|answer| promises(digest, &answer.body) == Some(true));
        Ok(kept.and_then(|answer| answer.json::<Platform>().ok()).map(|platform| platform.name()).unwrap_or_default())
    }

    /// A blob where the registry keeps it: where `lead` says, unless somebody else knows. The credential stays here; the
    /// digest tells whether what comes is the blob. A store that does not answer is given up.
    async fn elsewhere(
        &self,
        repository: &str,
        digest: &str,
        lead: &Answer,
        asked: &Url,
    ) -> Result<Option<Answer>, ProviderError> {
        if self.silent.load(Ordering::Relaxed) >= MOST_SILENT {
            return Ok(None);
        }
        let url = match &self.blobs {
            Some(address) => address(repository, digest).await.ok(),
            None => links::store(lead, asked),
        };
        let Some(url) = url else { return Ok(None) };
        match self.session.open(&url).await {
            Err(ProviderError::Stopped) => Err(ProviderError::Stopped),
            Err(cause) if cause.is_silence() => {
                self.silent.fetch_add(1, Ordering::Relaxed);
                Ok(None)
            }
            answer => {
                self.silent.store(0, Ordering::Relaxed);
                Ok(answer.ok())
            }
        }
    }
}

fn named<'a>(child: &'a Child, part: &'a Part) -> &'a str {
    if child.platform.is_empty() { &part.platform } else { &child.platform }
}

/// The digest of a manifest. `said` is what the registry or an index calls it; `None` when the bytes are others. Where
/// that cannot be held against them, it is the SHA-256 of the bytes.
fn digest_of(body: &[u8], said: Option<&str>) -> Option<String> {
    let own = || sha256(body);
    let Some(said) = said else { return Some(own()) };
    match promises(said, body) {
        Some(true) => Some(said.to_owned()),
        Some(false) => signed_part(body).filter(|part| promises(said, part) == Some(true)).map(|_| said.to_owned()),
        None => Some(own()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_digest_is_the_registrys_where_it_holds_and_ours_where_nobody_can_tell() {
        assert_eq!(digest_of(b"x", None), Some(sha256(b"x")));
        assert_eq!(digest_of(b"x", Some(&sha256(b"x"))), Some(sha256(b"x")));
        assert_eq!(digest_of(b"x", Some(&sha256(b"y"))), None);
        assert_eq!(digest_of(b"x", Some("blake3:abc")), Some(sha256(b"x")));
    }
}
