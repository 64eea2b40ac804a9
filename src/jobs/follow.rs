//! Follows the audit trail as it grows, so that what this process knows of it cannot be taken back in the database.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::models::DbError;
use crate::models::altered::{self, Part};
use crate::models::follow::Follower;
use crate::services::Services;
use crate::trail::Break;
use crate::verification::Failure;

/// Longer than any statement of a request may take: see [`Follower`].
const TURN: Duration = Duration::from_secs(20);

/// Runs until the console stops.
pub async fn trail(services: Arc<Services>) {
    let follower = Arc::new(Mutex::new(Follower::default()));
    super::every(TURN, services, "following the audit trail", move |services| turn(services, follower.clone())).await;
}

async fn turn(services: Arc<Services>, follower: Arc<Mutex<Follower>>) -> Result<(), DbError> {
    let mut more = true;
    while more && !services.stopping.is_cancelled() {
        let (follower, vault) = (follower.clone(), services.vault.clone());
        let step = move |conn: &mut _| follower.lock().unwrap_or_else(PoisonError::into_inner).step(conn, &vault);
        let (broken, behind) = services.db.run::<_, DbError, _>(step).await?;
        more = behind;
        if broken.is_empty() {
            continue;
        }
        for at in &broken {
            services.trail.note_break(Break { lane: at.lane, seq: at.seq, on: at.seq, link: Vec::new() }, false);
        }
        let broken = broken.into_iter().map(|at| Failure::Trail(at).to_string()).collect::<Vec<_>>().join("; ");
        tracing::error!(%broken, "the audit trail does not go on from where this console knew it");
        let sentence = format!("The audit trail was altered or rolled back. Following it found: {broken}.");
        services
            .db
            .transaction::<_, DbError, _>(move |conn| altered::alert_store(conn, Part::Trail, &sentence))
            .await?;
    }
    follower.lock().unwrap_or_else(PoisonError::into_inner).end_turn(&services.vault);
    Ok(())
}
