//! How an entry is spelled, and which of a store's entries an integration selects.

use crate::form::{Field, Values};
use crate::integrations::patterns::{Names, all_if_blank, check_patterns};

/// Longest name of an entry, in bytes.
const LONGEST: usize = 1024;

/// An entry as rules and syncs name it, and as pages show it: `secret/team/db`. The place is the mount, region, project,
/// vault or safe that it is in.
pub fn entry_name(place: &str, name: &str) -> String {
    format!("{place}/{name}")
}

/// Whether a text can name an entry of any store.
pub fn is_entry(text: &str) -> bool {
    text.len() <= LONGEST && text.contains('/') && !text.chars().any(char::is_control)
}

pub(super) const ENTRIES: Field = Field::text("entries", "Entries")
    .optional()
    .placeholder("team/*")
    .help("Leave blank for all. Use * as a wildcard and commas between patterns. Other entries can't be read.")
    .max(4096)
    .check(check_patterns)
    .summary(all_if_blank)
    .advanced();
pub(super) const EXCLUDE: Field =
    Field::text("exclude_entries", "Entries to exclude").optional().max(4096).check(check_patterns).advanced();

/// The entries that the settings select, by their names.
pub(super) fn selected(settings: &Values) -> Names {
    Names::new(settings.get(ENTRIES.name), settings.get(EXCLUDE.name))
}

/// Whether a name can stand in a path without leading elsewhere.
pub(super) fn is_path(name: &str) -> bool {
    let is_part = |part: &str| !part.is_empty() && part != "." && part != "..";
    name.len() <= LONGEST && !name.chars().any(char::is_control) && name.split('/').all(is_part)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_never_leads_elsewhere() {
        assert!(is_path("team/db") && is_path("a b/ü"));
        for bad in ["", "/a", "a/", "a//b", "a/../b", "./a", "a\nb"] {
            assert!(!is_path(bad), "{bad:?}");
        }
        assert!(!is_path(&"a".repeat(LONGEST + 1)));
    }
}
