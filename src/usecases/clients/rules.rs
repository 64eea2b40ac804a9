//! Rules: what a client may fetch. Operators let it fetch what ends by itself. What stays valid leaves only by
//! administrators, with their password: an entry of a secret store; or a stored value, for which the credential's name is
//! typed, too, and every administrator who can be written to is told.

use std::time::Instant;

use super::entered::{Checked, RELEASED, check};
use super::guard;
use crate::accounts::Role;
use crate::form::{Errors, Values};
use crate::integrations::issue::Form;
use crate::models::client_rules::{self as stored_rules, ClientRule};
use crate::models::events::{self, Actor};
use crate::models::{ClientId, ClientRuleId, Conn, DbError, account_letters, clients};
use crate::services::Services;
use crate::usecases::confirmation::check_password;
use crate::usecases::{Confirmation, Principal, Refusal, confirm, read, write};
use crate::vault::Vault;

/// Most rules of one client.
const MOST: usize = 500;

/// What comes with the form beside its fields.
pub struct Answer<'a> {
    /// The name of the credential, as it was typed; `None` while nobody was asked.
    pub released: Option<&'a str>,
    pub confirmation: Confirmation<'a>,
}

/// The password; always anew for what stays valid, and for a stored value with the credential's name.
async fn confirm_all(
    services: &Services,
    principal: &Principal,
    checked: &Checked,
    answer: &Answer<'_>,
) -> Result<(), Refusal> {
    let form = checked.form;
    if !form.is_value() {
        return confirm(services, principal.visitor(), &answer.confirmation).await;
    }
    let typed = answer.released.map(str::trim).unwrap_or_default();
    if form.is_stored_value() && typed != checked.source_name {
        let sentence = match typed {
            "" => "Type the name of the credential.",
            _ => "The name doesn't match. Nothing was saved.",
        };
        return Err(Refusal::Invalid(Errors::one(RELEASED, sentence)));
    }
    check_password(services, principal.visitor(), &answer.confirmation).await
}

fn refused(error: DbError) -> Refusal {
    match error {
        DbError::Duplicate(_) => Refusal::Invalid(Errors::one("name", "This client has another rule of this name.")),
        DbError::Stale => Refusal::Overtaken,
        // Deleted a moment ago.
        DbError::Reference(_) => {
            Refusal::Invalid(Errors::one("form", "The credential or store was deleted meanwhile. Choose another."))
        }
        error => error.into(),
    }
}

/// Refuses the first rule for what stays valid while somebody else's login would get it.
async fn check_logins(services: &Services, client: ClientId, form: &'static Form) -> Result<(), Refusal> {
    let look = move |conn: &mut Conn, vault: &Vault| guard::first_value(conn, vault, client, form);
    read(services, look).await?.map_or(Ok(()), Err)
}

/// The same inside the transaction that saves the rule, with the client held.
fn held_logins(conn: &mut Conn, vault: &Vault, client: ClientId, form: &Form) -> Result<Option<Refusal>, DbError> {
    if !form.is_value() {
        return Ok(None);
    }
    guard::hold(conn, vault, client)?;
    guard::first_value(conn, vault, client, form)
}

/// Tells every administrator that a stored value may leave.
fn tell(conn: &mut Conn, vault: &Vault, actor: &Actor, (client, checked): (&str, &Checked)) -> Result<(), DbError> {
    if !checked.form.is_stored_value() {
        return Ok(());
    }
    let about = format!("“{}”, by the rule {} of the client {client}", checked.source_name, checked.name);
    let now = events::open(conn)?.now;
    account_letters::tell_administrators(conn, vault, &about, (&actor.name, now)).map(drop)
}

/// Adds a rule.
pub async fn create(
    services: &Services,
    principal: &Principal,
    client: ClientId,
    posted: &Values,
    answer: &Answer<'_>,
) -> Result<ClientRuleId, Refusal> {
    principal.require(Role::Operator)?;
    let checked = check(services, principal, posted).await?;
    check_logins(services, client, checked.form).await?;
    confirm_all(services, principal, &checked, answer).await?;
    let add = move |conn: &mut Conn, vault: &Vault, actor: &Actor| {
        if let Some(refusal) = held_logins(conn, vault, client, checked.form)? {
            return Ok(Err(refusal));
        }
        let row = clients::find(conn, vault, client)?.trust()?;
        if stored_rules::of(conn, vault, client)?.len() >= MOST {
            return Ok(Err(Refusal::Conflict("This client has 500 rules. Delete one first.")));
        }
        let id = stored_rules::make(conn, vault, actor, &row, &checked.row())?;
        tell(conn, vault, actor, (&row.name, &checked))?;
        Ok(Ok(id))
    };
    let id = write(services, principal, add).await.map_err(refused)??;
    services.wake.messages.notify_one();
    Ok(id)
}

/// Saves what was entered over the version of a rule that the principal has seen.
pub async fn update(
    services: &Services,
    principal: &Principal,
    (client, id, seen): (ClientId, ClientRuleId, i64),
    posted: &Values,
    answer: &Answer<'_>,
) -> Result<(), Refusal> {
    principal.require(Role::Operator)?;
    let checked = check(services, principal, posted).await?;
    check_logins(services, client, checked.form).await?;
    confirm_all(services, principal, &checked, answer).await?;
    let save = move |conn: &mut Conn, vault: &Vault, actor: &Actor| {
        if let Some(refusal) = held_logins(conn, vault, client, checked.form)? {
            return Ok(Err(refusal));
        }
        let row = clients::find(conn, vault, client)?.trust()?;
        stored_rules::update(conn, vault, actor, (&row, id, seen), &checked.row())?;
        tell(conn, vault, actor, (&row.name, &checked)).map(Ok)
    };
    write(services, principal, save).await.map_err(refused)??;
    services.wake.messages.notify_one();
    Ok(())
}

/// A rule of a client, to be shown.
pub async fn of_client(services: &Services, client: ClientId, id: ClientRuleId) -> Result<ClientRule, DbError> {
    let find = move |conn: &mut Conn, vault: &Vault| stored_rules::find(conn, vault, (client, id));
    Ok(read(services, find).await?.into_shown())
}

/// Takes a rule from a client: it fetches by it no more, at once.
pub async fn delete(
    services: &Services,
    principal: &Principal,
    (client, id): (ClientId, ClientRuleId),
) -> Result<(), Refusal> {
    principal.require(Role::Operator)?;
    let delete = move |conn: &mut Conn, vault: &Vault, actor: &Actor| {
        let row = clients::find(conn, vault, client)?.into_shown();
        stored_rules::delete(conn, vault, actor, &row, id)
    };
    Ok(write(services, principal, delete).await?)
}

/// Asks for the value of a rule to be read anew, by everybody who runs with it.
pub async fn refresh(
    services: &Services,
    principal: &Principal,
    (client, id): (ClientId, ClientRuleId),
) -> Result<(), Refusal> {
    principal.require(Role::Operator)?;
    services.refreshes.take(principal.visitor().user_id, Instant::now())?;
    let refresh = move |conn: &mut Conn, vault: &Vault, actor: &Actor| {
        let row = clients::find(conn, vault, client)?.into_shown();
        stored_rules::refresh(conn, vault, actor, &row, id)
    };
    write(services, principal, refresh).await?;
    services.fetches.forget();
    Ok(())
}
