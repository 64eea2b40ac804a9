//! What everybody does with their own account: password, sessions and looks. The second step of the login is in
//! `two_step`; what administrators do to others, in `users`.

use super::confirmation::check_password;
use super::users::Typed;
use super::{Confirmation, Principal, Refusal, write};
use crate::accounts::{Role, tokens};
use crate::models::sessions::{self, Which};
use crate::models::users::{self, Change};
use crate::models::{Conn, DbError, SessionId};
use crate::services::Services;
use crate::vault::Vault;

/// Slug and label.
pub const THEMES: [(&str, &str); 3] = [("system", "System"), ("light", "Light"), ("dark", "Dark")];

/// How the console looks and listens, in every browser. `theme` is a slug of [`THEMES`].
pub async fn set_preferences(
    services: &Services,
    principal: &Principal,
    theme: &str,
    shortcuts: bool,
) -> Result<(), Refusal> {
    principal.require(Role::Auditor)?;
    let known = THEMES.into_iter().find(|(slug, _)| *slug == theme);
    let (theme, _) = known.ok_or(Refusal::Unacceptable("Choose a theme."))?;
    let id = principal.visitor().user_id;
    write(services, principal, move |conn, _, _| users::set_preferences(conn, id, theme, shortcuts)).await?;
    services.sessions.forget();
    Ok(())
}

/// Replaces the principal's password by another; their other sessions end. Returns the new token of this session. The
/// current password is asked for even if it was given a moment ago.
pub async fn change_password(
    services: &Services,
    principal: &Principal,
    current: &Confirmation<'_>,
    typed: Typed<'_>,
) -> Result<String, Refusal> {
    principal.require(Role::Auditor)?;
    let visitor = principal.visitor();
    let mut errors = typed.check(&visitor.name);
    if errors.is_empty() && current.password == Some(typed.password) {
        errors.add("password", "Choose a password that differs from the current one.");
    }
    if !errors.is_empty() {
        return Err(Refusal::Invalid(errors));
    }
    check_password(services, visitor, current).await?;
    let change = Change::Password(services.gate.hasher.hash(typed.password).await?);
    let (token, id, old) = (tokens::new_token(), visitor.user_id, visitor.token_hash.clone());
    let new = tokens::hash(&token);
    let renewed = write(services, principal, move |conn, vault, actor| {
        users::change(conn, vault, actor, id, &change, Some(&old))?;
        // Who ended this session meanwhile, say by setting another password, has the last word.
        if sessions::renew(conn, vault, actor, &old, &new)? { Ok(()) } else { Err(DbError::Stale) }
    });
    renewed.await.map_err(|error| match error {
        DbError::Stale => Refusal::LoggedOut,
        error => error.into(),
    })?;
    services.sessions.forget();
    Ok(token)
}

/// Confirms the session by the password, for five minutes. Returns the new token of the session.
pub async fn renew_session(
    services: &Services,
    principal: &Principal,
    confirmation: &Confirmation<'_>,
) -> Result<String, Refusal> {
    principal.require(Role::Auditor)?;
    check_password(services, principal.visitor(), confirmation).await?;
    let (token, old) = (tokens::new_token(), principal.visitor().token_hash.clone());
    let new = tokens::hash(&token);
    let renew = move |conn: &mut Conn, vault: &Vault, actor: &_| sessions::renew(conn, vault, actor, &old, &new);
    let renewed = write(services, principal, renew).await?;
    services.sessions.forget();
    if renewed { Ok(token) } else { Err(Refusal::LoggedOut) }
}

/// Ends one of the principal's sessions. It needs no password: it only takes away.
pub async fn end_session(services: &Services, principal: &Principal, one: SessionId) -> Result<(), Refusal> {
    principal.require(Role::Auditor)?;
    let id = principal.visitor().user_id;
    let end = move |conn: &mut Conn, vault: &Vault, actor: &_| {
        let user = users::find(conn, vault, id)?.trust()?;
        match sessions::end_of(conn, vault, actor, &user, &Which::One(one))? {
            0 => Err(DbError::NotFound),
            _ => Ok(()),
        }
    };
    write(services, principal, end).await?;
    services.sessions.forget();
    Ok(())
}

/// Ends all of the principal's sessions but this one, also those of the API.
pub async fn end_other_sessions(services: &Services, principal: &Principal) -> Result<(), Refusal> {
    principal.require(Role::Auditor)?;
    let (id, keep) = (principal.visitor().user_id, principal.visitor().token_hash.clone());
    let end = move |conn: &mut Conn, vault: &Vault, actor: &_| {
        let user = users::find(conn, vault, id)?.trust()?;
        users::end_api_sessions(conn, vault, actor, id)?;
        sessions::end_of(conn, vault, actor, &user, &Which::Others(&keep))
    };
    write(services, principal, end).await?;
    services.sessions.forget();
    Ok(())
}
