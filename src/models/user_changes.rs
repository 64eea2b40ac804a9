//! What is changed on a user, each thing with the sessions that must not outlive it, the signature and the audit trail.

use diesel::prelude::*;

use super::events::{self, Action, Actor, Ledger};
use super::schema::{sessions, users};
use super::trust::{self, Trusted};
use super::users::{User, lock, write};
use super::{
    Conn, DbError, UserId, account_letters, alert_acts, alerts, altered, api_tokens, keks, logins, sealing, views,
};
use crate::vault::Vault;

/// What an administrator or the user changes; each ends sessions as it must and is audited.
#[derive(Clone, Debug)]
pub enum Change {
    Role(String),
    Disabled(bool),
    TotpRequired(bool),
    /// A PHC string.
    Password(String),
    /// One that somebody else has set, to be replaced at the next login.
    TemporaryPassword(String),
    /// A new authenticator, once a first code has shown that the app has it.
    TotpAdded {
        /// Raw bytes.
        secret: Vec<u8>,
        /// The time step of that first code, which is used up.
        step: i64,
        /// Keyed hashes.
        recovery_codes: Vec<Vec<u8>>,
    },
    TotpRemoved,
    /// Keyed hashes of new recovery codes; the former ones are worth nothing any more.
    RecoveryCodes(Vec<Vec<u8>>),
    /// In its canonical form.
    Email(Option<String>),
    /// A PHC string, of a password that was set by a link from a mail.
    PasswordByMail(String),
    /// A PHC string of a password that nobody knows: no link of before replaces it.
    InvitationWithdrawn(String),
    /// The same. The row stays and keeps the name.
    Deleted(String),
}

impl Change {
    fn event(&self, before: &User) -> (Action, String) {
        match self {
            Self::Role(role) => (Action::UserRoleChanged, format!("now {role}")),
            Self::Disabled(true) => (Action::UserDisabled, String::new()),
            Self::Disabled(false) => (Action::UserEnabled, String::new()),
            Self::TotpRequired(true) => (Action::UserTwoStepRequired, String::new()),
            Self::TotpRequired(false) => (Action::UserTwoStepOptional, String::new()),
            Self::Password(_) => (Action::UserPasswordChanged, String::new()),
            Self::TemporaryPassword(_) => (Action::UserPasswordChanged, "temporary".to_owned()),
            Self::TotpAdded { .. } => (Action::UserTwoStepOn, String::new()),
            Self::TotpRemoved => (Action::UserTwoStepOff, String::new()),
            Self::RecoveryCodes(_) => (Action::UserRecoveryCodesMade, String::new()),
            Self::Email(email) => (Action::UserEmailChanged, instead(email.as_deref(), before.email.as_deref())),
            Self::PasswordByMail(_) => (Action::UserPasswordChanged, "by a link from a mail".to_owned()),
            Self::InvitationWithdrawn(_) => (Action::UserInvitationWithdrawn, String::new()),
            Self::Deleted(_) => (Action::UserDeleted, String::new()),
        }
    }

    /// Whether the user may try to log in at once, however often that failed before.
    fn opens_login(&self) -> bool {
        let password = matches!(self, Self::Password(_) | Self::TemporaryPassword(_) | Self::PasswordByMail(_));
        password || matches!(self, Self::Disabled(false) | Self::TotpRemoved)
    }

    /// Whether sessions made before must not outlive the change.
    fn ends_sessions(&self) -> bool {
        let stays = matches!(self, Self::TotpRequired(_) | Self::RecoveryCodes(_) | Self::Email(_));
        !stays && !matches!(self, Self::Disabled(false))
    }

    /// Whether API tokens made before must not outlive the change. A password that the user changes leaves them.
    fn ends_api_tokens(&self) -> bool {
        let reset = matches!(self, Self::TemporaryPassword(_) | Self::PasswordByMail(_) | Self::InvitationWithdrawn(_));
        reset || matches!(self, Self::Disabled(true) | Self::Deleted(_))
    }

    /// Whether links that were mailed before are worth nothing after it.
    fn ends_links(&self) -> bool {
        let password = matches!(self, Self::Password(_) | Self::TemporaryPassword(_) | Self::PasswordByMail(_));
        password || matches!(self, Self::Email(_) | Self::InvitationWithdrawn(_) | Self::Deleted(_))
    }
}

/// `a@example.com instead of none`
fn instead(after: Option<&str>, before: Option<&str>) -> String {
    format!("{} instead of {}", after.unwrap_or("none"), before.unwrap_or("none"))
}

