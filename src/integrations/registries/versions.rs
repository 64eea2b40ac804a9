//! The version pattern of a form: which tags are versions, and which of two is the higher one. Without it, dates decide.

use regex_lite::Regex;

use crate::form::{Field, Values};

/// Shown on the form of every registry.
pub const VERSION_PATTERN: Field = Field::text("version_pattern", "Version pattern")
    .optional()
    .placeholder("v%d.%d.%d")
    .help(
        "Says which tags are versions: %d stands for a number, * for anything. Then the newest tags are those of the \
         highest version, whatever their dates; tags that do not fit come after all that do. Separate several patterns \
         by commas: %d.%d, %d.%d.%d. Leave blank to go by dates, or by names where there are none.",
    )
    .max(256)
    .check(check)
    .after_credential()
    .advanced();

/// A number in a tag, of any length: its digits without leading zeros, counted first.
type Number = (usize, String);

/// The patterns of one form.
pub struct Versions(Vec<Regex>);

impl Versions {
    pub fn of(settings: &Values) -> Self {
        Self(listed(settings.get(VERSION_PATTERN.name)).filter_map(|pattern| regex(pattern).ok()).collect())
    }

    /// The numbers of a tag by the first pattern that it fits: the higher version has the greater ones. `None` for a tag
    /// that fits none.
    pub fn version(&self, tag: &str) -> Option<Vec<Number>> {
        let found = self.0.iter().find_map(|pattern| pattern.captures(tag))?;
        let digits = found.iter().skip(1).flatten().map(|digits| digits.as_str().trim_start_matches('0'));
        Some(digits.map(|digits| (digits.len(), digits.to_owned())).collect())
    }
}

fn listed(text: &str) -> impl Iterator<Item = &str> {
    text.split(',').map(str::trim).filter(|pattern| !pattern.is_empty())
}

/// For the form: the patterns in their canonical form, one space after each comma.
fn check(text: &str) -> Result<String, String> {
    for pattern in listed(text) {
        let rest = pattern.replace("%d", "");
        if rest.len() == pattern.len() {
            return Err("Put %d where a version has a number, such as %d.%d.%d.".to_owned());
        }
        if pattern.contains("%d%d") {
            return Err("Put something between two %d: where one number ends and the next begins.".to_owned());
        }
        if !rest.chars().all(|c| c.is_ascii_alphanumeric() || "._-*".contains(c)) {
            return Err(
                "Use %d for a number, * for anything, and the letters, digits, dots, dashes and underscores of \
                        a tag; separate several patterns by commas."
                    .to_owned(),
            );
        }
        regex(pattern).map_err(|_| "Enter fewer %d and *.".to_owned())?;
    }
    Ok(listed(text).collect::<Vec<_>>().join(", "))
}

/// A number takes all of its digits, what stands for anything as little as it can.
fn regex(pattern: &str) -> Result<Regex, regex_lite::Error> {
    let whole = regex_lite::escape(pattern).replace("%d", "([0-9]+)").replace("\\*", ".*?");
    Regex::new(&format!("^{whole}$"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::form;

    fn by(pattern: &str) -> Versions {
        Versions::of(&Values::from_iter([(VERSION_PATTERN.name, pattern)]))
    }

    /// The tags that fit, from high to low.
    fn ordered<'a>(pattern: &str, tags: &[&'a str]) -> Vec<&'a str> {
        let versions = by(pattern);
        let mut fitting: Vec<_> = tags.iter().filter_map(|tag| Some((versions.version(tag)?, *tag))).collect();
        fitting.sort_by(|one, other| other.cmp(one));
        fitting.into_iter().map(|(_, tag)| tag).collect()
    }

    #[test]
    fn numbers_of_a_version_compare_as_numbers() {
        let tags = ["1.9", "1.10", "latest", "v1.10", "01.2", "1.10.1", "1.x", "10.0", "1.10-rc1"];
        assert_eq!(ordered("%d.%d", &tags), ["10.0", "1.10", "1.9", "01.2"]);
        assert_eq!(ordered("%d.%d, %d.%d.%d", &tags), ["10.0", "1.10.1", "1.10", "1.9", "01.2"]);
        assert_eq!(ordered("v%d.%d", &tags), ["v1.10"]);
        let long = format!("build-{}", "9".repeat(40));
        assert_eq!(
            ordered("build-%d", &["build-10", &long, "build-9", "build-"]),
            [long.as_str(), "build-10", "build-9"]
        );
    }

    #[test]
    fn what_stands_for_anything_leaves_the_numbers_whole() {
        assert_eq!(ordered("*-%d", &["main-9", "main-10", "dev-11", "12"]), ["dev-11", "main-10", "main-9"]);
        assert_eq!(by("*%d").version("b123"), Some(vec![(3, "123".to_owned())]));
        assert_eq!(by("%d*").version("123b"), Some(vec![(3, "123".to_owned())]));
        assert_eq!(by("%d.%d").version("1x2"), None, "a dot is a dot");
        assert_eq!(by("").version("1.2"), None);
    }

    #[test]
    fn the_form_says_what_a_pattern_lacks() {
        let entered = |pattern: &str| {
            let posted = Values::from_iter([(VERSION_PATTERN.name, pattern)]);
            form::check(&[VERSION_PATTERN], &posted, None)
                .map(|values| values.get(VERSION_PATTERN.name).to_owned())
                .map_err(|errors| errors.of(VERSION_PATTERN.name).unwrap_or_default().to_owned())
        };
        assert_eq!(entered(" %d.%d,v%d-* ,").as_deref(), Ok("%d.%d, v%d-*"));
        assert_eq!(entered("").as_deref(), Ok(""));
        for bad in ["1.2", "%d%d", "%d.%s", "%d/%d", "%d (%d)", "%d[0-9]+", "%d\\d"] {
            assert!(entered(bad).is_err_and(|sentence| sentence.contains("%d")), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn every_pattern_that_the_form_takes_reads_any_tag(
            pattern in "[0-9a-c%d.*_-]{1,24}", tag in "[0-9a-c._-]{0,24}"
        ) {
            if check(&pattern).is_ok() {
                let _ = by(&pattern).version(&tag);
                prop_assert_eq!(by(&pattern).0.len(), 1);
            }
        }
    }
}
