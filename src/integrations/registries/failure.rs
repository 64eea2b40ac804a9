//! What a scan of a registry says of a part that failed, and its steps.

use crate::integrations::progress::Step;
use crate::integrations::scan::{Gap, Hides};
use crate::providers::{ProviderError, Sent};

impl Step {
    pub const LISTING_REPOSITORIES: Self = Self { label: "Listing repositories", doing: "Listing the repositories" };
    pub const LISTING_TAGS: Self = Self { label: "Listing tags", doing: "Listing the tags" };
    pub const READING_MANIFESTS: Self = Self { label: "Reading manifests", doing: "Reading the manifest" };
}

/// The registry as a whole failed at a step.
pub(super) fn all(step: Step, cause: ProviderError) -> Gap {
    gap(step, "", cause, Hides::All)
}

/// A repository of which the tags, or some of them, are missing.
pub(super) fn of_repository(repository: &str, cause: ProviderError) -> Gap {
    gap(Step::LISTING_TAGS, repository, cause, Hides::Place(repository.to_owned()))
}

/// A tag that cannot be read, or not whole.
pub(super) fn of_tag(repository: &str, tag: &str, cause: ProviderError) -> Gap {
    let hides = Hides::Items { place: repository.to_owned(), names: vec![tag.to_owned()] };
    gap(Step::READING_MANIFESTS, &format!("{repository}:{tag}"), cause, hides)
}

/// Something that is missing of all images: they are there themselves.
pub(super) fn of_all_images(what: &str, cause: ProviderError) -> Gap {
    gap(Step::READING_MANIFESTS, what, cause, Hides::Nothing)
}

fn gap(step: Step, at: &str, cause: ProviderError, hides: Hides) -> Gap {
    // Nothing of such a name can be an image.
    let hides = if matches!(cause, ProviderError::OddName { .. }) { Hides::Nothing } else { hides };
    let because = because(step, &cause);
    Gap::new(step, at, cause, because).hiding(hides)
}

/// The cause and the way out.
fn because(step: Step, cause: &ProviderError) -> String {
    if step == Step::READING_MANIFESTS {
        match cause {
            ProviderError::NotFound => {
                return "the registry lists the tag, but has no manifest for it. It may have been deleted in between; if \
                        not, push it again or delete it."
                    .to_owned();
            }
            ProviderError::BadAnswer => {
                return "what the registry gave is not a manifest, or not the one that its digest promises. Push the tag \
                        again, or add it to Tags to exclude."
                    .to_owned();
            }
            ProviderError::TooLarge => {
                return "it is larger than the 4 MiB that registries have to take, or lists more than 1000 images. Add \
                        the tag to Tags to exclude."
                    .to_owned();
            }
            _ => {}
        }
    }
    cause.sentence("the registry") + hint(step, cause)
}

/// A name that cannot be one there, as far as it can be shown.
/// What a scan is known to fail with, for the help; `sent` is what its calls may carry.
pub fn known_faults(sent: &[Sent]) -> Vec<String> {
    let listing = [ProviderError::Forbidden, ProviderError::NotFound];
    let reading = [ProviderError::NotFound, ProviderError::BadAnswer, ProviderError::TooLarge];
    let refused = sent.iter().map(|sent| ProviderError::Unauthorized { sent: *sent });
    let steps = (refused.map(|cause| (Step::SIGNING_IN, cause)))
        .chain(listing.map(|cause| (Step::LISTING_REPOSITORIES, cause)))
        .chain([(Step::LISTING_TAGS, ProviderError::Forbidden)])
        .chain(reading.map(|cause| (Step::READING_MANIFESTS, cause)))
        .chain([(Step::READING_MANIFESTS, ProviderError::Throttled { retry_after: None })]);
    steps.map(|(step, cause)| gap(step, "", cause, Hides::Nothing).to_string()).collect()
}

pub(super) fn odd_name(name: &str) -> ProviderError {
    ProviderError::OddName { name: name.chars().filter(|c| !c.is_control()).take(100).collect() }
}

/// What else helps at that step, as a further sentence.
fn hint(step: Step, cause: &ProviderError) -> &'static str {
    match (step, cause) {
        (
            Step::LISTING_REPOSITORIES,
            ProviderError::NotFound
            | ProviderError::Forbidden
            | ProviderError::Unauthorized { .. }
            | ProviderError::UnexpectedStatus { .. }
            | ProviderError::ServerError { .. }
            | ProviderError::Timeout { .. }
            | ProviderError::TooLarge,
        ) => " Many registries do not list their repositories for everyone: enter their names under Repository.",
        (_, ProviderError::Throttled { retry_after: None | Some(0) }) => " Or take fewer tags.",
        (Step::LISTING_TAGS | Step::READING_MANIFESTS, ProviderError::Forbidden) => {
            " Or add the repository to Repositories to exclude."
        }
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_scan_that_is_throttled_speaks_of_the_cap() {
        let cause = ProviderError::Throttled { retry_after: None };
        assert!(!cause.told("the service").contains("fewer tags"));
        let said = of_repository("team/app", cause).to_string();
        assert!(said.ends_with("kept refusing. Try later. Or take fewer tags."), "{said}");
    }

    #[test]
    fn a_gap_keeps_the_images_that_it_may_hide() {
        let forbidden = || ProviderError::Forbidden;
        let may = |gap: Gap| gap.hides.may_be("team/app", "1");
        assert!(may(all(Step::LISTING_REPOSITORIES, forbidden())) && may(of_repository("team/app", forbidden())));
        assert!(may(of_tag("team/app", "1", forbidden())) && !may(of_tag("team/app", "2", forbidden())));
        assert!(!may(of_repository("other", forbidden())) && !may(of_all_images("all platforms", forbidden())));
        assert!(!may(of_repository("team/app", odd_name("x y"))));
    }
}
