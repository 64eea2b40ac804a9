//! Whose tokens a scan looks for.

use crate::form::Values;
use crate::integrations::patterns::Names;

/// What the settings ask for.
pub(super) struct Plan {
    pub personal: bool,
    pub places: bool,
    pub names: Names,
    /// Nothing is narrowed down, so that a token of an unknown group or project belongs here too.
    pub all: bool,
}

impl Plan {
    pub fn of(settings: &Values) -> Self {
        let (wanted, excluded) = (settings.get("names"), settings.get("exclude"));
        Self {
            personal: settings.get("personal") == "on",
            places: settings.get("places") == "on",
            names: Names::new(wanted, excluded),
            all: wanted.is_empty() && excluded.is_empty(),
        }
    }
}
