//! What a form holds: values by field name, wiped when dropped, and what is wrong with them.

use std::collections::BTreeMap;
use std::fmt;

use zeroize::Zeroizing;

/// Field values by name, wiped from memory when dropped. An absent value reads as `""`.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Values(BTreeMap<String, Zeroizing<String>>);

impl Values {
    pub fn get(&self, name: &str) -> &str {
        self.0.get(name).map_or("", |value| value.as_str())
    }

    pub fn set(&mut self, name: impl Into<String>, value: impl Into<String>) {
        self.0.insert(name.into(), Zeroizing::new(value.into()));
    }

    pub fn contains(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// The canonical JSON object: keys in order, absent and empty values left out.
    pub fn to_json(&self) -> Zeroizing<Vec<u8>> {
        let filled: BTreeMap<&str, &str> =
            self.0.iter().filter(|(_, v)| !v.is_empty()).map(|(k, v)| (k.as_str(), v.as_str())).collect();
        Zeroizing::new(serde_json::to_vec(&filled).unwrap_or_default())
    }

    /// Reads what [`Values::to_json`] wrote; `None` when it is anything else.
    pub fn from_json(json: &[u8]) -> Option<Self> {
        let map: BTreeMap<String, String> = serde_json::from_slice(json).ok()?;
        Some(Self(map.into_iter().map(|(name, value)| (name, Zeroizing::new(value))).collect()))
    }
}

impl fmt::Debug for Values {
    /// Names only: any value may be a secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

impl<N: Into<String>, V: Into<String>> FromIterator<(N, V)> for Values {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(pairs: I) -> Self {
        let mut values = Self::default();
        for (name, value) in pairs {
            values.set(name, value);
        }
        values
    }
}

/// What is wrong, by field name. A sentence each, never with the value in it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Errors(Vec<(String, String)>);

impl Errors {
    pub fn one(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self(vec![(field.into(), message.into())])
    }

    pub fn add(&mut self, field: impl Into<String>, message: impl Into<String>) {
        self.0.push((field.into(), message.into()));
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The first message for a field.
    pub fn of(&self, field: &str) -> Option<&str> {
        self.0.iter().find(|(name, _)| name == field).map(|(_, message)| message.as_str())
    }

    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, message)| (name.as_str(), message.as_str()))
    }

    pub fn extend(&mut self, others: Errors) {
        self.0.extend(others.0);
    }
}
