//! The state of a deployment as a coloured dot and a word.

use crate::models::deployment_list::Standing as Stands;
use crate::models::deployments::Deployed;

/// Tone and word.
pub type Standing = (&'static str, &'static str);

/// `row`: the result of the last run; `None` if nothing was ever deployed. `has_trouble`: some pods cannot run.
pub fn of(row: Option<&Deployed>, has_trouble: bool) -> Standing {
    told(match row {
        None => Stands::NotDeployed,
        Some(row) if row.removed => Stands::Removed,
        Some(row) if row.seen_at.is_none() => Stands::NotSeen,
        Some(row) if row.drifted => Stands::Drifted,
        Some(row) if row.finished => Stands::Ready,
        Some(_) if has_trouble => Stands::NotReady,
        Some(_) => Stands::RollingOut,
    })
}

pub fn told(standing: Stands) -> Standing {
    match standing {
        Stands::NotReady => ("bad", "Not ready"),
        Stands::Drifted => ("warn", "Drifted"),
        Stands::RollingOut => ("info", "Rolling out"),
        Stands::NotSeen => ("info", "Not seen yet"),
        Stands::Ready => ("good", "Ready"),
        Stands::NotDeployed => ("off", "Not deployed"),
        Stands::Removed => ("off", "Removed"),
    }
}
