//! The part of the page that shows the deployment's state, as the last run found it.

use chrono::{DateTime, Utc};

use super::standing::{self, Standing};
use crate::form::Values;
use crate::integrations::deployments::{Difference, State};
use crate::models::deployments::Deployed;
use crate::models::integrations::Integration;
use crate::runs::deploy;
use crate::web::page::{self, When};

/// Most drifted fields that are listed.
const MOST: usize = 50;

/// The state of the deployment.
pub struct Panel {
    pub standing: Standing,
    /// `3 of 3 nodes`; blank before the first check.
    pub ready: String,
    pub image: String,
    pub cluster_version: String,
    pub seen: Option<When>,
    pub deployed: Option<When>,
    pub trouble: Vec<String>,
    pub drift: Vec<Row>,
    /// Number of drifted fields that are not listed.
    pub more: usize,
    /// The settings have changed since the last deployment.
    pub is_edited: bool,
    /// Something of the deployment may be in the cluster.
    pub is_there: bool,
    /// There are previous settings to go back to.
    pub has_before: bool,
    /// Nodes that run a pod but should not.
    pub misscheduled: u32,
    /// `Deployed`, `Applied`
    pub past: &'static str,
}

/// A drifted field.
pub struct Row {
    pub object: String,
    pub path: String,
    pub before: Option<String>,
    pub after: Option<String>,
}

impl Row {
    pub fn new(difference: Difference) -> Self {
        let Difference { object, path, before, after } = difference;
        Self { object: object.to_string(), path, before, after }
    }
}

impl Panel {
    pub fn new(integration: &Integration, row: Option<&Deployed>, now: DateTime<Utc>) -> Self {
        let state: State = row.and_then(|row| serde_json::from_value(row.state.clone()).ok()).unwrap_or_default();
        let settings = Values::from_json(integration.settings.as_bytes()).unwrap_or_default();
        let seen = row.and_then(|row| row.seen_at);
        let ready = match state.desired {
            _ if seen.is_none() || state.removed => String::new(),
            0 => "No matching nodes".to_owned(),
            desired => format!("{} of {desired} nodes", state.ready),
        };
        let more = state.drift.len().saturating_sub(MOST);
        Self {
            standing: standing::of(row, !state.trouble.is_empty()),
            ready,
            seen: seen.map(|at| page::when(at, now)),
            deployed: row.and_then(|row| row.deployed_at).map(|at| page::when(at, now)),
            drift: state.drift.into_iter().take(MOST).map(Row::new).collect(),
            more,
            is_edited: row.is_some_and(|row| !row.removed && row.applied != deploy::as_deployed(&settings)),
            is_there: row.is_some_and(|row| !row.removed),
            has_before: row.is_some_and(|row| !row.before.is_empty() && !row.removed),
            image: state.image,
            cluster_version: state.cluster_version,
            trouble: state.trouble,
            misscheduled: state.misscheduled,
            past: "Deployed",
        }
    }
}
