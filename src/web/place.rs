//! Where a page of a table begins, as the address holds it: opaque to people, and checked before it meets the database,
//! since anybody can write an address.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::models::paging::{Key, Place};

/// Microseconds up to the year 9999, beyond which Postgres and people need no page.
const LATEST: i64 = 253_402_300_799_999_999;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
enum Written<Id> {
    #[serde(rename = "t")]
    Text(String, Id),
    #[serde(rename = "p")]
    Pair(String, String, Id),
    #[serde(rename = "n")]
    Number(i32, Id),
    #[serde(rename = "m")]
    Time(i64, Id),
    #[serde(rename = "e")]
    Never(Id),
}

/// The text that [`read`] takes.
pub fn write<Id: Serialize>(place: Place<Id>) -> String {
    let written = match place.key {
        Key::Text(text) => Written::Text(text, place.id),
        Key::Pair(first, second) => Written::Pair(first, second, place.id),
        Key::Number(number) => Written::Number(number, place.id),
        Key::Time(micros) => Written::Time(micros, place.id),
        Key::Never => Written::Never(place.id),
    };
    URL_SAFE_NO_PAD.encode(serde_json::to_vec(&written).unwrap_or_default())
}

/// A place whose key the sort can have; `None` for anything that [`write()`] did not write for it.
pub fn read<Id: DeserializeOwned>(text: &str, fits: impl Fn(&Key) -> bool, back: bool) -> Option<Place<Id>> {
    let json = URL_SAFE_NO_PAD.decode(text).ok()?;
    let (key, id) = match serde_json::from_slice(&json).ok()? {
        Written::Text(text, id) => (Key::Text(text), id),
        Written::Pair(first, second, id) => (Key::Pair(first, second), id),
        Written::Number(number, id) => (Key::Number(number), id),
        Written::Time(micros, id) => (Key::Time(micros), id),
        Written::Never(id) => (Key::Never, id),
    };
    (is_storable(&key) && fits(&key)).then_some(Place { key, id, back })
}

/// Whether Postgres can have such a value.
fn is_storable(key: &Key) -> bool {
    match key {
        Key::Text(text) => !text.contains('\0'),
        Key::Pair(first, second) => !first.contains('\0') && !second.contains('\0'),
        Key::Time(micros) => (0..=LATEST).contains(micros),
        Key::Number(_) | Key::Never => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::models::CredentialId;

    fn is_text(key: &Key) -> bool {
        matches!(key, Key::Text(_))
    }

    #[test]
    fn a_place_survives_the_address_and_belongs_to_its_sort() {
        let id = CredentialId::fresh();
        let place = Place { key: Key::Text("ö %_\\ &=".to_owned()), id, back: false };
        let text = write(place.clone());
        assert!(text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_'));
        assert_eq!(read(&text, is_text, false), Some(place));
        assert_eq!(read::<CredentialId>(&text, |key| matches!(key, Key::Time(_)), false), None);
    }

    #[test]
    fn a_place_that_the_database_could_not_take_is_refused() {
        let id = CredentialId::fresh();
        for key in [Key::Text("a\0".to_owned()), Key::Time(-1), Key::Time(i64::MAX)] {
            assert_eq!(read::<CredentialId>(&write(Place { key, id, back: true }), |_| true, true), None);
        }
        for text in ["", "x", "e30", "%00", "eyJ0IjpbXX0"] {
            assert_eq!(read::<CredentialId>(text, |_| true, false), None, "{text}");
        }
    }
}
