//! Why a use case did nothing. A page shows a sentence or its form again, an API a code.

use crate::accounts::Busy;
use crate::accounts::limiter::TooOften;
use crate::form::Errors;
use crate::models::DbError;

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
    Destination(Box<Question>),
    /// What is wrong, field by field.
    Invalid(Errors),
    /// What is wrong with the request, as a sentence.
    Unacceptable(&'static str),
    /// What stands in the way, as a sentence.
    Conflict(&'static str),
    /// The connection that was entered does not work: why, in whole sentences. It may be saved all the same.
    NotConnected(String),
    /// Somebody else has saved it since it was read.
    Overtaken,
    /// Integrations or clients use it.
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

/// The password is missing or wrong.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Unconfirmed {
    /// What was wrong with the one that came.
    pub error: Option<String>,
    /// Seconds until a password is looked at again, after too many wrong ones.
    pub seconds: Option<i64>,
}

/// What must be answered before a stored secret goes to a host that it has not been sent to.
#[derive(Clone, Debug)]
pub struct Question {
    pub host: String,
    pub credential: String,
    /// The value is written there, where others can read it.
    pub handed_on: bool,
    /// What must be answered if the secret belongs there: good for this secret and this host only. `None` where only the password is
    /// asked for.
    pub value: Option<String>,
    pub checked: bool,
    pub checkbox_error: Option<String>,
    pub password_error: Option<String>,
    /// Seconds until a password is looked at again, after too many wrong ones.
    pub seconds: Option<i64>,
}
