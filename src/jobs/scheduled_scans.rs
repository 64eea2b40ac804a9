//! Queues the scans that are due or that webhooks ask for, and the checks and redeployments of deployments. One replica
//! takes each due integration, and sets its next time at once.

use std::sync::Arc;

use crate::models::events::Actor;
use crate::models::{DbError, deployments, hooks, integrations, runs};
use crate::services::Services;

/// One turn: whoever has an unfinished run already is left to it.
pub async fn queue_due(services: Arc<Services>) -> Result<(), DbError> {
    if services.trail.is_held() {
        return Ok(());
    }
    let vault = services.vault.clone();
    let queued = services
        .db
        .transaction(move |conn| {
            let mut queued = 0;
            for id in integrations::take_due(conn)? {
                queued += usize::from(runs::queue(conn, &vault, id, "schedule", &Actor::system().name)?.is_some());
            }
            queued += deployments::queue_due(conn, &vault, &Actor::system().name)?;
            Ok::<_, DbError>(queued + hooks::queue_due(conn, &vault)?)
        })
        .await?;
    if queued > 0 {
        tracing::info!(queued, "runs that are due were queued");
        services.wake.runs.notify_one();
    }
    Ok(())
}
