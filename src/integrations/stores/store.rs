//! The trait of a secret store, and what it reads.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use futures_util::future::BoxFuture;
use serde_json::Value;

use crate::form::Values;
use crate::integrations::context::Context;
use crate::integrations::spec::Scanner;
use crate::providers::probe::Verdict;
use crate::providers::{Failure, ProviderError, finding};

/// A secret store: lists the names of its entries as a scan, and reads the values of single ones.
pub trait Store: Scanner {
    /// The current values of entries, one answer for each, in order. An entry is spelled as
    /// [`entry_name`](super::entry_name) does. One that cannot be read does not cost the others; `Err` when the store
    /// itself cannot be reached or refuses the login. As few calls as the store's API allows.
    fn read<'a>(
        &'a self,
        cx: &'a Context<'a>,
        entries: &'a [String],
    ) -> BoxFuture<'a, Result<Vec<Result<Entry, Failure>>, Failure>>;

    /// What it fails with, in whole sentences, for the help.
    fn known_faults(&self) -> Vec<String>;
}

/// Why one entry was not read.
pub(super) struct Unread {
    cause: ProviderError,
    failure: Failure,
}

impl Unread {
    /// `because`: the cause and the way out, beginning in lower case.
    pub fn new(entry: &str, cause: ProviderError, because: &str) -> Self {
        let mut found = finding(&cause, "the store");
        (found.sentence, found.remedy) = (format!("{entry} can't be read: {because}"), String::new());
        // To ask again later changes nothing.
        if matches!(cause, ProviderError::NotFound | ProviderError::WrongCredential | ProviderError::OddName { .. }) {
            found.verdict = Verdict::Denied;
        }
        Self { failure: found.into(), cause }
    }

    /// An entry that the settings leave out, or that no store has.
    pub fn not_selected(entry: &str) -> Self {
        let because = "the integration's settings don't select an entry of this name. Names are spelled as its page \
                       lists them: the place, a slash, the entry.";
        Self::new(entry, ProviderError::NotFound, because)
    }

    /// Whether the store as a whole was the cause.
    fn is_of_store(&self) -> bool {
        self.cause.is_silence()
            || matches!(
                self.cause,
                ProviderError::Unauthorized { .. }
                    | ProviderError::ServerError { .. }
                    | ProviderError::Throttled { .. }
            )
    }
}

/// The answers of a read. An error where none of the entries could be read for a cause that is the store's.
pub(super) fn answers(read: Vec<Result<Entry, Unread>>) -> Result<Vec<Result<Entry, Failure>>, Failure> {
    match read.iter().find_map(|one| one.as_ref().err().filter(|error| error.is_of_store())) {
        Some(error) if read.iter().all(Result::is_err) => Err(error.failure.clone()),
        _ => Ok(read.into_iter().map(|one| one.map_err(|error| error.failure)).collect()),
    }
}

/// The name of a value that has none.
const VALUE: &str = "value";

/// What an entry holds, only in memory.
#[derive(Debug, Default)]
pub struct Entry {
    /// By name; one value without names is under `value`. Wiped when dropped.
    pub keys: Values,
    /// The store's own version, to tell a change; empty where it has none.
    pub version: String,
}

impl Entry {
    /// Of a text: the members of a JSON object, else the text itself as the key `value`.
    pub fn of_text(text: &str, version: impl Into<String>) -> Self {
        let keys = match serde_json::from_str::<Value>(text) {
            Ok(object @ Value::Object(_)) if !is_document(&object) => members(object),
            _ => Values::from_iter([(VALUE, text)]),
        };
        Self { keys, version: version.into() }
    }

    /// Of bytes: as their text, else in base64 as the key `value`.
    pub fn of_bytes(bytes: &[u8], version: impl Into<String>) -> Self {
        match std::str::from_utf8(bytes) {
            Ok(text) => Self::of_text(text, version),
            Err(_) => {
                Self { keys: Values::from_iter([(VALUE, BASE64_STANDARD.encode(bytes))]), version: version.into() }
            }
        }
    }

    /// Of the members of an object, each under its own name.
    pub fn of_members(object: Value, version: impl Into<String>) -> Self {
        Self { keys: members(object), version: version.into() }
    }
}

/// Whether an object is a file to be used as a whole: the key of a service account, which programs read by its path.
fn is_document(object: &Value) -> bool {
    let is = |name: &str| object.get(name).is_some_and(Value::is_string);
    object["type"] == "service_account" && is("private_key")
}

/// A string as it is, anything else as JSON. A name that is no key is left out: it could stand nowhere.
fn members(object: Value) -> Values {
    let Value::Object(members) = object else { return Values::default() };
    let named = members.into_iter().filter(|(name, _)| !name.is_empty() && !name.chars().any(char::is_control));
    named
        .map(|(name, value)| match value {
            Value::String(text) => (name, text),
            other => (name, other.to_string()),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(entry: &Entry) -> Vec<(&str, &str)> {
        entry.keys.names().map(|name| (name, entry.keys.get(name))).collect()
    }

    #[test]
    fn an_object_is_its_members_and_anything_else_one_value() {
        let entry = Entry::of_text(r#"{"user":"ada","port":5432,"tags":["a"]}"#, "3");
        assert_eq!(keys(&entry), [("port", "5432"), ("tags", r#"["a"]"#), ("user", "ada")]);
        for text in ["plain", "", "[1]", "\"quoted\"", "{broken"] {
            assert_eq!(keys(&Entry::of_text(text, "")), [("value", text)]);
        }
    }

    #[test]
    fn the_key_of_a_service_account_stays_one_document() {
        let key = r#"{"type":"service_account","private_key":"k","client_email":"a@b"}"#;
        assert_eq!(keys(&Entry::of_text(key, "")), [("value", key)]);
    }

    #[test]
    fn bytes_that_are_no_text_are_in_base64() {
        assert_eq!(keys(&Entry::of_bytes(&[0xff, 0xfe], "1")), [("value", "//4=")]);
        assert_eq!(keys(&Entry::of_bytes(b"text", "1")), [("value", "text")]);
    }

    #[test]
    fn no_value_of_an_entry_is_printed() {
        assert!(!format!("{:?}", Entry::of_text(r#"{"password":"hunter2"}"#, "")).contains("hunter2"));
    }
}
