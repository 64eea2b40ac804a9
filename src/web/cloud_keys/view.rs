//! A key as its table shows it.

use chrono::{DateTime, Days, Utc};
use serde::Deserialize;

use crate::credentials;
use crate::credentials::gitlab_token::SERVER;
use crate::integrations::cloud::key::Facts;
use crate::models::cloud_keys::Line;
use crate::models::snoozed_keys::SnoozedKey;
use crate::models::{CredentialId, IntegrationId, ItemId, SnoozeId};
use crate::web::credentials::view::{Age, date};
use crate::web::page::{When, when};
use crate::web::params::Params;

/// A line of the table.
pub struct KeyView {
    pub id: String,
    /// `210987654321`, and its name.
    pub account: String,
    pub alias: String,
    pub owner: String,
    pub root: bool,
    pub active: bool,
    /// `None` where nobody tells when it was made.
    pub age: Option<Age>,
    pub made: Option<When>,
    /// `None`: see `use_word`.
    pub used: Option<When>,
    pub use_word: &'static str,
    pub used_for: String,
    /// What it is, and what its owner calls it; may be empty.
    pub label: String,
    /// `AWS`
    pub cloud: &'static str,
    pub expires: Option<When>,
    /// It ends within a month, or has ended.
    pub ends: bool,
    /// A credential holds this key or another one of the same owner.
    pub perhaps: bool,
    /// The last scan could not read it.
    pub kept: bool,
    pub integration: (IntegrationId, String),
    /// The credential that holds it.
    pub stored: Option<(CredentialId, String)>,
    /// `and 1 more`, where several credentials hold it; else empty.
    pub others: String,
    /// The form that stores it, filled in; where somebody may store it.
    pub store: Option<String>,
    pub item: ItemId,
    /// It is, or another key of its owner.
    pub snooze: Option<SnoozeView>,
}

/// A snooze that has not ended.
pub struct SnoozeView {
    pub id: SnoozeId,
    /// `all keys of ada`
    pub title: String,
    pub by: String,
    pub until: When,
}

impl SnoozeView {
    pub fn new(snoozed: SnoozedKey) -> Self {
        Self { id: snoozed.id, title: snoozed.title, by: snoozed.snoozed_by, until: date(snoozed.until) }
    }

    fn of(line: &mut Line) -> Option<Self> {
        let (id, until, by) = (line.snooze_id?, line.snoozed_until?, line.snoozed_by.take()?);
        Some(Self { id, title: line.name.clone(), by, until: date(until) })
    }
}

impl KeyView {
    pub fn new(mut line: Line, limit: Option<i32>, may_edit: bool, now: DateTime<Utc>) -> Self {
        let facts = facts(&line);
        let stored = line.credential_id.zip(line.credential_name.take());
        let may_store = may_edit && facts.active && !facts.root && stored.is_none();
        Self {
            item: line.id,
            snooze: SnoozeView::of(&mut line),
            store: may_store.then(|| form(&facts, &line.name, &line.place)),
            id: line.name,
            account: line.place,
            active: facts.active,
            others: Some(line.credentials - 1)
                .filter(|more| *more > 0)
                .map(|more| format!("and {more} more"))
                .unwrap_or_default(),
            age: facts.made.map(|at| Age::new(at, now, limit.filter(|_| facts.active))),
            made: facts.made.map(|at| when(at, now)),
            used: facts.used.map(|at| when(at, now)),
            use_word: if facts.never { "never" } else { "not known" },
            used_for: facts.used_for(),
            cloud: cloud(&facts),
            expires: facts.expires.map(|at| when(at, now)),
            ends: facts.active && facts.expires.is_some_and(|at| at < now + Days::new(30)),
            perhaps: facts.perhaps,
            kept: line.kept,
            integration: (line.integration_id, line.integration_name),
            stored,
            label: facts.label,
            alias: facts.account,
            owner: facts.owner,
            root: facts.root,
        }
    }
}

/// Those of the default where a later release wrote others.
pub fn facts(line: &Line) -> Facts {
    Facts::deserialize(&line.facts).unwrap_or_default()
}

/// The form of a credential with what is known of the key. Its secret is nowhere to be read: a person enters it.
fn form(facts: &Facts, id: &str, account: &str) -> String {
    let server = format!("https://{account}");
    let known = [("kind", facts.kind.as_str()), ("name", &facts.owner)];
    let key: &[(&str, &str)] = match facts.kind.as_str() {
        "aws" => &[("method", "access_key"), ("access_key_id", id)],
        // The form knows the vendor's own.
        "gitlab_token" if server != SERVER => &[("server_url", server.as_str())],
        _ => &[],
    };
    Params::default().link("/credentials/new", &[&known, key].concat())
}

/// Whose cloud it is, as the types of credentials are labelled.
pub fn cloud(facts: &Facts) -> &'static str {
    credentials::find(&facts.kind).map_or("", |kind| kind.label)
}
