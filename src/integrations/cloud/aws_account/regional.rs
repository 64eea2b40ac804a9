//! What the parts share that look into every region: that a region which cannot be read is a gap of its own, and that a
//! list of regions which cannot be read is one gap of all of them.

use std::future::Future;
use std::sync::atomic::Ordering;

use futures_util::StreamExt;

use super::part::{REGIONAL, Visit, region};
use super::rights::Tried;
use crate::integrations::cloud::key::Sort;
use crate::integrations::cloud::resource::Facts;
use crate::integrations::progress::Step;
use crate::integrations::scan::{Gap, Hides, Scan};
use crate::providers::aws::Region;
use crate::providers::aws::regions::told_off;
use crate::providers::{Failure, ProviderError};

/// Regions that are read at once, each a host of its own.
const AT_ONCE: usize = 20;

const LISTING_REGIONS: Step = Step { label: "Listing regions", doing: "Listing the regions" };

/// Something that has a list in every region.
#[derive(Clone, Copy)]
pub(super) struct Listed {
    pub step: Step,
    pub sort: Sort,
    /// As its vendor names it: `Amazon ECR`.
    pub service: &'static str,
    /// What the names of its items begin with: `ecr`.
    pub path: &'static str,
}

impl Listed {
    /// `ecr/eu-central-1`
    pub fn of(&self, region: &Region) -> String {
        format!("{}/{}", self.path, region.as_str())
    }

    /// What all things of it in a region have in common.
    pub fn facts(&self, visit: &Visit<'_>, region: &Region) -> Facts {
        Facts {
            sort: self.sort,
            service: self.service.to_owned(),
            account: visit.alias.clone(),
            region: region.as_str().to_owned(),
            ..Facts::default()
        }
    }

    /// The gap that a region leaves.
    pub fn gap(&self, visit: &Visit<'_>, region: &Region, cause: ProviderError) -> Gap {
        self.gap_below(visit, region.as_str(), self.of(region), cause)
    }

    /// The gap that `at` leaves, which hides the items of that path.
    pub fn gap_below(&self, visit: &Visit<'_>, at: &str, path: String, cause: ProviderError) -> Gap {
        let because = cause.sentence(self.service);
        let hides = Hides::Below { place: visit.account.clone(), paths: vec![path] };
        Gap::new(self.step, at, cause, because).hiding(hides)
    }

    /// For a test: what `read` counts in one region, and which one that is: the first of the partition, where it is one of
    /// those. An error that names every right that is missing.
    pub async fn first_page(
        &self,
        visit: &Visit<'_>,
        read: impl AsyncFnOnce(&Region) -> Result<usize, ProviderError>,
    ) -> Result<(usize, String), Failure> {
        let mut rights = Tried::default();
        let home = region(visit.cx.settings);
        let regions = rights.tried(visit.regions().await)?.unwrap_or_default();
        let region = regions.iter().find(|region| **region == home).or(regions.first()).unwrap_or(&home);
        let number = rights.tried(told_off(&visit.calls, read(region).await).await)?;
        rights.complete()?;
        Ok((number.unwrap_or(0), region.as_str().to_owned()))
    }

    /// Reads it in all regions, a few at a time.
    pub async fn in_regions<F>(&self, visit: &Visit<'_>, read: impl Fn(Region) -> F) -> Result<Scan, Gap>
    where
        F: Future<Output = Result<Scan, ProviderError>>,
    {
        let regions = match visit.regions().await {
            Ok(regions) => regions,
            Err(cause) => {
                let gap = visit.judge.gap(unlisted(visit, cause.clone()))?;
                let told = visit.told.swap(true, Ordering::Relaxed);
                return Ok(if told { Scan::default() } else { Scan::gap(gap) });
            }
        };
        let report = &visit.cx.report;
        report.parts(self.step, regions.len(), 0);
        let read = &read;
        let work = regions.iter().cloned().map(|region| async move {
            let found = told_off(&visit.calls, read(region.clone()).await).await;
            match visit.judge.judged(found, |cause| self.gap(visit, &region, cause))? {
                Ok(found) => Ok(found),
                Err(gap) => Ok(Scan::gap(gap)),
            }
        });
        let mut finished = futures_util::stream::iter(work).buffer_unordered(AT_ONCE);
        let mut scan = Scan::default();
        while let Some(found) = finished.next().await {
            let found: Scan = found?;
            if found.items.is_empty() && found.gaps.is_empty() {
                visit.empty.store(true, Ordering::Relaxed);
            }
            scan.add(found);
            report.part(self.step, scan.items.len(), scan.gaps.len());
        }
        Ok(scan)
    }
}

/// The gap of all regions together.
fn unlisted(visit: &Visit<'_>, cause: ProviderError) -> Gap {
    let because = match &cause {
        ProviderError::Stopped => cause.sentence("AWS"),
        _ => format!("{} Or enter the regions under Regions.", cause.sentence("AWS")),
    };
    let paths = REGIONAL.map(str::to_owned).to_vec();
    let hides = Hides::Below { place: visit.account.clone(), paths };
    Gap::new(LISTING_REGIONS, "", cause, because).hiding(hides)
}

/// `1 function`, `3 functions`
pub(super) fn counted(number: usize, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}
