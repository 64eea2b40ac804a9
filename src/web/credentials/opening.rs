//! The only place of the console that opens a stored credential: an edit that changes values is compared with what is
//! stored, and a test makes one call with it. Every opening is written down in the same transaction, and so is a row that
//! is not what was saved.

use std::sync::Arc;

use uuid::Uuid;

use crate::app::App;
use crate::form::Values;
use crate::models::credentials::{self, Credential};
use crate::models::events::Actor;
use crate::models::{Conn, DbError, altered};
use crate::vault::Vault;

/// What opening came to.
pub enum Opened {
    Values(Values),
    /// Somebody else has saved meanwhile.
    Stale,
    /// Not what Strongroom saved here: the credential is quarantined now.
    Integrity,
}

/// The stored values of the row as of `row_version`; `why` is what the trail says it was for.
pub async fn open(app: &App, actor: Actor, id: Uuid, row_version: i64, why: &'static str) -> Result<Opened, DbError> {
    let vault = app.vault.clone();
    app.db.transaction(move |conn| opened(conn, &vault, &actor, (id, row_version), why)).await
}

fn opened(
    conn: &mut Conn,
    vault: &Vault,
    actor: &Actor,
    (id, row_version): (Uuid, i64),
    why: &str,
) -> Result<Opened, DbError> {
    let (row, sealed) = credentials::find_sealed(conn, id)?;
    if row.row_version != row_version {
        return Ok(Opened::Stale);
    }
    // The row check comes first: under an altered kind or version there is nothing worth opening.
    let plaintext = row.check(vault).and_then(|()| vault.open(&row.context(), &sealed));
    match plaintext.ok().and_then(|plaintext| Values::from_json(&plaintext)) {
        Some(values) => {
            credentials::record_opening(conn, vault, actor, &row, why.to_owned())?;
            Ok(Opened::Values(values))
        }
        None => {
            altered::quarantine(conn, vault, actor, &row)?;
            Ok(Opened::Integrity)
        }
    }
}

/// Marks a row whose check did not hold.
pub async fn quarantine(app: &App, actor: Actor, row: Credential) -> Result<(), DbError> {
    let vault: Arc<Vault> = app.vault.clone();
    app.db.transaction(move |conn| altered::quarantine(conn, &vault, &actor, &row)).await
}
