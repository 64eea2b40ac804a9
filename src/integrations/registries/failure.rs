//! A scan, or a part of one, that failed: which step, on what, why, and what to do about it, in words.

use std::fmt;

use super::Step;
use crate::providers::ProviderError;

/// What failed. As the error of a scan it is its end; as a gap it is what the scan could not read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScanError {
    pub step: Step,
    /// The repository or tag it happened on; empty when it was the registry as a whole.
    pub at: String,
    pub cause: ProviderError,
    /// How many other parts could not be read either.
    pub others: u32,
}

impl ScanError {
    pub fn new(step: Step, at: impl Into<String>, cause: ProviderError) -> Self {
        Self { step, at: at.into(), cause, others: 0 }
    }

    /// The same, for a scan in which so many other parts could not be read either.
    #[must_use]
    pub fn with_others(self, others: usize) -> Self {
        Self { others: others.try_into().unwrap_or(u32::MAX), ..self }
    }

    /// The failure without its place: `Listing the tags failed: the registry …`.
    pub fn reason(&self) -> String {
        format!("{} failed: {}", self.doing(), self.because())
    }

    fn doing(&self) -> &'static str {
        match self.step {
            Step::SigningIn => "Signing in",
            Step::ListingRepositories => "Listing the repositories",
            Step::ListingTags => "Listing the tags",
            Step::ReadingManifests => "Reading the manifest",
            Step::Saving => "Saving the inventory",
        }
    }

    /// The cause and the way out.
    fn because(&self) -> String {
        const REGISTRY: &str = "the registry";
        match (self.step, &self.cause) {
            (Step::ReadingManifests, ProviderError::NotFound) => {
                "the registry lists the tag, but has no manifest for it. It may have been deleted in between; if not, \
                 push it again or delete it."
                    .to_owned()
            }
            (Step::ReadingManifests, ProviderError::BadAnswer) => {
                "what the registry gave is not a manifest, or not the one that its digest promises. Push the tag again, or \
                 add it to Tags to exclude."
                    .to_owned()
            }
            (Step::ReadingManifests, ProviderError::TooLarge) => {
                "it is larger than the 4 MiB that registries have to take, or lists more than 1000 images. Add the tag to \
                 Tags to exclude."
                    .to_owned()
            }
            (step, cause) => cause.sentence(REGISTRY) + hint(step, cause),
        }
    }
}

/// A name that cannot be one there, as far as it can be shown.
pub(super) fn odd_name(name: &str) -> ProviderError {
    ProviderError::OddName { name: name.chars().filter(|c| !c.is_control()).take(100).collect() }
}

/// What else helps at that step, as a further sentence.
fn hint(step: Step, cause: &ProviderError) -> &'static str {
    match (step, cause) {
        (
            Step::ListingRepositories,
            ProviderError::NotFound
            | ProviderError::Forbidden
            | ProviderError::Unauthorized { .. }
            | ProviderError::UnexpectedStatus { .. }
            | ProviderError::ServerError { .. }
            | ProviderError::Timeout { .. }
            | ProviderError::TooLarge,
        ) => " Many registries do not list their repositories for everyone: enter their names under Repository.",
        (_, ProviderError::Throttled { retry_after: None | Some(0) }) => " Or lower the Cap.",
        (Step::ListingTags | Step::ReadingManifests, ProviderError::Forbidden) => {
            " Or add the repository to Repositories to exclude."
        }
        _ => "",
    }
}

impl fmt::Display for ScanError {
    /// `Listing the tags of team/app failed: the registry refused the user name or password. …`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.cause == ProviderError::Stopped {
            return f.write_str("The scan was stopped.");
        }
        f.write_str(self.doing())?;
        if !self.at.is_empty() {
            write!(f, " of {}", self.at)?;
        }
        write!(f, " failed: {}", self.because())?;
        match self.others {
            0 => Ok(()),
            1 => f.write_str(" One other part could not be read either."),
            others => write!(f, " {others} other parts could not be read either."),
        }
    }
}

impl std::error::Error for ScanError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_scan_that_is_throttled_speaks_of_the_cap() {
        let cause = ProviderError::Throttled { retry_after: None };
        assert!(!cause.told("the service").contains("Cap"));
        let said = ScanError::new(Step::ListingTags, "team/app", cause).to_string();
        assert!(said.ends_with("kept refusing. Try later. Or lower the Cap."), "{said}");
    }
}
