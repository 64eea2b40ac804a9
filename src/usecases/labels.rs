//! Owner and tags as they are entered, of a credential or an integration.

use crate::alerting;
use crate::form::{self, Errors, Field, Values};
use crate::models::labels::{Change, MOST_TAGS};
use crate::models::{Conn, DbError, labels};
use crate::names;
use crate::pasted::{self, Wanted};
use crate::services::Services;
use crate::usecases::read;

/// Longest tag, in characters.
pub const LONGEST_TAG: usize = 40;

/// A team or a person.
pub const OWNER: Field = Field::text("owner", "Owner")
    .optional()
    .wants(Wanted::Name)
    .max(80)
    .placeholder("Platform team")
    .help("The team or person responsible.")
    .check(|value| names::label(value, 80));
/// All tags of a row, separated by commas.
pub const TAGS: Field = Field::text("tags", "Tags")
    .optional()
    .wants(Wanted::Name)
    .max(500)
    .placeholder("prod, billing")
    .help("Up to 10, separated by commas.")
    .check(|value| tags(value).map(|tags| tags.join(", ")));

/// Of a channel: the tags that it is limited to. It is one of its settings, so the check of the row covers it.
pub const ONLY_TAGS: Field = Field::text(alerting::ONLY_TAGS, "Only alerts about these tags")
    .optional()
    .wants(Wanted::Name)
    .max(500)
    .placeholder("prod, billing")
    .help("Leave blank for all. Alerts that are about no credential or integration go to channels without tags here.")
    .check(|value| tags(value).map(|tags| tags.join(", ")));

/// The tags of a field: in lower case, each once, in the order of the field.
pub fn tags(text: &str) -> Result<Vec<String>, String> {
    let mut tags: Vec<String> = Vec::new();
    for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
        let tag = tag(part)?;
        if !tags.contains(&tag) {
            tags.push(tag);
        }
    }
    if tags.len() > MOST_TAGS { Err(format!("At most {MOST_TAGS} tags fit here.")) } else { Ok(tags) }
}

/// An owner as it is stored; may be empty.
pub fn owner(text: &str) -> Result<String, String> {
    let values = Values::from_iter([("owner", text)]);
    let checked = form::check(&[OWNER], &values, None);
    let sentence = |errors: Errors| errors.of("owner").unwrap_or_default().to_owned();
    checked.map(|values| values.get("owner").to_owned()).map_err(sentence)
}

/// One tag as it is stored.
pub fn tag(text: &str) -> Result<String, String> {
    if pasted::holds_secret(text) {
        return Err("This looks like a secret, and everyone can read tags.".to_owned());
    }
    if text.contains(',') {
        return Err("A tag can't contain a comma.".to_owned());
    }
    let words: Vec<&str> = text.split_whitespace().collect();
    let tag = words.join(" ").to_lowercase();
    if tag.is_empty() {
        return Err("Enter a tag.".to_owned());
    }
    if tag.chars().count() > LONGEST_TAG {
        return Err(format!("A tag has at most {LONGEST_TAG} characters."));
    }
    names::label(&tag, LONGEST_TAG)
}

/// The change that checked fields ask for. A form without a field leaves what is stored.
pub fn entered(posted: &Values, checked: &Values) -> Change {
    let value = |name: &str| posted.contains(name).then(|| checked.get(name).to_owned());
    Change::Both { owner: value("owner"), tags: value("tags").map(|text| tags(&text).unwrap_or_default()) }
}

/// The owners in use, to suggest.
pub async fn owners(services: &Services) -> Result<Vec<String>, DbError> {
    read(services, |conn: &mut Conn, _| labels::owners(conn)).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_lower_case_and_each_comes_once() {
        assert_eq!(tags(" Prod,billing , PROD,, eu  west ").unwrap(), ["prod", "billing", "eu west"]);
        assert_eq!(tags("").unwrap(), [""; 0]);
        assert_eq!(tags("ÖFFENTLICH").unwrap(), ["öffentlich"]);
    }

    #[test]
    fn too_many_or_too_long_tags_are_refused() {
        let many: Vec<String> = (0..=MOST_TAGS).map(|number| number.to_string()).collect();
        assert!(tags(&many.join(",")).is_err());
        assert!(tags(&many[1..].join(",")).is_ok());
        assert!(tags(&"x".repeat(LONGEST_TAG + 1)).is_err());
        assert!(tags("pro\u{200b}d").is_err());
        assert!(tag("a,b").is_err() && tag(" ").is_err());
    }
}
