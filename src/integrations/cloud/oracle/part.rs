//! The parts of a tenancy's scan. Each reads one sort of thing in one region; a [`Visit`] leads it through all of them, a
//! few at a time, and through the compartments of each.

use std::sync::atomic::{AtomicBool, Ordering};

use futures_util::StreamExt;
use futures_util::future::BoxFuture;
use futures_util::stream;

use crate::integrations::cloud::key::Sort;
use crate::integrations::cloud::resource::Facts;
use crate::integrations::context::Context;
use crate::integrations::progress::Step;
use crate::integrations::scan::{Gap, Hides, Judge, Scan};
use crate::providers::oci::calls::Calls;
use crate::providers::oci::tenancy::Compartment;
use crate::providers::probe::Verdict;
use crate::providers::{Failure, ProviderError};

/// Regions, and compartments of a region, that are read at once.
const AT_ONCE: usize = 4;

/// The gap that a failure leaves; it hides everything.
pub(super) fn gap(step: Step, at: &str, cause: ProviderError) -> Gap {
    let because = cause.sentence("Oracle Cloud");
    Gap::new(step, at, cause, because)
}

/// Whether a call failed since a right lacks, and not the key.
pub(super) fn is_denied(cause: &ProviderError) -> bool {
    matches!(cause, ProviderError::SignIn(failure) if failure.verdict == Verdict::Denied)
}

/// Something that a scan looks for.
pub(super) struct Part {
    /// The checkbox that switches it on.
    pub field: &'static str,
    /// `inspect clusters`
    pub right: &'static str,
    pub step: Step,
    pub sort: Sort,
    /// As Oracle names it: `Oracle Functions`.
    pub service: &'static str,
    /// What the names of its items begin with: `oke`.
    pub path: &'static str,
    /// All of a region, with a gap for each of its compartments that cannot be read.
    pub read: for<'a> fn(&'a Visit<'a>, &'a Calls<'a>) -> BoxFuture<'a, Result<Scan, ProviderError>>,
    /// What one page of the first region holds: `3 clusters`.
    pub check: for<'a> fn(&'a Visit<'a>) -> BoxFuture<'a, Result<String, Failure>>,
}

impl Part {
    /// `oke/eu-frankfurt-1`
    pub fn of(&self, region: &str) -> String {
        format!("{}/{region}", self.path)
    }

    /// What all things of it in a region have in common.
    pub fn facts(&self, visit: &Visit<'_>, region: &str) -> Facts {
        Facts {
            sort: self.sort,
            service: self.service.to_owned(),
            account: visit.name.clone(),
            region: region.to_owned(),
            ..Facts::default()
        }
    }

    /// The gap that hides the items of that path.
    pub fn gap(&self, visit: &Visit<'_>, at: &str, path: String, cause: ProviderError) -> Gap {
        let hides = Hides::Below { place: visit.tenancy().to_owned(), paths: vec![path] };
        gap(self.step, at, cause).hiding(hides)
    }
}

/// Signed calls in a tenancy, for one scan or test.
pub(super) struct Visit<'a> {
    pub cx: &'a Context<'a>,
    pub calls: Calls<'a>,
    /// Of the tenancy; empty where the user may not read it.
    pub name: String,
    /// Never empty.
    pub regions: Vec<String>,
    /// The tenancy itself first.
    pub compartments: Vec<Compartment>,
    pub judge: Judge,
    /// Something was read and there is nothing.
    pub empty: AtomicBool,
}

impl<'a> Visit<'a> {
    pub fn new(
        cx: &'a Context<'a>,
        calls: Calls<'a>,
        name: String,
        regions: Vec<String>,
        found: Vec<Compartment>,
    ) -> Self {
        let root = Compartment { id: calls.tenancy().to_owned(), name: "the tenancy itself".to_owned() };
        let mut compartments = vec![root];
        compartments.extend(found.into_iter().filter(|one| one.id != calls.tenancy()));
        Self { cx, calls, name, regions, compartments, judge: Judge::default(), empty: AtomicBool::new(false) }
    }

    pub fn tenancy(&self) -> &str {
        self.calls.tenancy()
    }

    /// What people call a compartment; its OCID for one that is in no list.
    pub fn called(&self, compartment: &str) -> String {
        let known = self.compartments.iter().find(|one| one.id == compartment);
        known.map_or(compartment, |one| one.name.as_str()).to_owned()
    }

    /// Reads a part in all regions, a few at a time. A region that cannot be read is a gap.
    pub async fn read(&self, part: &Part) -> Result<Scan, Gap> {
        let report = &self.cx.report;
        report.parts(part.step, self.regions.len(), 0);
        let work = self.regions.clone().into_iter().map(|region| async move {
            let calls = self.calls.in_region(&region);
            let found = (part.read)(self, &calls).await;
            let failed = |cause| part.gap(self, &region, part.of(&region), cause);
            match self.judge.judged(found, failed)? {
                Ok(found) => Ok(found),
                Err(gap) => Ok(Scan::gap(gap)),
            }
        });
        let mut finished = stream::iter(work).buffer_unordered(AT_ONCE);
        let mut scan = Scan::default();
        while let Some(found) = finished.next().await {
            let found: Scan = found?;
            if found.items.is_empty() && found.gaps.is_empty() {
                self.empty.store(true, Ordering::Relaxed);
            }
            scan.add(found);
            report.part(part.step, scan.items.len(), scan.gaps.len());
        }
        Ok(scan)
    }

    /// Reads every compartment of a region, a few at a time. One that is denied is a gap; if all are, it is one of the
    /// region.
    pub async fn in_compartments<F>(
        &self,
        part: &Part,
        region: &str,
        read: impl Fn(Compartment) -> F,
    ) -> Result<Scan, ProviderError>
    where
        F: Future<Output = Result<Scan, ProviderError>>,
    {
        let read = &read;
        let work = self.compartments.clone().into_iter().map(|one| async move {
            let found = read(one.clone()).await;
            (one, found)
        });
        let mut finished = stream::iter(work).buffer_unordered(AT_ONCE);
        let (mut scan, mut denied) = (Scan::default(), Vec::new());
        while let Some((compartment, found)) = finished.next().await {
            match found {
                Ok(found) => scan.add(found),
                Err(cause) if is_denied(&cause) => denied.push((compartment, cause)),
                Err(cause) => return Err(cause),
            }
        }
        if denied.len() == self.compartments.len() {
            return Err(denied.swap_remove(0).1);
        }
        let gaps = denied.into_iter().map(|(compartment, cause)| {
            let at = format!("{} in {region}", compartment.name);
            part.gap(self, &at, format!("{}/{}", part.of(region), compartment.id), cause)
        });
        scan.gaps.extend(gaps);
        Ok(scan)
    }
}
