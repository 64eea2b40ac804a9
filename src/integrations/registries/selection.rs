//! Which repositories and tags of a registry a scan takes: patterns, exclusions, the newest few tags, the most of all,
//! and the fields that are the same in every form. Shared by all versions of the family; knows no registry.

use std::cmp::Reverse;

use wildmatch::WildMatchPattern;

use crate::form::{Field, Values};

/// More repositories or images than this are not taken in by one scan.
pub const MAX_REPOSITORIES: usize = 10_000;
pub const MAX_IMAGES: usize = 200_000;

/// Tags of a repository that are kept unless the form says otherwise.
const DEFAULT_CAP: usize = 5;

/// Its help differs.
pub const REPOSITORY: Field =
    Field::text("repository", "Repository").optional().max(4096).check(check_patterns).summary(all_if_blank);
pub const EXCLUDE_REPOSITORIES: Field =
    Field::text("exclude_repositories", "Repositories to exclude").optional().max(4096).check(check_patterns);
pub const TAG: Field =
    Field::text("tag", "Tag").optional().help("Blank takes all.").max(4096).check(check_patterns).summary(all_if_blank);
pub const EXCLUDE_TAGS: Field =
    Field::text("exclude_tags", "Tags to exclude").optional().max(4096).check(check_patterns);

/// Its help differs.
pub const CAP: Field =
    Field::number("cap", "Cap", 0, 10_000).optional().default("5").after_credential().summary(cap_in_words);

fn all_if_blank(value: &str) -> Option<String> {
    Some(if value.is_empty() { "All" } else { value }.to_owned())
}

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
    /// Tags of a repository that are kept; `None` keeps all.
    pub cap: Option<usize>,
}

impl Selection {
    pub fn of(settings: &Values) -> Self {
        Self {
            names: Names::new(settings.get("repository"), settings.get("exclude_repositories")),
            tags: Names::new(settings.get("tag"), settings.get("exclude_tags")),
            cap: cap(settings),
        }
    }
}

/// One wildcard only: `*`, any number of characters. A line break can be in no name.
type Wildcard = WildMatchPattern<'*', '\n'>;

/// Names to take and names to leave out.
#[derive(Clone, Debug)]
pub struct Names {
    wanted: Vec<Wildcard>,
    excluded: Vec<Wildcard>,
}

impl Names {
    /// Patterns as typed: `*` stands for anything, several are separated by commas or lines. Nothing wanted is
    /// everything.
    pub fn new(wanted: &str, excluded: &str) -> Self {
        let patterns = |text| listed(text).map(Wildcard::new).collect();
        Self { wanted: patterns(wanted), excluded: patterns(excluded) }
    }

    pub fn take(&self, name: &str) -> bool {
        (self.wanted.is_empty() || self.wanted.iter().any(|pattern| pattern.matches(name)))
            && !self.excluded.iter().any(|pattern| pattern.matches(name))
    }

    /// The first parts of the names that are wanted, where each pattern tells its own: `team` of `team/*`.
    pub fn first_parts(&self) -> Option<Vec<String>> {
        let first = |pattern: String| {
            let (first, _) = pattern.split_once('/')?;
            Some(first.to_owned()).filter(|first| !first.contains('*'))
        };
        let mut parts: Vec<String> =
            self.wanted.iter().map(|pattern| first(pattern.pattern())).collect::<Option<_>>()?;
        parts.sort();
        parts.dedup();
        Some(parts).filter(|parts| !parts.is_empty())
    }

    /// The whole paths that the names wanted are below, where each pattern tells its own: `group/team` of
    /// `group/team/app-*`. A path below another one is left out.
    pub fn paths(&self) -> Option<Vec<String>> {
        let path = |pattern: String| {
            let fixed = pattern.split('*').next().unwrap_or_default();
            Some(fixed.rsplit_once('/')?.0.to_owned()).filter(|path| !path.is_empty())
        };
        let mut paths: Vec<String> =
            self.wanted.iter().map(|pattern| path(pattern.pattern())).collect::<Option<_>>()?;
        paths.sort();
        paths.dedup();
        let all = paths.clone();
        paths.retain(|path| !all.iter().any(|other| is_below(path, other)));
        Some(paths).filter(|paths| !paths.is_empty())
    }

