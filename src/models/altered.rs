//! Integrations and users whose row is not what Strongroom saved. They are not used, and that is told; what is done about an
//! altered credential is in `credentials`.

use uuid::Uuid;

use super::alerts::{self, Subject};
use super::events::{self, Actor};
use super::integrations::Integration;
use super::users::User;
use super::{Conn, DbError};
use crate::vault::Vault;

/// A use was refused: that is counted, audited and told. Call inside a transaction.
pub fn refuse(conn: &mut Conn, vault: &Vault, row: &Integration) -> Result<(), DbError> {
    metrics::counter!("strongroom_integrity_failures_total").increment(1);
    let event = row.event("integration.integrity_failure", "use refused".to_owned());
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
    events::record(conn, vault, actor, &user.event("user.integrity_failure", what.to_owned()))?;
    alerts::raise(conn, "integrity", Subject { kind: "user", id: user.id, name: &user.name }, "")
}

/// The row holds: whoever was told otherwise hears of it.
pub fn settle(conn: &mut Conn, subject: Uuid) -> Result<(), DbError> {
    alerts::close(conn, &["integrity"], subject, "it is as it was saved again")
}
