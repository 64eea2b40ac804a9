//! Moves old events of the audit trail to files, once a day, where the operator has named a directory.

use std::sync::Arc;

use chrono::TimeDelta;

use crate::audit_export;
use crate::models::events::Actor;
use crate::models::{self, DbError, exported};
use crate::services::Services;

pub async fn export(services: Arc<Services>) -> Result<(), DbError> {
    let Some(directory) = services.settings.trail.audit_export_dir.clone() else { return Ok(()) };
    let age = TimeDelta::days(services.settings.trail.audit_keep_days.into());
    while !services.stopping.is_cancelled() && !services.trail.is_held() {
        let vault = services.vault.clone();
        let due = move |conn: &mut _| {
            let now = models::clock(conn)?;
            Ok::<_, DbError>((now, exported::due(conn, &vault, now - age)?))
        };
        let (now, chunk) = services.db.run(due).await?;
        let chunk = Arc::new(chunk);
        if chunk.is_empty() {
            break;
        }
        let (directory, events) = (directory.clone(), chunk.clone());
        #[allow(clippy::disallowed_methods, reason = "a file is written, the database is not asked")]
        let written = tokio::task::spawn_blocking(move || audit_export::write(&events, &directory, now)).await;
        let file = match written.map_err(|_| DbError::Other)? {
            Ok(file) => file,
            Err(error) => {
                tracing::error!(%error, "old audit events stay in the database");
                break;
            }
        };
        let (vault, name) =
            (services.vault.clone(), file.file_name().unwrap_or_default().to_string_lossy().into_owned());
        let remove = move |conn: &mut _| exported::remove(conn, &vault, &Actor::system(), &chunk, &name);
        match services.db.transaction(remove).await {
            Ok(count) => {
                tracing::info!(count, file = %file.display(), "old audit events were exported");
                if count < audit_export::FULL {
                    break;
                }
            }
            Err(DbError::Stale) => {
                // Another replica has moved them.
                let _ = std::fs::remove_file(&file);
                break;
            }
            // They may be gone already, and the file may be all that is left of them.
            Err(error) => return Err(error),
        }
    }
    Ok(())
}
