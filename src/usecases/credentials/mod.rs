//! What operators do with credentials: add, change, test and delete them, and say from when on one is old. What a form
//! may hold is in `entered`, saving over what is stored in `edit`, a new secret alone in `rotate`, the Test in `checkup`,
//! trying a value on the usages in `trials`, another credential in the place of one in `replace`.

use super::numbers::days;
use super::{Confirmation, Principal, Refusal, confirm, read, write};
use crate::accounts::Role;
use crate::credentials::{self as kinds, Kind};
use crate::draft::{self, Draft};
use crate::form::{Errors, Values};
use crate::models::credential_limits::{self, MOST_DAYS};
use crate::models::credentials::{self, Credential};
use crate::models::{Conn, CredentialId, DbError, client_usages, integration_list, relabel};
use crate::names;
use crate::opening::{self, Closed, Opened};
use crate::services::Services;
use crate::vault::Vault;

pub mod bulk;
mod checkup;
mod edit;
pub mod entered;
pub mod import;
pub mod replace;
mod rotate;
pub mod trials;
pub mod upsert;

pub use checkup::{test, test_edited, test_new};
pub use edit::{Edited, update};
use entered::Entered;
pub use rotate::{Goal, Rotated, rotate};

/// Why the credential that the product comes with stays as it is.
pub const SHIPPED: &str = "IAM Role comes with Strongroom and stands for the role of the machine that it runs on. It \
                           holds no secret, and can be neither edited nor deleted.";
const UNKNOWN_KIND: Refusal =
    Refusal::Conflict("This version of Strongroom does not know the type of this credential.");

/// Refuses the credential that the product comes with.
pub fn unless_shipped(row: &Credential) -> Result<(), Refusal> {
    if row.shipped { Err(Refusal::Conflict(SHIPPED)) } else { Ok(()) }
}

/// The type of that slug.
pub fn kind(slug: &str) -> Result<&'static Kind, Refusal> {
    let unknown = Refusal::Unacceptable("There is no such credential type. Choose one from the list.");
    kinds::find(slug).ok_or(unknown)
}

/// Adds a credential of that type.
pub async fn create(
    services: &Services,
    principal: &Principal,
    kind: &'static Kind,
    values: &Values,
) -> Result<CredentialId, Refusal> {
    principal.require(Role::Operator)?;
    let entered = entered::check(kind, values, None).map_err(Refusal::Invalid)?;
    let draft = whole(services, kind, &entered).map_err(Refusal::Invalid)?;
    let create = move |conn: &mut _, vault: &_, actor: &_| {
        let id = credentials::create(conn, vault, actor, &draft.row())?;
        if !entered.labels.is_blank() {
            relabel::credential(conn, vault, actor, (id, None), &entered.labels)?;
        }
        Ok(id)
    };
    write(services, principal, create).await.map_err(entered::refused)
}

/// The checks of all values together, and the row that they make.
fn whole(services: &Services, kind: &'static Kind, entered: &Entered) -> Result<Draft, Errors> {
    draft::may_be_sent(&services.egress, kind, &entered.values)?;
    Draft::new(kind, entered.name.clone(), entered.note.clone(), &entered.values)
}

/// Deletes a credential whose name was typed, as of the version that the principal has seen. One that is in use stays,
/// and the attempt is audited.
pub async fn delete(
    services: &Services,
    principal: &Principal,
    id: CredentialId,
    name: &str,
    seen: Option<i64>,
) -> Result<(), Refusal> {
    principal.require(Role::Operator)?;
    let look = move |conn: &mut Conn, vault: &Vault| {
        let row = credentials::find(conn, vault, id)?.into_shown();
        let integrations = integration_list::usages(conn, id, 1)?;
        Ok((row, !integrations.is_empty() || !client_usages::using(conn, id, 1)?.is_empty()))
    };
    let (row, used) = read(services, look).await?;
    unless_shipped(&row)?;
    if used {
        return Err(refuse_deletion(services, principal, id).await?);
    }
    if names::label(name, 200).as_deref() != Ok(&*row.name) {
        return Err(Refusal::Unacceptable("The name doesn't match. Nothing was deleted."));
    }
    remove(services, principal, id, seen).await
}

/// Deletes an unused credential as of the version `seen` where one is given.
async fn remove(
    services: &Services,
    principal: &Principal,
    id: CredentialId,
    seen: Option<i64>,
) -> Result<(), Refusal> {
    let deleted = write(services, principal, move |conn, vault, actor| {
        let row = credentials::find(conn, vault, id)?.into_shown();
        if seen.is_some_and(|seen| seen != row.row_version) {
            return Err(DbError::Stale);
        }
        credentials::delete(conn, vault, actor, id)
    });
    match deleted.await {
        Ok(()) => {
            services.aws.forget(id.0);
            services.tokens.forget(id.0);
            Ok(())
        }
        Err(DbError::Stale) => Err(Refusal::Overtaken),
        Err(DbError::Check(_)) => Err(Refusal::Conflict(SHIPPED)),
        // An integration began to use it a moment ago: the foreign key has the last word.
        Err(DbError::Reference(_)) => Err(refuse_deletion(services, principal, id).await?),
        Err(error) => Err(error.into()),
    }
}

async fn refuse_deletion(services: &Services, principal: &Principal, id: CredentialId) -> Result<Refusal, DbError> {
    let record = move |conn: &mut Conn, vault: &Vault, actor: &_| {
        let row = credentials::find(conn, vault, id)?.into_shown();
        let why = match row.usage_count {
            1 => "it has 1 usage".to_owned(),
            count => format!("it has {count} usages"),
        };
        credentials::record_refused_deletion(conn, vault, actor, &row, why)
    };
    write(services, principal, record).await?;
    Ok(Refusal::InUse)
}

/// Sets the days after which the secret of one credential counts as old: 0 is never, nothing is as its type says. A
/// longer limit makes alerts quieter, so it asks for the password.
pub async fn set_limit(
    services: &Services,
    principal: &Principal,
    id: CredentialId,
    entered: &str,
    confirmation: &Confirmation<'_>,
) -> Result<(), Refusal> {
    principal.require(Role::Operator)?;
    let days = days(entered, 0, MOST_DAYS).map_err(|sentence| Refusal::Invalid(Errors::one("days", sentence)))?;
    let limits = services.limits();
    let quieter = move |conn: &mut Conn, vault: &Vault| {
        let row = credentials::find(conn, vault, id)?.trust()?;
        let [before, after] = [row.stale_after_days, days].map(|own| limits.days(&row.kind, row.ages, own));
        Ok(before.is_some_and(|before| after.is_none_or(|after| after > before)))
    };
    if read(services, quieter).await? {
        confirm(services, principal.visitor(), confirmation).await?;
    }
    let set = move |conn: &mut Conn, vault: &Vault, actor: &_| credential_limits::set(conn, vault, actor, id, days);
    write(services, principal, set).await.map_err(|error| match error {
        DbError::Check(_) => Refusal::Conflict(SHIPPED),
        error => error.into(),
    })?;
    services.wake.alerts.notify_one();
    Ok(())
}

/// The stored values of a credential as of a version of its row; `why` is what the trail says it was for.
async fn open(
    services: &Services,
    principal: &Principal,
    (id, row_version): (CredentialId, i64),
    why: &'static str,
) -> Result<Result<Opened, Closed>, DbError> {
    let open = move |conn: &mut Conn, vault: &Vault, actor: &_| {
        opening::open_at(conn, vault, actor, (id, Some(row_version)), why.to_owned())
    };
    write(services, principal, open).await
}
