//! What an ECR registry holds: repositories, then the images of each with their dates, then the platforms of those that
//! are kept. Lists are bounded; what cannot be read is a gap, also when it is only the platforms.

use std::cmp::Reverse;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use aws_sdk_ecr::Client;
use aws_sdk_ecr::types::{DescribeImagesFilter, ImageDetail, TagStatus};
use chrono::DateTime;

use super::super::collect::{collect, judged, selected};
use super::super::failure::odd_name;
use super::super::scan::{Judge, Scan};
use super::super::selection::{self, MAX_IMAGES, Selection};
use super::super::{Image, ScanError, Step};
use crate::integrations::progress::Report;
use crate::providers::ProviderError::{self, BadAnswer};
use crate::providers::aws::refused;
use crate::providers::oci_registry::{Names, Registry, is_digest, is_repository, is_tag};
use crate::providers::patience::{MOST_WAITING, Patience};

/// Entries on a page, the most that ECR gives; and the bound of the pages.
const PAGE: i32 = 1000;
const MAX_PAGES: usize = 1000;
/// Between calls that are throttled, on top of the pauses between the SDK's own attempts.
const PAUSES: [Duration; 3] = [Duration::from_secs(1), Duration::from_secs(2), Duration::from_secs(4)];

pub(super) struct Reader {
    client: Client,
    account: String,
    data: Option<Registry>,
    /// The v2 interface has failed once: it is not asked again in this scan.
    mute: AtomicBool,
    judge: Judge,
    patience: Patience,
}

/// `platforms`: why the v2 interface, which tells them, cannot be asked at all.
pub(super) async fn read(
    reader: Reader,
    selection: Selection,
    platforms: Option<ProviderError>,
    report: &Report,
) -> Result<Scan, ScanError> {
    report.step(Step::ListingRepositories);
    let (repositories, gaps) = match selection.names.exact() {
        Some(names) => (names, Vec::new()),
        None => {
            let listing = reader.repositories().await;
            let listing = listing.map_err(|cause| ScanError::new(Step::ListingRepositories, "", cause))?;
            selected(listing, &selection.names)
        }
    };
    let reader = Arc::new((reader, selection));
    let mut scan = collect(repositories, gaps, report, |repository| {
        let shared = Arc::clone(&reader);
        async move { shared.0.repository(repository, &shared.1).await }
    })
    .await?;
    if !scan.images.is_empty() {
        scan.gaps.extend(platforms.map(|cause| ScanError::new(Step::ReadingManifests, ALL_PLATFORMS, cause)));
    }
    Ok(scan)
}

/// The place of a gap when the v2 interface cannot be asked: no image is missing, but all their platforms.
const ALL_PLATFORMS: &str = "all platforms";

impl Reader {
    pub fn new(client: Client, account: String, data: Option<Registry>, report: Report) -> Self {
        let patience = Patience::new(MOST_WAITING).told_to(Box::new(move |wait| report.pause(wait)));
        Self { client, account, data, mute: AtomicBool::new(false), judge: Judge::default(), patience }
    }

    /// Asks again while ECR throttles. It says no pause of its own, and fills what it allows up again every second.
    async fn patiently<T, F>(&self, ask: impl Fn() -> F) -> Result<T, ProviderError>
    where
        F: Future<Output = Result<T, ProviderError>>,
    {
        for pause in PAUSES {
            self.patience.open().await;
            match ask().await {
                Err(ProviderError::Throttled { .. }) if self.patience.pause_all(pause, false).await => {}
                other => return other,
            }
        }
        ask().await
    }

    /// `ecr:DescribeRepositories`, all pages. Those after the first may be missing.
    async fn repositories(&self) -> Result<Names, ProviderError> {
        let (mut names, mut next) = (Names::default(), None);
        for number in 0..MAX_PAGES {
            let call = self.client.describe_repositories().registry_id(&self.account).max_results(PAGE);
            let call = call.set_next_token(next);
            let page = self.patiently(|| {
                let call = call.clone();
                async move { call.send().await.map_err(|error| refused(&error, "ecr:DescribeRepositories")) }
            });
            // An answer without its list is not the listing, and must not count as an empty one.
            let listed = page.await.and_then(|page| Ok((page.repositories.ok_or(BadAnswer)?, page.next_token)));
            let (found, token) = match listed {
                Ok(listed) => listed,
                Err(cause) if number == 0 => return Err(cause),
                Err(cause) => return Ok(Names { rest: Some(cause), ..names }),
            };
            for name in found.into_iter().filter_map(|found| found.repository_name) {
                if is_repository(&name) { names.good.push(name) } else { names.odd.push(name) }
            }
            next = token.filter(|token| !token.is_empty());
            if next.is_none() {
                return Ok(names);
            }
        }
        Ok(Names { rest: Some(ProviderError::TooLarge), ..names })
    }

