//! After a run: inventory, outcome, last use of the credential and the event of the trail, in one transaction. A large
//! inventory takes its time: it is written in batches, and the run's lease is kept alive meanwhile.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;

use super::elsewhere::{self, Elsewhere};
use super::words::{counted, is_of_deployment, noun, words};
use super::{Found, HEARTBEAT, Verdict, actor, alarms, deploy};
use crate::echoes::Echoes;
use crate::integrations::Family;
use crate::integrations::progress::{Progress, Step};
use crate::models::alerts::{self, Subject};
use crate::models::events::{self, Action};
use crate::models::integrations::{self, Integration};
use crate::models::run_ends::{self, Counts, Gap, NAMED_GAPS, Outcome};
use crate::models::runs::{self, Run, RunAction};
use crate::models::{
    self, Conn, CredentialId, DbError, ReplicaId, alert_settings, cloud_keys, coverage, credentials, items,
};
use crate::services::Services;
use crate::vault::Vault;

/// How long saving is tried again while the database is away: less than the lease.
const SAVE_WITHIN: Duration = Duration::from_secs(20);

/// Everything that is written down at the end.
pub struct Done {
    pub integration: Integration,
    /// The opened credentials.
    pub used: Vec<CredentialId>,
    pub verdict: Verdict,
    /// Hosts other than the service's that were sent the credential.
    pub sent_to: Vec<String>,
    /// Of the credential's secrets, in what the service answered.
    pub echoes: Echoes,
    /// After so many days a key counts as old; `None`: never.
    pub limit_days: Option<i32>,
}

impl Done {
    /// Takes the credential's secrets out of all that the service said. Those of gaps are taken out when the gaps are
    /// put into words.
    pub fn take_out_echoes(&mut self) {
        let echoes = &self.echoes;
        self.sent_to.iter_mut().for_each(|host| echoes.take_out(host));
        match &mut self.verdict {
            Verdict::Failed { error, .. } => echoes.take_out(error),
            Verdict::Stopped => {}
            Verdict::Found(found) => {
                for item in &mut found.items {
                    for text in [&mut item.place, &mut item.name, &mut item.fingerprint, &mut item.facts] {
                        echoes.take_out(text);
                    }
                }
                if let Some(state) = &mut found.state {
                    deploy::clean(state, echoes);
                }
                found.items.sort_by(|a, b| (&a.place, &a.name).cmp(&(&b.place, &b.name)));
                found.items.dedup_by(|a, b| a.place == b.place && a.name == b.name);
            }
        }
    }
}

/// What a saving shares with the one who keeps its lease.
#[derive(Clone)]
pub struct Watch {
    pub progress: Arc<Mutex<Progress>>,
    /// Cancelled when the run is to stop or belongs to another replica: nothing of it is saved then.
    pub stop: CancellationToken,
}

impl Watch {
    fn saved(&self, saved: usize, of: usize) -> Result<(), DbError> {
        if self.stop.is_cancelled() {
            return Err(DbError::Stale);
        }
        let step = Step::SAVING.label.into();
        let now = Progress { step, done: number(saved), total: number(of), items: number(of), ..Progress::default() };
        *self.progress.lock().unwrap_or_else(PoisonError::into_inner) = now;
        Ok(())
    }
}

/// Records the end, also when the database is away for a moment. `None` when the run is not this replica's any more,
/// or was to stop: nothing of it is saved then.
pub async fn save(services: &Services, run: &Run, done: Done, watch: &Watch) -> Result<Option<&'static str>, DbError> {
    let (mut failing, done) = (None, Arc::new(done));
    loop {
        let (vault, replica, run, shared) = (services.vault.clone(), services.replica, run.clone(), Arc::clone(&done));
        let watch = watch.clone();
        match services.db.patiently(move |conn| record(conn, &vault, replica, &run, &shared, &watch)).await {
            Ok(outcome) => return Ok(Some(outcome)),
            Err(DbError::Stale) => return Ok(None),
            // Trying again is safe even when the outcome is unknown: a run ends once.
            Err(
                DbError::Unavailable
                | DbError::OutcomeUnknown
                | DbError::ReadOnly
                | DbError::TryAgain
                | DbError::TrailCut,
            ) if failing.get_or_insert_with(Instant::now).elapsed() < SAVE_WITHIN => {
                tokio::time::sleep(HEARTBEAT).await;
            }
            Err(error) => return Err(error),
        }
    }
}