/// Applies one change; all sessions of the user but `keep` (a token hash) end with it where they must.
/// Refuses to leave no administrator who can log in: [`DbError::Check`] `users_last_administrator`.
pub fn change(
    conn: &mut Conn,
    vault: &Vault,
    actor: &Actor,
    id: UserId,
    change: &Change,
    keep: Option<&[u8]>,
) -> Result<(), DbError> {
    let mut ledger = events::open(conn)?;
    // All administrators are locked, so that two of them cannot demote each other at once.
    let administrators: Vec<UserId> = users::table
        .filter(users::role.eq("administrator").and(users::disabled.eq(false)))
        .order(users::id)
        .select(users::id)
        .for_update()
        .load(conn)?;
    // A role that is given replaces all that was put back; nothing else does.
    let seen = lock(conn, vault, id)?;
    let user = if matches!(change, Change::Role(_)) { seen.trust_to_replace()? } else { seen.trust()? };
    if user.deleted_at.is_some() {
        return Err(DbError::NotFound);
    }
    let (read, next) = (user.row_version, user.next_version());
    let mut user = user.into_row();
    let (action, mut detail) = change.event(&user);
    apply(conn, vault, &mut user, change, ledger.now)?;
    let still_one = user.role == "administrator" && !user.disabled || administrators.iter().any(|other| *other != id);
    if !still_one && administrators.contains(&id) {
        return Err(DbError::Check("users_last_administrator".to_owned()));
    }
    user.row_version = next;
    let user = trust::sign(vault, user);
    write(conn, &user, read)?;
    if change.ends_sessions() {
        let others = sessions::table.filter(sessions::user_id.eq(id));
        diesel::delete(others.filter(sessions::token_hash.ne(keep.unwrap_or_default()))).execute(conn)?;
    }
    super::sessions::carry_over(conn, vault, &user, read)?;
    if change.ends_api_tokens() {
        api_tokens::end_all(conn, vault, actor, &mut ledger, &user)?;
    }
    if change.ends_links() {
        account_letters::end_links(conn, id, None)?;
    }
    if matches!(change, Change::Deleted(_)) {
        detail = released(alert_acts::release(conn, vault, &user.name)?);
        views::remove_all_of(conn, id)?;
    }
    if change.opens_login() && logins::forget_failures(conn, vault, &user.name_key)? {
        let cleared = "failed logins cleared";
        detail = if detail.is_empty() { cleared.to_owned() } else { format!("{detail}, {cleared}") };
        alerts::close(conn, &["lockout"], id.0, "the failed logins were cleared")?;
    }
    ledger.record_version(conn, vault, actor, &user.event(action, detail), next)?;
    altered::settle(conn, &user)
}

fn apply(
    conn: &mut Conn,
    vault: &Vault,
    user: &mut User,
    change: &Change,
    now: chrono::DateTime<chrono::Utc>,
) -> Result<(), DbError> {
    match change {
        Change::Role(role) => user.role = role.clone(),
        Change::Disabled(disabled) => user.disabled = *disabled,
        Change::TotpRequired(required) => user.totp_required = *required,
        Change::Password(hash) | Change::TemporaryPassword(hash) | Change::PasswordByMail(hash) => {
            user.password_set_at = now;
            user.password_temporary = matches!(change, Change::TemporaryPassword(_));
            user.seal_password(vault, keks::active(conn, vault)?, hash)?;
        }
        Change::InvitationWithdrawn(hash) => user.seal_password(vault, keks::active(conn, vault)?, hash)?,
        Change::Email(email) => user.email = email.clone(),
        Change::Deleted(hash) => {
            (user.disabled, user.deleted_at, user.email) = (true, Some(now), None);
            user.seal_password(vault, keks::active(conn, vault)?, hash)?;
            remove_totp(user);
        }
        Change::TotpAdded { secret, step, recovery_codes } => {
            user.totp_version += 1;
            user.totp_confirmed = true;
            user.totp_last_step = user.totp_last_step.max(*step);
            user.recovery_codes = recovery_codes.clone();
            let sealed = vault.seal(keks::active(conn, vault)?, &user.totp_context(), secret)?;
            user.totp_kek_id = Some(sealed.kek_id);
            user.totp_wrapped_dek = Some(sealed.wrapped_dek);
            user.totp_payload = Some(sealed.payload);
        }
        Change::TotpRemoved => remove_totp(user),
        Change::RecoveryCodes(codes) => user.recovery_codes = codes.clone(),
    }
    Ok(())
}

