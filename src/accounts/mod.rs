//! Who may come in: passwords, one-time codes, the throttle, the roles. Knows the store and the vault, no HTTP. Users
//! are rows of `models::users`; this module decides, `web::login` asks.

use crate::models::DbError;
use crate::names;

pub mod api_tokens;
pub mod client_tokens;
pub mod fetches;
mod gate;
pub mod limiter;
pub mod memory;
pub mod password;
pub mod sessions;
pub mod tokens;
pub mod totp;
pub mod visitor;

pub use gate::{Gate, client_attempt, visitor_key};
pub use password::{Busy, Hasher};

/// Names by which the audit trail calls what is no user.
const RESERVED: [&str; 4] = ["Strongroom", "somebody", "command line", "an unknown name"];

/// A new user's name as it is stored, or what is wrong with it.
pub fn user_name(text: &str) -> Result<String, String> {
    let name = names::label(text, 100)?;
    let key = names::key(&name);
    if RESERVED.iter().any(|reserved| names::key(reserved) == key) {
        return Err("The audit trail uses this name for something else. Choose another.".to_owned());
    }
    Ok(name)
}

/// What a user may do. Each role may do all that the ones before it may.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// Reads.
    Auditor,
    /// Uses and edits credentials and integrations.
    Operator,
    /// Everything.
    Administrator,
}

impl Role {
    pub const ALL: [Self; 3] = [Self::Auditor, Self::Operator, Self::Administrator];

    pub fn slug(self) -> &'static str {
        match self {
            Self::Auditor => "auditor",
            Self::Operator => "operator",
            Self::Administrator => "administrator",
        }
    }

    pub fn label(self) -> &'static str {
        match self {
            Self::Auditor => "Auditor",
            Self::Operator => "Operator",
            Self::Administrator => "Administrator",
        }
    }

    /// `None` for a word that is no role.
    pub fn find(slug: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.slug() == slug)
    }
}

/// `12 minutes`
pub fn minutes(seconds: i64) -> String {
    match (seconds + 59).div_euclid(60) {
        1 => "1 minute".to_owned(),
        minutes => format!("{minutes} minutes"),
    }
}

/// Why nobody comes in. Says the same for an unknown user, a wrong password and a disabled user.
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    #[error("That user name and password do not match.")]
    Wrong,
    /// Seconds to wait.
    #[error("Too many failed logins. Try again in {}.", minutes(*.0))]
    Throttled(i64),
    #[error(transparent)]
    Busy(#[from] Busy),
    #[error(transparent)]
    Db(#[from] DbError),
}
