//! Jobs that run at set times, each a line in [`work`]. A job is safe to run on every replica at once: it claims
//! its work in the database. One that fails is logged and tried again at its next turn.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::LocalBoxFuture;
use tokio::task::JoinSet;

use crate::models::{
    self, DbError, account_letters, chain, counts, deliveries, keks, logins, sessions, spent_tokens, store_health,
    totals,
};
use crate::runs::alarms;
use crate::services::Services;
use crate::telemetry;
use crate::usecases::clients::fetch;

mod alerts;
mod figures;
mod follow;
mod old_events;
mod outbox;
mod rollouts;
mod run_queue;
mod scheduled_checkups;
mod scheduled_scans;
pub mod verify;

/// What was sent or upgraded, and what is closed, is kept for so long.
const KEEP_MESSAGES_DAYS: i32 = 90;
const KEEP_ALERTS_DAYS: i32 = 400;

/// Longest that a console which stops waits for the heads of the trail.
const LAST_HEADS: Duration = Duration::from_secs(2);

/// Between two looks at what the sidebar counts.
const TOTALS: Duration = Duration::from_secs(10);

/// Between two counts for the figures of the day.
const FIGURES: Duration = Duration::from_secs(3_600);

/// Between two exports of old events.
const DAY: Duration = Duration::from_secs(86_400);

/// Pause between two turns of the rollouts job.
const ROLLOUTS: Duration = Duration::from_secs(2);

/// Within so long a verification that is late begins by itself: two turns of its job.
const VERIFICATION_BEGINS: Duration = Duration::from_secs(1_200);

/// The running jobs.
pub struct Jobs(JoinSet<()>);

impl Jobs {
    /// Waits until all have ended, which they do soon after `services.stopping` is cancelled.
    pub async fn stopped(mut self) {
        while self.0.join_next().await.is_some() {}
    }
}

/// Starts what this process does beside its pages. Every process looks after what it knows itself; the work is done by
/// those that have jobs.
pub fn start(services: Arc<Services>) -> Jobs {
    let mut jobs = JoinSet::new();
    jobs.spawn_local(follow::trail(services.clone()));
    let work = if services.settings.has_jobs() {
        work(&services)
    } else {
        vec![alerts::keep_known(services.clone()).boxed_local()]
    };
    for job in own(&services).into_iter().chain(work) {
        jobs.spawn_local(once_followed(services.clone(), job));
    }
    Jobs(jobs)
}

type Job = LocalBoxFuture<'static, ()>;

/// What every process does for itself.
fn own(services: &Arc<Services>) -> Vec<Job> {
    vec![
        every(Duration::from_secs(10), services.clone(), "heartbeat", heartbeat).boxed_local(),
        every(Duration::from_secs(10), services.clone(), "store health", watch).boxed_local(),
        every(Duration::from_secs(5), services.clone(), "fetches of clients", tell_fetches).boxed_local(),
        every(Duration::from_secs(1), services.clone(), "changes for clients", tell_changes).boxed_local(),
        keep_totals(services.clone()).boxed_local(),
    ]
}

/// The work of the whole installation, of which each process with jobs takes a part.
fn work(services: &Arc<Services>) -> Vec<Job> {
    vec![
        every(Duration::from_secs(300), services.clone(), "purge", purge).boxed_local(),
        every(Duration::from_secs(5), services.clone(), "scheduled scans", scheduled_scans::queue_due).boxed_local(),
        every(Duration::from_secs(60), services.clone(), "scheduled tests", scheduled_checkups::test_due).boxed_local(),
        every(Duration::from_secs(60), services.clone(), "snoozed keys", end_snoozes).boxed_local(),
        every(ROLLOUTS, services.clone(), "rollouts", rollouts::advance).boxed_local(),
        run_queue::work(services.clone()).boxed_local(),
        alerts::decide(services.clone()).boxed_local(),
        outbox::work(services.clone()).boxed_local(),
        every(Duration::from_secs(30), services.clone(), "counts of credentials", fold_counts).boxed_local(),
        every(FIGURES, services.clone(), "figures of the day", figures::keep).boxed_local(),
        every(Duration::from_secs(600), services.clone(), "verify", nightly).boxed_local(),
        every(DAY, services.clone(), "old events", old_events::export).boxed_local(),
        every(Duration::from_secs(3_600), services.clone(), "heads of the trail", tell_heads).boxed_local(),
    ]
}

/// Before the audit trail was read, nobody knows which rows are to be relied on.
async fn once_followed(services: Arc<Services>, job: Job) {
    tokio::select! {
        () = services.stopping.cancelled() => {}
        () = services.trail.followed() => job.await,
    }
}

/// Runs `job` now and then every `period`, until the console stops.
async fn every<F, W>(period: Duration, services: Arc<Services>, name: &'static str, job: F)
where
    F: Fn(Arc<Services>) -> W,
    W: Future<Output = Result<(), DbError>>,
{
    let mut turns = tokio::time::interval(period);
    turns.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = services.stopping.cancelled() => return,
            _ = turns.tick() => {}
        }
        if let Err(error) = job(services.clone()).await {
            tracing::warn!(job = name, %error, "a job failed and is tried again");
        }
    }
}

/// Tells the audit trail how often clients fetched again within the minutes that are over.
async fn tell_fetches(services: Arc<Services>) -> Result<(), DbError> {
    fetch::tell_ended(&services, false).await
}

