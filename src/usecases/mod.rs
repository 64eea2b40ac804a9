//! What a principal can do, without pages and without JSON: permission, validation, confirmation, transaction and audit
//! of an action are in one function, so that pages and an API do the same. One noun a file or a folder. How an answer
//! looks is decided by `web`; what is stored, by `models`.

use crate::accounts::Busy;
use crate::accounts::limiter::TooOften;
use crate::form::Errors;
use crate::models::events::Actor;
use crate::models::{Conn, DbError};
use crate::services::Services;
use crate::vault::Vault;

pub mod account;
pub mod alerts;
mod confirmation;
pub mod credentials;
pub mod deliveries;
pub mod integrations;
mod numbers;
mod principal;
pub mod recipients;
pub mod two_step;
pub mod users;

pub use confirmation::{Confirmation, Unconfirmed, confirm};
pub use principal::Principal;

/// Why nothing was done.
#[derive(Debug)]
pub enum Refusal {
    /// The role does not allow it.
    Forbidden,
    /// The session has ended.
    LoggedOut,
    /// The password must be given first.
    Unconfirmed(Unconfirmed),
    /// A stored secret would go where it has not been sent yet: that must be confirmed first.
    Destination(Box<integrations::Question>),
    /// What is wrong, field by field.
    Invalid(Errors),
    /// What is wrong with the request, as a sentence.
    Unacceptable(&'static str),
    /// What stands in the way, as a sentence.
    Conflict(&'static str),
    /// Somebody else has saved it since it was read.
    Overtaken,
    /// Integrations use it.
    InUse,
    /// Nobody could administer the console any more.
    LastAdministrator,
    /// It was done too often within the last minute.
    TooOften(TooOften),
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

impl From<TooOften> for Refusal {
    fn from(too_often: TooOften) -> Self {
        Self::TooOften(too_often)
    }
}

/// Reads from the database.
async fn read<T: Send + 'static>(
    services: &Services,
    work: impl FnOnce(&mut Conn, &Vault) -> Result<T, DbError> + Send + 'static,
) -> Result<T, DbError> {
    let vault = services.vault.clone();
    services.db.run(move |conn| work(conn, &vault)).await
}

/// One transaction, with the principal as the actor that the audit trail names.
async fn write<T: Send + 'static>(
    services: &Services,
    principal: &Principal,
    work: impl Fn(&mut Conn, &Vault, &Actor) -> Result<T, DbError> + Send + 'static,
) -> Result<T, DbError> {
    let (vault, actor) = (services.vault.clone(), principal.actor());
    services.db.transaction(move |conn| work(conn, &vault, &actor)).await
}
