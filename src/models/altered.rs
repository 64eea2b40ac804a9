//! Integrations whose row is not what Strongroom saved. They are not used, and that is told; what is done about an altered
//! credential is in `credentials`.

use super::alerts::{self, Subject};
use super::events::{self, Actor};
use super::integrations::Integration;
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

/// The row holds: whoever was told otherwise hears of it.
pub fn settle(conn: &mut Conn, row: &Integration) -> Result<(), DbError> {
    alerts::close(conn, &["integrity"], row.id, "it is as it was saved again")
}
