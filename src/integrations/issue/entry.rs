//! An entry of a secret store: its value is read from the store when a client asks, and passes through memory only.

use super::delivery::{self, AS, FOLDER, KEYS, ON_CHANGE, OUTAGE, OWNER, REFRESH, WHICH_SIGNAL};
use super::form::{ENTRY, Form, Issued, suits_all};
use crate::form::{Field, Values};
use crate::integrations::stores::{Entry, is_entry};
use crate::providers::Failure;
use crate::providers::probe::{Finding, Verdict};

/// The setting with the name of the entry.
pub const NAME: &str = "entry";
/// The setting with the longest time that a value is kept.
const KEEP: &str = "keep_seconds";
const KEEP_DEFAULT: u64 = 60;

pub static FORM: Form = Form {
    slug: ENTRY,
    label: "Entry of a secret store",
    help: "The current value of an entry, read from the store when it is asked for.",
    gives: "value",
    kinds: &[],
    fields: &[
        Field::text(NAME, "Entry")
            .placeholder("secret/team/db")
            .max(1_024)
            .check(name)
            .help("As the page of the store lists it: the place, a slash, the entry."),
        KEYS,
        AS,
        FOLDER,
        OWNER,
        REFRESH,
        ON_CHANGE,
        WHICH_SIGNAL,
        OUTAGE.advanced(),
        Field::number(KEEP, "Kept in memory for (seconds)", 0, 3_600)
            .optional()
            .default("60")
            .advanced()
            .help("Within this time the store isn't asked again. 0: ask every time."),
    ],
    suits: suits_all,
    issue: None,
};

fn name(text: &str) -> Result<String, String> {
    match is_entry(text) {
        true => Ok(text.to_owned()),
        false => Err("Enter the place, a slash and the entry: secret/team/db".to_owned()),
    }
}

/// The entry that the settings of a rule name.
pub fn named(settings: &Values) -> &str {
    settings.get(NAME)
}

/// For how long a value may be kept by these settings.
pub fn kept_for(settings: &Values) -> std::time::Duration {
    std::time::Duration::from_secs(settings.get(KEEP).parse().unwrap_or(KEEP_DEFAULT))
}

/// What a rule gives of an entry: all keys, or those that it names.
pub fn given(settings: &Values, entry: &Entry) -> Result<Issued, Failure> {
    let fields = delivery::pick(settings, &entry.keys).map_err(|key| without(named(settings), &key))?;
    Ok(Issued { fields, expires_at: None })
}

fn without(entry: &str, key: &str) -> Failure {
    let sentence = format!("The entry {entry} has no key {key}.");
    Finding::new(Verdict::RefusedByPolicy, sentence, "Change the keys in the client's rule.").into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_gives_the_keys_that_it_names_and_no_others() {
        let keys: Values = [("user", "app"), ("password", "s3cret")].into_iter().collect();
        let entry = Entry { keys, version: "3".to_owned() };
        let of = |keys: &str| {
            let settings: Values = [(NAME, "team/db"), ("keys", keys)].into_iter().collect();
            given(&settings, &entry).map(|issued| issued.fields.names().map(str::to_owned).collect::<Vec<_>>())
        };
        assert_eq!(of("").unwrap().len(), 2);
        assert_eq!(of("password = DB_PASSWORD").unwrap(), ["password"]);
        let failure = of("passwort = DB_PASSWORD").unwrap_err().to_string();
        assert!(failure.contains("passwort") && !failure.contains("s3cret"), "{failure}");
    }
}
