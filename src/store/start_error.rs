//! Why the console does not start, and whether its settings are to blame.

use crate::config::{CannotListen, SettingError};
use crate::models::deployment::BootError;
use crate::models::{ConnectError, DbError};
use crate::vault::KeyRingError;

/// Why the console does not start. Every sentence says what to do.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error(transparent)]
    KeyRing(#[from] KeyRingError),
    #[error(transparent)]
    Boot(#[from] BootError),
    #[error(transparent)]
    Connect(#[from] ConnectError),
    #[error("the connection of STRONGROOM_DATABASE_DIRECT_URL fails, which is written as DATABASE_URL is: {0}")]
    DirectUrl(ConnectError),
    #[error(
        "STRONGROOM_DATABASE_DIRECT_URL leads through a pooler, too: name the server itself there, or leave it out"
    )]
    NotDirect,
    #[error("STRONGROOM_DATABASE_DIRECT_URL leads to another database than DATABASE_URL: name the same one in both")]
    OtherDatabase,
    #[error("the database could not be prepared ({0}): check that the user of DATABASE_URL owns the database")]
    Prepare(DbError),
    #[error(
        "there is no Strongroom here yet: start it once with `strongroom serve`, or check DATABASE_URL and the data directory"
    )]
    Empty,
    #[error("the database has not the tables of this version: start the console once, which brings them up to date")]
    Outdated,
    #[error("the TLS certificate or key cannot be used: give PEM files with --tls-cert and --tls-key")]
    Tls,
    #[error(transparent)]
    Listen(#[from] CannotListen),
    #[error(transparent)]
    Setting(#[from] SettingError),
}

impl StartError {
    /// Settings, key ring and data that do not belong together: exit status 78.
    pub fn is_configuration(&self) -> bool {
        match self {
            Self::Connect(error) => error.is_setting(),
            Self::Prepare(_) => false,
            _ => true,
        }
    }
}

impl From<DbError> for StartError {
    fn from(error: DbError) -> Self {
        Self::Prepare(error)
    }
}
