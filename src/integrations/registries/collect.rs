//! The loop that all registries share: repositories a few at a time, progress, the most of all, and gaps.

use futures_util::StreamExt;

use super::failure::odd_name;
use super::scan::{Judge, Scan};
use super::selection::{MAX_IMAGES, MAX_REPOSITORIES, Names};
use super::{ScanError, Step};
use crate::integrations::progress::Report;
use crate::providers::ProviderError;
use crate::providers::oci_registry::{self, AT_ONCE};

/// The repositories of a listing that are selected, in order, with a gap for each part of it that is missing.
pub(super) fn selected(listing: oci_registry::Names, names: &Names) -> (Vec<String>, Vec<ScanError>) {
    let gap = |cause| ScanError::new(Step::ListingRepositories, "", cause);
    let odd = listing.odd.iter().filter(|name| names.take(name)).map(|name| gap(odd_name(name)));
    let mut gaps: Vec<ScanError> = odd.chain(listing.rest.map(gap)).collect();
    let mut repositories = listing.good;
    repositories.retain(|name| names.take(name));
    repositories.sort();
    repositories.dedup();
    if repositories.len() > MAX_REPOSITORIES {
        repositories.truncate(MAX_REPOSITORIES);
        gaps.push(gap(ProviderError::TooLarge));
    }
    (repositories, gaps)
}

/// Reads repositories, a few at a time. `read` has judged its own failures: an error ends the scan.
pub(super) async fn collect<F>(
    repositories: Vec<String>,
    gaps: Vec<ScanError>,
    report: &Report,
    read: impl Fn(String) -> F,
) -> Result<Scan, ScanError>
where
    F: Future<Output = Result<Scan, ScanError>>,
{
    report.update(|progress| {
        progress.step = Step::ListingTags;
        progress.repositories_total = count(repositories.len());
        progress.gaps = count(gaps.len());
    });
    let work = repositories.into_iter().map(|repository| {
        let reading = read(repository.clone());
        async move { (repository, reading.await) }
    });
    let mut finished = futures_util::stream::iter(work).buffer_unordered(AT_ONCE);
    let mut scan = Scan { images: Vec::new(), gaps };
    while let Some((repository, found)) = finished.next().await {
        let mut found = found?;
        if scan.images.len() + found.images.len() > MAX_IMAGES {
            found = Scan::gap(ScanError::new(Step::ListingTags, repository, ProviderError::TooLarge));
        }
        scan.add(found);
        report.update(|progress| {
            progress.step = Step::ReadingManifests;
            progress.repositories_done += 1;
            progress.images = count(scan.images.len());
            progress.gaps = count(scan.gaps.len());
        });
    }
    scan.finished()
}

/// The outcome of one part: its value, or the gap that it leaves.
pub(super) fn judged<T>(
    judge: &Judge,
    result: Result<T, ProviderError>,
    failed: impl FnOnce(ProviderError) -> ScanError,
) -> Result<Result<T, ScanError>, ScanError> {
    match result {
        Ok(value) => {
            judge.answered();
            Ok(Ok(value))
        }
        Err(cause) => judge.gap(failed(cause)).map(Err),
    }
}

fn count(number: usize) -> u32 {
    number.try_into().unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_repositories_than_a_scan_takes_are_a_gap_and_so_is_every_odd_name() {
        let names = |wanted| Names::new(wanted, "");
        let listing = || oci_registry::Names {
            good: (0..10_001).map(|number| format!("r{number:05}")).collect(),
            odd: vec!["x\u{7}y".to_owned()],
            rest: None,
        };
        let (repositories, gaps) = selected(listing(), &names(""));
        assert_eq!((repositories.len(), repositories[9_999].as_str()), (10_000, "r09999"));
        let causes: Vec<ProviderError> = gaps.into_iter().map(|gap| gap.cause).collect();
        assert_eq!(causes, [ProviderError::OddName { name: "xy".to_owned() }, ProviderError::TooLarge]);
        let (repositories, gaps) = selected(listing(), &names("r0000*"));
        assert_eq!((repositories.len(), gaps.len()), (10, 0), "what is not asked for is no gap");
    }
}
