//! The seam between what is stored and what is done with it: claim a run, load its integration and credential, check
//! both rows, open the secret, act, record. No connection is held while a provider is called. What acts is in
//! `integrations`, what is stored in `models`; another family of integrations gets another arm here.

use std::cell::Cell;
use std::convert::Infallible;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use actix_web::web::Data;
use futures_util::FutureExt;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::app::App;
use crate::credentials::{self as kinds, Kind};
use crate::form::Values;
use crate::integrations::registries::{self, Job, Progress, ScanError, Version};
use crate::models::events::{self, Actor};
use crate::models::integrations::{self, Integration};
use crate::models::runs::{self, Outcome, Run};
use crate::models::{Conn, DbError, credentials, images};
use crate::providers::ProviderError;
use crate::vault::Vault;

/// Between two renewals of the lease; also how soon *Stop* is seen and how fresh the shown progress is.
const HEARTBEAT: Duration = Duration::from_secs(1);
/// How long a result is worth saving while the database is away: less than the lease.
const SAVE_WITHIN: Duration = Duration::from_secs(20);

const CHECKING: &str = "Checking the integration";
const OPENING: &str = "Opening the credential";
const RUNNING: &str = "Running";

/// The next run for this replica, if there is one.
pub async fn claim(app: &App) -> Result<Option<Run>, DbError> {
    let replica = app.replica;
    app.db.run(move |conn| runs::claim(conn, replica)).await
}

/// Gives what this replica has not finished back to the queue.
pub async fn give_back(app: &App) -> Result<usize, DbError> {
    let replica = app.replica;
    app.db.run(move |conn| runs::give_back(conn, replica)).await
}

/// Performs a claimed run to its end. When `cancel` is cancelled it stops and stays claimed, to be given back.
pub async fn perform(app: Data<App>, run: Run, cancel: CancellationToken) {
    let (id, integration) = (run.id, run.integration_id);
    tracing::info!(run = %id, %integration, attempt = run.attempts, "a run starts");
    match attempt(&app, &run, &cancel).await {
        Ok(Some(outcome)) => {
            metrics::counter!("strongroom_runs_total", "outcome" => outcome).increment(1);
            tracing::info!(run = %id, %integration, outcome, "a run ended");
        }
        Ok(None) => tracing::info!(run = %id, %integration, "a run is left to others"),
        // Its lease ends by itself, and then it is tried again.
        Err(error) => tracing::warn!(run = %id, %integration, %error, "a run could not be recorded"),
    }
}

/// What a run works with.
struct Ready {
    integration: Integration,
    version: &'static dyn Version,
    settings: Values,
    credential: Option<Opened>,
}

struct Opened {
    id: Uuid,
    kind: &'static Kind,
    values: Values,
}

/// A run that ends before it begins.
struct Refusal {
    integration: Integration,
    verdict: Verdict,
}

/// How a run went, to be recorded.
enum Verdict {
    Found(Vec<images::Image>),
    Failed { step: &'static str, error: String },
    Stopped,
}

impl Verdict {
    fn failed(step: &'static str, error: impl Into<String>) -> Self {
        Self::Failed { step, error: error.into() }
    }
}

/// The outcome's word; `None` when the run is no longer this replica's or goes back to the queue.
async fn attempt(app: &Data<App>, run: &Run, cancel: &CancellationToken) -> Result<Option<&'static str>, DbError> {
    let prepared = {
        let (vault, run) = (app.vault.clone(), run.clone());
        app.db.transaction(move |conn| prepare(conn, &vault, &run)).await?
    };
    let (integration, used, verdict) = match prepared {
        Err(refusal) => (refusal.integration, None, refusal.verdict),
        Ok(ready) => {
            let verdict = act(app, run, &ready, cancel).await;
            let Some(verdict) = verdict else { return Ok(None) };
            (ready.integration, ready.credential.map(|opened| opened.id), verdict)
        }
    };
    save(app, run, Done { integration, used, verdict }).await
}

/// Whoever asked for the run, as the trail names them.
fn actor(run: &Run) -> Actor {
    Actor { name: run.requested_by.clone(), address: String::new() }
}

/// Loads and checks everything, and opens the secret: one short transaction, in which the opening is audited.
fn prepare(conn: &mut Conn, vault: &Vault, run: &Run) -> Result<Result<Ready, Refusal>, DbError> {
    let integration = integrations::find(conn, run.integration_id)?;
    let verdict = match look(conn, vault, run, &integration)? {
        Ok((version, settings, credential)) => return Ok(Ok(Ready { integration, version, settings, credential })),
        Err(verdict) => verdict,
    };
    Ok(Err(Refusal { integration, verdict }))
}

