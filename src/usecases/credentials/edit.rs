//! Saving over a stored credential. Only a change of values opens what is stored, to compare.

use super::entered::{self, Entered};
use super::{UNKNOWN_KIND, open, unless_shipped, whole};
use crate::accounts::Role;
use crate::credentials::{self as kinds, Kind};
use crate::draft::{Draft, Shown};
use crate::form::Values;
use crate::integrations::Family;
use crate::models::credentials::{self, Credential, NewCredential, Secret};
use crate::models::integrations::Integration;
use crate::models::trust::{Doubt, Trusted};
use crate::models::{Conn, CredentialId, DbError, altered, labels, relabel, usages};
use crate::opening::Closed;
use crate::services::Services;
use crate::usecases::integrations::{for_accounts, passed_on};
use crate::usecases::{Confirmation, Principal, Refusal, clients, confirm, read, write};
use crate::vault::Vault;

/// More than anybody has of one credential: none must hide behind the others.
const ALL_USAGES: i64 = 100_000;

/// A credential that may be edited, as it was read.
pub struct Edited {
    pub row: Credential,
    pub kind: &'static Kind,
    /// Why the row is not used.
    pub doubt: Option<Doubt>,
    /// Those in use, to suggest.
    pub owners: Vec<String>,
    pub(super) shown: Shown,
}

impl Edited {
    pub async fn load(services: &Services, id: CredentialId) -> Result<Self, Refusal> {
        let look =
            move |conn: &mut Conn, vault: &Vault| Ok((credentials::find(conn, vault, id)?, labels::owners(conn)?));
        let (seen, owners) = read(services, look).await?;
        let (doubt, row) = (seen.doubt(), seen.into_shown());
        unless_shipped(&row)?;
        let kind = kinds::find(&row.kind).ok_or(UNKNOWN_KIND)?;
        Ok(Self { kind, shown: Shown::read(&row.facts), row, doubt, owners })
    }

    /// What is saved, as far as the form may build on it: nothing secret once the row did not open.
    pub fn stored(&self) -> Values {
        let mut shown = self.shown.clone();
        if self.doubt.is_some() {
            shown.secrets.clear();
        }
        shown.stored()
    }

    /// Whether another value asks for the password. Alerts that a channel sends with it would go elsewhere, other
    /// programs would fetch stored values by another kubeconfig, or what is passed on would come from elsewhere or go
    /// there.
    pub async fn asks_for_password(&self, services: &Services) -> Result<bool, DbError> {
        self.asks(services, &self.used(services).await?).await
    }

    async fn asks(&self, services: &Services, used: &[Trusted<Integration>]) -> Result<bool, DbError> {
        Ok(carry_alerts(used)
            || passed_on::asks(services, self.row.id, used).await?
            || clients::vouches(services, self.row.id).await?)
    }

    async fn used(&self, services: &Services) -> Result<Vec<Trusted<Integration>>, DbError> {
        let id = self.row.id;
        read(services, move |conn, vault| usages::of(conn, vault, id, ALL_USAGES)).await
    }

    /// Whether what was entered is what is saved, owner and tags aside.
    pub(super) fn is_saved_as(&self, values: &Values) -> bool {
        let (stored, row) = (self.stored(), &self.row);
        let same =
            |entered: Entered| entered.values == stored && (&entered.name, &entered.note) == (&row.name, &row.note);
        self.doubt.is_none() && entered::check(self.kind, values, Some(&stored)).is_ok_and(same)
    }

    /// Whether something else than what is stored was entered, beside name and description.
    fn changes_values(&self, values: &Values) -> bool {
        let stored = self.stored();
        entered::check(self.kind, values, Some(&stored)).is_ok_and(|entered| entered.values != stored)
    }
}

/// Saves what was entered over the version of a credential that the principal has seen; [`Refusal::Overtaken`] when it
/// is another by now. The password is asked for as [`Edited::asks_for_password`] says. Where what is stored cannot be
/// opened it is [`DbError::Integrity`], and written down.
pub async fn update(
    services: &Services,
    principal: &Principal,
    (edited, seen): (&Edited, i64),
    values: &Values,
    confirmation: &Confirmation<'_>,
) -> Result<(), Refusal> {
    principal.require(Role::Operator)?;
    if edited.changes_values(values) {
        confirm_change(services, principal, edited, confirmation).await?;
    }
    if edited.row.row_version != seen {
        return Err(Refusal::Overtaken);
    }
    let (entered, draft) = compare(services, principal, edited, values, "edit").await?;
    save(services, principal, edited, entered, draft).await
}

