//! What a scan brings home: images, and gaps where something could not be read. One gap costs what it names and nothing
//! else; only a registry that answers no more, and a scan that reads nothing at all, fail.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::selection::Selection;
use super::{Image, ScanError, Step};
use crate::providers::ProviderError;
use crate::providers::oci_registry::AT_ONCE;

/// Images and gaps, of a whole registry or of a part of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scan {
    pub images: Vec<Image>,
    /// What could not be read, each as the failure that it is.
    pub gaps: Vec<ScanError>,
}

impl Scan {
    /// Nothing but one gap.
    pub(super) fn gap(error: ScanError) -> Self {
        Self { images: Vec::new(), gaps: vec![error] }
    }

    pub(super) fn add(&mut self, other: Self) {
        self.images.extend(other.images);
        self.gaps.extend(other.gaps);
    }

    /// In the order of their places. An error, the first gap, when nothing at all was read.
    pub(super) fn finished(mut self) -> Result<Self, ScanError> {
        self.images.sort_by(|a, b| (&a.repository, &a.tag).cmp(&(&b.repository, &b.tag)));
        self.gaps.sort_by(|a, b| (a.step, &a.at).cmp(&(b.step, &b.at)));
        match self.gaps.first() {
            Some(first) if self.images.is_empty() => Err(first.clone().with_others(self.gaps.len() - 1)),
            _ => Ok(self),
        }
    }

    /// Whether an image that an earlier scan found, and this one did not, may still be there: a gap hides its place, and
    /// it is still selected.
    pub fn may_still_have(&self, selection: &Selection, repository: &str, tag: &str) -> bool {
        let selected = selection.names.take(repository) && selection.tags.take(tag);
        selected && self.gaps.iter().any(|gap| gap.hides(repository, tag))
    }
}

impl ScanError {
    /// Whether an image of that place may be there unseen because of this gap.
    fn hides(&self, repository: &str, tag: &str) -> bool {
        match (&self.cause, self.step) {
            // Nothing of that name can be an image.
            (ProviderError::OddName { .. }, _) => false,
            (_, Step::ListingRepositories) => true,
            (_, Step::ListingTags) => self.at == repository,
            (_, Step::ReadingManifests) => self.at.split_once(':') == Some((repository, tag)),
            _ => false,
        }
    }
}

/// Tells a gap from the end of the scan: a registry of which so many answers in a row do not come is away.
#[derive(Default)]
pub(super) struct Judge {
    silent: AtomicUsize,
}

impl Judge {
    /// The gap that a failed part of the scan leaves; its error, when it ends the scan.
    pub fn gap(&self, error: ScanError) -> Result<ScanError, ScanError> {
        if error.cause == ProviderError::Stopped {
            return Err(error);
        }
        if !is_silence(&error.cause) {
            self.answered();
            return Ok(error);
        }
        let silent = self.silent.fetch_add(1, Ordering::Relaxed) + 1;
        if silent >= AT_ONCE { Err(error) } else { Ok(error) }
    }

    pub fn answered(&self) {
        self.silent.store(0, Ordering::Relaxed);
    }
}

/// No answer came at all, or not from the server that was meant.
fn is_silence(cause: &ProviderError) -> bool {
    if let ProviderError::TokenServer { cause, .. } = cause {
        return is_silence(cause);
    }
    matches!(
        cause,
        ProviderError::Unreachable { .. }
            | ProviderError::Timeout { .. }
            | ProviderError::Dropped { .. }
            | ProviderError::Broken { .. }
            | ProviderError::Certificate { .. }
            | ProviderError::Handshake { .. }
            | ProviderError::NotTls { .. }
            | ProviderError::ClientCertificate { .. }
            | ProviderError::RefusedByPolicy { .. }
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::form::Values;
    use crate::integrations::registries::failure::odd_name;

    fn gap(step: Step, at: &str, cause: ProviderError) -> ScanError {
        ScanError::new(step, at, cause)
    }

    #[test]
    fn a_gap_spares_the_images_of_its_own_place_and_no_others() {
        let selection = Selection::of(&Values::from_iter([("exclude_repositories", "b"), ("exclude_tags", "dev")]));
        let may = |gap: ScanError, place: (&str, &str)| Scan::gap(gap).may_still_have(&selection, place.0, place.1);
        let (app, other) = (("team/app", "1"), ("team/other", "1"));
        let tag = || gap(Step::ReadingManifests, "team/app:1", ProviderError::BadAnswer);
        assert!(may(tag(), app) && !may(tag(), ("team/app", "2")) && !may(tag(), other));
        let tags = || gap(Step::ListingTags, "team/app", ProviderError::Forbidden);
        assert!(may(tags(), app) && may(tags(), ("team/app", "2")) && !may(tags(), other));
        let page = || gap(Step::ListingRepositories, "", ProviderError::BadAnswer);
        assert!(may(page(), app) && may(page(), other));
        assert!(!may(page(), ("b", "1")) && !may(page(), ("team/app", "dev")), "no longer selected");
        assert!(!may(gap(Step::ListingTags, "team/app", odd_name("x y")), app));
    }

    #[test]
    fn a_registry_is_away_when_eight_answers_in_a_row_do_not_come() {
        let (judge, silence) = (Judge::default(), ProviderError::Timeout { host: "r.example".to_owned() });
        let silent = || judge.gap(gap(Step::ListingTags, "a", silence.clone()));
        assert!((0..7).all(|_| silent().is_ok()));
        judge.answered();
        assert!((0..7).all(|_| silent().is_ok()) && silent().is_err());
        assert!(judge.gap(gap(Step::ListingTags, "a", ProviderError::Forbidden)).is_ok() && silent().is_ok());
        assert!(judge.gap(gap(Step::ListingTags, "a", ProviderError::Stopped)).is_err());
    }

    #[test]
    fn a_scan_that_reads_nothing_fails_and_counts_the_rest() {
        let mut scan = Scan::gap(gap(Step::ReadingManifests, "b:1", ProviderError::BadAnswer));
        scan.add(Scan::gap(gap(Step::ListingTags, "a", ProviderError::Forbidden)));
        let error = scan.finished().unwrap_err();
        assert_eq!((error.step, error.at.as_str()), (Step::ListingTags, "a"));
        assert!(error.to_string().ends_with("One other part could not be read either."), "{error}");
        assert_eq!(Scan::default().finished(), Ok(Scan::default()));
    }
}
