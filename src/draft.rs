//! Between the form and the store: checked values of a kind become the row that is saved, and what was stored for
//! showing becomes lines again.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::credentials::{self, Kind};
use crate::form::{Errors, Field, Values};
use crate::models::credentials::{NewCredential, Secret};
use crate::providers::egress::Egress;

/// A credential ready to be sealed and saved.
pub struct Draft {
    kind: &'static Kind,
    name: String,
    note: String,
    identity: String,
    facts: String,
    ages: bool,
    expires_at: Option<DateTime<Utc>>,
    key_id: Option<String>,
    plaintext: Zeroizing<Vec<u8>>,
}

/// The part of the facts that only pages read, as JSON in the row.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Shown {
    pub subtype: Option<String>,
    pub lines: Vec<(String, String)>,
    pub warnings: Vec<String>,
    /// Least policies with the real names in them: (caption, text).
    pub policies: Vec<(String, String)>,
    /// The values that are no secrets, so that the form can be shown without opening anything.
    pub values: BTreeMap<String, String>,
    /// Names of the secret fields that are stored.
    pub secrets: Vec<String>,
}

/// Stands for a stored secret where only its being there matters. No field takes a control character.
const STORED: &str = "\u{1}";
/// Longest identity that is kept for showing, in characters: every one must fit its index.
const LONGEST_IDENTITY: usize = 400;

impl Shown {
    /// What a row holds; nothing when it was written by a version that knew more.
    pub fn read(facts: &str) -> Self {
        serde_json::from_str(facts).unwrap_or_default()
    }

    /// What the form shows, and what a form posted without new secrets comes to when nothing was changed.
    pub fn stored(&self) -> Values {
        let secrets = self.secrets.iter().map(|name| (name.as_str(), STORED));
        Values::from_iter(self.values.iter().map(|(name, value)| (name.as_str(), value.as_str())).chain(secrets))
    }
}

impl Draft {
    /// `values` have passed `form::check` with the kind's fields.
    pub fn new(kind: &'static Kind, name: String, note: String, values: &Values) -> Result<Self, Errors> {
        let facts = (kind.examine)(values)?;
        if !(kind.parses)(values) {
            return Err(Errors::one("", "These values don't belong together. Check them against the provider's page."));
        }
        let shown = Shown {
            subtype: facts.subtype.map(str::to_owned),
            lines: facts.lines.into_iter().map(|(label, value)| (label.to_owned(), value)).collect(),
            warnings: facts.warnings,
            policies: (kind.policies)(values),
            values: part(kind, values, false).map(|name| (name.to_owned(), values.get(name).to_owned())).collect(),
            secrets: part(kind, values, true).map(str::to_owned).collect(),
        };
        Ok(Self {
            kind,
            name,
            note,
            identity: facts.identity.chars().take(LONGEST_IDENTITY).collect(),
            facts: serde_json::to_string(&shown).unwrap_or_default(),
            ages: (kind.ages)(values),
            expires_at: facts.expires_at,
            key_id: facts.key_id,
            plaintext: values.to_json(),
        })
    }

    /// What saving this over `before` does to the stored values, as the models take it.
    pub fn compared_with(kind: &Kind, before: &Values, after: &Values) -> Secret {
        let decisive = |field: &&Field| field.identity || field.control.is_secret();
        if before == after {
            Secret::Kept
        } else if kind.fields.iter().filter(decisive).any(|field| before.get(field.name) != after.get(field.name)) {
            Secret::Replaced
        } else {
            Secret::Resealed
        }
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
            key_id: self.key_id.as_deref(),
            plaintext: &self.plaintext,
        }
    }
}

/// Whether the operator's rules let the credential be sent to the address that its own values name.
pub fn may_be_sent(egress: &Egress, kind: &Kind, values: &Values) -> Result<(), Errors> {
    let Some((field, address)) = (kind.address)(values) else { return Ok(()) };
    egress.check_url(&address).map_err(|error| Errors::one(field, error.to_string()))
}

/// Names of the filled fields that are secret, or that are not.
fn part(kind: &'static Kind, values: &Values, secret: bool) -> impl Iterator<Item = &'static str> {
    let filled = kind.fields.iter().filter(|field| !values.get(field.name).is_empty());
    let names: Vec<&str> = filled.filter(|field| field.control.is_secret() == secret).map(|field| field.name).collect();
    names.into_iter()
}

/// Whether any secret of these values stands for the stored one, see [`Shown::stored`].
pub fn keeps_a_secret(kind: &Kind, values: &Values) -> bool {
    kind.fields.iter().any(|field| field.control.is_secret() && values.get(field.name) == STORED)
}

/// The credential named `IAM Role` that the product comes with.
pub fn shipped() -> Result<Draft, Errors> {
    let (name, values) = credentials::shipped_iam_role();
    let note = "Comes with Strongroom: takes the role of the machine that Strongroom runs on. It holds no secret.";
    Draft::new(&credentials::aws::KIND, name.to_owned(), note.to_owned(), &values)
}
