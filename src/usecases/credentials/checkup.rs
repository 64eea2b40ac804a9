//! The Test: of what was entered before it is saved, or of a saved credential. Nothing is stored of the first; of the
//! second the outcome is. A stored secret goes only where its own sealed values say, never to an address that was
//! entered with it: who changes an identity must bring the secret that belongs to it.

use std::time::Instant;

use super::edit::Edited;
use super::{UNKNOWN_KIND, entered, open, whole};
use crate::accounts::Role;
use crate::checkup;
use crate::credentials::{self as kinds, Kind};
use crate::draft;
use crate::form::Values;
use crate::models::credentials::Credential;
use crate::models::trust::{Doubt, Trusted};
use crate::models::{CredentialId, DbError, altered, credentials, sample};
use crate::providers;
use crate::providers::aws::roles::Wanted;
use crate::providers::probe::{Finding, Verdict};
use crate::services::Services;
use crate::usecases::{Principal, Refusal, read, write};

/// Tests what was entered for a new credential.
pub async fn test_new(
    services: &Services,
    principal: &Principal,
    kind: &'static Kind,
    values: &Values,
) -> Result<Finding, Refusal> {
    principal.require(Role::Operator)?;
    let entered = entered::check(kind, values, None).map_err(Refusal::Invalid)?;
    whole(services, kind, &entered).map_err(Refusal::Invalid)?;
    ask(services, principal, kind, &entered.values, &[]).await
}

/// Tests a credential as it is saved, and records the outcome.
pub async fn test(services: &Services, principal: &Principal, id: CredentialId) -> Result<Finding, Refusal> {
    principal.require(Role::Operator)?;
    let row = trusted(services, principal, id).await?;
    let kind = kinds::find(&row.kind).ok_or(UNKNOWN_KIND)?;
    if !providers::has_test(kind) {
        return ask(services, principal, kind, &Values::default(), &[]).await;
    }
    services.checkups.take(principal.visitor().user_id, Instant::now())?;
    saved(services, principal, id).await
}

/// The same without asking how often. Of a type that has a test.
pub(super) async fn saved(services: &Services, principal: &Principal, id: CredentialId) -> Result<Finding, Refusal> {
    let row = trusted(services, principal, id).await?;
    let kind = kinds::find(&row.kind).ok_or(UNKNOWN_KIND)?;
    if row.secret_version == 1 && read(services, move |conn, _| sample::has(conn, id.0)).await? {
        return Ok(Finding::new(Verdict::NotHere, "This is sample data: no provider was asked.", ""));
    }
    let values = opened(services, principal, (id, row.row_version)).await?;
    let found = checkup::probe(services, kind, &values, &roles(services, id).await?).await;
    checkup::record(services, principal.actor(), id, row.secret_version, &found).await?;
    Ok(found)
}

/// The row, if it is to be relied on; one that is not is put aside.
async fn trusted(services: &Services, principal: &Principal, id: CredentialId) -> Result<Trusted<Credential>, Refusal> {
    match read(services, move |conn, vault| credentials::find(conn, vault, id)).await?.judged() {
        Ok(row) => Ok(row),
        Err((_, Doubt::LaterRelease)) => Err(DbError::LaterRelease.into()),
        Err(_) => {
            write(services, principal, move |conn, vault, actor| altered::quarantine(conn, vault, actor, id)).await?;
            Err(DbError::Integrity.into())
        }
    }
}

/// Tests what was entered over the version of a saved credential that the principal has seen.
pub async fn test_edited(
    services: &Services,
    principal: &Principal,
    (edited, seen): (&Edited, i64),
    values: &Values,
) -> Result<Finding, Refusal> {
    principal.require(Role::Operator)?;
    if edited.row.row_version != seen {
        return Err(Refusal::Overtaken);
    }
    let (kind, id) = (edited.kind, edited.row.id);
    let mut entered = entered::check(kind, values, Some(&edited.stored()));
    // What was typed whole needs nothing of what is stored.
    if entered.as_ref().is_ok_and(|entered| draft::keeps_a_secret(kind, &entered.values)) {
        entered = entered::check(kind, values, Some(&opened(services, principal, (id, seen)).await?));
    }
    let entered = entered.map_err(Refusal::Invalid)?;
    whole(services, kind, &entered).map_err(Refusal::Invalid)?;
    // A key that is about to replace another is tried with the roles that wait for it.
    ask(services, principal, kind, &entered.values, &roles(services, id).await?).await
}

async fn ask(
    services: &Services,
    principal: &Principal,
    kind: &'static Kind,
    values: &Values,
    roles: &[Wanted],
) -> Result<Finding, Refusal> {
    services.checkups.take(principal.visitor().user_id, Instant::now())?;
    Ok(checkup::probe(services, kind, values, roles).await)
}

/// Those that the integrations of a saved credential name.
async fn roles(services: &Services, id: CredentialId) -> Result<Vec<Wanted>, DbError> {
    read(services, move |conn, vault| checkup::roles(conn, vault, id)).await
}

async fn opened(services: &Services, principal: &Principal, at: (CredentialId, i64)) -> Result<Values, DbError> {
    Ok(open(services, principal, at, "test").await?.map_err(DbError::from)?.values)
}
