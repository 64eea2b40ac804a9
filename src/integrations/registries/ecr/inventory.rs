//! What an ECR registry holds: repositories, then the images of each with their dates, then the platforms of those that
//! are kept. Lists are bounded; platforms are an extra that never fails a scan.

use std::cmp::Reverse;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use aws_sdk_ecr::Client;
use aws_sdk_ecr::types::{DescribeImagesFilter, ImageDetail, TagStatus};
use chrono::DateTime;
use futures_util::StreamExt;

use super::super::selection::{self, MAX_IMAGES, MAX_REPOSITORIES, Names, Selection};
use super::super::{Image, Progress, ScanError, Step};
use crate::providers::ProviderError;
use crate::providers::aws::refused;
use crate::providers::oci_registry::{AT_ONCE, Registry, is_repository, is_tag};

/// Entries on a page, the most that ECR gives; and the bound of the pages.
const PAGE: i32 = 1000;
const MAX_PAGES: usize = 1000;

pub(super) struct Reader {
    client: Client,
    account: String,
    data: Option<Registry>,
    /// The v2 interface has failed once: it is not asked again in this scan.
    mute: AtomicBool,
}

pub(super) async fn read(
    reader: Reader,
    selection: Selection,
    tell: &(dyn Fn(Progress) + Send + Sync),
) -> Result<Vec<Image>, ScanError> {
    let mut progress = Progress { step: Step::ListingRepositories, ..Progress::default() };
    tell(progress.clone());
    let exact = selection.names.exact();
    let repositories = match exact {
        Some(names) => names,
        None => reader
            .repositories(&selection.names)
            .await
            .map_err(|cause| ScanError::new(Step::ListingRepositories, "", cause))?,
    };
    progress.step = Step::ListingTags;
    progress.repositories_total = u32::try_from(repositories.len()).unwrap_or(u32::MAX);
    tell(progress.clone());
    let (reader, selection) = (Arc::new(reader), Arc::new(selection));
    let work = repositories.into_iter().map(|repository| {
        let (reader, selection) = (Arc::clone(&reader), Arc::clone(&selection));
        async move { reader.repository(repository, &selection).await }
    });
    let mut finished = futures_util::stream::iter(work).buffer_unordered(AT_ONCE);
    let mut images: Vec<Image> = Vec::new();
    while let Some(found) = finished.next().await {
        images.extend(found?);
        if images.len() > MAX_IMAGES {
            return Err(ScanError::new(Step::ReadingManifests, "", ProviderError::TooLarge));
        }
        progress.step = Step::ReadingManifests;
        progress.repositories_done += 1;
        progress.images = u32::try_from(images.len()).unwrap_or(u32::MAX);
        tell(progress.clone());
    }
    images.sort_by(|a, b| (&a.repository, &a.tag).cmp(&(&b.repository, &b.tag)));
    Ok(images)
}

impl Reader {
    pub fn new(client: Client, account: String, data: Option<Registry>) -> Self {
        Self { client, account, data, mute: AtomicBool::new(false) }
    }

    /// `ecr:DescribeRepositories`, all pages.
    async fn repositories(&self, wanted: &Names) -> Result<Vec<String>, ProviderError> {
        let (mut names, mut next) = (Vec::new(), None);
        for _ in 0..MAX_PAGES {
            let call = self.client.describe_repositories().registry_id(&self.account).max_results(PAGE);
            let page = call.set_next_token(next).send().await;
            let page = page.map_err(|error| refused(&error, "ecr:DescribeRepositories"))?;
            for found in page.repositories.unwrap_or_default() {
                let name = found.repository_name.filter(|name| is_repository(name)).ok_or(ProviderError::BadAnswer)?;
                if wanted.take(&name) {
                    names.push(name);
                }
            }
            if names.len() > MAX_REPOSITORIES {
                return Err(ProviderError::TooLarge);
            }
            next = page.next_token.filter(|token| !token.is_empty());
            if next.is_none() {
                names.sort();
                names.dedup();
                return Ok(names);
            }
        }
        Err(ProviderError::TooLarge)
    }

