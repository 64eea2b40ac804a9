//! All integrations of a family in one piece, as programs list them. People page through `integration_list`.

use diesel::prelude::*;

use super::integrations::Integration;
use super::runs::{Run, RunState};
use super::schema::{credentials, integrations, runs};
use super::trust::{Seen, latest_version};
use super::{Conn, CredentialId, DbError, IntegrationId};
use crate::names;
use crate::vault::Vault;

/// By name, no more than `most`.
pub fn of(conn: &mut Conn, vault: &Vault, family: &str, most: i64) -> Result<Vec<Seen<Integration>>, DbError> {
    let rows = integrations::table.filter(integrations::family.eq(family)).order(integrations::name_key).limit(most);
    let found: Vec<(Integration, Option<i64>)> =
        rows.select((Integration::as_select(), latest_version!(integrations::id))).load(conn)?;
    Ok(found.into_iter().map(|row| Seen::new(vault, row, |row: &Integration| row.family == family)).collect())
}

/// The last run of each: the one that is under way before those that have ended.
pub fn last_runs(conn: &mut Conn, ids: &[IntegrationId]) -> Result<Vec<Run>, DbError> {
    let rows = runs::table.filter(runs::integration_id.eq_any(ids)).distinct_on(runs::integration_id);
    Ok(rows.order((runs::integration_id, runs::queued_at.desc())).select(Run::as_select()).load(conn)?)
}

/// Those with a run that waits or is under way.
pub fn under_way(conn: &mut Conn, family: &str) -> Result<Vec<IntegrationId>, DbError> {
    let of_family = integrations::table.filter(integrations::family.eq(family)).select(integrations::id.nullable());
    let states = [RunState::Queued.word(), RunState::Running.word()];
    let rows = runs::table.filter(runs::state.eq_any(states)).filter(runs::integration_id.eq_any(of_family));
    let found: Vec<Option<IntegrationId>> = rows.select(runs::integration_id).distinct().load(conn)?;
    Ok(found.into_iter().flatten().collect())
}

/// The ids of credentials by the keys of their names.
pub fn credential_ids(conn: &mut Conn, wanted: &[String]) -> Result<Vec<(String, CredentialId)>, DbError> {
    let keys: Vec<String> = wanted.iter().map(|name| names::key(name)).collect();
    let rows = credentials::table.filter(credentials::name_key.eq_any(keys));
    Ok(rows.select((credentials::name_key, credentials::id)).load(conn)?)
}
