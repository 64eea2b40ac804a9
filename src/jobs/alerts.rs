//! Decides what is due and who is told: every few seconds, and at once when something has changed. One replica at a
//! time does it; what it does is in `alerting`.

use std::time::{Duration, Instant};

use std::sync::Arc;

use crate::alerting;
use crate::models::DbError;
use crate::services::Services;

/// Between two looks at what waits to be told.
const PAUSE: Duration = Duration::from_secs(2);
/// Between two looks at what the clock has brought about.
const DUE_EVERY: Duration = Duration::from_secs(20);

pub async fn decide(services: Arc<Services>) {
    let mut looked: Option<Instant> = None;
    while !services.stopping.is_cancelled() {
        let due = looked.is_none_or(|at| at.elapsed() >= DUE_EVERY);
        if due {
            looked = Some(Instant::now());
        }
        if let Err(error) = turn(&services, due).await {
            tracing::warn!(%error, "alerts could not be decided and are tried again");
        }
        tokio::select! {
            () = services.stopping.cancelled() => {}
            () = services.wake.alerts.notified() => looked = None,
            () = tokio::time::sleep(PAUSE) => {}
        }
    }
}

/// For a process that has pages only: keeps what they show of alerts up to date, which others decide.
pub async fn keep_known(services: Arc<Services>) {
    while !services.stopping.is_cancelled() {
        if let Err(error) = alerting::refresh(&services).await {
            tracing::warn!(%error, "the alerts cannot be read and are tried again");
        }
        tokio::select! {
            () = services.stopping.cancelled() => {}
            () = services.wake.alerts.notified() => {}
            () = tokio::time::sleep(PAUSE) => {}
        }
    }
}

async fn turn(services: &Services, due: bool) -> Result<(), DbError> {
    if due
        && let Some(turn) = alerting::find_due(services).await?
        && turn != Default::default()
    {
        tracing::info!(raised = turn.raised, reminded = turn.reminded, closed = turn.closed, "alerts changed");
    }
    if alerting::give(services).await? > 0 {
        services.wake.messages.notify_one();
    }
    alerting::refresh(services).await
}
