//! Who changes where an entry of a secret store is read from, once something passes it on: an administrator has let it
//! leave, so only one does, with a fresh password. The same holds for a credential that leads values into a cluster.
//! The role is asked for before anybody is asked for a password, and once more in the transaction that writes.

use super::destination::{self, check_leader};
use super::draft::Draft;
use crate::accounts::Role;
use crate::models::events;
use crate::models::integrations::Integration;
use crate::models::trust::Trusted;
use crate::models::{Conn, CredentialId, DbError, IntegrationId, stores, usages};
use crate::services::Services;
use crate::usecases::{Confirmation, Principal, Refusal, confirm, read};
use crate::vault::Vault;

const STORE: Refusal = Refusal::Conflict(
    "A client or a Secret Sync gets entries of this store, so only an administrator can change its settings or its \
     credential.",
);
const CREDENTIAL: Refusal = Refusal::Conflict(
    "A client or a Secret Sync gets entries of a store that is read with this credential, so only an administrator can \
     change it.",
);

/// More than anybody has of one credential.
const ALL: i64 = 100_000;

/// Asks for the role and the password that other settings of a store take. `asked`: the password was given for a new
/// destination.
pub(super) async fn check_store(
    services: &Services,
    principal: &Principal,
    (draft, row): (&Draft, &Integration),
    (asked, confirmation): (bool, &Confirmation<'_>),
) -> Result<(), Refusal> {
    if !draft.reads_elsewhere(row) || !is_passed_on(services, vec![row.id]).await? {
        return Ok(());
    }
    principal.require(Role::Administrator).map_err(|_| STORE)?;
    if asked { Ok(()) } else { confirm(services, principal.visitor(), confirmation).await }
}

/// The role once more, inside the transaction that saves them.
pub(super) fn held_store(
    conn: &mut Conn,
    principal: &Principal,
    (draft, row): (&Draft, &Integration),
) -> Result<Result<(), Refusal>, DbError> {
    match draft.reads_elsewhere(row) {
        true => held(conn, principal, &[row.id], STORE),
        false => Ok(Ok(())),
    }
}

/// Whether something passes on an entry of one of these integrations.
async fn is_passed_on(services: &Services, ids: Vec<IntegrationId>) -> Result<bool, DbError> {
    read(services, move |conn, _| stores::is_any_used(conn, &ids)).await
}

/// Nobody makes a first rule or item meanwhile: the ledger is taken by every change.
fn held(
    conn: &mut Conn,
    principal: &Principal,
    ids: &[IntegrationId],
    refusal: Refusal,
) -> Result<Result<(), Refusal>, DbError> {
    events::open(conn)?;
    let may = principal.require(Role::Administrator).is_ok();
    Ok(if may || !stores::is_any_used(conn, ids)? { Ok(()) } else { Err(refusal) })
}

/// Refuses operators another credential for integrations of which an entry is passed on. `true`: it asks for the
/// password.
pub(in crate::usecases) async fn check_moves(
    services: &Services,
    principal: &Principal,
    ids: Vec<IntegrationId>,
) -> Result<bool, Refusal> {
    let is_passed_on = is_passed_on(services, ids).await?;
    if is_passed_on {
        principal.require(Role::Administrator).map_err(|_| STORE)?;
    }
    Ok(is_passed_on)
}

/// The same inside the transaction that moves them.
pub(in crate::usecases) fn held_moves(
    conn: &mut Conn,
    principal: &Principal,
    ids: &[IntegrationId],
) -> Result<Result<(), Refusal>, DbError> {
    held(conn, principal, ids, STORE)
}

/// Whether another value of the credential asks for the password, since it leads values into a cluster, or reads
/// entries that are passed on. `used`: the integrations that use it.
pub(in crate::usecases) async fn asks(
    services: &Services,
    credential: CredentialId,
    used: &[Trusted<Integration>],
) -> Result<bool, DbError> {
    let leads = used.iter().any(|row| row.credential_id == Some(credential) && destination::leads(row));
    Ok(leads || is_passed_on(services, used.iter().map(|row| row.id).collect()).await?)
}

/// Refuses operators another value of such a credential.
pub(in crate::usecases) async fn check_value(
    services: &Services,
    principal: &Principal,
    credential: CredentialId,
    used: &[Trusted<Integration>],
) -> Result<(), Refusal> {
    check_leader(principal, credential, used.iter().map(|row| &**row))?;
    if principal.require(Role::Administrator).is_err()
        && is_passed_on(services, used.iter().map(|row| row.id).collect()).await?
    {
        return Err(CREDENTIAL);
    }
    Ok(())
}

/// The same inside the transaction that saves the value.
pub(in crate::usecases) fn held_value(
    conn: &mut Conn,
    vault: &Vault,
    principal: &Principal,
    credential: CredentialId,
) -> Result<Result<(), Refusal>, DbError> {
    if principal.require(Role::Administrator).is_ok() {
        return Ok(Ok(()));
    }
    events::open(conn)?;
    let used = usages::of(conn, vault, credential, ALL)?;
    if let Err(refusal) = check_leader(principal, credential, used.iter().map(|row| &**row)) {
        return Ok(Err(refusal));
    }
    held(conn, principal, &used.iter().map(|row| row.id).collect::<Vec<_>>(), CREDENTIAL)
}