    /// The names themselves when there is no wildcard among those wanted, so that nothing needs to be listed.
    pub fn exact(&self) -> Option<Vec<String>> {
        let plain = !self.wanted.is_empty() && !self.wanted.iter().any(|p| p.pattern_chars().contains(&'*'));
        plain.then(|| {
            let mut names: Vec<String> = self.wanted.iter().map(|p| p.pattern()).filter(|n| self.take(n)).collect();
            names.sort();
            names.dedup();
            names
        })
    }
}

/// Whether a path is inside of another one: `group/team` in `group`.
pub(super) fn is_below(path: &str, other: &str) -> bool {
    path.strip_prefix(other).is_some_and(|rest| rest.starts_with('/'))
}

fn listed(text: &str) -> impl Iterator<Item = &str> {
    text.split([',', '\n', '\r']).map(str::trim).filter(|pattern| !pattern.is_empty())
}

/// For a form: the patterns in their canonical form, one space after each comma.
pub fn check_patterns(text: &str) -> Result<String, String> {
    let good = |c: char| c.is_ascii_alphanumeric() || "._-/*".contains(c);
    if !listed(text).flat_map(str::chars).all(good) {
        return Err("Use letters, digits, dots, dashes, underscores and slashes; * stands for anything; separate \
                    several patterns by commas."
            .to_owned());
    }
    Ok(listed(text).collect::<Vec<_>>().join(", "))
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
    fn no_pattern_takes_everything_but_the_excluded() {
        let names = Names::new("", "team/*, *-test");
        assert!(names.take("app") && !names.take("team/app") && !names.take("x-test"));
        assert_eq!(names.exact(), None);
    }

    #[test]
    fn a_star_stands_for_anything_and_a_question_mark_for_itself() {
        assert!(Names::new("team/*", "").take("team/a/b"));
        assert!(!Names::new("team/*", "").take("steam/a"));
        assert!(!Names::new("ap?", "").take("app"));
    }

    #[test]
    fn names_without_a_wildcard_need_no_catalogue() {
        let names = Names::new("b\r\na, b,,", "");
        assert_eq!(names.exact(), Some(vec!["a".to_owned(), "b".to_owned()]));
        assert_eq!(Names::new("a, b*", "").exact(), None);
        assert_eq!(Names::new("a, b", "b").exact(), Some(vec!["a".to_owned()]));
    }

    #[test]
    fn the_first_parts_are_known_where_no_wildcard_stands_before_the_slash() {
        assert_eq!(Names::new("b/*, a/x, b/y", "").first_parts(), Some(vec!["a".to_owned(), "b".to_owned()]));
        for unknown in ["", "*", "a/*, *", "a*/b", "app"] {
            assert_eq!(Names::new(unknown, "").first_parts(), None, "{unknown}");
        }
    }

    #[test]
    fn the_paths_of_patterns_are_as_deep_as_no_wildcard_reaches() {
        let paths = |wanted: &str| Names::new(wanted, "").paths();
        assert_eq!(paths("g/t/app-*, g/t/x, g2/*"), Some(vec!["g/t".to_owned(), "g2".to_owned()]));
        assert_eq!(paths("g/*, g/t/*, gt/*"), Some(vec!["g".to_owned(), "gt".to_owned()]));
        for unknown in ["", "*", "g/*, *x", "app*", "/*"] {
            assert_eq!(paths(unknown), None, "{unknown}");
        }
    }

    #[test]
    fn patterns_are_kept_in_one_form_and_odd_characters_refused() {
        assert_eq!(check_patterns(" a ,\n b*,, "), Ok("a, b*".to_owned()));
        assert!(check_patterns("a b").is_err() && check_patterns("a?").is_err());
    }

    #[test]
    fn a_blank_cap_is_five_and_zero_is_none() {
        assert_eq!(cap(&Values::default()), Some(5));
        assert_eq!(cap(&Values::from_iter([("cap", "0")])), None);
        assert_eq!(cap(&Values::from_iter([("cap", "12")])), Some(12));
    }
}
