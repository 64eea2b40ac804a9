//! What the forms of several channels share: the address of a service of one's own, and the checkboxes at their end.

use url::Url;

use super::TRIGGER_FIELDS;
use crate::form::Field;

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

/// `jira.example.com` or a whole address, which may have a path; blanks around it do not count. Plain http is left to the
/// rules of the way out.
pub(super) fn address(text: &str) -> Option<Url> {
    let text = text.trim();
    let whole = if text.contains("://") { text.to_owned() } else { format!("https://{text}") };
    let url = Url::parse(&whole).ok()?;
    let bare = url.query().is_none() && url.fragment().is_none();
    let named = url.has_host() && url.username().is_empty() && url.password().is_none();
    (bare && named && matches!(url.scheme(), "https" | "http")).then_some(url)
}

/// The address without a slash at its end.
pub(super) fn check_address(text: &str) -> Result<String, String> {
    let url = address(text).ok_or("Enter a host or an https address, without a user name, a ? or a #.")?;
    Ok(url.as_str().trim_end_matches('/').to_owned())
}
