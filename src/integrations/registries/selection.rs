//! Which repositories and tags of a registry a scan takes: the newest few tags, the most of all, and the fields that are
//! the same in every form. Shared by all versions of the family; knows no registry.

use std::cmp::Reverse;

pub use super::versions::VERSION_PATTERN;
use super::versions::Versions;
use crate::form::{Field, Values};
pub use crate::integrations::patterns::{Names, is_below};
use crate::integrations::patterns::{all_if_blank, check_patterns};

/// More repositories or images than this are not taken in by one scan.
pub const MAX_REPOSITORIES: usize = 10_000;
pub const MAX_IMAGES: usize = 200_000;

/// Tags of a repository that are kept unless the form says otherwise.
const DEFAULT_CAP: usize = 5;

/// Its help differs.
pub const REPOSITORY: Field =
    Field::text("repository", "Repository").optional().max(4096).check(check_patterns).summary(all_if_blank).advanced();
pub const EXCLUDE_REPOSITORIES: Field = Field::text("exclude_repositories", "Repositories to exclude")
    .optional()
    .max(4096)
    .check(check_patterns)
    .advanced();
pub const TAG: Field = Field::text("tag", "Tag")
    .optional()
    .help("Leave blank for all.")
    .max(4096)
    .check(check_patterns)
    .summary(all_if_blank)
    .advanced();
pub const EXCLUDE_TAGS: Field =
    Field::text("exclude_tags", "Tags to exclude").optional().max(4096).check(check_patterns).advanced();

/// Its help differs.
pub const CAP: Field = Field::number("cap", "Newest tags per repository", 0, 10_000)
    .optional()
    .default("5")
    .after_credential()
    .advanced()
    .summary(cap_in_words);

fn cap_in_words(value: &str) -> Option<String> {
    Some(match value {
        "" => format!("{DEFAULT_CAP} newest tags a repository"),
        "0" => "None: all tags".to_owned(),
        cap => format!("{cap} newest tags a repository"),
    })
}

/// What the settings of a scan select.
pub struct Selection {
    /// Of repositories.
    pub names: Names,
    pub tags: Names,
    /// Which tags are versions, as far as the form says.
    pub versions: Versions,
    /// Tags of a repository that are kept; `None` keeps all.
    pub cap: Option<usize>,
}

impl Selection {
    pub fn of(settings: &Values) -> Self {
        Self {
            names: Names::new(settings.get("repository"), settings.get("exclude_repositories")),
            tags: Names::new(settings.get("tag"), settings.get("exclude_tags")),
            versions: Versions::of(settings),
            cap: cap(settings),
        }
    }

    /// Whether no repository and no tag is left out by its name.
    pub fn takes_all(&self) -> bool {
        self.names.take_all() && self.tags.take_all()
    }
}

/// The `cap` of the settings: how many tags a repository are kept; `None` keeps all.
fn cap(settings: &Values) -> Option<usize> {
    match settings.get("cap").parse().unwrap_or(DEFAULT_CAP) {
        0 => None,
        cap => Some(cap),
    }
}

/// The newest first, as far as names tell: `latest`, then versions from high to low (a release before its own
/// pre-releases and variants: `1.10`, `1.10-rc1`, `1.9`), then all other names backwards. A leading `v` does not count.
pub fn newest_first(tags: &mut [String]) {
    tags.sort_by_cached_key(|tag| Reverse(age_key(tag)));
}

/// Ordered as a tuple, so that no set of names, however odd, makes the order contradict itself.
fn age_key(tag: &str) -> (bool, bool, Vec<(Part, usize, String)>, String) {
    let rest = tag.strip_prefix(['v', 'V']).filter(|rest| is_number(rest)).unwrap_or(tag);
    let mut parts = Vec::new();
    let mut left = rest;
    while !left.is_empty() {
        let (head, more) = chunk(left);
        parts.push(match head.as_bytes()[0] {
            // Numbers of any length: without leading zeros, the longer one is the larger.
            b'0'..=b'9' => {
                let digits = head.trim_start_matches('0');
                (Part::Number, digits.len(), digits.to_owned())
            }
            b'.' => (Part::Dot, 0, head.to_owned()),
            _ => (Part::Suffix, 0, head.to_owned()),
        });
        left = more;
    }
    parts.push((Part::End, 0, String::new()));
    (tag == "latest", is_number(rest), parts, tag.to_owned())
}

/// What may follow in a name, from old to new: `1.0-rc1` is older than `1.0`, which is older than `1.0.1`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Part {
    Suffix,
    End,
    Number,
    Dot,
}

fn is_number(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_digit())
}

/// A run of digits or a run of anything else.
fn chunk(text: &str) -> (&str, &str) {
    let digits = is_number(text);
    text.split_at(text.find(|c: char| c.is_ascii_digit() != digits).unwrap_or(text.len()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn sorted(tags: &[&str]) -> Vec<String> {
        let mut tags: Vec<String> = tags.iter().map(|tag| tag.to_string()).collect();
        newest_first(&mut tags);
        tags
    }

    #[test]
    fn latest_comes_first_then_versions_from_high_to_low_then_names() {
        let shuffled = ["1.9", "main", "1.10-rc1", "v2.0.0", "1.10", "latest", "1.10.1", "dev", "1.10-alpine", "1.2"];
        let expected = ["latest", "v2.0.0", "1.10.1", "1.10", "1.10-rc1", "1.10-alpine", "1.9", "1.2", "main", "dev"];
        assert_eq!(sorted(&shuffled), expected);
    }

    #[test]
    fn build_numbers_beyond_any_integer_are_numbers_still() {
        let long = "9".repeat(60);
        assert_eq!(sorted(&["20240131", &long, "20240201"]), [&long, "20240201", "20240131"]);
    }

    proptest! {
        #[test]
        fn the_order_of_tags_does_not_depend_on_the_order_they_came_in(
            tags in proptest::collection::vec("[0-9vr.c-]{0,6}", 0..12)
        ) {
            let mut forward = tags.clone();
            let mut backward: Vec<String> = tags.into_iter().rev().collect();
            newest_first(&mut forward);
            newest_first(&mut backward);
            prop_assert_eq!(forward, backward);
        }
    }

    #[test]
    fn a_blank_cap_is_five_and_zero_is_none() {
        assert_eq!(cap(&Values::default()), Some(5));
        assert_eq!(cap(&Values::from_iter([("cap", "0")])), None);
        assert_eq!(cap(&Values::from_iter([("cap", "12")])), Some(12));
    }
}
