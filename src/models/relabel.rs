//! Changes owner and tags of a credential or an integration: one event, one version of the row, and nothing else.

use diesel::prelude::*;

use super::events::{self, Action, Actor};
use super::labels::{Change, Labels, words};
use super::schema::{credentials, integrations};
use super::trust;
use super::{Conn, CredentialId, DbError, IntegrationId};
use crate::vault::Vault;

/// Changes them on a credential, as of the version `seen` where one is given. Returns whether anything changed. Call
/// inside a transaction.
pub fn credential(
    conn: &mut Conn,
    vault: &Vault,
    actor: &Actor,
    (id, seen): (CredentialId, Option<i64>),
    change: &Change,
) -> Result<bool, DbError> {
    let mut ledger = events::open(conn)?;
    let row = super::credentials::lock(conn, vault, id)?.trust()?;
    if seen.is_some_and(|seen| seen != row.row_version) {
        return Err(DbError::Stale);
    }
    if row.shipped {
        return Err(DbError::Check("credentials_shipped".to_owned()));
    }
    let before = Labels { owner: row.owner.clone(), tags: row.tags.clone() };
    let after = change.of(&before)?;
    if before == after {
        return Ok(false);
    }
    let (next, detail) = (row.next_version(), words(&before, &after));
    let mut row = row.into_row();
    (row.owner, row.tags, row.row_version) = (after.owner, after.tags, next);
    let row = trust::sign(vault, row);
    diesel::update(credentials::table.find(id))
        .set((
            credentials::owner.eq(&row.owner),
            credentials::tags.eq(&row.tags),
            credentials::row_version.eq(next),
            credentials::row_mac.eq(&row.row_mac),
        ))
        .execute(conn)?;
    ledger.record_version(conn, vault, actor, &row.event(Action::CredentialLabelsChanged, detail), next)?;
    Ok(true)
}

/// The same on an integration.
pub fn integration(
    conn: &mut Conn,
    vault: &Vault,
    actor: &Actor,
    (id, seen): (IntegrationId, Option<i64>),
    change: &Change,
) -> Result<bool, DbError> {
    let mut ledger = events::open(conn)?;
    let row = super::integrations::lock(conn, vault, id)?.trust()?;
    if seen.is_some_and(|seen| seen != row.row_version) {
        return Err(DbError::Stale);
    }
    let before = Labels { owner: row.owner.clone(), tags: row.tags.clone() };
    let after = change.of(&before)?;
    if before == after {
        return Ok(false);
    }
    let (next, detail) = (row.next_version(), words(&before, &after));
    let mut row = row.into_row();
    (row.owner, row.tags, row.row_version) = (after.owner, after.tags, next);
    let row = trust::sign(vault, row);
    diesel::update(integrations::table.find(id))
        .set((
            integrations::owner.eq(&row.owner),
            integrations::tags.eq(&row.tags),
            integrations::row_version.eq(next),
            integrations::row_mac.eq(&row.row_mac),
        ))
        .execute(conn)?;
    ledger.record_version(conn, vault, actor, &row.event(Action::IntegrationLabelsChanged, detail), next)?;
    Ok(true)
}
