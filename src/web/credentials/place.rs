//! Where a page of the table begins, as the address holds it: opaque to people, and checked before it meets the
//! database, since anybody can write an address.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};

use crate::models::CredentialId;
use crate::models::credential_query::{Key, Place, Sort};

/// Microseconds up to the year 9999, beyond which Postgres and people need no page.
const LATEST: i64 = 253_402_300_799_999_999;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
enum Written {
    #[serde(rename = "t")]
    Text(String, CredentialId),
    #[serde(rename = "p")]
    Pair(String, String, CredentialId),
    #[serde(rename = "n")]
    Number(i32, CredentialId),
    #[serde(rename = "m")]
    Time(i64, CredentialId),
    #[serde(rename = "e")]
    Never(CredentialId),
}

/// The text that [`read`] takes.
pub fn write(place: Place) -> String {
    let written = match place.key {
        Key::Text(text) => Written::Text(text, place.id),
        Key::Pair(first, second) => Written::Pair(first, second, place.id),
        Key::Number(number) => Written::Number(number, place.id),
        Key::Time(micros) => Written::Time(micros, place.id),
        Key::Never => Written::Never(place.id),
    };
    URL_SAFE_NO_PAD.encode(serde_json::to_vec(&written).unwrap_or_default())
}

/// A place of that sort; `None` for anything that [`write()`] did not write for it.
pub fn read(text: &str, sort: Sort, back: bool) -> Option<Place> {
    let json = URL_SAFE_NO_PAD.decode(text).ok()?;
    let plain = |text: &str| !text.contains('\0');
    let (key, id) = match (serde_json::from_slice(&json).ok()?, sort) {
        (Written::Text(text, id), Sort::Name | Sort::Identity | Sort::Editor | Sort::Match) if plain(&text) => {
            (Key::Text(text), id)
        }
        (Written::Pair(kind, name, id), Sort::Kind | Sort::Owner) if plain(&kind) && plain(&name) => {
            (Key::Pair(kind, name), id)
        }
        (Written::Number(number, id), Sort::Usages) => (Key::Number(number), id),
        (Written::Time(micros, id), Sort::Age | Sort::Used | Sort::Expires) if (0..=LATEST).contains(&micros) => {
            (Key::Time(micros), id)
        }
        (Written::Never(id), Sort::Expires) => (Key::Never, id),
        _ => return None,
    };
    Some(Place { key, id, back })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_survives_the_address_and_belongs_to_its_sort() {
        let id = CredentialId::fresh();
        let place = Place { key: Key::Text("ö %_\\ &=".to_owned()), id, back: false };
        let text = write(place.clone());
        assert!(text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_'));
        assert_eq!(read(&text, Sort::Name, false), Some(place));
        assert_eq!(read(&text, Sort::Age, false), None);
    }

    #[test]
    fn a_place_that_the_database_could_not_take_is_refused() {
        let id = CredentialId::fresh();
        for key in [Key::Text("a\0".to_owned()), Key::Time(-1), Key::Time(i64::MAX)] {
            let sort = if matches!(key, Key::Text(_)) { Sort::Name } else { Sort::Age };
            assert_eq!(read(&write(Place { key, id, back: true }), sort, true), None);
        }
        for text in ["", "x", "e30", "%00", "eyJ0IjpbXX0"] {
            assert_eq!(read(text, Sort::Name, false), None, "{text}");
        }
    }
}
