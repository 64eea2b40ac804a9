//! What administrators do with users, and how the first administrator is made. What needs a password that
//! was given lately says so in its first line. Addresses and invitations are in `user_mail`.

use std::time::Instant;

use zeroize::Zeroizing;

use super::{Confirmation, Principal, Refusal, confirm, read, user_mail, write};
use crate::accounts::{self, Role, password, tokens};
use crate::form::Errors;
use crate::models::events::Actor;
use crate::models::sessions::{self, Which};
use crate::models::trust::Trusted;
use crate::models::users::{self, Change, User};
use crate::models::{Conn, DbError, UserId, logins};
use crate::names;
use crate::services::Services;
use crate::vault::Vault;

const CHOOSE_ROLE: &str = "Choose a role.";

/// What somebody typed for a new user.
pub struct NewUser<'a> {
    pub name: &'a str,
    pub role: &'a str,
    /// May be blank.
    pub email: &'a str,
    pub first: First<'a>,
}

/// How a new user gets in for the first time.
#[derive(Clone, Copy)]
pub enum First<'a> {
    /// By a password that somebody else has set.
    Password(Typed<'a>),
    /// By a link from a mail.
    Invitation,
}

/// A password typed twice.
#[derive(Clone, Copy)]
pub struct Typed<'a> {
    pub password: &'a str,
    pub again: &'a str,
}

/// A user whose password somebody else has set.
pub struct Invited {
    pub id: UserId,
    pub name: String,
    /// The password that was made here, to be shown once.
    pub generated: Option<Zeroizing<String>>,
}

/// How a user must log in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TwoStep {
    Required,
    Optional,
    /// The authenticator is taken off the account.
    Reset,
}

impl Typed<'_> {
    /// What is wrong with it, as a new password of this user.
    pub fn check(self, user: &str) -> Errors {
        match password::acceptable(self.password, user) {
            Err(problem) => Errors::one("password", problem),
            Ok(()) if self.password != self.again => Errors::one("password_again", "The two passwords differ."),
            Ok(()) => Errors::default(),
        }
    }

    /// The password for somebody else, and whether it was made here because both fields are blank.
    fn or_generated(self, user: &str) -> Result<(Zeroizing<String>, bool), Errors> {
        if self.password.is_empty() && self.again.is_empty() {
            return Ok((password::generated().into(), true));
        }
        let errors = self.check(user);
        if errors.is_empty() { Ok((self.password.to_owned().into(), false)) } else { Err(errors) }
    }
}

/// Adds a user. Asks for the password of whoever does it, once all else is right.
pub async fn create(
    services: &Services,
    principal: &Principal,
    new: &NewUser<'_>,
    confirmation: &Confirmation<'_>,
) -> Result<Invited, Refusal> {
    principal.require(Role::Administrator)?;
    let Checked { name, role, email, password, made_here } = check(new).map_err(Refusal::Invalid)?;
    confirm(services, principal.visitor(), confirmation).await?;
    let invites = matches!(new.first, First::Invitation);
    if invites {
        services.invitations.take(principal.visitor().user_id, Instant::now())?;
    }
    let hash = services.gate.hasher.hash(&password).await?;
    let label = name.clone();
    let add = move |conn: &mut Conn, vault: &Vault, actor: &Actor| {
        let (name, email, role) = (label.as_str(), email.as_deref(), role.slug());
        let id = users::add(conn, vault, actor, &users::NewUser { name, role, email, hash: &hash, temporary: true })?;
        if invites {
            user_mail::send_invitation(conn, vault, actor, id)?;
        }
        Ok(id)
    };
    let id = write(services, principal, add).await.map_err(user_mail::refused)?;
    services.wake.messages.notify_one();
    Ok(Invited { id, name, generated: made_here.then_some(password).filter(|_| !invites) })
}

/// A new user after all checks that need no database.
struct Checked {
    name: String,
    role: Role,
    email: Option<String>,
    password: Zeroizing<String>,
    made_here: bool,
}

fn check(new: &NewUser<'_>) -> Result<Checked, Errors> {
    let mut errors = Errors::default();
    let name = checked_name(new.name, &mut errors);
    let role = Role::find(new.role);
    if role.is_none() {
        errors.add("role", CHOOSE_ROLE);
    }
    let email = user_mail::checked(new.email);
    if let Err(problem) = &email {
        errors.add("email", problem.as_str());
    }
    let password = match new.first {
        First::Password(typed) => typed.or_generated(&name).map_err(|wrong| errors.extend(wrong)),
        First::Invitation => {
            if matches!(email, Ok(None)) {
                errors.add("email", "Enter the address that the invitation is sent to.");
            }
            Ok((password::generated().into(), true))
        }
    };
    match (role, email, password) {
        (Some(role), Ok(email), Ok((password, made_here))) if errors.is_empty() => {
            Ok(Checked { name, role, email, password, made_here })
        }
        _ => Err(errors),
    }
}

/// Gives a user another role; all their sessions end.
pub async fn set_role(
    services: &Services,
    principal: &Principal,
    id: UserId,
    role: &str,
    confirmation: &Confirmation<'_>,
) -> Result<(), Refusal> {
    principal.require(Role::Administrator)?;
    let role = Role::find(role).ok_or(Refusal::Unacceptable(CHOOSE_ROLE))?;
    confirm(services, principal.visitor(), confirmation).await?;
    change(services, principal, id, Change::Role(role.slug().to_owned())).await
}

