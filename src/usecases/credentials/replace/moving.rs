//! Moving usages to another credential, all or none, and back.

use super::{Chosen, Move, Moved, Plan, Proof, fits};
use crate::accounts::Role;
use crate::draft::Shown;
use crate::form::Errors;
use crate::models::credentials::{self, Credential};
use crate::models::integrations::{self, Integration};
use crate::models::trust::Trusted;
use crate::models::{Conn, CredentialId, DbError, IntegrationId, replacing, usages};
use crate::services::Services;
use crate::usecases::integrations::passed_on;
use crate::usecases::{Principal, Refusal, read, write};
use crate::vault::Vault;

const MOVED: &str = "replacement/moved";
const NOT_THE_PAGE: Refusal = Refusal::Conflict(
    "Only the page that showed the move undoes it. Open the credential and choose Replace everywhere.",
);

/// Moves all of them, or none.
pub(super) async fn all(services: &Services, principal: &Principal, plan: Plan) -> Result<Moved, Refusal> {
    let Plan { from, to, moves } = plan;
    let chosen = moves.iter().map(|one| one.chosen.clone()).collect();
    let now = move_usages(services, principal, chosen, [&from, &to]).await?;
    let proof = Proof::new(principal, (from.id, to.id), 0, &now).write(services, MOVED);
    Ok(Moved { to, lines: moves.into_iter().map(|Move { line, .. }| line).collect(), now, proof })
}

/// Moves usages from one credential to another in one transaction with an event for each integration, and returns them
/// as they are then.
async fn move_usages(
    services: &Services,
    principal: &Principal,
    mut chosen: Vec<Chosen>,
    [from, to]: [&Credential; 2],
) -> Result<Vec<Chosen>, Refusal> {
    // In one order, so that two people who move the same usages do not wait for each other.
    chosen.sort_by_key(|one| one.integration.0);
    let (ids, detail) = ((from.id, to.id), format!("credential {} instead of {}", to.name, from.name));
    let asked = principal.clone();
    let moved = write(services, principal, move |conn, vault, actor| {
        let integrations: Vec<IntegrationId> = chosen.iter().map(|one| one.integration).collect();
        if let Err(refusal) = passed_on::held_moves(conn, &asked, &integrations)? {
            return Ok(Err(refusal));
        }
        let mut now = Vec::new();
        for usages in chosen.chunk_by(|one, other| one.integration == other.integration) {
            let roles: Vec<&str> = usages.iter().map(|one| one.role.as_str()).collect();
            let at = (usages[0].integration, usages[0].row_version);
            let row_version = replacing::replace(conn, vault, actor, at, &roles, (ids.0, ids.1, &detail))?;
            now.extend(usages.iter().map(|one| Chosen { row_version, ..one.clone() }));
        }
        Ok(Ok(now))
    });
    moved.await.map_err(|error| match error {
        DbError::Stale | DbError::NotFound => Refusal::Overtaken,
        DbError::Reference(_) => {
            Refusal::Invalid(Errors::one("to", "This credential has been deleted. Choose another."))
        }
        error => error.into(),
    })?
}

/// What came of moving them back.
pub enum Undone {
    Back,
    /// Nothing was moved; these changed since, each in a sentence.
    Changed(Vec<String>),
}

/// Moves usages back to the credential that they used before they were moved in the same session, while each of their
/// integrations is as it was left. The secret goes where it went before, so nothing is asked.
pub async fn undo(
    services: &Services,
    principal: &Principal,
    (from, to): (CredentialId, CredentialId),
    moved: &[Chosen],
    proof: &str,
) -> Result<Undone, Refusal> {
    principal.require(Role::Operator)?;
    if !Proof::new(principal, (from, to), 0, moved).holds(services, MOVED, proof) {
        return Err(NOT_THE_PAGE);
    }
    let wanted = moved.to_vec();
    let look = move |conn: &mut Conn, vault: &Vault| {
        let before = match credentials::find(conn, vault, from) {
            Err(DbError::NotFound) => {
                return Ok(Err(vec!["The credential that they used before was deleted.".to_owned()]));
            }
            found => found?.trust()?,
        };
        let now = credentials::find(conn, vault, to)?.into_shown();
        let rows = usages::of(conn, vault, to, i64::MAX)?;
        let mut changes = Vec::new();
        for one in &wanted {
            changes.extend(change(conn, vault, one, &rows, [&before, &now])?);
        }
        Ok(if changes.is_empty() { Ok(((*before).clone(), now)) } else { Err(changes) })
    };
    let (before, now) = match read(services, look).await? {
        Ok(both) => both,
        Err(changes) => return Ok(Undone::Changed(changes)),
    };
    match move_usages(services, principal, moved.to_vec(), [&now, &before]).await {
        Ok(_) => Ok(Undone::Back),
        Err(Refusal::Overtaken) => Ok(Undone::Changed(vec!["An integration was changed a moment ago.".to_owned()])),
        Err(refusal) => Err(refusal),
    }
}

/// What is in the way of moving a usage back. `rows` use the credential that it was moved to.
fn change(
    conn: &mut Conn,
    vault: &Vault,
    one: &Chosen,
    rows: &[Trusted<Integration>],
    [before, now]: [&Credential; 2],
) -> Result<Option<String>, DbError> {
    let row = rows.iter().find(|row| row.id == one.integration && row.row_version == one.row_version);
    if let Some(row) = row.filter(|row| row.credential_as(&one.role) == Some(now.id)) {
        let fits = fits(row, &one.role, &before.kind, &Shown::read(&before.facts).stored());
        return Ok((!fits).then(|| format!("{} doesn't accept {} any more.", row.name, before.name)));
    }
    Ok(Some(match integrations::find(conn, vault, one.integration) {
        Ok(row) => format!("{} was changed by {}.", row.shown().name, row.shown().edited_by),
        Err(DbError::NotFound) => "An integration was deleted.".to_owned(),
        Err(error) => return Err(error),
    }))
}
