//! This replica's worker: takes runs off the queue, a few scans and many deployments at a time, and finishes up when
//! the console stops. The runs themselves are in `runs`.

use std::time::Duration;

use std::sync::Arc;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::models::runs::RunAction;
use crate::runs;
use crate::services::Services;

/// Between two looks at the queue: what other replicas queue is not told here.
const POLL: Duration = Duration::from_secs(1);
/// For runs to finish by themselves once the console stops. The console waits ten seconds in all.
const PATIENCE: Duration = Duration::from_secs(8);
/// For runs to notice that they are cancelled.
const NOTICE: Duration = Duration::from_secs(1);

/// Most deployments at the same time, in addition to the scans. They mostly wait for their clusters.
const DEPLOYMENTS: usize = 50;

/// A limit on how many runs of some actions are carried out at the same time.
struct Lane {
    actions: &'static [RunAction],
    most: usize,
    running: JoinSet<()>,
}

impl Lane {
    fn new(actions: &'static [RunAction], most: usize) -> Self {
        Self { actions, most, running: JoinSet::new() }
    }

    fn has_room(&self) -> bool {
        self.running.len() < self.most
    }

    /// Takes runs off the queue until it is empty or the limit is reached.
    async fn fill(&mut self, services: &Arc<Services>, cancel: &CancellationToken) {
        while self.has_room() && !services.stopping.is_cancelled() && !services.trail.is_held() {
            match runs::claim(services, self.actions).await {
                Ok(Some(run)) => {
                    self.running.spawn_local(runs::perform(services.clone(), run, cancel.clone()));
                }
                Ok(None) => break,
                Err(error) => {
                    tracing::warn!(%error, "the queue cannot be read and is tried again");
                    break;
                }
            }
        }
    }
}

pub async fn work(services: Arc<Services>) {
    let at_once = usize::try_from(services.settings.runs_at_once).unwrap_or(1).max(1);
    let cancel = CancellationToken::new();
    let mut scans = Lane::new(RunAction::SCANS, at_once);
    let mut deployments = Lane::new(RunAction::DEPLOYMENTS, DEPLOYMENTS);
    while !services.stopping.is_cancelled() {
        scans.fill(&services, &cancel).await;
        deployments.fill(&services, &cancel).await;
        tokio::select! {
            () = services.stopping.cancelled() => {}
            Some(_) = scans.running.join_next() => {}
            Some(_) = deployments.running.join_next() => {}
            () = services.wake.runs.notified(), if scans.has_room() || deployments.has_room() => {}
            () = tokio::time::sleep(POLL) => {}
        }
    }
    wind_down(&services, &mut scans.running, &mut deployments.running, &cancel).await;
}

/// Lets runs finish, then cancels them; what is unfinished goes back to the queue for another replica.
async fn wind_down(
    services: &Services,
    scans: &mut JoinSet<()>,
    deployments: &mut JoinSet<()>,
    cancel: &CancellationToken,
) {
    if tokio::time::timeout(PATIENCE, all(scans, deployments)).await.is_err() {
        cancel.cancel();
        if tokio::time::timeout(NOTICE, all(scans, deployments)).await.is_err() {
            scans.shutdown().await;
            deployments.shutdown().await;
        }
    }
    match runs::give_back(services).await {
        Ok(0) => {}
        Ok(count) => tracing::info!(count, "unfinished runs went back to the queue"),
        // Their leases end by themselves.
        Err(error) => tracing::warn!(%error, "unfinished runs could not be given back"),
    }
}

async fn all(scans: &mut JoinSet<()>, deployments: &mut JoinSet<()>) {
    while scans.join_next().await.is_some() {}
    while deployments.join_next().await.is_some() {}
}
