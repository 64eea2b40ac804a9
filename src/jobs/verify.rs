//! The nightly check of the whole store, done by one replica. When it was last done is read from the audit trail, so that
//! restarts neither repeat nor forget it. What fails is logged, and a credential that fails can no longer be used.

use actix_web::web::Data;
use uuid::Uuid;

use crate::app::App;
use crate::models::events::{self, Action, Actor, NewEvent};
use crate::models::{Conn, DbError, altered, credentials, deployment, integrations, users};
use crate::verification::{Failure, Walk};

const STARTED: Action = Action::StoreVerificationStarted;
const PASSED: Action = Action::StoreVerified;
const FAILED: Action = Action::StoreVerificationFailed;

/// Checks everything if that is due; `false` when it is not, or another replica is at it.
pub async fn check(app: &Data<App>) -> Result<bool, DbError> {
    let vault = app.vault.clone();
    let claim = move |conn: &mut _| {
        let claimed = deployment::claim_verification(conn, STARTED.name(), &[PASSED.name(), FAILED.name()])?;
        if claimed {
            events::record(conn, &vault, &Actor::system(), &event(STARTED, String::new()))?;
        }
        Ok::<_, DbError>(claimed)
    };
    if !app.db.transaction(claim).await? {
        return Ok(false);
    }
    let mut walk = Walk::default();
    loop {
        if app.stopping.is_cancelled() {
            // Started an hour ago and not finished: the next replica takes it.
            return Ok(true);
        }
        let vault = app.vault.clone();
        // Batch by batch, so that a connection is never held for long.
        let step = move |conn: &mut _| {
            let done = walk.step(conn, &vault)?;
            Ok::<_, DbError>((walk, done))
        };
        let (stepped, done) = app.db.run(step).await?;
        walk = stepped;
        if done {
            break;
        }
    }
    for failure in &walk.failures {
        tracing::error!(%failure, "integrity error");
    }
    conclude(app, walk).await?;
    Ok(true)
}

async fn conclude(app: &Data<App>, walk: Walk) -> Result<(), DbError> {
    let mut ids: Vec<Uuid> = walk.failures.iter().filter_map(credential).collect();
    ids.dedup();
    for id in ids {
        let vault = app.vault.clone();
        let quarantine = move |conn: &mut _| match credentials::find(conn, id) {
            Ok(row) if row.integrity_failed_at.is_none() => altered::quarantine(conn, &vault, &Actor::system(), &row),
            // Known already, or deleted meanwhile.
            Ok(_) | Err(DbError::NotFound) => Ok(()),
            Err(error) => Err(error),
        };
        app.db.transaction(quarantine).await?;
    }
    let failures = walk.failures.clone();
    let tell = move |conn: &mut _| failures.iter().try_for_each(|failure| tell(conn, failure));
    app.db.transaction(tell).await?;
    let (action, detail) = match walk.failures.len() {
        0 => (PASSED, walk.summary()),
        count => (FAILED, format!("{count} failures, named in the log; {}", walk.summary())),
    };
    tracing::info!(failures = walk.failures.len(), "the store was verified: {}", walk.summary());
    let vault = app.vault.clone();
    let record = move |conn: &mut _| events::record(conn, &vault, &Actor::system(), &event(action, detail.clone()));
    app.db.transaction(record).await
}

/// Raises the alert about what only a look finds: a row that was put back whole holds its check.
fn tell(conn: &mut Conn, failure: &Failure) -> Result<(), DbError> {
    let (table, id) = match failure {
        Failure::Value { table, id, .. } | Failure::Row { table, id } | Failure::Older { table, id } => (*table, *id),
        Failure::Trail(_) => return Ok(()),
    };
    let told = match table {
        "integrations" => integrations::find(conn, id).and_then(|row| altered::tell(conn, &row)),
        "users" => users::find(conn, id).and_then(|row| altered::tell_user(conn, &row)),
        _ => Ok(()),
    };
    // Deleted meanwhile.
    if told == Err(DbError::NotFound) { Ok(()) } else { told }
}

fn credential(failure: &Failure) -> Option<Uuid> {
    match failure {
        Failure::Value { table: "credentials", id, .. }
        | Failure::Row { table: "credentials", id }
        | Failure::Older { table: "credentials", id } => Some(*id),
        _ => None,
    }
}

fn event(action: Action, detail: String) -> NewEvent<'static> {
    NewEvent { action, subject_kind: "store", subject_id: None, subject_name: "the whole store", detail }
}
