//! What the console and the agent answer under `/machine/v1`.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use zeroize::Zeroizing;

use super::trouble::{Result, Trouble};

/// Below which a rule is read. A session is issued, a value is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Path {
    Sessions,
    Values,
}

impl Path {
    pub fn of(self, rule: &str) -> String {
        match self {
            Self::Sessions => format!("/machine/v1/sessions/{rule}"),
            Self::Values => format!("/machine/v1/values/{rule}"),
        }
    }
}

/// What a rule gives.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Fetched {
    pub form: String,
    #[serde(default)]
    pub version: Value,
    pub data: BTreeMap<String, Zeroizing<String>>,
    pub expires_at: Option<DateTime<Utc>>,
    /// How the rule says that programs get it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delivery: Option<Delivery>,
}

/// What a rule says of how programs get a value. What is not there is for the command line to say.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
#[serde(default)]
pub struct Delivery {
    /// `environment` or `files`.
    #[serde(rename = "as")]
    pub how: Option<String>,
    /// Names of variables or files: (name, key).
    pub names: Vec<(String, String)>,
    /// In which files are written.
    pub folder: Option<String>,
    /// Of files: `user:group`, by number.
    pub owner: Option<String>,
    /// Minutes between two readings while the program runs; 0: never.
    pub refresh: Option<u64>,
    /// `restart`, `nothing`, or the name of a signal: `HUP`.
    pub on_change: Option<String>,
}

/// How the rules of a client stand: by name, what is another when it has changed.
#[derive(Deserialize)]
pub struct Changed {
    pub rules: BTreeMap<String, String>,
}

pub mod form {
    pub const VALUE: &str = "value";
    pub const AWS: &str = "aws_session";
    pub const AZURE: &str = "azure_token";
    pub const GOOGLE: &str = "google_token";
    pub const REGISTRY: &str = "registry_login";
    pub const CLUSTER: &str = "cluster_token";
}

impl Fetched {
    pub fn parse(body: &[u8]) -> Result<Self> {
        let unreadable =
            |_| Trouble::Unavailable { detail: "the answer is not what a Strongroom console sends".into() };
        serde_json::from_slice(body).map_err(unreadable)
    }

    pub fn field(&self, name: &str) -> Option<&str> {
        self.data.get(name).map(|value| value.as_str())
    }

    /// The field, or an error that names the fields that are there.
    pub fn needed(&self, rule: &str, name: &str) -> Result<&str> {
        let names = || self.data.keys().map(String::as_str).collect::<Vec<_>>().join(", ");
        self.field(name)
            .ok_or_else(|| Trouble::Local(format!("the rule {rule} has no field {name}; its fields: {}", names())))
    }

    pub fn must_be(&self, rule: &str, form: &str, what: &str) -> Result<()> {
        if self.form == form {
            return Ok(());
        }
        Err(Trouble::Local(format!("the rule {rule} is not {what}: it gives {}", self.form.replace('_', " "))))
    }

    /// Seconds until the end; `None` without an end.
    pub fn seconds_left(&self) -> Option<i64> {
        self.expires_at.map(|end| (end - Utc::now()).num_seconds())
    }

    pub fn same_values(&self, other: &Self) -> bool {
        self.data == other.data
    }
}

#[derive(Debug, Deserialize, Serialize)]
pub struct Rules {
    pub rules: Vec<Rule>,
}

#[derive(Debug, Deserialize, Serialize)]
pub struct Rule {
    pub name: String,
    pub form: String,
}

#[derive(Deserialize, Serialize)]
pub struct LoggedIn {
    pub token: Zeroizing<String>,
    pub expires_at: DateTime<Utc>,
}

/// <https://www.rfc-editor.org/rfc/rfc9457>
#[derive(Default, Deserialize, Serialize)]
pub struct Problem {
    #[serde(default)]
    pub title: String,
    #[serde(default)]
    pub detail: String,
    /// Whether the rule says that a program waits until it is given something.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub wait: bool,
}

impl Problem {
    pub fn read(body: &[u8]) -> Self {
        serde_json::from_slice(body).unwrap_or_default()
    }

    pub fn text(&self) -> String {
        let text = if self.detail.is_empty() { &self.title } else { &self.detail };
        // It goes to a terminal.
        text.chars().filter(|c| !c.is_control()).take(500).collect()
    }
}

/// Whether a name may be a rule's, so that it can stand in a path.
pub fn is_rule(name: &str) -> bool {
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "._-".contains(c);
    (1..=63).contains(&name.len()) && name.chars().all(allowed) && !name.starts_with(['.', '_', '-'])
}

pub fn checked_rule(name: &str) -> Result<&str> {
    if is_rule(name) { Ok(name) } else { Err(Trouble::Local(format!("{name:?} cannot be the name of a rule"))) }
}
