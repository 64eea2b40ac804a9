//! What a registry is asked, whoever made it. A provider signs in ([`Open`]) and answers the three questions of a
//! [`Catalogue`]; the loop, the selection, the cap, the order, the gaps and the progress are the driver's.

use chrono::{DateTime, Utc};
use futures_util::future::BoxFuture;

use super::selection::{Names, Selection};
use crate::integrations::context::Context;
use crate::integrations::cover::{self, Cover};
use crate::providers::ProviderError;
pub use crate::providers::oci_registry::{Listing, Pages};

/// Signs in with the settings and the credential of a call.
pub type Open = for<'a> fn(&'a Context<'a>) -> Opening<'a>;
/// What an [`Open`] returns; [`opened`] ends it.
pub type Opening<'a> = BoxFuture<'a, Result<Box<dyn AnyCatalogue + 'a>, ProviderError>>;

/// A registry that is signed in to. Its lists may be incomplete: what is missing is said beside what was read.
pub trait Catalogue: Send + Sync {
    /// The repositories. `names` are those that the scan takes: a registry that can list a part may leave out the rest.
    fn repositories(
        &self,
        names: &Names,
        pages: Pages,
    ) -> impl Future<Output = Result<Listing<String>, ProviderError>> + Send;

    /// The tags of a repository, with what the list already says of each.
    fn tags(&self, repository: &str, pages: Pages) -> impl Future<Output = Result<Listing<Tag>, ProviderError>> + Send;

    /// The rest of what a tag names. Asked only for the tags that are kept.
    fn describe(&self, repository: &str, tag: &Tag) -> impl Future<Output = Result<Described, ProviderError>> + Send;

    /// How clients name a repository whose tags were listed, where that is not by the integration's own host.
    fn pulled_from(&self, _repository: &str) -> Option<String> {
        None
    }

    /// What a scan of this selection covers, asked after all repositories were listed. `registry` is what the form has
    /// in its field of that name: most registries are one scope, by their host.
    fn covers(&self, registry: &str, selection: &Selection) -> Vec<Cover> {
        let scope = cover::registry(registry, "").into_iter();
        scope.map(|scope| Cover::read(scope, selection.takes_all())).collect()
    }
}

/// A [`Catalogue`] of whatever provider, for the driver.
pub trait AnyCatalogue: Send + Sync {
    /// As [`Catalogue::repositories`].
    fn repositories<'a>(&'a self, names: &'a Names, pages: Pages) -> Answer<'a, Listing<String>>;
    /// As [`Catalogue::tags`].
    fn tags<'a>(&'a self, repository: &'a str, pages: Pages) -> Answer<'a, Listing<Tag>>;
    /// As [`Catalogue::describe`].
    fn describe<'a>(&'a self, repository: &'a str, tag: &'a Tag) -> Answer<'a, Described>;
    /// As [`Catalogue::pulled_from`].
    fn pulled_from(&self, repository: &str) -> Option<String>;
    /// As [`Catalogue::covers`].
    fn covers(&self, registry: &str, selection: &Selection) -> Vec<Cover>;
}

type Answer<'a, T> = BoxFuture<'a, Result<T, ProviderError>>;

impl<C: Catalogue> AnyCatalogue for C {
    fn repositories<'a>(&'a self, names: &'a Names, pages: Pages) -> Answer<'a, Listing<String>> {
        Box::pin(Catalogue::repositories(self, names, pages))
    }

    fn tags<'a>(&'a self, repository: &'a str, pages: Pages) -> Answer<'a, Listing<Tag>> {
        Box::pin(Catalogue::tags(self, repository, pages))
    }

    fn describe<'a>(&'a self, repository: &'a str, tag: &'a Tag) -> Answer<'a, Described> {
        Box::pin(Catalogue::describe(self, repository, tag))
    }

    fn pulled_from(&self, repository: &str) -> Option<String> {
        Catalogue::pulled_from(self, repository)
    }

    fn covers(&self, registry: &str, selection: &Selection) -> Vec<Cover> {
        Catalogue::covers(self, registry, selection)
    }
}

/// Ends an [`Opening`].
pub fn opened<'a>(catalogue: impl Catalogue + 'a) -> Result<Box<dyn AnyCatalogue + 'a>, ProviderError> {
    Ok(Box::new(catalogue))
}

/// A tag as a list has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tag {
    pub name: String,
    /// When it was pushed. Without it, tags are ordered by their names.
    pub pushed_at: Option<DateTime<Utc>>,
    /// What the list says of the image, as far as it does.
    pub details: Details,
}

impl Tag {
    /// A tag of which the list says no more than the name.
    pub fn named(name: String) -> Self {
        Self { name, pushed_at: None, details: Details::default() }
    }
}

/// What a tag names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Details {
    /// `sha256:…` of the manifest or index; empty while it is not known.
    pub digest: String,
    /// Compressed layers plus configuration, summed over platforms, in bytes; 0 while it is not known.
    pub size_bytes: u64,
    /// `linux/amd64`, `linux/arm64/v8` …
    pub platforms: Vec<String>,
}

/// A tag's details, and what of them could not be read.
pub struct Described {
    pub details: Details,
    pub missing: Option<Missing>,
}

/// Why some of the details are missing.
pub enum Missing {
    /// Those of this tag.
    Here(ProviderError),
    /// The same of all tags, which is said once a scan.
    Everywhere(ProviderError),
}

/// Platforms as a vendor lists them, image by image: each once, and none without a name.
pub fn distinct(names: impl Iterator<Item = String>) -> Vec<String> {
    let mut platforms: Vec<String> = Vec::new();
    for name in names {
        if !name.is_empty() && !platforms.contains(&name) {
            platforms.push(name);
        }
    }
    platforms
}

impl Details {
    /// The same with nothing missing.
    pub fn whole(self) -> Described {
        Described { details: self, missing: None }
    }
}