/// Asks for the role and the password that other values of a credential take.
pub(super) async fn confirm_change(
    services: &Services,
    principal: &Principal,
    edited: &Edited,
    confirmation: &Confirmation<'_>,
) -> Result<(), Refusal> {
    let used = edited.used(services).await?;
    for_accounts::check_usages(principal, used.iter().map(|row| &**row))?;
    passed_on::check_value(services, principal, edited.row.id, &used).await?;
    if clients::vouches(services, edited.row.id).await? {
        clients::check_vouching(principal)?;
    }
    if edited.asks(services, &used).await? {
        confirm(services, principal.visitor(), confirmation).await?;
    }
    Ok(())
}

fn carry_alerts(used: &[Trusted<Integration>]) -> bool {
    used.iter().any(|row| row.family == Family::AlertProfile.slug())
}

/// What was entered, with the row that it makes where more than name and description changes. `why` is what the trail
/// says the stored values were opened for.
pub(super) async fn compare(
    services: &Services,
    principal: &Principal,
    edited: &Edited,
    values: &Values,
    why: &'static str,
) -> Result<(Entered, Option<(Draft, Secret)>), Refusal> {
    let (stored, at) = (edited.stored(), (edited.row.id, edited.row.row_version));
    let entered = entered::check(edited.kind, values, Some(&stored)).map_err(Refusal::Invalid)?;
    if edited.doubt.is_some() {
        let draft = whole(services, edited.kind, &entered).map_err(Refusal::Invalid)?;
        return Ok((entered, Some((draft, Secret::Replaced))));
    }
    if entered.values == stored {
        return Ok((entered, None));
    }
    let stored = match open(services, principal, at, why).await? {
        Ok(opened) => opened.values,
        Err(Closed::Stale) => return Err(Refusal::Overtaken),
        Err(closed) => return Err(DbError::from(closed).into()),
    };
    let entered = entered::check(edited.kind, values, Some(&stored)).map_err(Refusal::Invalid)?;
    let secret = Draft::compared_with(edited.kind, &stored, &entered.values);
    let draft = whole(services, edited.kind, &entered).map_err(Refusal::Invalid)?;
    Ok((entered, Some((draft, secret))))
}

/// The row as it is, with what was entered of name and description.
fn kept<'a>(row: &'a Credential, entered: &'a Entered) -> NewCredential<'a> {
    NewCredential {
        kind: &row.kind,
        name: &entered.name,
        note: &entered.note,
        identity: &row.identity,
        facts: &row.facts,
        ages: row.ages,
        expires_at: row.expires_at,
        key_id: None,
        plaintext: &[],
    }
}

/// Who may save another value, asked in the transaction that does.
fn held(
    conn: &mut Conn,
    vault: &Vault,
    principal: &Principal,
    id: CredentialId,
) -> Result<Result<(), Refusal>, DbError> {
    match clients::held_vouching(conn, principal, id)? {
        Ok(()) => passed_on::held_value(conn, vault, principal, id),
        refused => Ok(refused),
    }
}

/// Writes it; without a draft only name, description, owner and tags.
pub(super) async fn save(
    services: &Services,
    principal: &Principal,
    edited: &Edited,
    entered: Entered,
    draft: Option<(Draft, Secret)>,
) -> Result<(), Refusal> {
    let (row, id, asked) = (edited.row.clone(), edited.row.id, principal.clone());
    let saved = write(services, principal, move |conn, vault, actor| {
        if draft.is_some()
            && let Err(refusal) = held(conn, vault, &asked, id)?
        {
            return Ok(Err(refusal));
        }
        let (new, secret) = match &draft {
            Some((draft, secret)) => (draft.row(), *secret),
            None => (kept(&row, &entered), Secret::Kept),
        };
        // Owner and tags alone are one change of their own.
        let same = draft.is_none() && (&entered.name, &entered.note) == (&row.name, &row.note);
        let seen = same.then_some(row.row_version);
        if same && relabel::credential(conn, vault, actor, (id, seen), &entered.labels)? {
            return Ok(Ok(()));
        }
        credentials::update(conn, vault, actor, (id, row.row_version), &new, secret)?;
        relabel::credential(conn, vault, actor, (id, None), &entered.labels).map(|_| Ok(()))
    });
    let saved = saved.await;
    if let Err(DbError::Integrity) = saved {
        write(services, principal, move |conn, vault, actor| altered::quarantine(conn, vault, actor, id)).await?;
    }
    saved.map_err(|error| match error {
        DbError::Stale => Refusal::Overtaken,
        error => entered::refused(error),
    })?
}
