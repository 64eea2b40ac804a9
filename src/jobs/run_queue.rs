//! The worker of this replica: takes runs off the queue, a few at a time, and winds down when the console stops. What a
//! run does is in `runs`.

use std::time::Duration;

use std::sync::Arc;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::runs;
use crate::services::Services;

/// Between two looks at the queue: what other replicas queue is not told here.
const POLL: Duration = Duration::from_secs(1);
/// For runs to finish by themselves once the console stops. The console waits ten seconds in all.
const PATIENCE: Duration = Duration::from_secs(8);
/// For runs to notice that they are cancelled.
const NOTICE: Duration = Duration::from_secs(1);

pub async fn work(services: Arc<Services>) {
    let at_once = usize::try_from(services.settings.runs_at_once).unwrap_or(1).max(1);
    let (mut running, cancel) = (JoinSet::new(), CancellationToken::new());
    while !services.stopping.is_cancelled() {
        while running.len() < at_once && !services.stopping.is_cancelled() && !services.trail.is_held() {
            match runs::claim(&services).await {
                Ok(Some(run)) => drop(running.spawn_local(runs::perform(services.clone(), run, cancel.clone()))),
                Ok(None) => break,
                Err(error) => {
                    tracing::warn!(%error, "the queue cannot be read and is tried again");
                    break;
                }
            }
        }
        tokio::select! {
            () = services.stopping.cancelled() => {}
            Some(_) = running.join_next() => {}
            () = services.wake.runs.notified(), if running.len() < at_once => {}
            () = tokio::time::sleep(POLL) => {}
        }
    }
    wind_down(&services, running, &cancel).await;
}

/// Lets runs finish, then cancels them; what is unfinished goes back to the queue for another replica.
async fn wind_down(services: &Services, mut running: JoinSet<()>, cancel: &CancellationToken) {
    if tokio::time::timeout(PATIENCE, all(&mut running)).await.is_err() {
        cancel.cancel();
        if tokio::time::timeout(NOTICE, all(&mut running)).await.is_err() {
            running.shutdown().await;
        }
    }
    match runs::give_back(services).await {
        Ok(0) => {}
        Ok(count) => tracing::info!(count, "unfinished runs went back to the queue"),
        // Their leases end by themselves.
        Err(error) => tracing::warn!(%error, "unfinished runs could not be given back"),
    }
}

async fn all(running: &mut JoinSet<()>) {
    while running.join_next().await.is_some() {}
}
