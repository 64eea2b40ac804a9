//! Which integrations use a credential, as whole rows; the lines that pages list are in `integration_list`.

use diesel::prelude::*;

use super::integrations::Integration;
use super::schema::{integrations, usages};
use super::trust::{Seen, Trusted, latest_version};
use super::{Conn, CredentialId, DbError};
use crate::vault::Vault;

/// The integrations that use the credential in any role, by name, enabled or not; without those that are not trusted.
pub fn of(
    conn: &mut Conn,
    vault: &Vault,
    credential: CredentialId,
    limit: i64,
) -> Result<Vec<Trusted<Integration>>, DbError> {
    let using = usages::table.filter(usages::credential_id.eq(credential)).select(usages::integration_id);
    let rows = integrations::table.filter(integrations::id.eq_any(using)).order(integrations::name_key).limit(limit);
    let found: Vec<(Integration, Option<i64>)> =
        rows.select((Integration::as_select(), latest_version!(integrations::id))).load(conn)?;
    Ok(trusted(vault, found, |row| row.uses(credential, None)))
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
    credential: CredentialId,
    host: &str,
    same: impl Fn(&Integration) -> bool,
) -> Result<bool, DbError> {
    let there = usages::credential_id.eq(credential).and(usages::host.eq(host));
    let using = usages::table.filter(there).select(usages::integration_id);
    let rows = integrations::table.filter(integrations::id.eq_any(using));
    let found: Vec<(Integration, Option<i64>)> =
        rows.select((Integration::as_select(), latest_version!(integrations::id))).load(conn)?;
    Ok(trusted(vault, found, |row| row.uses(credential, Some(host))).iter().any(|row| same(row)))
}
