//! What can go wrong with the store. Postgres puts row contents into its messages, so nothing of them is kept.

use diesel::result::{DatabaseErrorKind, Error};

use super::server_messages;

/// Closed: a page has an answer for every case.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DbError {
    /// No connection within the time limit, or it broke: the visitor should come back in seconds.
    #[error("the database cannot be reached")]
    Unavailable,
    /// The connection broke or fell silent during COMMIT: the change may have been saved, or not. Never tried again.
    #[error("the database stopped answering during the commit, so it is not known whether the change was saved")]
    OutcomeUnknown,
    /// The server takes no writes: a standby, its disk is full, or a right was taken from us.
    #[error("the database takes no writes at the moment")]
    ReadOnly,
    /// A unique constraint, by name.
    #[error("there is one already ({0})")]
    Duplicate(String),
    /// A foreign key, by name: the row is in use, or what it refers to is gone.
    #[error("refused by a reference ({0})")]
    Reference(String),
    /// A CHECK constraint, by name.
    #[error("refused by a check ({0})")]
    Check(String),
    #[error("not found")]
    NotFound,
    /// Somebody else has saved the row since it was read.
    #[error("changed by somebody else meanwhile")]
    Stale,
    /// The audit trail was broken when this process started: no secret is used and nothing is changed.
    #[error("the audit trail is broken, so no secret is used and nothing is changed")]
    TrailHeld,
    /// A lane of the audit trail ends before what this process wrote or read.
    #[error("the audit trail was altered or rolled back a moment ago")]
    TrailCut,
    /// A row check or an envelope does not hold.
    #[error("integrity error")]
    Integrity,
    /// A later release of Strongroom wrote the row, in a way that this one cannot judge.
    #[error("saved by a later release of Strongroom")]
    LaterRelease,
    /// A serialisation failure or a deadlock: the transaction may be tried again.
    #[error("a concurrent change was in the way")]
    TryAgain,
    #[error(transparent)]
    MissingKek(#[from] crate::vault::MissingKek),
    /// A row holds a value that Strongroom never writes: another type, or none where there must be one.
    #[error("a row holds a value that Strongroom never writes")]
    Unreadable,
    #[error("the database refused the statement")]
    Other,
}

impl From<Error> for DbError {
    fn from(error: Error) -> Self {
        let Error::DatabaseError(kind, information) = error else {
            return match error {
                Error::NotFound => Self::NotFound,
                Error::BrokenTransactionManager => Self::Unavailable,
                Error::DeserializationError(_) => Self::Unreadable,
                _ => Self::Other,
            };
        };
        let constraint = || information.constraint_name().unwrap_or_default().to_owned();
        match kind {
            DatabaseErrorKind::UniqueViolation => Self::Duplicate(constraint()),
            DatabaseErrorKind::ForeignKeyViolation => Self::Reference(constraint()),
            DatabaseErrorKind::CheckViolation => Self::Check(constraint()),
            DatabaseErrorKind::SerializationFailure => Self::TryAgain,
            DatabaseErrorKind::ReadOnlyTransaction => Self::ReadOnly,
            DatabaseErrorKind::ClosedConnection | DatabaseErrorKind::UnableToSendCommand => Self::Unavailable,
            _ => {
                let hint = || information.hint().and_then(server_messages::meaning);
                server_messages::meaning(information.message()).or_else(hint).unwrap_or(Self::Other)
            }
        }
    }
}

impl From<crate::vault::IntegrityError> for DbError {
    fn from(_: crate::vault::IntegrityError) -> Self {
        Self::Integrity
    }
}