    async fn repository(&self, repository: String, selection: &Selection) -> Result<Scan, ScanError> {
        let failed = |cause| ScanError::new(Step::ListingTags, &repository, cause);
        let mut scan = match judged(&self.judge, self.images(&repository, selection).await, failed)? {
            Ok(found) => found,
            Err(gap) => return Ok(Scan::gap(gap)),
        };
        // Tags that were pushed together are ordered by their names.
        let mut names: Vec<String> = scan.images.iter().map(|image| image.tag.clone()).collect();
        selection::newest_first(&mut names);
        let places: std::collections::HashMap<String, usize> =
            names.into_iter().enumerate().map(|(place, name)| (name, place)).collect();
        scan.images.sort_by_key(|image| (Reverse(image.pushed_at), places.get(&image.tag).copied()));
        scan.images.truncate(selection.cap.unwrap_or(usize::MAX));
        for image in &mut scan.images {
            scan.gaps.extend(self.platforms(image).await?);
        }
        Ok(scan)
    }

    /// `ecr:DescribeImages`, all pages; one entry a tag. Pages after the first may be missing.
    async fn images(&self, repository: &str, selection: &Selection) -> Result<Scan, ProviderError> {
        let tagged = DescribeImagesFilter::builder().tag_status(TagStatus::Tagged).build();
        let gap = |cause| ScanError::new(Step::ListingTags, repository, cause);
        let (mut scan, mut next) = (Scan::default(), None);
        for number in 0..MAX_PAGES {
            let call = self.client.describe_images().registry_id(&self.account).repository_name(repository);
            let call = call.filter(tagged.clone()).max_results(PAGE).set_next_token(next);
            let page = self
                .patiently(async || call.clone().send().await.map_err(|error| refused(&error, "ecr:DescribeImages")));
            let listed = page.await.and_then(|page| Ok((page.image_details.ok_or(BadAnswer)?, page.next_token)));
            let (details, token) = match listed {
                Ok(listed) => listed,
                Err(cause) if number == 0 => return Err(cause),
                Err(cause) => {
                    scan.gaps.push(gap(cause));
                    return Ok(scan);
                }
            };
            for detail in details {
                scan.add(tags(repository, detail, selection));
            }
            next = token.filter(|token| !token.is_empty());
            if next.is_none() {
                return Ok(scan);
            }
            if scan.images.len() > MAX_IMAGES {
                break;
            }
        }
        scan.gaps.push(gap(ProviderError::TooLarge));
        Ok(scan)
    }

    /// Platforms, and the size of an index, which ECR's own API does not tell. Returns the gap where they cannot be read.
    async fn platforms(&self, image: &mut Image) -> Result<Option<ScanError>, ScanError> {
        let Some(registry) = self.data.as_ref().filter(|_| !self.mute.load(Ordering::Relaxed)) else {
            return Ok(None);
        };
        let place = format!("{}:{}", image.repository, image.tag);
        let cause = match registry.describe(&image.repository, &image.tag).await {
            Ok(found) => {
                image.platforms = found.platforms;
                if image.size_bytes == 0 {
                    image.size_bytes = i64::try_from(found.size_bytes).unwrap_or(i64::MAX);
                }
                found.missing
            }
            Err(cause) => Some(cause),
        };
        match cause {
            None => Ok(None),
            Some(ProviderError::Stopped) => Err(ScanError::new(Step::ReadingManifests, "", ProviderError::Stopped)),
            Some(cause @ (ProviderError::NotFound | ProviderError::BadAnswer | ProviderError::TooLarge)) => {
                Ok(Some(ScanError::new(Step::ReadingManifests, place, cause)))
            }
            // Told once: the others would fail the same way.
            Some(cause) if !self.mute.swap(true, Ordering::Relaxed) => {
                Ok(Some(ScanError::new(Step::ReadingManifests, ALL_PLATFORMS, cause)))
            }
            Some(_) => Ok(None),
        }
    }
}

/// An image under each of its tags that is selected. What ECR itself would not have named so is a gap.
fn tags(repository: &str, detail: ImageDetail, selection: &Selection) -> Scan {
    let gap = |cause| ScanError::new(Step::ListingTags, repository, cause);
    let mut scan = Scan::default();
    let Some(digest) = detail.image_digest.filter(|digest| is_digest(digest)) else {
        return Scan::gap(gap(ProviderError::BadAnswer));
    };
    let pushed_at = detail.image_pushed_at.and_then(|at| DateTime::from_timestamp(at.secs(), at.subsec_nanos()));
    let size_bytes = detail.image_size_in_bytes.unwrap_or_default().max(0);
    // Only tagged images were asked for.
    let Some(names) = detail.image_tags else { return Scan::gap(gap(ProviderError::BadAnswer)) };
    for tag in names.into_iter().filter(|tag| selection.tags.take(tag)) {
        if is_tag(&tag) {
            let (repository, digest) = (repository.to_owned(), digest.clone());
            scan.images.push(Image { repository, tag, digest, size_bytes, platforms: Vec::new(), pushed_at });
        } else {
            scan.gaps.push(gap(odd_name(&tag)));
        }
    }
    scan
}
