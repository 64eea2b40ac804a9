//! The integrations that use a credential, as whole rows: for what their settings say of it. The lines that pages list
//! are in `integrations`.

use diesel::prelude::*;
use uuid::Uuid;

use super::integrations::Integration;
use super::schema::integrations;
use super::trust::{Seen, Trusted, latest_version};
use super::{Conn, DbError};
use crate::vault::Vault;

/// By name, enabled or not; without those that are not trusted.
pub fn of(conn: &mut Conn, vault: &Vault, credential: Uuid, limit: i64) -> Result<Vec<Trusted<Integration>>, DbError> {
    let rows = integrations::table.filter(integrations::credential_id.eq(credential));
    let rows = rows.order(integrations::name_key).limit(limit);
    let found: Vec<(Integration, Option<i64>)> =
        rows.select((Integration::as_select(), latest_version!(integrations::id))).load(conn)?;
    Ok(trusted(vault, found, |row| row.credential_id == Some(credential)))
}

fn trusted(
    vault: &Vault,
    found: Vec<(Integration, Option<i64>)>,
    asked: impl Fn(&Integration) -> bool,
) -> Vec<Trusted<Integration>> {
    found.into_iter().filter_map(|row| Seen::new(vault, row, &asked).judged().ok()).collect()
}

/// Whether an integration for which `same` holds already sends this credential to this host, so that one more tells it
/// nothing new.
pub fn known_destination(
    conn: &mut Conn,
    vault: &Vault,
    credential: Uuid,
    host: &str,
    same: impl Fn(&Integration) -> bool,
) -> Result<bool, DbError> {
    let rows = integrations::table.filter(integrations::credential_id.eq(credential).and(integrations::host.eq(host)));
    let found: Vec<(Integration, Option<i64>)> =
        rows.select((Integration::as_select(), latest_version!(integrations::id))).load(conn)?;
    let asked = |row: &Integration| row.credential_id == Some(credential) && row.host == host;
    Ok(trusted(vault, found, asked).iter().any(|row| same(row)))
}