/// Inventory, outcome, last use and event in one transaction; [`DbError::Stale`] when the run is another replica's,
/// so that nothing of it is kept. The run's own row is locked last: its lease is renewed meanwhile.
fn record(
    conn: &mut Conn,
    vault: &Vault,
    replica: ReplicaId,
    run: &Run,
    done: &Done,
    watch: &Watch,
) -> Result<&'static str, DbError> {
    let keeps = |place: &str, name: &str| match &done.verdict {
        Verdict::Found(found) => found.may_still_have(place, name),
        _ => false,
    };
    let saving = match &done.verdict {
        Verdict::Found(found) => Some(items::Saving {
            integration: done.integration.id,
            run: run.id,
            found: &found.items,
            places: run.places.as_deref().filter(|_| found.state.is_none()),
            keeps: (!found.gaps.is_empty()).then_some(&keeps as items::Keeps),
        }),
        _ => None,
    };
    if let Some(saving) = &saving {
        models::allow_long_statements(conn)?;
        watch.saved(0, saving.found.len())?;
        saving.stage(conn)?;
    }
    // The audit lane comes before any lock that others wait for. Every writer does it in this order, so they cannot
    // deadlock.
    let mut ledger = events::open(conn)?;
    let (word, outcome, detail) = match (&done.verdict, &saving) {
        (Verdict::Found(found), Some(saving)) => {
            let difference = saving.replace(conn, &|saved| watch.saved(saved, found.items.len()))?;
            if let Some(state) = &found.state {
                deploy::save(conn, run, &done.integration, state)?;
            // A scan of some places covers nothing anew, and knows nothing of the others.
            } else if run.places.is_none() {
                coverage::save(conn, done.integration.id, &done.integration.settings, &found.covers)?;
                alarms::settle(conn, &done.integration, &found.items)?;
            }
            if Family::find(&done.integration.family) == Some(Family::CloudScan) {
                cloud_keys::tell(conn, done.integration.id)?;
                alarms::settle_keys(conn, (done.integration.id, &done.integration.name), done.limit_days)?;
            }
            let elsewhere = match (&run.places, &found.state) {
                (Some(places), None) => elsewhere::unread(conn, done.integration.id, places)?,
                (_, Some(state)) => Elsewhere::of_deployment(deploy::amiss(state)),
                _ => Elsewhere::default(),
            };
            read(found, difference, (run, &done.integration), &done.echoes, elsewhere)
        }
        (Verdict::Failed { step, error }, _) => {
            let outcome = Outcome::Failed { step: (*step).to_owned(), error: error.clone() };
            (words(&done.integration, run.action).failed, outcome, error.clone())
        }
        _ => (words(&done.integration, run.action).stopped, Outcome::Stopped, String::new()),
    };
    if !run_ends::end(conn, run, replica, &outcome)? {
        return Err(DbError::Stale);
    }
    if run.action != RunAction::ScanPlaces {
        tell(conn, vault, done)?;
    }
    let looks = matches!(run.action, RunAction::Deploy | RunAction::Observe);
    if looks && !matches!(done.verdict, Verdict::Found(_)) {
        deploy::look_again(conn, done.integration.id, &done.integration.settings)?;
    }
    for credential in &done.used {
        credentials::touch(conn, *credential)?;
    }
    ledger.record(conn, vault, &actor(vault, run), &done.integration.event(word, with_hosts(detail, &done.sent_to)))?;
    if let Verdict::Found(Found { state: Some(state), .. }) = &done.verdict {
        deploy::renew(conn, vault, run, &done.integration, state)?;
    }
    if let Verdict::Found(Found { state: Some(state), .. }) = &done.verdict
        && deploy::ends_with_deletion(run, state)
    {
        integrations::delete(conn, vault, &actor(vault, run), done.integration.id)?;
    }
    Ok(word.name())
}

/// The end of a run that left an inventory.
fn read(
    found: &Found,
    difference: items::Difference,
    (run, integration): (&Run, &Integration),
    echoes: &Echoes,
    elsewhere: Elsewhere,
) -> (Action, Outcome, String) {
    let clean = |mut text: String| {
        echoes.take_out(&mut text);
        text
    };
    let gaps = &found.gaps;
    let counts = Counts {
        found: count(found.items.len()),
        added: count(difference.added),
        changed: count(difference.changed),
        removed: count(difference.removed),
        kept: count(difference.kept),
        gaps: count(gaps.len()).saturating_add(elsewhere.count),
    };
    let named = gaps.iter().take(NAMED_GAPS).map(|gap| Gap { at: clean(gap.at.clone()), reason: clean(gap.reason()) });
    let named = named.chain(elsewhere.named).take(NAMED_GAPS).collect();
    let error = gaps.first().map(|first| clean(first.clone().with_others(gaps.len() - 1).to_string()));
    let error = error.or(elsewhere.error);
    let (words, items) = (words(integration, run.action), counted(run, noun(integration)));
    let (word, detail) = match gaps.len() {
        0 if is_of_deployment(run) && counts.gaps > 0 => (words.partly, error.clone().unwrap_or_default()),
        0 => (words.succeeded, format!("{} {items}", counts.found)),
        1 => (words.partly, format!("{} {items}, 1 gap", counts.found)),
        gaps => (words.partly, format!("{} {items}, {gaps} gaps", counts.found)),
    };
    (word, Outcome::Read { counts, named, error }, detail)
}

/// The detail of the run's event, with the other hosts that were sent the credential.
fn with_hosts(detail: String, sent_to: &[String]) -> String {
    match (detail.as_str(), sent_to) {
        (_, []) => detail,
        ("", hosts) => format!("credential also sent to {}", hosts.join(", ")),
        (said, hosts) => format!("{}; credential also sent to {}", said.trim_end_matches('.'), hosts.join(", ")),
    }
}

/// An alert about the scan, once it has failed often enough in a row. One that read a part has not failed:
/// what it could not read is shown with the inventory and on the dashboard.
fn tell(conn: &mut Conn, vault: &Vault, done: &Done) -> Result<(), DbError> {
    match &done.verdict {
        Verdict::Stopped => Ok(()),
        Verdict::Found(found) => {
            let why = if found.gaps.is_empty() { "a later scan went well" } else { "a later scan read a part of it" };
            alerts::close(conn, &["failed_scan"], done.integration.id.0, why)
        }
        Verdict::Failed { error, .. } => {
            let enough = alert_settings::load(conn, vault)?.failed_scans;
            if !runs::failed_in_a_row(conn, done.integration.id, enough)? {
                return Ok(());
            }
            let subject = Subject { kind: "integration", id: done.integration.id.0, name: &done.integration.name };
            alerts::raise(conn, "failed_scan", subject, error)
        }
    }
}

fn count(number: impl TryInto<i32>) -> i32 {
    number.try_into().unwrap_or(i32::MAX)
}

fn number(count: usize) -> u32 {
    count.try_into().unwrap_or(u32::MAX)
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
