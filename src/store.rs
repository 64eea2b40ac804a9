//! Opens, founds and checks a store: the key ring, the migrations, the deployment, the way to the database. For the
//! console and for every command alike, so nothing of pages or jobs is in here.

use std::sync::Arc;

use uuid::Uuid;

use crate::config::StoreSettings;
use crate::draft;
use crate::models::resign::Again;
use crate::models::{self, Conn, DbError, credentials, deployment, resign};
use crate::vault::{KeyRing, KeyRingError, Vault};

pub mod reach;
mod start_error;

pub use start_error::StartError;

/// Opens the store behind a database: migrates it, founds the deployment on the very first start, and checks that the
/// key ring belongs to it. Nothing is written before the keys have proved right.
pub fn open_store(url: &str, settings: &StoreSettings) -> Result<Arc<Vault>, StartError> {
    let mut conn = models::connect(url)?;
    if models::read(&mut conn, models::logs_statements).unwrap_or(false) {
        tracing::warn!(
            "the database writes statements into its log (log_statement or log_min_duration_statement): secrets in them \
             are sealed, but names, notes and addresses are not. Switch that off for Strongroom's database"
        );
    }
    let path = settings.keyring_file();
    // A database in use must not be migrated under the wrong keys, so those are checked first.
    if let Ok(Some(id)) = models::read(&mut conn, deployment::id) {
        let vault = Vault::new(id, KeyRing::read(&path)?, Some(path));
        models::read(&mut conn, |conn| deployment::check_keys(conn, &vault))?;
        models::migrate(&mut conn).map_err(StartError::Prepare)?;
        sign_and_check(&mut conn, &vault, Again::No)?;
        return Ok(Arc::new(vault));
    }
    models::migrate(&mut conn).map_err(StartError::Prepare)?;
    found(&mut conn, &path)
}

/// Opens a store that was back with the release before: brings it up to date, and signs its rows again.
pub fn open_returned(url: &str, settings: &StoreSettings) -> Result<Arc<Vault>, StartError> {
    let mut conn = models::connect(url)?;
    let Ok(Some(id)) = models::read(&mut conn, deployment::id) else { return Err(StartError::Empty) };
    let path = settings.keyring_file();
    let vault = Vault::new(id, KeyRing::read(&path)?, Some(path));
    models::read(&mut conn, |conn| deployment::check_keys(conn, &vault))?;
    models::migrate(&mut conn).map_err(StartError::Prepare)?;
    sign_and_check(&mut conn, &vault, Again::Yes)?;
    Ok(Arc::new(vault))
}

/// Opens a store that is there already, and writes nothing.
pub fn open_existing(url: &str, settings: &StoreSettings) -> Result<Arc<Vault>, StartError> {
    let mut conn = models::connect(url)?;
    let Ok(Some(id)) = models::read(&mut conn, deployment::id) else { return Err(StartError::Empty) };
    let path = settings.keyring_file();
    let vault = Vault::new(id, KeyRing::read(&path)?, Some(path));
    models::read(&mut conn, |conn| deployment::check_keys(conn, &vault))?;
    if !models::read(&mut conn, models::is_migrated)? {
        return Err(StartError::Outdated);
    }
    models::read(&mut conn, |conn| deployment::check_rows(conn, &vault))?;
    Ok(Arc::new(vault))
}

/// Signs what the release before left, once, and checks the rows without which nothing can be trusted.
fn sign_and_check(conn: &mut Conn, vault: &Vault, again: Again) -> Result<(), StartError> {
    models::transaction(conn, &|conn: &mut Conn| resign::once(conn, vault, again))?;
    Ok(models::read(conn, |conn| deployment::check_rows(conn, vault))?)
}

fn found(conn: &mut Conn, path: &std::path::Path) -> Result<Arc<Vault>, StartError> {
    // Replicas that start together may share the file: one makes it, the others read it.
    let ring = match KeyRing::create(path) {
        Err(KeyRingError::Exists(_)) => KeyRing::read(path)?,
        created => created?,
    };
    let vault = Vault::new(Uuid::new_v4(), ring, Some(path.to_owned()));
    let shipped = draft::shipped().map_err(|_| StartError::Prepare(DbError::Other))?;
    let founding = |conn: &mut Conn| {
        deployment::found(conn, &vault)?;
        if deployment::id(conn)? == Some(vault.deployment()) {
            credentials::ship(conn, &vault, &shipped.row())?;
        }
        Ok::<(), DbError>(())
    };
    models::transaction(conn, &founding).map_err(StartError::Prepare)?;
    // Another replica may have been first: then its deployment counts.
    let id = models::read(conn, deployment::id)?.ok_or(StartError::Prepare(DbError::NotFound))?;
    let vault = Vault::new(id, KeyRing::read(path)?, Some(path.to_owned()));
    models::read(conn, |conn| deployment::check_keys(conn, &vault))?;
    models::read(conn, |conn| deployment::check_rows(conn, &vault))?;
    Ok(Arc::new(vault))
}
