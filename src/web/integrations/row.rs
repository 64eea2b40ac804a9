//! A line of the table of integrations, and the one word that says how it is.

use chrono::{DateTime, Utc};

use super::shown;
use crate::integrations::Family;
use crate::models::integration_list::Line;
use crate::models::{CredentialId, IntegrationId};
use crate::web::page::{self, When};

/// A line of the table.
pub struct Row {
    pub id: IntegrationId,
    pub name: String,
    pub host: String,
    /// The slug of the provider, for its mark.
    pub version: String,
    pub provider: String,
    pub credential: Option<(CredentialId, String)>,
    pub tags: Vec<String>,
    pub owner: String,
    pub tone: &'static str,
    pub state: &'static str,
    /// What the last scan or delivery failed with, without what to do about it: that is on the integration's page.
    pub error: String,
    pub last: Option<When>,
    pub next: Option<When>,
    /// On its page, from 1; 0 where it cannot be ticked.
    pub number: usize,
}

impl Row {
    pub fn new(line: Line, now: DateTime<Utc>, number: usize) -> Self {
        let (tone, state) = state(&line);
        let error = line.last_error.filter(|_| is_wrong(tone));
        Self {
            id: line.id,
            provider: shown::version(&line.version),
            version: line.version,
            name: line.name,
            host: line.host,
            credential: line.credential_id.zip(line.credential_name),
            tags: line.tags,
            owner: line.owner,
            error: error.map(|text| fault(&text)).unwrap_or_default(),
            tone,
            state,
            last: line.last_at.map(|at| page::when(at, now)),
            next: line.next_run_at.filter(|_| line.active).map(|at| shown::until(at, now)),
            number,
        }
    }
}

/// Tone and word of how it does.
pub fn state(line: &Line) -> (&'static str, &'static str) {
    match (&line.last_state, line.active) {
        (Some(state), _) if matches!(state.as_str(), "queued" | "running") => shown::state_in(&line.family, state),
        (_, false) => ("off", "Off"),
        (Some(state), true) => shown::state_in(&line.family, state),
        (None, true) if line.family == Family::AlertProfile.slug() => ("neutral", "Nothing sent yet"),
        (None, true) if line.family == Family::SecretSync.slug() => ("neutral", "Not applied"),
        (None, true) if line.family == Family::DaemonSet.slug() => ("neutral", "Not deployed"),
        (None, true) => ("neutral", "Never run"),
    }
}

/// Whether a state of that tone has an error to show.
pub fn is_wrong(tone: &str) -> bool {
    matches!(tone, "bad" | "warn")
}

/// The first sentence.
fn fault(text: &str) -> String {
    text.split_once(". ").map_or_else(|| text.to_owned(), |(first, _)| format!("{first}."))
}
