//! The integrations that use a credential, as whole rows: for what their settings say of it. The lines that pages list are
//! in `integrations`.

use diesel::prelude::*;
use uuid::Uuid;

use super::integrations::Integration;
use super::schema::integrations;
use super::{Conn, DbError};
use crate::vault::Vault;

/// By name, enabled or not; not yet checked.
pub fn of(conn: &mut Conn, credential: Uuid, limit: i64) -> Result<Vec<Integration>, DbError> {
    let rows = integrations::table.filter(integrations::credential_id.eq(credential));
    Ok(rows.order(integrations::name_key).limit(limit).select(Integration::as_select()).load(conn)?)
}

/// Whether another integration already sends this credential to this host, so that one more tells it nothing new.
pub fn known_destination(
    conn: &mut Conn,
    vault: &Vault,
    credential: Uuid,
    host: &str,
    but: Option<Uuid>,
) -> Result<bool, DbError> {
    let rows: Vec<Integration> = integrations::table
        .filter(integrations::credential_id.eq(credential).and(integrations::host.eq(host)))
        .select(Integration::as_select())
        .load(conn)?;
    Ok(rows.iter().any(|row| Some(row.id) != but && row.check(vault).is_ok()))
}
