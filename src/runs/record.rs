//! After a run: inventory, outcome, last use of the credential and the event of the trail, in one transaction.

use std::sync::Arc;
use std::time::{Duration, Instant};

use uuid::Uuid;

use super::{HEARTBEAT, Verdict, actor};
use crate::app::App;
use crate::models::alerts::{self, Subject};
use crate::models::events::{self, Action};
use crate::models::integrations::Integration;
use crate::models::runs::{self, Outcome, Run};
use crate::models::{Conn, DbError, alert_settings, credentials, images};
use crate::vault::Vault;

/// How long a result is worth saving while the database is away: less than the lease.
const SAVE_WITHIN: Duration = Duration::from_secs(20);

/// Everything that is written down at the end.
pub struct Done {
    pub integration: Integration,
    /// The credential that was opened.
    pub used: Option<Uuid>,
    pub verdict: Verdict,
    /// Hosts other than the registry's that were sent the credential.
    pub sent_to: Vec<String>,
}

/// Records the end, also when the database is away for a moment.
pub async fn save(app: &App, run: &Run, done: Done) -> Result<Option<&'static str>, DbError> {
    let (started, done) = (Instant::now(), Arc::new(done));
    loop {
        let (vault, replica, run, shared) = (app.vault.clone(), app.replica, run.clone(), Arc::clone(&done));
        match app.db.transaction(move |conn| record(conn, &vault, replica, &run, &shared)).await {
            Ok(outcome) => return Ok(Some(outcome)),
            Err(DbError::Stale) => return Ok(None),
            Err(DbError::Unavailable | DbError::ReadOnly | DbError::TryAgain) if started.elapsed() < SAVE_WITHIN => {
                tokio::time::sleep(HEARTBEAT).await;
            }
            Err(error) => return Err(error),
        }
    }
}

/// Inventory, outcome, last use and event in one transaction; [`DbError::Stale`] when the run is another replica's now,
/// so that nothing of it is kept.
fn record(conn: &mut Conn, vault: &Vault, replica: Uuid, run: &Run, done: &Done) -> Result<&'static str, DbError> {
    // First, as everybody who changes a credential does: in one order, nobody waits for each other.
    let mut ledger = events::open(conn)?;
    let (word, outcome, detail) = match &done.verdict {
        Verdict::Found(found) => {
            let difference = images::replace(conn, run.integration_id, run.id, found)?;
            let outcome = Outcome::Succeeded {
                images: count(found.len()),
                added: count(difference.added),
                changed: count(difference.changed),
                removed: count(difference.removed),
            };
            (Action::ScanSucceeded, outcome, format!("{} images", found.len()))
        }
        Verdict::Failed { step, error } => {
            let outcome = Outcome::Failed { step: (*step).to_owned(), error: error.clone() };
            (Action::ScanFailed, outcome, error.clone())
        }
        Verdict::Stopped => (Action::ScanStopped, Outcome::Stopped, String::new()),
    };
    if !runs::end(conn, run, replica, &outcome)? {
        return Err(DbError::Stale);
    }
    tell(conn, vault, run, done)?;
    if let Some(credential) = done.used {
        credentials::touch(conn, credential)?;
    }
    ledger.record(conn, vault, &actor(run), &done.integration.event(word, with_hosts(detail, &done.sent_to)))?;
    Ok(word.name())
}

/// The detail of the run's event, with the other hosts that were sent the credential.
fn with_hosts(detail: String, sent_to: &[String]) -> String {
    match (detail.as_str(), sent_to) {
        (_, []) => detail,
        ("", hosts) => format!("credential also sent to {}", hosts.join(", ")),
        (said, hosts) => format!("{}; credential also sent to {}", said.trim_end_matches('.'), hosts.join(", ")),
    }
}

/// An alert about the scan, once it has failed often enough in a row.
fn tell(conn: &mut Conn, vault: &Vault, run: &Run, done: &Done) -> Result<(), DbError> {
    match &done.verdict {
        Verdict::Stopped => Ok(()),
        Verdict::Found(_) => alerts::close(conn, &["failed_scan"], run.integration_id, "a later scan went well"),
        Verdict::Failed { error, .. } => {
            let enough = alert_settings::load(conn, vault)?.failed_scans;
            if !runs::failed_in_a_row(conn, run.integration_id, enough)? {
                return Ok(());
            }
            let subject = Subject { kind: "integration", id: run.integration_id, name: &done.integration.name };
            alerts::raise(conn, "failed_scan", subject, error)
        }
    }
}

fn count(number: impl TryInto<i32>) -> i32 {
    number.try_into().unwrap_or(i32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_event_names_the_other_hosts_that_got_the_credential() {
        let hosts = ["a.example".to_owned(), "b.example:8443".to_owned()];
        assert_eq!(with_hosts("2 images".to_owned(), &[]), "2 images");
        let named = with_hosts("It failed.".to_owned(), &hosts);
        assert_eq!(named, "It failed; credential also sent to a.example, b.example:8443");
        assert_eq!(with_hosts(String::new(), &hosts[..1]), "credential also sent to a.example");
    }
}
