//! Who is logged in, as a session says, or who uses the API. How a session comes with a request is in `web::session`, how
//! a program says whose it is in `usecases::api`.

use std::time::Instant;

use super::Role;
use crate::models::api_tokens::Scope;
use crate::models::events::Actor;
use crate::models::sessions::Valid;
use crate::models::users::User;
use crate::models::{SessionId, UserId};

/// Seconds for which a password that was just given counts as confirmation.
const FRESH_SECONDS: f64 = 300.0;

/// How a program that uses the API has logged in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Via {
    pub scope: Scope,
    /// Name of the API token; `None` for a login by password.
    pub token: Option<String>,
}

/// Somebody who is logged in.
#[derive(Clone, Debug)]
pub struct Visitor {
    pub user_id: UserId,
    pub name: String,
    pub role: Role,
    pub theme: String,
    pub shortcuts: bool,
    pub two_step: bool,
    pub must_enrol: bool,
    /// Somebody else knows the password.
    pub must_choose_password: bool,
    pub session_id: SessionId,
    pub token_hash: Vec<u8>,
    pub address: String,
    /// `None`: by a browser.
    via: Option<Via>,
    seconds_since_password: f64,
    seconds_since_login: f64,
    loaded: Instant,
}

impl Visitor {
    /// The person whose session was found valid. `address` is the one that the request came from.
    pub fn new(valid: Valid, address: String) -> Self {
        let Valid { session, user, now } = valid;
        let seconds_since_password = (now - session.authenticated_at).as_seconds_f64();
        let seconds_since_login = (now - session.created_at).as_seconds_f64();
        Self {
            user_id: user.id,
            role: Role::find(&user.role).unwrap_or(Role::Auditor),
            name: user.name.clone(),
            theme: user.theme.clone(),
            shortcuts: user.shortcuts,
            two_step: user.totp_confirmed,
            must_enrol: user.totp_required && !user.totp_confirmed,
            must_choose_password: user.password_temporary,
            session_id: session.id,
            token_hash: session.token_hash.clone(),
            address,
            via: None,
            seconds_since_password,
            seconds_since_login,
            loaded: Instant::now(),
        }
    }

    /// A user by a program. The scope limits the role. Only a token for new destinations stands for a password given now:
    /// it was made with that.
    pub fn by_api(user: &User, session_id: SessionId, address: String, via: Via) -> Self {
        let role = Role::find(&user.role).unwrap_or(Role::Auditor);
        let most = if via.scope == Scope::Read { Role::Auditor } else { Role::Administrator };
        let seconds_since_password = if via.scope == Scope::Destinations { 0.0 } else { f64::INFINITY };
        Self {
            user_id: user.id,
            role: role.min(most),
            name: user.name.clone(),
            theme: user.theme.clone(),
            shortcuts: user.shortcuts,
            two_step: user.totp_confirmed,
            must_enrol: false,
            must_choose_password: user.password_temporary,
            session_id,
            token_hash: Vec::new(),
            address,
            via: Some(via),
            seconds_since_password,
            seconds_since_login: 0.0,
            loaded: Instant::now(),
        }
    }

    /// As the audit trail names them: `ada`, `ada (API token ci)`, `ada (API)`.
    pub fn actor(&self) -> Actor {
        let name = match &self.via {
            None => self.name.clone(),
            Some(Via { token: Some(token), .. }) => format!("{} (API token {token})", self.name),
            Some(Via { token: None, .. }) => format!("{} (API)", self.name),
        };
        Actor { name, address: self.address.clone() }
    }

    /// Whether a program may send stored secrets to new hosts without being asked.
    pub fn may_redirect(&self) -> bool {
        self.via.as_ref().is_some_and(|via| via.scope == Scope::Destinations)
    }

    pub fn may(&self, role: Role) -> bool {
        self.role >= role
    }

    /// Whether the password was given within the last five minutes.
    pub fn confirmed_lately(&self) -> bool {
        self.seconds_since_password + self.loaded.elapsed().as_secs_f64() < FRESH_SECONDS
    }

    /// Whole seconds until a session of that many hours is over, whatever its visitor does.
    pub fn seconds_left(&self, hours: i32) -> i64 {
        let age = self.seconds_since_login + self.loaded.elapsed().as_secs_f64();
        (f64::from(hours) * 3_600.0 - age).max(0.0) as i64
    }
}
