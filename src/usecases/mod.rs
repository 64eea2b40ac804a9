//! What a principal can do, without pages and without JSON: permission, validation, confirmation, transaction and audit
//! of an action are in one function, so that pages and an API do the same. One noun a file. How an answer looks is
//! decided by `web`; what is stored, by `models`.

use crate::accounts::Busy;
use crate::form::Errors;
use crate::models::DbError;

mod confirmation;
mod principal;
pub mod users;

pub use confirmation::{Confirmation, Unconfirmed, confirm};
pub use principal::Principal;

/// Why nothing was done.
#[derive(Debug)]
pub enum Refusal {
    /// The role does not allow it.
    Forbidden,
    /// The password must be given first.
    Unconfirmed(Unconfirmed),
    /// What is wrong, field by field.
    Invalid(Errors),
    /// What is wrong with the request, as a sentence.
    Unacceptable(&'static str),
    /// Nobody could administer the console any more.
    LastAdministrator,
    /// Too many passwords are being hashed: try again in a moment.
    Busy(Busy),
    Db(DbError),
}

impl From<DbError> for Refusal {
    fn from(error: DbError) -> Self {
        match error {
            DbError::Check(name) if name == "users_last_administrator" => Self::LastAdministrator,
            error => Self::Db(error),
        }
    }
}

impl From<Busy> for Refusal {
    fn from(busy: Busy) -> Self {
        Self::Busy(busy)
    }
}
