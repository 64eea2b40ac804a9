//! Jobs that run at set times, each a line in [`start`]. A job is safe to run on every replica at once: it claims
//! its work in the database. One that fails is logged and tried again at its next turn.

use std::future::Future;
use std::time::Duration;

use actix_web::web::Data;
use tokio::task::JoinSet;

use crate::app::App;
use crate::models::{self, DbError, chain, deliveries, keks, logins, sessions, store_health};
use crate::telemetry;

mod alerts;
mod follow;
mod outbox;
mod run_queue;
mod scheduled_scans;
mod scheduled_tests;
pub mod verify;

/// What was sent, and what is closed, is kept for so long.
const KEEP_MESSAGES_DAYS: i32 = 90;
const KEEP_ALERTS_DAYS: i32 = 400;

/// Within so long a verification that is late begins by itself: two turns of its job.
const VERIFICATION_BEGINS: Duration = Duration::from_secs(1_200);

/// The running jobs.
pub struct Jobs(JoinSet<()>);

impl Jobs {
    /// Waits until all have ended, which they do soon after `app.stopping` is cancelled.
    pub async fn stopped(mut self) {
        while self.0.join_next().await.is_some() {}
    }
}

pub fn start(app: Data<App>) -> Jobs {
    let mut jobs = JoinSet::new();
    jobs.spawn_local(every(Duration::from_secs(10), app.clone(), "heartbeat", heartbeat));
    jobs.spawn_local(every(Duration::from_secs(300), app.clone(), "purge", purge));
    jobs.spawn_local(every(Duration::from_secs(5), app.clone(), "scheduled scans", scheduled_scans::queue_due));
    jobs.spawn_local(every(Duration::from_secs(60), app.clone(), "scheduled tests", scheduled_tests::test_due));
    jobs.spawn_local(run_queue::work(app.clone()));
    jobs.spawn_local(alerts::decide(app.clone()));
    jobs.spawn_local(outbox::work(app.clone()));
    jobs.spawn_local(every(Duration::from_secs(600), app.clone(), "verify", nightly));
    jobs.spawn_local(every(Duration::from_secs(10), app.clone(), "store health", watch));
    jobs.spawn_local(follow::trail(app.clone()));
    jobs.spawn_local(every(Duration::from_secs(3_600), app.clone(), "heads of the trail", tell_heads));
    Jobs(jobs)
}

/// Runs `job` now and then every `period`, until the console stops.
async fn every<F, W>(period: Duration, app: Data<App>, name: &'static str, job: F)
where
    F: Fn(Data<App>) -> W,
    W: Future<Output = Result<(), DbError>>,
{
    let mut turns = tokio::time::interval(period);
    turns.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = app.stopping.cancelled() => return,
            _ = turns.tick() => {}
        }
        if let Err(error) = job(app.clone()).await {
            tracing::warn!(job = name, %error, "a job failed and is tried again");
        }
    }
}

/// Tells the other replicas that this one lives and which master keys it holds.
async fn heartbeat(app: Data<App>) -> Result<(), DbError> {
    telemetry::fold_metrics();
    if let Err(error) = app.vault.reload() {
        tracing::error!(%error, "the key ring cannot be read again; the keys in memory stay in use");
    }
    let (replica, ids) = (app.replica, app.vault.kek_ids());
    app.db.transaction(move |conn| keks::heartbeat(conn, replica, &ids)).await
}

async fn purge(app: Data<App>) -> Result<(), DbError> {
    let limits = app.session_limits();
    app.db.transaction(move |conn| sessions::purge(conn, limits)).await?;
    app.db.transaction(logins::purge).await?;
    app.db.transaction(|conn| deliveries::purge(conn, KEEP_MESSAGES_DAYS)).await?;
    app.db.transaction(|conn| models::alerts::purge(conn, KEEP_ALERTS_DAYS)).await?;
    // Batch by batch: a run may have as many changes as a registry has tags.
    while !app.stopping.is_cancelled() && app.db.transaction(models::runs::purge).await? > 0 {}
    Ok(())
}

/// Logs, which are kept elsewhere, so prove that nobody rolled the audit trail back.
async fn tell_heads(app: Data<App>) -> Result<(), DbError> {
    let heads = app.db.run(chain::heads).await?;
    let heads: Vec<String> = heads.iter().map(chain::Head::to_string).collect();
    tracing::info!(heads = heads.join(" "), "the heads of the audit trail, as lane:event:link");
    Ok(())
}

/// Alerts about what is wrong with the few rows on which everything else rests, within seconds.
async fn watch(app: Data<App>) -> Result<(), DbError> {
    let (vault, overdue) = (app.vault.clone(), app.alerts.late_for() > VERIFICATION_BEGINS);
    let verified = app.db.transaction(move |conn| store_health::look(conn, &vault, overdue)).await?;
    metrics::gauge!("strongroom_store_verified_seconds").set(verified.age.as_seconds_f64());
    app.alerts.set_verified(verified);
    Ok(())
}

async fn nightly(app: Data<App>) -> Result<(), DbError> {
    verify::check(&app).await.map(drop)
}
