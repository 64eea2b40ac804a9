//! E-mail addresses of users, and the invitations that go to them. Nothing is sent while no channel is marked for
//! accounts. What a link from such a mail does is in `password_links`.

use std::time::Instant;

use super::{Confirmation, Principal, Refusal, confirm, read, write};
use crate::accounts::{Role, password};
use crate::form::Errors;
use crate::integrations::alerts::email::address;
use crate::models::account_letters::{self, Purpose, queue};
use crate::models::events::{self, Action, Actor};
use crate::models::users::{self, Change};
use crate::models::{self, Conn, DbError, UserId};
use crate::services::Services;
use crate::vault::Vault;

/// What [`DbError::Check`] names where nothing can be sent.
const NO_CHANNEL: &str = "account_letters_no_channel";

/// An address as it is stored, or what is wrong with it; blank is none.
pub fn checked(typed: &str) -> Result<Option<String>, String> {
    match typed.trim() {
        "" => Ok(None),
        typed => address(typed).map(Some),
    }
}

/// Whether invitations and password resets can be sent.
pub async fn is_offered(services: &Services) -> Result<bool, DbError> {
    Ok(read(services, account_letters::channel).await?.is_some())
}

/// What the database found wrong with a user that was entered.
pub(super) fn refused(error: DbError) -> Refusal {
    let invalid = |field, sentence: &str| Refusal::Invalid(Errors::one(field, sentence));
    match error {
        DbError::Duplicate(name) if name.contains("email") => invalid("email", "Another user has this address."),
        DbError::Duplicate(_) => invalid("username", "A user with this name already exists."),
        DbError::Check(name) if name == NO_CHANNEL => {
            invalid("email", "No e-mail channel is marked “Also for accounts”, so nothing can be sent.")
        }
        error => error.into(),
    }
}

/// Gives a user another address, or none. Whoever had the one before is told at it.
pub async fn set_email(
    services: &Services,
    principal: &Principal,
    id: UserId,
    typed: &str,
    confirmation: &Confirmation<'_>,
) -> Result<(), Refusal> {
    principal.require(Role::Auditor)?;
    if id != principal.visitor().user_id {
        principal.require(Role::Administrator)?;
    }
    let email = checked(typed).map_err(|problem| Refusal::Invalid(Errors::one("email", problem)))?;
    confirm(services, principal.visitor(), confirmation).await?;
    // Each may send a mail to an address that somebody else has entered.
    services.invitations.take(principal.visitor().user_id, Instant::now())?;
    let set = move |conn: &mut Conn, vault: &Vault, actor: &Actor| {
        let before = users::find(conn, vault, id)?.trust()?;
        if before.email == email {
            return Ok(());
        }
        users::change(conn, vault, actor, id, &Change::Email(email.clone()), None)?;
        if let (Some(former), Some(channel)) = (&before.email, account_letters::channel(conn, vault)?) {
            let by = (actor.name.as_str(), models::clock(conn)?);
            queue(conn, vault, channel.id, (&before, former), Purpose::EmailNotice, by)?;
        }
        Ok(())
    };
    write(services, principal, set).await.map_err(refused)?;
    services.sessions.forget();
    services.wake.messages.notify_one();
    Ok(())
}

/// Sends an invitation, or sends it again: the link of before ends.
pub async fn invite(services: &Services, principal: &Principal, id: UserId) -> Result<(), Refusal> {
    principal.require_fresh_as(Role::Administrator)?;
    services.invitations.take(principal.visitor().user_id, Instant::now())?;
    let send = move |conn: &mut Conn, vault: &Vault, actor: &Actor| send_invitation(conn, vault, actor, id);
    write(services, principal, send).await.map_err(refused)?;
    services.wake.messages.notify_one();
    Ok(())
}

/// In the transaction of the caller.
pub(super) fn send_invitation(conn: &mut Conn, vault: &Vault, actor: &Actor, id: UserId) -> Result<(), DbError> {
    let mut ledger = events::open(conn)?;
    let user = users::find(conn, vault, id)?.trust()?;
    let channel = account_letters::channel(conn, vault)?;
    let (Some(channel), Some(address)) = (channel, &user.email) else {
        return Err(DbError::Check(NO_CHANNEL.to_owned()));
    };
    if user.disabled || !user.password_temporary {
        return Err(DbError::Stale);
    }
    queue(conn, vault, channel.id, (&user, address), Purpose::Invitation, (&actor.name, ledger.now))?;
    ledger.record(conn, vault, actor, &user.event(Action::UserInvited, format!("at {address}")))
}

/// Takes an invitation back: its link is worth nothing any more, whoever has it.
pub async fn withdraw(services: &Services, principal: &Principal, id: UserId) -> Result<(), Refusal> {
    principal.require_fresh_as(Role::Administrator)?;
    let hash = services.gate.hasher.hash(&password::generated()).await?;
    let withdraw = move |conn: &mut Conn, vault: &Vault, actor: &Actor| {
        if account_letters::invited_until(conn, &[id])?.is_empty() {
            return Err(DbError::Stale);
        }
        users::change(conn, vault, actor, id, &Change::InvitationWithdrawn(hash.clone()), None)
    };
    Ok(write(services, principal, withdraw).await?)
}