type Looked = (&'static dyn Version, Values, Option<Opened>);

fn look(
    conn: &mut Conn,
    vault: &Vault,
    run: &Run,
    integration: &Integration,
) -> Result<Result<Looked, Verdict>, DbError> {
    if run.worn_out() {
        let error = "The run was interrupted three times. Look at the log, then scan again.";
        return Ok(Err(Verdict::failed(RUNNING, error)));
    }
    if integration.check(vault).is_err() {
        metrics::counter!("strongroom_integrity_failures_total").increment(1);
        let event = integration.event("integration.integrity_failure", "use refused".to_owned());
        events::record(conn, vault, &Actor::system(), &event)?;
        let error = "Checking the integration failed: it is not what Strongroom saved, so nothing was sent. Somebody may \
                     have changed it in the database. Delete it and add it anew.";
        return Ok(Err(Verdict::failed(CHECKING, error)));
    }
    if !integration.active {
        return Ok(Err(Verdict::Stopped));
    }
    let version = registries::version(&integration.version);
    let (Some(version), Some(settings)) = (version, Values::from_json(integration.settings.as_bytes())) else {
        let error = "Checking the integration failed: this release of Strongroom does not know its version or settings. \
                     Edit the integration.";
        return Ok(Err(Verdict::failed(CHECKING, error)));
    };
    let Some(credential) = integration.credential_id else {
        if version.needs_credential() {
            let error = "Checking the integration failed: it needs a credential. Choose one.";
            return Ok(Err(Verdict::failed(CHECKING, error)));
        }
        return Ok(Ok((version, settings, None)));
    };
    match open(conn, vault, run, integration, credential)? {
        Ok(opened) if version.credential_kinds().contains(&opened.kind.slug) => {
            Ok(Ok((version, settings, Some(opened))))
        }
        Ok(_) => {
            let sentence = ProviderError::WrongCredential.sentence("the registry");
            Ok(Err(Verdict::failed(OPENING, format!("Opening the credential failed: {sentence}"))))
        }
        Err(verdict) => Ok(Err(verdict)),
    }
}

/// Opens the credential for this run, and writes down who did so, for what, and where it goes.
fn open(
    conn: &mut Conn,
    vault: &Vault,
    run: &Run,
    integration: &Integration,
    id: Uuid,
) -> Result<Result<Opened, Verdict>, DbError> {
    let (row, sealed) = credentials::find_sealed(conn, id)?;
    let opened = match row.check(vault) {
        Ok(()) => vault.open(&row.context(), &sealed),
        Err(error) => Err(error),
    };
    let Ok(plaintext) = opened else {
        credentials::quarantine(conn, vault, &Actor::system(), &row)?;
        return Ok(Err(quarantined()));
    };
    if row.integrity_failed_at.is_some() {
        return Ok(Err(quarantined()));
    }
    let (Some(kind), Some(values)) = (kinds::find(&row.kind), Values::from_json(&plaintext)) else {
        let error = "Opening the credential failed: this release of Strongroom does not know its type.";
        return Ok(Err(Verdict::failed(OPENING, error)));
    };
    let why = format!("for {} to {}", integration.name, integration.host);
    credentials::record_opening(conn, vault, &actor(run), &row, why)?;
    runs::set_credential(conn, run.id, row.id, row.secret_version)?;
    Ok(Ok(Opened { id: row.id, kind, values }))
}

fn quarantined() -> Verdict {
    let error = "Opening the credential failed: what is stored is not what Strongroom saved (integrity error), so nothing \
                 was sent. Edit the credential and enter its secret again.";
    Verdict::failed(OPENING, error)
}

/// Scans under a lease that is kept alive meanwhile. `None` when there is nothing to record.
async fn act(app: &App, run: &Run, ready: &Ready, cancel: &CancellationToken) -> Option<Verdict> {
    let (stop, asked, lost) = (cancel.child_token(), Cell::new(false), Cell::new(false));
    let progress = Arc::new(Mutex::new(Progress::default()));
    let told = Arc::clone(&progress);
    let job = Job {
        settings: &ready.settings,
        credential: ready.credential.as_ref().map(|opened| (opened.kind, &opened.values)),
        egress: &app.egress,
        progress: Arc::new(move |now| *told.lock().unwrap_or_else(PoisonError::into_inner) = now),
        stop: stop.clone(),
    };
    let result = tokio::select! {
        result = scan(ready.version, job) => result,
        never = keep_alive(app, run, &progress, &stop, &asked, &lost) => match never {},
    };
    if lost.get() {
        return None;
    }
    match result {
        Ok(found) => Some(Verdict::Found(found.into_iter().map(row).collect())),
        Err(Failure::Scan(error)) if error.cause == ProviderError::Stopped => asked.get().then_some(Verdict::Stopped),
        Err(Failure::Scan(error)) => Some(Verdict::failed(error.step.label(), error.to_string())),
        Err(Failure::Panicked) => {
            tracing::error!(run = %run.id, "a scan panicked");
            let error = "The scan failed by a fault of Strongroom itself. It has been logged; please report it.";
            Some(Verdict::failed(RUNNING, error))
        }
    }
}

enum Failure {
    Scan(ScanError),
    Panicked,
}

/// A panic in a scan fails the run and not the worker.
async fn scan(version: &dyn Version, job: Job<'_>) -> Result<Vec<registries::Image>, Failure> {
    // Made inside, since a version may also panic before its future is polled.
    let work = async move { version.scan(job).await };
    match AssertUnwindSafe(work).catch_unwind().await {
        Ok(result) => result.map_err(Failure::Scan),
        Err(_) => Err(Failure::Panicked),
    }
}

/// Renews the lease, saves the progress, and cancels the scan when somebody asked for it or another replica has it.
async fn keep_alive(
    app: &App,
    run: &Run,
    progress: &Mutex<Progress>,
    stop: &CancellationToken,
    asked: &Cell<bool>,
    lost: &Cell<bool>,
) -> Infallible {
    let mut beat = tokio::time::interval(HEARTBEAT);
    beat.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        beat.tick().await;
        let now = serde_json::to_value(&*progress.lock().unwrap_or_else(PoisonError::into_inner)).unwrap_or_default();
        let (id, replica) = (run.id, app.replica);
        match app.db.run(move |conn| runs::heartbeat(conn, id, replica, &now)).await {
            Ok(Some(false)) => {}
            Ok(Some(true)) => {
                asked.set(true);
                stop.cancel();
            }
            Ok(None) => {
                lost.set(true);
                stop.cancel();
            }
            Err(error) => tracing::warn!(run = %id, %error, "a lease could not be renewed"),
        }
    }
}

