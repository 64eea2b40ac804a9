//! What the binary's commands do, one a file. Each returns its exit status: 0 done, 1 failed, 78 wrong setting. What is
//! printed for people and scripts goes to standard output, refusals and the log to standard error.

use std::fmt::Display;
use std::io::Write;
use std::process::ExitCode;
use std::sync::Arc;

use crate::cli::EX_CONFIG;
use crate::config::StoreSettings;
use crate::models::{self, Conn};
use crate::postgres::Private;
use crate::store::{self, StartError};
use crate::vault::Vault;

pub mod audit;
pub mod key;
pub mod proxy;
pub mod serve;
pub mod user;
pub mod verify;

/// Says on standard error why a command stops.
pub fn fail(error: &dyn Display) -> ExitCode {
    eprintln!("strongroom: {error}");
    ExitCode::FAILURE
}

/// The same for a setting, the key ring or data that do not fit.
pub fn misconfigured(error: &dyn Display) -> ExitCode {
    eprintln!("strongroom: {error}");
    ExitCode::from(EX_CONFIG)
}

/// One line on standard output. A reader that has gone, such as `head`, is no error.
pub fn say(line: &dyn Display) {
    let _ = writeln!(std::io::stdout(), "{line}");
}

/// No core dump and no debugger of the same user: both would hold secrets.
pub fn harden() {
    let none = rustix::process::Rlimit { current: Some(0), maximum: Some(0) };
    let limited = rustix::process::setrlimit(rustix::process::Resource::Core, none);
    let undumpable = rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable);
    if limited.is_err() || undumpable.is_err() {
        tracing::warn!("memory cannot be kept from core dumps and debuggers on this system");
    }
}

/// The store of a command: a connection and the keys. Without DATABASE_URL the private Postgres is shared with a
/// running console, or runs as long as this lives.
pub struct Store {
    pub conn: Conn,
    pub vault: Arc<Vault>,
    /// For further connections.
    pub url: String,
    _private: Option<Private>,
}

/// What a command needs of the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wants {
    /// Made if there is none, and brought up to date, as `serve` does.
    Made,
    /// There already; opening it writes nothing.
    Existing,
    /// Back from the release before: its rows are signed again.
    Returned,
}

/// Opens the store that the settings name. The error has been said.
pub fn open(settings: &StoreSettings, wants: Wants) -> Result<Store, ExitCode> {
    harden();
    let (url, private) = match settings.database_url() {
        Some(url) => (url.to_owned(), None),
        None => {
            if wants != Wants::Made && !settings.data_dir.join("postgres").exists() {
                return Err(misconfigured(&StartError::Empty));
            }
            let private = Private::join(&settings.data_dir, settings.postgres_programs.as_deref())
                .map_err(|error| misconfigured(&error))?;
            (private.url(), Some(private))
        }
    };
    let opened = match wants {
        Wants::Made => store::open_store(&url, settings),
        Wants::Existing => store::open_existing(&url, settings),
        Wants::Returned => store::open_returned(&url, settings),
    };
    let vault = opened.map_err(|error| refused(&error))?;
    let conn = models::connect(&url).map_err(|error| refused(&error.into()))?;
    Ok(Store { conn, vault, url, _private: private })
}

/// Says why there is no store.
pub fn refused(error: &StartError) -> ExitCode {
    if error.is_configuration() { misconfigured(error) } else { fail(error) }
}
