//! A peer may send back the secret that it was given, in a name, a scope or an error. Whatever is shown or stored of a
//! peer's answer goes through [`Echoes`] first, which takes the secret out. Whoever opens a credential for a call does it:
//! runs, the Test of a credential, the test of a connection, and messages through a channel.

use aho_corasick::AhoCorasick;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD_NO_PAD;
use serde_json::Value;

use crate::credentials::Kind;
use crate::form::Values;

/// Bytes. A shorter secret is found in ordinary names by chance.
const LEAST: usize = 8;
/// Replaces a secret in a text.
pub const REMOVED: &str = "[the secret, sent back and removed]";

/// Finds the secrets of one credential in any text: as they are, by line, in base64 (also behind a user name and a
/// colon), percent-encoded and as in JSON, in capital or small letters.
#[derive(Clone, Debug, Default)]
pub struct Echoes {
    finder: Option<AhoCorasick>,
    least: usize,
}

impl Echoes {
    /// Searches for the secrets of the credentials that a call uses. Without a credential it finds nothing.
    pub fn of_opened<'a>(opened: impl IntoIterator<Item = (&'a Kind, &'a Values)>) -> Self {
        let needles: Vec<String> = opened.into_iter().flat_map(|(kind, values)| needles(kind, values)).collect();
        Self::of_needles(&needles)
    }

    /// The same, also for values that are all secret: those of entries of secret stores.
    pub fn of_all<'a>(
        opened: impl IntoIterator<Item = (&'a Kind, &'a Values)>,
        secrets: impl IntoIterator<Item = &'a Values>,
    ) -> Self {
        let of_entry = |values: &Values| values.names().flat_map(|name| spelled(values.get(name))).collect::<Vec<_>>();
        let opened = opened.into_iter().flat_map(|(kind, values)| needles(kind, values));
        let mut all: Vec<String> = opened.chain(secrets.into_iter().flat_map(of_entry)).collect();
        all.retain(|needle| needle.len() >= LEAST && !needle.starts_with("-----"));
        Self::of_needles(&all)
    }

    fn of_needles(needles: &[String]) -> Self {
        if needles.is_empty() {
            return Self::default();
        }
        let least = needles.iter().map(String::len).min().unwrap_or(usize::MAX);
        Self { finder: AhoCorasick::builder().ascii_case_insensitive(true).build(needles).ok(), least }
    }

    pub fn of(kind: &Kind, values: &Values) -> Self {
        Self::of_opened([(kind, values)])
    }

    /// The text without the secrets that are in it.
    pub fn take_out(&self, text: &mut String) {
        let Some(finder) = self.finder.as_ref().filter(|_| text.len() >= self.least) else { return };
        if finder.is_match(text.as_str()) {
            tracing::warn!("a peer sent back the secret that it was given; it was removed");
            *text = finder.replace_all(text, &vec![REMOVED; finder.patterns_len()]);
        }
    }
}

/// Members of documents that are secrets by themselves: of a kubeconfig, and of a service account's key.
const SECRET_MEMBERS: [&str; 4] = ["token", "password", "client-key-data", "private_key"];

/// The secrets that stand inside of a document in JSON.
fn within(document: &str) -> Vec<String> {
    let (mut found, mut open) = (Vec::new(), Vec::from_iter(serde_json::from_str::<Value>(document)));
    while let Some(value) = open.pop() {
        match value {
            Value::Array(items) => open.extend(items),
            Value::Object(members) => {
                for (name, member) in members {
                    match member {
                        Value::String(text) if SECRET_MEMBERS.contains(&name.as_str()) => {
                            found.extend(text.lines().map(|line| line.trim().to_owned()));
                        }
                        other => open.push(other),
                    }
                }
            }
            _ => {}
        }
    }
    found
}

/// The spellings of one secret.
fn spelled(value: &str) -> Vec<String> {
    let mut spelled: Vec<String> = value.lines().map(|line| line.trim().to_owned()).collect();
    spelled.push(BASE64_STANDARD_NO_PAD.encode(value));
    spelled.push(form_urlencoded::byte_serialize(value.as_bytes()).collect());
    spelled.push(serde_json::to_string(value).unwrap_or_default().trim_matches('"').to_owned());
    spelled
}

/// The spellings of a credential's secrets.
fn needles(kind: &Kind, values: &Values) -> Vec<String> {
    let of = |secret: bool| {
        let wanted = move |field: &&crate::form::Field| field.control.is_secret() == secret;
        kind.fields.iter().filter(wanted).map(|field| values.get(field.name)).filter(|value| !value.is_empty())
    };
    let mut needles = Vec::new();
    for value in of(true) {
        needles.extend(spelled(value));
        needles.extend(of(false).map(|user| BASE64_STANDARD_NO_PAD.encode(format!("{user}:{value}"))));
    }
    needles.extend(of(true).flat_map(within));
    // Lines that every file of this type has are not secret.
    needles.retain(|needle| needle.len() >= LEAST && !needle.starts_with("-----"));
    needles
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::credentials;

    fn without(text: &str) -> String {
        let mut values = Values::default();
        values.set("username", "bob");
        values.set("password", "CanaryPass+01/x\"y");
        let mut text = text.to_owned();
        Echoes::of(credentials::find("basic").unwrap(), &values).take_out(&mut text);
        text
    }

    #[test]
    fn a_token_inside_of_a_kubeconfig_is_taken_out_by_itself() {
        let config = r#"{"users": [{"name": "chosen", "user": {"token": "CanaryToken-0123456789"}}]}"#;
        let values = Values::from_iter([("kubeconfig", config)]);
        let mut text = "v1.33 CanaryToken-0123456789".to_owned();
        Echoes::of(credentials::find("kubeconfig").unwrap(), &values).take_out(&mut text);
        assert_eq!(text, format!("v1.33 {REMOVED}"));
    }

    #[test]
    fn a_secret_that_is_sent_back_is_taken_out_in_any_spelling() {
        let in_base64 = base64::prelude::BASE64_STANDARD.encode("bob:CanaryPass+01/x\"y");
        for spelled in ["CanaryPass+01/x\"y", "canarypass+01/X\"y", "CanaryPass%2B01%2Fx%22y", &in_base64] {
            let said = without(&format!("the registry lists “x {spelled}”"));
            assert!(said.contains(REMOVED) && !said.to_lowercase().contains("canary"), "{said}");
        }
        assert!(!without(&serde_json::to_string("CanaryPass+01/x\"y").unwrap()).contains("Canary"));
    }

    #[test]
    fn what_is_not_the_secret_stays() {
        assert_eq!(without("bob/canary: 12 MB"), "bob/canary: 12 MB");
    }
}