/// Wakes clients that wait for a change, and drops values that were kept for as long as they may be.
async fn tell_changes(services: Arc<Services>) -> Result<(), DbError> {
    services.fetches.tell_changes();
    services.entries.drop_old();
    Ok(())
}

/// Tells the other replicas that this one lives and which master keys it holds.
async fn heartbeat(services: Arc<Services>) -> Result<(), DbError> {
    telemetry::fold_metrics();
    services.sessions.look();
    if let Err(error) = services.vault.reload() {
        tracing::error!(%error, "the key ring cannot be read again; the keys in memory stay in use");
    }
    let (replica, ids) = (services.replica, services.vault.kek_ids());
    services.db.transaction(move |conn| keks::heartbeat(conn, replica, &ids)).await
}

async fn purge(services: Arc<Services>) -> Result<(), DbError> {
    if services.trail.is_held() {
        return Ok(());
    }
    let limits = services.session_limits();
    services.db.transaction(move |conn| sessions::purge(conn, limits)).await?;
    services.db.transaction(logins::purge).await?;
    services.db.transaction(account_letters::purge).await?;
    services.db.transaction(spent_tokens::clean).await?;
    services.db.transaction(|conn| deliveries::purge(conn, KEEP_MESSAGES_DAYS)).await?;
    services.db.transaction(|conn| models::alerts::purge(conn, KEEP_ALERTS_DAYS)).await?;
    services.db.transaction(|conn| models::rollouts::purge(conn, KEEP_MESSAGES_DAYS)).await?;
    // Batch by batch: a run may have as many changes as a registry has tags.
    while !services.stopping.is_cancelled() && services.db.transaction(models::runs::purge).await? > 0 {}
    Ok(())
}

/// What a person wanted to hear nothing of for a while is spoken of again.
async fn end_snoozes(services: Arc<Services>) -> Result<(), DbError> {
    if !services.trail.is_held() && alarms::end_snoozes(&services).await? > 0 {
        services.wake.alerts.notify_one();
    }
    Ok(())
}

/// Logs, which are kept elsewhere, so prove that nobody rolled the audit trail back.
async fn tell_heads(services: Arc<Services>) -> Result<(), DbError> {
    let heads = services.db.run(chain::heads).await?;
    let heads: Vec<String> = heads.iter().map(chain::Head::to_string).collect();
    tracing::info!(heads = heads.join(" "), "the heads of the audit trail, as lane:event:link");
    Ok(())
}

/// The same once more when the console stops: what is read back later is behind no head of this moment.
pub async fn tell_last_heads(services: Arc<Services>) {
    if !matches!(tokio::time::timeout(LAST_HEADS, fetch::tell_ended(&services, true)).await, Ok(Ok(()))) {
        tracing::warn!("how often clients fetched in the last minute could not be written into the audit trail");
    }
    // Before the trail was read for the first time there is nothing to vouch for.
    if services.trail.is_followed()
        && !matches!(tokio::time::timeout(LAST_HEADS, tell_heads(services)).await, Ok(Ok(())))
    {
        tracing::warn!("the heads of the audit trail could not be read at the stop");
    }
}

/// Alerts about what is wrong with the few rows on which everything else rests, within seconds.
async fn watch(services: Arc<Services>) -> Result<(), DbError> {
    let (vault, overdue) = (services.vault.clone(), services.alerts.late_for() > VERIFICATION_BEGINS);
    let examined = services.db.transaction(move |conn| store_health::examine(conn, &vault)).await;
    // Remembered before anything is written: whoever alters the store may also keep alerts from being saved.
    services.alerts.set_found(&examined);
    let found = examined?;
    metrics::gauge!("strongroom_store_verified_seconds").set(found.verified.age.as_seconds_f64());
    let vault = services.vault.clone();
    let saved = services.db.transaction(move |conn| store_health::tell(conn, &vault, &found, overdue)).await;
    services.alerts.set_silenced(&saved);
    saved
}

/// So that reading the counts stays cheap while credentials change.
async fn fold_counts(services: Arc<Services>) -> Result<(), DbError> {
    if services.trail.is_held() {
        return Ok(());
    }
    services.db.patiently(counts::fold).await.map(drop)
}

/// What the sidebar counts: read again after what this process has changed, once a second at the most, and now and then
/// for what others have.
async fn keep_totals(services: Arc<Services>) {
    let mut beat = tokio::time::interval(Duration::from_secs(1));
    beat.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    while !services.stopping.is_cancelled() {
        beat.tick().await;
        match services.db.run(totals::read).await {
            Ok(totals) => services.set_totals(totals),
            Err(error) => tracing::warn!(%error, "the totals cannot be read and are tried again"),
        }
        tokio::select! {
            () = services.stopping.cancelled() => {}
            () = services.wake.totals.notified() => {}
            () = tokio::time::sleep(TOTALS) => {}
        }
    }
}

async fn nightly(services: Arc<Services>) -> Result<(), DbError> {
    if !verify::check(&services).await? || services.stopping.is_cancelled() {
        return Ok(());
    }
    let mended = services.db.patiently(counts::recount).await?;
    if mended > 0 {
        tracing::warn!(mended, "counts of credentials were wrong and are mended");
    }
    Ok(())
}
