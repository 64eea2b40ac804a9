//! What the binary's commands do, one a file. Each returns its exit status: 0 done, 1 failed, 78 wrong setting.

use std::process::ExitCode;

use crate::cli::EX_CONFIG;
use crate::config::StoreSettings;
use crate::postgres::Private;

pub mod serve;

/// Says on standard error why a command stops.
pub fn fail(error: &dyn std::fmt::Display) -> ExitCode {
    eprintln!("strongroom: {error}");
    ExitCode::FAILURE
}

/// The same for a setting, the key ring or data that do not fit.
pub fn misconfigured(error: &dyn std::fmt::Display) -> ExitCode {
    eprintln!("strongroom: {error}");
    ExitCode::from(EX_CONFIG)
}

/// The database of a command: the one of the settings, or the private one, shared with a running console.
pub struct Database {
    pub url: String,
    _private: Option<Private>,
}

/// Reaches the database that the settings name.
pub fn database(store: &StoreSettings) -> Result<Database, ExitCode> {
    if let Some(url) = store.database_url() {
        return Ok(Database { url: url.to_owned(), _private: None });
    }
    let private =
        Private::join(&store.data_dir, store.postgres_programs.as_deref()).map_err(|error| misconfigured(&error))?;
    Ok(Database { url: private.url(), _private: Some(private) })
}
