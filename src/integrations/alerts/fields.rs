//! Form fields that several channels share: the address of a self-hosted service, and the checkboxes at the end.

use super::TRIGGER_FIELDS;
use crate::form::Field;
use crate::integrations::service_address;

/// A channel's own fields, and the checkboxes after them. `ALL` is `N` and seven.
pub(super) const fn with_triggers<const N: usize, const ALL: usize>(own: [Field; N]) -> [Field; ALL] {
    assert!(ALL == N + TRIGGER_FIELDS.len());
    let mut all = [TRIGGER_FIELDS[0]; ALL];
    let mut place = 0;
    while place < ALL {
        all[place] = if place < N { own[place] } else { TRIGGER_FIELDS[place - N] };
        place += 1;
    }
    all
}

/// The address without a slash at its end.
pub(super) fn check_address(text: &str) -> Result<String, String> {
    let url = service_address(text)?;
    Ok(url.as_str().trim_end_matches('/').to_owned())
}
