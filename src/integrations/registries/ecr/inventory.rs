//! What an ECR registry holds: repositories, then the images of each with their dates, then the platforms of those that
//! are kept, which the registry's v2 interface tells. Lists are bounded.

use aws_sdk_ecr::Client;
use aws_sdk_ecr::types::{DescribeImagesFilter, ImageDetail, TagStatus};
use chrono::DateTime;

use super::super::catalogue::{Catalogue, Described, Details, Listing, Pages, Tag};
use super::super::platforms::Platforms;
use super::super::selection::{MAX_IMAGES, Names, Selection};
use super::host::Host;
use crate::integrations::cover::{self, Cover};
use crate::integrations::progress::Report;
use crate::providers::ProviderError::{self, BadAnswer};
use crate::providers::aws::{refused, throttled};
use crate::providers::oci_registry::{Registry, is_digest, is_repository, is_tag};
use crate::providers::patience::{MOST_WAITING, Patience};

/// Entries on a page, the most that ECR gives; and the bound of the pages.
const PAGE: i32 = 1000;
const MAX_PAGES: usize = 1000;

/// A registry of an account in a region.
pub(super) struct EcrRegistry {
    client: Client,
    account: String,
    platforms: Platforms,
    patience: Patience,
}

impl Catalogue for EcrRegistry {
    async fn repositories(&self, _names: &Names, pages: Pages) -> Result<Listing<String>, ProviderError> {
        self.list_repositories(pages).await
    }

    async fn tags(&self, repository: &str, pages: Pages) -> Result<Listing<Tag>, ProviderError> {
        self.list_images(repository, pages).await
    }

    async fn describe(&self, repository: &str, tag: &Tag) -> Result<Described, ProviderError> {
        self.platforms.add(repository, tag).await
    }

    /// By its plain name, whichever the form has.
    fn covers(&self, registry: &str, selection: &Selection) -> Vec<Cover> {
        let host = Host::parse(registry).map(|host| host.region.registry(&host.account));
        let scope = host.ok().and_then(|host| cover::registry(&host, ""));
        scope.into_iter().map(|scope| Cover::read(scope, selection.takes_all())).collect()
    }
}

impl EcrRegistry {
    pub fn new(client: Client, account: String, data: Result<Option<Registry>, ProviderError>, report: Report) -> Self {
        let patience = Patience::new(MOST_WAITING).told_to(Box::new(move |until| report.pause(until)));
        Self { client, account, platforms: Platforms::new(data), patience }
    }

    /// `ecr:DescribeRepositories`. Pages after the first may be missing.
    async fn list_repositories(&self, pages: Pages) -> Result<Listing<String>, ProviderError> {
        let (mut names, mut next) = (Listing::default(), None);
        for number in 0..MAX_PAGES {
            let call = self.client.describe_repositories().registry_id(&self.account).max_results(PAGE);
            let call = call.set_next_token(next);
            let page = throttled::ask(&self.patience, || {
                let call = call.clone();
                async move { call.send().await.map_err(|error| refused(&error, "ecr:DescribeRepositories")) }
            });
            // An answer without its list is not the listing, and must not count as an empty one.
            let listed = page.await.and_then(|page| Ok((page.repositories.ok_or(BadAnswer)?, page.next_token)));
            let (found, token) = match listed {
                Ok(listed) => listed,
                Err(cause) if number == 0 => return Err(cause),
                Err(cause) => return Ok(Listing { rest: Some(cause), ..names }),
            };
            for name in found.into_iter().filter_map(|found| found.repository_name) {
                if is_repository(&name) { names.good.push(name) } else { names.odd.push(name) }
            }
            next = token.filter(|token| !token.is_empty());
            if next.is_none() || pages == Pages::First {
                return Ok(names);
            }
        }
        Ok(Listing { rest: Some(ProviderError::TooLarge), ..names })
    }

    /// `ecr:DescribeImages`: an entry a tag. Pages after the first may be missing.
    async fn list_images(&self, repository: &str, pages: Pages) -> Result<Listing<Tag>, ProviderError> {
        let tagged = DescribeImagesFilter::builder().tag_status(TagStatus::Tagged).build();
        let (mut found, mut next) = (Listing::default(), None);
        for number in 0..MAX_PAGES {
            let call = self.client.describe_images().registry_id(&self.account).repository_name(repository);
            let call = call.filter(tagged.clone()).max_results(PAGE).set_next_token(next);
            let page = throttled::ask(&self.patience, || {
                let call = call.clone();
                async move { call.send().await.map_err(|error| refused(&error, "ecr:DescribeImages")) }
            });
            let listed = page.await.and_then(|page| Ok((page.image_details.ok_or(BadAnswer)?, page.next_token)));
            let (details, token) = match listed {
                Ok(listed) => listed,
                Err(cause) if number == 0 => return Err(cause),
                Err(cause) => return Ok(Listing { rest: Some(cause), ..found }),
            };
            for detail in details {
                add_tags(&mut found, detail);
            }
            next = token.filter(|token| !token.is_empty());
            if next.is_none() || pages == Pages::First {
                return Ok(found);
            }
            if found.good.len() > MAX_IMAGES {
                break;
            }
        }
        Ok(Listing { rest: Some(ProviderError::TooLarge), ..found })
    }
}

/// Adds an image under each of its tags. One without a digest is no image.
fn add_tags(found: &mut Listing<Tag>, detail: ImageDetail) {
    let Some(digest) = detail.image_digest.filter(|digest| is_digest(digest)) else {
        found.rest.get_or_insert(ProviderError::BadAnswer);
        return;
    };
    let pushed_at = detail.image_pushed_at.and_then(|at| DateTime::from_timestamp(at.secs(), at.subsec_nanos()));
    let size_bytes = u64::try_from(detail.image_size_in_bytes.unwrap_or_default()).unwrap_or(0);
    // Only tagged images were asked for.
    let Some(names) = detail.image_tags else {
        found.rest.get_or_insert(ProviderError::BadAnswer);
        return;
    };
    for name in names {
        if is_tag(&name) {
            let details = Details { digest: digest.clone(), size_bytes, platforms: Vec::new() };
            found.good.push(Tag { name, pushed_at, details });
        } else {
            found.odd.push(name);
        }
    }
}
