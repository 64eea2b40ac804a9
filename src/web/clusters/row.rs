//! A row of the table of clusters.

use chrono::{DateTime, Utc};

use crate::models::IntegrationId;
use crate::models::deployment_list::{Line, Standing};
use crate::web::integrations::deployment::standing;
use crate::web::numbers::counted;
use crate::web::page::{self, When};

pub struct Row {
    pub id: IntegrationId,
    pub name: String,
    /// The slug of the provider, for its logo.
    pub version: String,
    pub host: String,
    pub tone: &'static str,
    pub state: &'static str,
    /// The first sentence that says why it is not ready.
    pub trouble: String,
    /// `2 of 3`; blank before the first check.
    pub ready: String,
    /// Whether fewer pods are ready than should be.
    pub lacks: bool,
    pub cluster_version: String,
    pub image: String,
    /// `2 fields`
    pub drift: String,
    pub seen: Option<When>,
    /// Number of the row on its page, from 1; 0 if it cannot be selected.
    pub number: usize,
}

impl Row {
    pub fn new(line: Line, now: DateTime<Utc>, number: usize) -> Self {
        let stands = line.standing();
        let (tone, state) = standing::told(stands);
        let is_there = line.seen_at.is_some() && stands != Standing::Removed;
        Self {
            id: line.id,
            version: line.version,
            name: line.name,
            host: line.host,
            tone,
            state,
            trouble: if stands == Standing::NotReady { line.trouble } else { String::new() },
            ready: if is_there { format!("{} of {}", line.ready, line.desired) } else { String::new() },
            lacks: is_there && (line.ready < line.desired || line.desired == 0),
            cluster_version: line.cluster_version,
            image: if is_there { line.image } else { String::new() },
            drift: if is_there && line.drift > 0 { counted(line.drift, "field") } else { String::new() },
            number,
            seen: line.seen_at.map(|at| page::when(at, now)),
        }
    }
}
