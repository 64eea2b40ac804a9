//! Follows the audit trail as it grows, so that what this process knows of it cannot be taken back in the database.
//! Until it was read to its end for the first time, nothing else is done.

use std::mem;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::models::altered::{self, Part};
use crate::models::follow::{Follower, Found};
use crate::models::{self, DbError};
use crate::services::Services;
use crate::verification::Failure;

/// So often the trail is looked at within the patience for it: two cheap statements, when there is nothing new.
const TURNS: u32 = 4;
/// Between two tries to read the trail for the first time, while the database does not answer.
const SOON: Duration = Duration::from_millis(500);

type Shared = Arc<Mutex<Follower>>;

/// Runs until the console stops.
pub async fn trail(services: Arc<Services>) {
    tokio::join!(follow(services.clone()), watch(services));
}

/// Notices a database that answers, and not about the trail. One that is away answers nothing, so that does not count.
async fn watch(services: Arc<Services>) {
    tokio::select! {
        () = services.stopping.cancelled() => return,
        () = services.trail.followed() => {}
    }
    let (patience, turn) = (services.settings.trail_patience(), turn_of(&services));
    loop {
        tokio::select! {
            () = services.stopping.cancelled() => return,
            () = tokio::time::sleep(turn) => {}
        }
        if services.trail.since_turn() < 2 * turn {
            continue;
        }
        let answers = services.db.run(models::clock).await;
        if answers.is_ok() && services.trail.since_turn() >= 2 * turn {
            services.trail.note_missed(turn, patience);
        }
        if services.trail.is_stalled() {
            tracing::error!("the database answers, but the audit trail cannot be read: no secret is used");
        }
    }
}

/// Between two looks at what others have written.
fn turn_of(services: &Services) -> Duration {
    services.settings.trail_patience() / TURNS
}

async fn follow(services: Arc<Services>) {
    let (follower, started) = (Shared::default(), Instant::now());
    while !services.stopping.is_cancelled() {
        let first = !services.trail.is_followed();
        if let Err(error) = turn(&services, &follower).await {
            tracing::warn!(%error, "the audit trail could not be followed and is tried again");
        }
        let followed = services.trail.is_followed();
        if first && followed {
            tracing::info!(milliseconds = started.elapsed().as_millis(), "the audit trail was read to its end");
        }
        tokio::select! {
            () = services.stopping.cancelled() => {}
            () = services.trail.look.notified() => {}
            () = tokio::time::sleep(if followed { turn_of(&services) } else { SOON }) => {}
        }
    }
}

fn lock(follower: &Shared) -> MutexGuard<'_, Follower> {
    follower.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn turn(services: &Services, follower: &Shared) -> Result<(), DbError> {
    let mut more = Ok(true);
    while let Ok(true) = more
        && !services.stopping.is_cancelled()
    {
        let (shared, vault) = (follower.clone(), services.vault.clone());
        more = services.db.run::<_, DbError, _>(move |conn| lock(&shared).step(conn, &vault)).await;
        if more.is_ok() {
            services.trail.note_turn();
        }
    }
    let found = mem::take(&mut lock(follower).found);
    let alerted = alert(services, &found).await;
    if alerted.is_err() {
        lock(follower).found.add(found);
    }
    more.and(alerted)
}

async fn alert(services: &Services, found: &Found) -> Result<(), DbError> {
    if found.is_empty() {
        return Ok(());
    }
    let breaks = found.breaks.iter().cloned().map(Failure::Trail);
    let all = breaks.chain(found.gaps.iter().cloned().map(Failure::Gap));
    let broken = all.map(|failure| failure.to_string()).collect::<Vec<_>>().join("; ");
    tracing::error!(%broken, held = services.trail.is_held(), "the audit trail is not what was written");
    let sentence = format!("The audit trail was altered or rolled back. Following it found: {broken}.");
    let vault = services.vault.clone();
    services.db.transaction(move |conn| altered::alert_store(conn, &vault, Part::Trail, &sentence)).await
}
