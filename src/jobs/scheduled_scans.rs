//! Queues the scans whose time has come. Each due integration is taken by one replica, which sets its next time at
//! once.

use actix_web::web::Data;

use crate::app::App;
use crate::models::events::Actor;
use crate::models::{DbError, integrations, runs};

/// One turn: whoever has an unfinished run already is left to it.
pub async fn queue_due(app: Data<App>) -> Result<(), DbError> {
    let vault = app.vault.clone();
    let queued = app
        .db
        .transaction(move |conn| {
            let mut queued = 0;
            for id in integrations::take_due(conn)? {
                queued += usize::from(runs::queue(conn, &vault, id, "schedule", &Actor::system().name)?.is_some());
            }
            Ok::<_, DbError>(queued)
        })
        .await?;
    if queued > 0 {
        tracing::info!(queued, "scheduled scans were queued");
        app.queued.notify_one();
    }
    Ok(())
}
