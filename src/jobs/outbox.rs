//! The worker that empties the outbox: a lane for each channel that has something due, a few at a time, and what a dead
//! replica had claimed is put back. Winds down when the console stops.

use std::collections::HashMap;
use std::rc::Rc;
use std::time::{Duration, Instant};

use std::sync::Arc;
use tokio::task::{Id, JoinSet};

use crate::alerting::lane::{self, Renewed};
use crate::models::{DbError, IntegrationId, deliveries};
use crate::services::Services;

/// Between two looks at the outbox.
const POLL: Duration = Duration::from_secs(1);
/// Between two renewals of what is claimed; well within the lease.
const RENEW: Duration = Duration::from_secs(4);
/// Channels that are served side by side. One that waits for its peer holds a socket and nothing else, and a mail server
/// may take ten minutes over a letter (RFC 5321, 4.5.3.2.6): so many may wait before they hold up the others.
const LANES: usize = 64;
/// For a call to finish once the console stops.
const PATIENCE: Duration = Duration::from_secs(8);

pub async fn work(services: Arc<Services>) {
    let renewed = Rc::new(Renewed::new(Instant::now()));
    let (mut lanes, mut busy): (JoinSet<()>, HashMap<Id, IntegrationId>) = (JoinSet::new(), HashMap::new());
    let mut turns = tokio::time::interval(RENEW);
    while !services.stopping.is_cancelled() {
        let vault = services.vault.clone();
        match services.db.run(move |conn| deliveries::due(conn, &vault)).await {
            // What waits is sent once the trail is accepted, or the backup is back.
            Ok(_) if services.trail.is_held() => {}
            Ok(due) => {
                let free: Vec<IntegrationId> =
                    due.into_iter().filter(|channel| !busy.values().any(|working| working == channel)).collect();
                for channel in free.into_iter().take(LANES - busy.len()) {
                    let (services, renewed) = (services.clone(), Rc::clone(&renewed));
                    let lane = lanes.spawn_local(async move { lane::run(services, channel, &renewed).await });
                    busy.insert(lane.id(), channel);
                }
            }
            Err(error) => tracing::warn!(%error, "the outbox cannot be read and is tried again"),
        }
        tokio::select! {
            () = services.stopping.cancelled() => {}
            // Also one that panicked has ended.
            Some(ended) = lanes.join_next_with_id() => {
                busy.remove(&ended.map_or_else(|error| error.id(), |(id, ())| id));
            }
            () = services.wake.messages.notified() => {}
            _ = turns.tick() => keep(&services, &renewed, busy.values().copied().collect()).await,
            () = tokio::time::sleep(POLL) => {}
        }
    }
    let all = async { while lanes.join_next().await.is_some() {} };
    if tokio::time::timeout(PATIENCE, all).await.is_err() {
        lanes.shutdown().await;
    }
    let replica = services.replica;
    // Their leases end by themselves, if this fails.
    if let Err(error) = services.db.transaction(move |conn| deliveries::put_back(conn, replica, None)).await {
        tracing::warn!(%error, "claimed messages could not be given back");
    }
}

/// Renews what this replica has claimed, and puts back what others left behind.
async fn keep(services: &Services, renewed: &Renewed, busy: Vec<IntegrationId>) {
    let (replica, at) = (services.replica, Instant::now());
    let kept = services.db.transaction(move |conn| {
        deliveries::renew(conn, replica, &busy)?;
        deliveries::reap(conn)
    });
    match kept.await {
        Ok(count) => {
            renewed.set(at);
            if count > 0 {
                tracing::info!(count, "messages of a replica that is gone are sent by others");
            }
        }
        Err::<_, DbError>(error) => tracing::warn!(%error, "claims on messages could not be renewed"),
    }
}
