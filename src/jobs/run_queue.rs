//! The worker of this replica: takes runs off the queue, a few at a time, and winds down when the console stops. What a
//! run does is in `runs`.

use std::time::Duration;

use actix_web::web::Data;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::app::App;
use crate::runs;

/// Between two looks at the queue: what other replicas queue is not told here.
const POLL: Duration = Duration::from_secs(1);
/// For runs to finish by themselves once the console stops. The console waits ten seconds in all.
const PATIENCE: Duration = Duration::from_secs(8);
/// For runs to notice that they are cancelled.
const NOTICE: Duration = Duration::from_secs(1);

pub async fn work(app: Data<App>) {
    let at_once = usize::try_from(app.settings.runs_at_once).unwrap_or(1).max(1);
    let (mut running, cancel) = (JoinSet::new(), CancellationToken::new());
    while !app.stopping.is_cancelled() {
        while running.len() < at_once && !app.stopping.is_cancelled() {
            match runs::claim(&app).await {
                Ok(Some(run)) => drop(running.spawn_local(runs::perform(app.clone(), run, cancel.clone()))),
                Ok(None) => break,
                Err(error) => {
                    tracing::warn!(%error, "the queue cannot be read and is tried again");
                    break;
                }
            }
        }
        tokio::select! {
            () = app.stopping.cancelled() => {}
            Some(_) = running.join_next() => {}
            () = app.queued.notified(), if running.len() < at_once => {}
            () = tokio::time::sleep(POLL) => {}
        }
    }
    wind_down(&app, running, &cancel).await;
}

/// Lets runs finish, then cancels them; what is unfinished goes back to the queue for another replica.
async fn wind_down(app: &App, mut running: JoinSet<()>, cancel: &CancellationToken) {
    if tokio::time::timeout(PATIENCE, all(&mut running)).await.is_err() {
        cancel.cancel();
        if tokio::time::timeout(NOTICE, all(&mut running)).await.is_err() {
            running.shutdown().await;
        }
    }
    match runs::give_back(app).await {
        Ok(0) => {}
        Ok(count) => tracing::info!(count, "unfinished runs went back to the queue"),
        // Their leases end by themselves.
        Err(error) => tracing::warn!(%error, "unfinished runs could not be given back"),
    }
}

async fn all(running: &mut JoinSet<()>) {
    while running.join_next().await.is_some() {}
}