    async fn repository(&self, repository: String, selection: &Selection) -> Result<Vec<Image>, ScanError> {
        let failed = |cause| ScanError::new(Step::ListingTags, &repository, cause);
        let mut images = self.images(&repository, &selection.tags).await.map_err(failed)?;
        // Tags that were pushed together are ordered by their names.
        let mut names: Vec<String> = images.iter().map(|image| image.tag.clone()).collect();
        selection::newest_first(&mut names);
        let places: std::collections::HashMap<String, usize> =
            names.into_iter().enumerate().map(|(place, name)| (name, place)).collect();
        images.sort_by_key(|image| (Reverse(image.pushed_at), places.get(&image.tag).copied()));
        images.truncate(selection.cap.unwrap_or(usize::MAX));
        for image in &mut images {
            self.platforms(image).await?;
        }
        Ok(images)
    }

    /// `ecr:DescribeImages`, all pages; one entry a tag.
    async fn images(&self, repository: &str, wanted: &Names) -> Result<Vec<Image>, ProviderError> {
        let tagged = DescribeImagesFilter::builder().tag_status(TagStatus::Tagged).build();
        let (mut images, mut next) = (Vec::new(), None);
        for _ in 0..MAX_PAGES {
            let call = self.client.describe_images().registry_id(&self.account).repository_name(repository);
            let page = call.filter(tagged.clone()).max_results(PAGE).set_next_token(next).send().await;
            let page = page.map_err(|error| refused(&error, "ecr:DescribeImages"))?;
            for detail in page.image_details.unwrap_or_default() {
                images.extend(tags(repository, detail)?.into_iter().filter(|image| wanted.take(&image.tag)));
            }
            if images.len() > MAX_IMAGES {
                return Err(ProviderError::TooLarge);
            }
            next = page.next_token.filter(|token| !token.is_empty());
            if next.is_none() {
                return Ok(images);
            }
        }
        Err(ProviderError::TooLarge)
    }

    /// Platforms, and the size of an index, which ECR's own API does not tell.
    async fn platforms(&self, image: &mut Image) -> Result<(), ScanError> {
        let Some(registry) = self.data.as_ref().filter(|_| !self.mute.load(Ordering::Relaxed)) else {
            return Ok(());
        };
        match registry.describe(&image.repository, &image.tag).await {
            Ok(found) => {
                image.platforms = found.platforms;
                if image.size_bytes == 0 {
                    image.size_bytes = i64::try_from(found.size_bytes).unwrap_or(i64::MAX);
                }
            }
            Err(ProviderError::Stopped) => {
                return Err(ScanError::new(Step::ReadingManifests, "", ProviderError::Stopped));
            }
            Err(ProviderError::NotFound | ProviderError::BadAnswer | ProviderError::TooLarge) => {}
            Err(cause) => {
                self.mute.store(true, Ordering::Relaxed);
                tracing::warn!(%cause, "platforms of an ECR registry cannot be read; the scan goes on without them");
            }
        }
        Ok(())
    }
}

/// An image under each of its tags.
fn tags(repository: &str, detail: ImageDetail) -> Result<Vec<Image>, ProviderError> {
    let digest = detail.image_digest.filter(|digest| is_digest(digest)).ok_or(ProviderError::BadAnswer)?;
    let pushed_at = detail.image_pushed_at.and_then(|at| DateTime::from_timestamp(at.secs(), at.subsec_nanos()));
    let size_bytes = detail.image_size_in_bytes.unwrap_or_default().max(0);
    detail
        .image_tags
        .unwrap_or_default()
        .into_iter()
        .map(|tag| {
            if !is_tag(&tag) {
                return Err(ProviderError::BadAnswer);
            }
            let (repository, digest) = (repository.to_owned(), digest.clone());
            Ok(Image { repository, tag, digest, size_bytes, platforms: Vec::new(), pushed_at })
        })
        .collect()
}

fn is_digest(text: &str) -> bool {
    let hex = text.strip_prefix("sha256:").unwrap_or_default();
    hex.len() == 64 && hex.bytes().all(|b| b.is_ascii_hexdigit())
}