/// Disables a user, which ends their sessions, or enables them again.
pub async fn set_disabled(services: &Services, principal: &Principal, id: UserId, off: bool) -> Result<(), Refusal> {
    principal.require_fresh_as(Role::Administrator)?;
    change(services, principal, id, Change::Disabled(off)).await
}

/// Changes how a user must log in.
pub async fn set_two_step(
    services: &Services,
    principal: &Principal,
    id: UserId,
    two_step: TwoStep,
) -> Result<(), Refusal> {
    principal.require_fresh_as(Role::Administrator)?;
    let wanted = match two_step {
        TwoStep::Required => Change::TotpRequired(true),
        TwoStep::Optional => Change::TotpRequired(false),
        TwoStep::Reset => Change::TotpRemoved,
    };
    change(services, principal, id, wanted).await
}

/// Sets a password that the user must replace at the next login.
pub async fn set_password(
    services: &Services,
    principal: &Principal,
    id: UserId,
    typed: Typed<'_>,
) -> Result<Invited, Refusal> {
    principal.require_fresh_as(Role::Administrator)?;
    if id == principal.visitor().user_id {
        return Err(Refusal::Unacceptable("Change your own password on your account page."));
    }
    let vault = services.vault.clone();
    let name = services.db.run(move |conn| users::find(conn, &vault, id)).await?.into_shown().name;
    let (password, made_here) = typed.or_generated(&name).map_err(Refusal::Invalid)?;
    let hash = services.gate.hasher.hash(&password).await?;
    change(services, principal, id, Change::TemporaryPassword(hash)).await?;
    Ok(Invited { id, name, generated: made_here.then_some(password) })
}

/// Ends the sessions of a user, also those of the API, but for the one in which that is done.
pub async fn end_sessions(services: &Services, principal: &Principal, id: UserId) -> Result<(), Refusal> {
    principal.require(Role::Administrator)?;
    let (keep, vault, actor) = (principal.visitor().token_hash.clone(), services.vault.clone(), principal.actor());
    let end = move |conn: &mut _| {
        let user = users::find(conn, &vault, id)?.into_shown();
        users::end_api_sessions(conn, &vault, &actor, id)?;
        sessions::end_of(conn, &vault, &actor, &user, &Which::Others(&keep))
    };
    services.db.transaction::<_, DbError, _>(end).await?;
    services.sessions.forget();
    Ok(())
}

/// Deletes a user whose name was typed to confirm: they are logged out and their name is not given to anybody else.
pub async fn delete(services: &Services, principal: &Principal, id: UserId, typed: &str) -> Result<(), Refusal> {
    principal.require_fresh_as(Role::Administrator)?;
    if id == principal.visitor().user_id {
        return Err(Refusal::Unacceptable("You can't delete yourself. Another administrator can."));
    }
    let user = read(services, move |conn, vault| users::find(conn, vault, id)).await?.into_shown();
    if user.deleted_at.is_some() {
        return Err(DbError::NotFound.into());
    }
    if names::key(typed) != user.name_key {
        return Err(Refusal::Unacceptable("The name doesn't match. Nothing was deleted."));
    }
    let hash = services.gate.hasher.hash(&password::generated()).await?;
    change(services, principal, id, Change::Deleted(hash)).await
}

async fn change(services: &Services, principal: &Principal, id: UserId, change: Change) -> Result<(), Refusal> {
    // One's own session outlives what one does to oneself, but not under another role.
    let keep = Some(principal.visitor().token_hash.clone()).filter(|_| !matches!(change, Change::Role(_)));
    let (vault, actor) = (services.vault.clone(), principal.actor());
    let write = move |conn: &mut _| users::change(conn, &vault, &actor, id, &change, keep.as_deref());
    let changed = services.db.transaction(write).await;
    services.sessions.forget();
    Ok(changed?)
}

/// Whether the one-time link with this token still makes the first administrator.
pub async fn is_setup_open(services: &Services, token: &str) -> Result<bool, DbError> {
    let (hash, vault) = (tokens::hash(token), services.vault.clone());
    services.db.run(move |conn| logins::setup_open(conn, &vault, &hash)).await
}

/// Makes the first administrator by the one-time link. A link that is not good any more is [`DbError::NotFound`].
pub async fn set_up(
    services: &Services,
    token: &str,
    (name, typed): (&str, Typed<'_>),
    address: String,
) -> Result<Trusted<User>, Refusal> {
    if !is_setup_open(services, token).await? {
        return Err(DbError::NotFound.into());
    }
    let mut errors = Errors::default();
    let name = checked_name(name, &mut errors);
    errors.extend(typed.check(&name));
    if !errors.is_empty() {
        return Err(Refusal::Invalid(errors));
    }
    let phc = services.gate.hasher.hash(typed.password).await?;
    let (hash, vault, actor) = (tokens::hash(token), services.vault.clone(), Actor { name: name.clone(), address });
    let make = move |conn: &mut _| {
        if !logins::take_setup(conn, &vault, &hash)? {
            return Err(DbError::NotFound);
        }
        let id = users::create(conn, &vault, &actor, &name, Role::Administrator.slug(), &phc)?;
        users::find(conn, &vault, id)?.trust()
    };
    Ok(services.db.transaction(make).await?)
}

fn checked_name(typed: &str, errors: &mut Errors) -> String {
    accounts::user_name(typed).unwrap_or_else(|problem| {
        errors.add("username", problem);
        String::new()
    })
}
