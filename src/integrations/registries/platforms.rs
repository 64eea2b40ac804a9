//! Platforms from the v2 interface of a registry whose own API tells everything else. Where that interface cannot be
//! asked, platforms are missing and no more.

use std::sync::atomic::{AtomicBool, Ordering};

use super::catalogue::{Described, Missing, Tag};
use crate::providers::ProviderError;
use crate::providers::oci_registry::Registry;

pub(super) struct Platforms {
    /// The v2 interface, or why it cannot be asked at all; neither where the operator moved the API without it.
    data: Result<Option<Registry>, ProviderError>,
    /// It has failed once: it is not asked again in this scan.
    mute: AtomicBool,
}

impl Platforms {
    pub fn new(data: Result<Option<Registry>, ProviderError>) -> Self {
        Self { data, mute: AtomicBool::new(false) }
    }

    /// The v2 interface, where it can be asked.
    pub fn registry(&self) -> Option<&Registry> {
        self.data.as_ref().ok().and_then(Option::as_ref)
    }

    /// What the API has told of a tag with its platforms, and what else is missing of it. `repository` is as the v2
    /// interface names it. An error where neither of both has a digest.
    pub async fn add(&self, repository: &str, tag: &Tag) -> Result<Described, ProviderError> {
        let mut details = tag.details.clone();
        let cause = match &self.data {
            Ok(Some(registry)) if !self.mute.load(Ordering::Relaxed) => {
                match registry.describe(repository, &tag.name).await {
                    Ok(found) => {
                        details.platforms = found.platforms;
                        if details.digest.is_empty() {
                            details.digest = found.digest;
                        }
                        if details.size_bytes == 0 {
                            details.size_bytes = found.size_bytes;
                        }
                        found.missing
                    }
                    Err(cause) => Some(cause),
                }
            }
            Ok(_) => None,
            Err(cause) => Some(cause.clone()),
        };
        let missing = match cause {
            None if details.digest.is_empty() => return Err(ProviderError::NotFound),
            None => None,
            Some(ProviderError::Stopped) => return Err(ProviderError::Stopped),
            Some(cause) if details.digest.is_empty() => return Err(cause),
            Some(cause @ (ProviderError::NotFound | ProviderError::BadAnswer | ProviderError::TooLarge)) => {
                Some(Missing::Here(cause))
            }
            // Said once: the others would fail the same way.
            Some(cause) => (!self.mute.swap(true, Ordering::Relaxed)).then_some(Missing::Everywhere(cause)),
        };
        Ok(Described { details, missing })
    }
}
