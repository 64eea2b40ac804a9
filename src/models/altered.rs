//! Rows that are not what Strongroom saved: credentials, integrations, users. They are not used, and that is counted, audited
//! and told.

use diesel::prelude::*;
use uuid::Uuid;

use super::alerts::{self, Subject};
use super::credentials::Credential;
use super::events::{self, Action, Actor};
use super::integrations::Integration;
use super::schema::credentials;
use super::users::User;
use super::{Conn, DbError, users};
use crate::vault::Vault;

/// Marks a row that did not open, once, and says so in the trail.
pub fn quarantine(conn: &mut Conn, vault: &Vault, actor: &Actor, row: &Credential) -> Result<(), DbError> {
    metrics::counter!("strongroom_integrity_failures_total").increment(1);
    let mut ledger = events::open(conn)?;
    let at = credentials::integrity_failed_at;
    diesel::update(credentials::table.find(row.id).filter(at.is_null())).set(at.eq(ledger.now)).execute(conn)?;
    alerts::raise(conn, "integrity", Subject { kind: "credential", id: row.id, name: &row.name }, "")?;
    ledger.record(conn, vault, actor, &row.event(Action::CredentialIntegrityFailure, "use refused".to_owned()))
}

/// A use was refused: that is counted, audited and told. Call inside a transaction.
pub fn refuse(conn: &mut Conn, vault: &Vault, row: &Integration) -> Result<(), DbError> {
    metrics::counter!("strongroom_integrity_failures_total").increment(1);
    let event = row.event(Action::IntegrationIntegrityFailure, "use refused".to_owned());
    events::record(conn, vault, &Actor::system(), &event)?;
    tell(conn, row)
}

/// The alert alone, for whoever only looks at rows.
pub fn tell(conn: &mut Conn, row: &Integration) -> Result<(), DbError> {
    alerts::raise(conn, "integrity", Subject { kind: "integration", id: row.id, name: &row.name }, "")
}

/// Somebody was kept from coming in as a user whose row, password or session was changed beside Strongroom; `what` was done
/// about it. Call inside a transaction.
pub fn refuse_user(conn: &mut Conn, vault: &Vault, actor: &Actor, user: &User, what: &str) -> Result<(), DbError> {
    metrics::counter!("strongroom_integrity_failures_total").increment(1);
    events::record(conn, vault, actor, &user.event(Action::UserIntegrityFailure, what.to_owned()))?;
    tell_user(conn, user)
}

/// For who finds a user's row altered without anybody coming in.
pub fn tell_user(conn: &mut Conn, row: &User) -> Result<(), DbError> {
    alerts::raise(conn, "integrity", Subject { kind: "user", id: row.id, name: &row.name }, "")
}

/// Whether a user as read a while ago is an older row that was put back. [`DbError::Stale`] when the row was changed since.
pub fn is_put_back(conn: &mut Conn, user: &User) -> Result<bool, DbError> {
    let told = events::told(conn, Some(user.id))?;
    if told <= user.row_version {
        return Ok(false);
    }
    // Looked at after the trail: what is in order is as new as that.
    if users::find(conn, user.id)?.row_version >= told { Err(DbError::Stale) } else { Ok(true) }
}

/// The row holds, as of this version: whoever was told otherwise hears of it, unless the trail tells of a newer one.
pub fn settle(conn: &mut Conn, subject: Uuid, version: i64) -> Result<(), DbError> {
    if !alerts::is_open(conn, "integrity", subject)? || events::told(conn, Some(subject))? > version {
        return Ok(());
    }
    alerts::close(conn, &["integrity"], subject, "it is as it was saved again")
}
