//! The addresses of the links that recipients get.

use crate::models::recipients::Link;

/// Whether a path is that of a link from a mail, which ends with its proof.
pub fn is_link(path: &str, what: Link) -> bool {
    let name = match what {
        Link::Confirm => "confirm",
        Link::Unsubscribe => "unsubscribe",
    };
    path.strip_prefix("/recipients/").is_some_and(|rest| {
        let parts: Vec<&str> = rest.split('/').collect();
        matches!(parts[..], [_, word, _] if word == name)
    })
}