fn remove_totp(user: &mut User) {
    user.totp_confirmed = false;
    user.recovery_codes.clear();
    (user.totp_kek_id, user.totp_wrapped_dek, user.totp_payload) = (None, None, None);
}

/// What the trail says of the alerts of somebody who is gone.
fn released(alerts: usize) -> String {
    match alerts {
        0 => String::new(),
        1 => "1 open alert no longer has an owner".to_owned(),
        alerts => format!("{alerts} open alerts no longer have an owner"),
    }
}

/// What proved the second step of a login; each counts once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Proof {
    /// A one-time code, by its time step since 1970 (RFC 6238).
    Step(i64),
    /// A recovery code, by its keyed hash.
    RecoveryCode(Vec<u8>),
}

/// Notes a login in the row and in the audit trail, and uses up what proved its second step. A proof is used up by a
/// new version of the row, so that the row from before it cannot be put back. [`DbError::Stale`] when the user was
/// changed or disabled since the password was checked: a login that began before the change must not outlive it.
pub fn log_in(
    conn: &mut Conn,
    vault: &Vault,
    actor: &Actor,
    ledger: &mut Ledger,
    user: Trusted<User>,
    proof: Option<&Proof>,
) -> Result<Trusted<User>, DbError> {
    let (read, next) = (user.row_version, user.next_version());
    let mut row = user.into_row();
    row.last_login_at = Some(ledger.now);
    let Some(proof) = proof else {
        let user = trust::sign(vault, row);
        let same = users::table.find(user.id).filter(users::row_version.eq(read));
        if diesel::update(same).set(users::last_login_at.eq(user.last_login_at)).execute(conn)? != 1 {
            return Err(DbError::Stale);
        }
        ledger.record(conn, vault, actor, &user.event(Action::LoginSucceeded, String::new()))?;
        return Ok(user);
    };
    row.row_version = next;
    let detail = match proof {
        Proof::Step(step) if *step > row.totp_last_step => {
            row.totp_last_step = *step;
            format!("with the one-time code of step {step}")
        }
        Proof::RecoveryCode(code) if row.recovery_codes.contains(code) => {
            row.recovery_codes.retain(|other| other != code);
            format!("with a recovery code, {} left", row.recovery_codes.len())
        }
        _ => return Err(DbError::Stale),
    };
    let user = trust::sign(vault, row);
    write(conn, &user, read)?;
    super::sessions::carry_over(conn, vault, &user, read)?;
    if matches!(proof, Proof::RecoveryCode(_)) {
        let left = format!("{} left", user.recovery_codes.len());
        ledger.record(conn, vault, actor, &user.event(Action::UserRecoveryCodeUsed, left))?;
    }
    ledger.record_version(conn, vault, actor, &user.event(Action::LoginSucceeded, detail), next)?;
    Ok(user)
}

/// Ends the API sessions that the user's password began: they are bound to the version of the row, which grows.
/// Sessions of browsers go on. A row that does not count has none. Call inside a transaction.
pub fn end_api_sessions(conn: &mut Conn, vault: &Vault, actor: &Actor, id: UserId) -> Result<(), DbError> {
    let mut ledger = events::open(conn)?;
    let Ok(user) = lock(conn, vault, id)?.judged() else { return Ok(()) };
    let (read, next) = (user.row_version, user.next_version());
    let mut user = user.into_row();
    user.row_version = next;
    let user = trust::sign(vault, user);
    write(conn, &user, read)?;
    super::sessions::carry_over(conn, vault, &user, read)?;
    ledger.record_version(conn, vault, actor, &user.event(Action::UserApiSessionsEnded, String::new()), next)
}

/// Seals another PHC string of the same password, and ends no session. Returns the user as stored now;
/// [`DbError::Stale`] when somebody changed the user since the password was checked.
pub fn rehash(
    conn: &mut Conn,
    vault: &Vault,
    actor: &Actor,
    user: Trusted<User>,
    hash: &str,
) -> Result<Trusted<User>, DbError> {
    let (mut ledger, key) = sealing::open(conn, vault)?;
    let (read, next) = (user.row_version, user.next_version());
    let mut user = user.into_row();
    user.seal_password(vault, key, hash)?;
    user.row_version = next;
    let user = trust::sign(vault, user);
    write(conn, &user, read)?;
    super::sessions::carry_over(conn, vault, &user, read)?;
    ledger.record_version(conn, vault, actor, &user.event(Action::UserPasswordRehashed, String::new()), next)?;
    Ok(user)
}