fn row(found: registries::Image) -> images::Image {
    let registries::Image { repository, tag, digest, size_bytes, platforms, pushed_at } = found;
    images::Image { repository, tag, digest, size_bytes, platforms, pushed_at }
}

/// Everything that is written down at the end.
struct Done {
    integration: Integration,
    /// The credential that was opened.
    used: Option<Uuid>,
    verdict: Verdict,
}

/// Records the end, also when the database is away for a moment.
async fn save(app: &App, run: &Run, done: Done) -> Result<Option<&'static str>, DbError> {
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
            ("scan.succeeded", outcome, format!("{} images", found.len()))
        }
        Verdict::Failed { step, error } => {
            let outcome = Outcome::Failed { step: (*step).to_owned(), error: error.clone() };
            ("scan.failed", outcome, error.clone())
        }
        Verdict::Stopped => ("scan.stopped", Outcome::Stopped, String::new()),
    };
    if !runs::end(conn, run, replica, &outcome)? {
        return Err(DbError::Stale);
    }
    if let Some(credential) = done.used {
        credentials::touch(conn, credential)?;
    }
    ledger.record(conn, vault, &actor(run), &done.integration.event(word, detail))?;
    Ok(word)
}

fn count(number: impl TryInto<i32>) -> i32 {
    number.try_into().unwrap_or(i32::MAX)
}

#[cfg(test)]
mod tests {
    use futures_util::future::BoxFuture;
    use url::Url;

    use super::*;
    use crate::form::Field;
    use crate::providers::egress::Egress;

    struct Broken;

    impl Version for Broken {
        fn slug(&self) -> &'static str {
            "broken"
        }
        fn label(&self) -> &'static str {
            "Broken"
        }
        fn fields(&self) -> &'static [Field] {
            &[]
        }
        fn credential_kinds(&self) -> &'static [&'static str] {
            &[]
        }
        fn needs_credential(&self) -> bool {
            false
        }
        fn address(&self, _: &Values) -> Option<Url> {
            None
        }
        fn scan<'a>(&'a self, _: Job<'a>) -> BoxFuture<'a, Result<Vec<registries::Image>, ScanError>> {
            panic!("on purpose")
        }
    }

    #[tokio::test]
    async fn a_panic_in_a_scan_is_a_failure_of_that_scan() {
        let (settings, egress) = (Values::default(), Egress::new(Vec::new()));
        let (progress, stop) = (Arc::new(|_| {}), CancellationToken::new());
        let job = Job { settings: &settings, credential: None, egress: &egress, progress, stop };
        assert!(matches!(scan(&Broken, job).await, Err(Failure::Panicked)));
    }
}
