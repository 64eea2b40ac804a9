//! How a change that seals a value begins.

use diesel::prelude::*;
use diesel::sql_types::Uuid as SqlUuid;

use super::events::{self, Ledger, Opened};
use super::keks::{self, Kek};
use super::schema::{audit_lanes, keks as table};
use super::together::WithFreeLane;
use super::trust::latest_version;
use super::{Conn, DbError};
use crate::vault::Vault;

/// Opens the ledger as [`events::open`] does, and names the key that new values are sealed under as [`keks::active`] does:
/// by one statement for nearly all changes.
pub fn open(conn: &mut Conn, vault: &Vault) -> Result<(Ledger, i32), DbError> {
    let probably = keks::newest(vault);
    let lanes = audit_lanes::table.inner_join(table::table.on(table::state.eq("active")));
    let version = latest_version!(keks::subject(probably).into_sql::<SqlUuid>());
    let columns = (events::lane_columns(), Kek::as_select(), version);
    let found: Option<(Opened, Kek, Option<i64>)> =
        WithFreeLane(lanes.select(columns).limit(1)).get_result(conn).optional()?;
    // All lanes are taken, or there is no key.
    let Some((lane, kek, version)) = found else { return Ok((events::open(conn)?, keks::active(conn, vault)?)) };
    let key = match keks::trusted(vault, (kek, version), probably) {
        Some(key) => key,
        None => keks::active(conn, vault)?,
    };
    Ok((Ledger::of(lane), key))
}
