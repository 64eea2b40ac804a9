//! Who is logged in, as a session says. How a session comes with a request is in `web::session`.

use std::time::Instant;

use super::Role;
use crate::models::events::Actor;
use crate::models::sessions::Valid;
use crate::models::{SessionId, UserId};

/// Seconds for which a password that was just given counts as confirmation.
const FRESH_SECONDS: f64 = 300.0;

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
            seconds_since_password,
            seconds_since_login,
            loaded: Instant::now(),
        }
    }

    /// As the audit trail names them.
    pub fn actor(&self) -> Actor {
        Actor { name: self.name.clone(), address: self.address.clone() }
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
