//! How a deployment stands, in a dot and a word.

use crate::models::deployments::Deployed;

/// Tone and word.
pub type Standing = (&'static str, &'static str);

/// `row`: as recorded by the last run; `None` while nothing was ever deployed. `has_trouble`: pods that cannot run.
pub fn of(row: Option<&Deployed>, has_trouble: bool) -> Standing {
    match row {
        None => ("off", "Not deployed"),
        Some(row) if row.removed => ("off", "Removed"),
        Some(row) if row.seen_at.is_none() => ("info", "Not seen yet"),
        Some(row) if row.drifted => ("warn", "Drifted"),
        Some(row) if row.finished => ("good", "Ready"),
        Some(_) if has_trouble => ("bad", "Not ready"),
        Some(_) => ("info", "Rolling out"),
    }
}
