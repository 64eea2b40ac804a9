//! What one call lists of many repositories at once: it is read once a scan and kept until the scan has asked for the
//! tags of each.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::OnceCell;

use super::catalogue::{Listing, Tag};
use super::places;
use crate::providers::ProviderError;
use crate::providers::oci_registry::is_tag;

/// The lists of a scan by place, such as a project's repository.
#[derive(Default)]
pub(super) struct Held(Mutex<HashMap<String, Place>>);

/// Read once, or why it cannot be.
type Place = Arc<OnceCell<Result<Arc<Images>, ProviderError>>>;

/// The tags of the repositories of one place.
#[derive(Default)]
pub(super) struct Images {
    pub tags: HashMap<String, Vec<Tag>>,
    /// Why there are no more, if there should be.
    pub rest: Option<ProviderError>,
    /// The list of repositories has said so.
    told: AtomicBool,
}

impl Held {
    /// The images of a place: kept, or from `read`, which is asked once.
    pub async fn of<F>(&self, place: &str, read: impl FnOnce() -> F) -> Result<Arc<Images>, ProviderError>
    where
        F: Future<Output = Result<Images, ProviderError>>,
    {
        let cell = {
            let mut places = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(places.entry(place.to_owned()).or_default())
        };
        cell.get_or_init(|| async { read().await.map(Arc::new) }).await.clone()
    }

    /// Whether a place was asked for.
    pub fn has(&self, place: &str) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).contains_key(place)
    }
}

impl Images {
    pub fn new(rest: Option<ProviderError>) -> Self {
        Self { rest, ..Self::default() }
    }

    pub fn add(&mut self, repository: String, tag: Tag) {
        self.tags.entry(repository).or_default().push(tag);
    }

    /// The repositories, and what is missing of all of them.
    pub fn repositories(&self) -> Listing<String> {
        self.told.store(true, Ordering::Relaxed);
        places::repositories(self.tags.keys().cloned().collect(), self.rest.clone())
    }

    /// The tags of a repository.
    pub fn of(&self, repository: &str) -> Result<Listing<Tag>, ProviderError> {
        let rest = self.rest.clone().filter(|_| !self.told.load(Ordering::Relaxed));
        match self.tags.get(repository) {
            Some(tags) => Ok(Listing::sorted_out((tags.clone(), rest), |tag: &Tag| &tag.name, is_tag)),
            None => Err(rest.unwrap_or(ProviderError::NotFound)),
        }
    }
}
