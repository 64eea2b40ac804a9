//! Between the form and the store: checked values of a kind become the row that is saved, and what was stored for
//! showing becomes lines again.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::credentials::{self, Kind};
use crate::form::{Errors, Values};
use crate::models::credentials::NewCredential;

/// A credential ready to be sealed and saved.
pub struct Draft {
    kind: &'static Kind,
    name: String,
    note: String,
    identity: String,
    facts: String,
    ages: bool,
    expires_at: Option<DateTime<Utc>>,
    plaintext: Zeroizing<Vec<u8>>,
}

/// The part of the facts that only pages read, as JSON in the row.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Shown {
    pub subtype: Option<String>,
    pub lines: Vec<(String, String)>,
    pub warnings: Vec<String>,
}

impl Shown {
    /// What a row holds; nothing when it was written by a version that knew more.
    pub fn read(facts: &str) -> Self {
        serde_json::from_str(facts).unwrap_or_default()
    }
}

impl Draft {
    /// `values` have passed `form::check` with the kind's fields.
    pub fn new(kind: &'static Kind, name: String, note: String, values: &Values) -> Result<Self, Errors> {
        let facts = (kind.examine)(values)?;
        if !(kind.parses)(values) {
            return Err(Errors::one("", "These values do not fit together. Check them against the provider's page."));
        }
        let shown = Shown {
            subtype: facts.subtype.map(str::to_owned),
            lines: facts.lines.into_iter().map(|(label, value)| (label.to_owned(), value)).collect(),
            warnings: facts.warnings,
        };
        Ok(Self {
            kind,
            name,
            note,
            identity: facts.identity,
            facts: serde_json::to_string(&shown).unwrap_or_default(),
            ages: (kind.ages)(values),
            expires_at: facts.expires_at,
            plaintext: values.to_json(),
        })
    }

    /// As the models take it.
    pub fn row(&self) -> NewCredential<'_> {
        NewCredential {
            kind: self.kind.slug,
            name: &self.name,
            note: &self.note,
            identity: &self.identity,
            facts: &self.facts,
            ages: self.ages,
            expires_at: self.expires_at,
            plaintext: &self.plaintext,
        }
    }
}

/// The credential named `IAM Role` that the product comes with.
pub fn shipped() -> Result<Draft, Errors> {
    let (name, values) = credentials::shipped_iam_role();
    let note = "Comes with Strongroom: takes the role of the machine that Strongroom runs on. It holds no secret.";
    Draft::new(&credentials::aws::KIND, name.to_owned(), note.to_owned(), &values)
}
