//! Patterns of names, as people type them: which names a scan takes and which it leaves out. The same in all families.

use wildmatch::WildMatchPattern;

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

    /// Whether no name is left out.
    pub fn take_all(&self) -> bool {
        self.excluded.is_empty() && (self.wanted.is_empty() || self.wants("*"))
    }

    /// Whether no name below a path is left out: `team/*`.
    pub fn take_all_below(&self, path: &str) -> bool {
        self.take_all() || self.excluded.is_empty() && self.wants(&format!("{path}/*"))
    }

    fn wants(&self, pattern: &str) -> bool {
        self.wanted.iter().any(|wanted| wanted.pattern() == pattern)
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
pub fn is_below(path: &str, other: &str) -> bool {
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

/// As a page shows patterns of which none is everything.
pub fn all_if_blank(value: &str) -> Option<String> {
    Some(if value.is_empty() { "All" } else { value }.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_pattern_takes_everything_but_the_excluded() {
        let names = Names::new("", "team/*, *-test");
        assert!(names.take("app") && !names.take("team/app") && !names.take("x-test"));
        assert_eq!(names.exact(), None);
        let all = |wanted, excluded| Names::new(wanted, excluded).take_all();
        let below = |wanted, excluded| Names::new(wanted, excluded).take_all_below("team");
        assert!(below("team/*, x", "") && below("", "") && !below("team/*", "team/a") && !below("team/a*", ""));
        assert!(all("", "") && all("a, *", "") && !all("", "a") && !all("a*", ""));
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
}
