//! How the console reaches its database, found out once, at the start: directly, or through a pooler; and where it
//! hears of sessions that others end.

use super::StartError;
use crate::models::{self, Route, deployment};
use crate::vault::Vault;

/// The way for all work, and the URL to listen at; `None`: nobody announces anything.
pub fn find(url: &str, direct: Option<&str>, vault: &Vault) -> Result<(Route, Option<String>), StartError> {
    if let Some(direct) = direct {
        check(url, direct, vault)?;
        return Ok((Route::Pooled, Some(direct.to_owned())));
    }
    match models::route(url)? {
        Route::Direct => Ok((Route::Direct, Some(url.to_owned()))),
        Route::Pooled => {
            tracing::info!(
                "DATABASE_URL leads through a pooler: a session that another console ends may be good for one more \
                 second here, unless STRONGROOM_DATABASE_DIRECT_URL names a direct connection"
            );
            Ok((Route::Pooled, None))
        }
    }
}

/// A server that is away may come back. One that can never be right is refused.
fn check(url: &str, direct: &str, vault: &Vault) -> Result<(), StartError> {
    let mut conn = match models::connect_by(direct) {
        Ok((_, Route::Pooled)) => return Err(StartError::NotDirect),
        Ok((conn, Route::Direct)) => conn,
        Err(error) if error.is_setting() => return Err(StartError::DirectUrl(error)),
        Err(error) => {
            tracing::warn!("STRONGROOM_DATABASE_DIRECT_URL: {error}");
            return Ok(());
        }
    };
    match models::read(&mut conn, deployment::id) {
        Ok(Some(id)) if id == vault.deployment() => {}
        _ => return Err(StartError::OtherDatabase),
    }
    // A copy of the database is of the same deployment.
    let there = models::read(&mut conn, models::server)?;
    let here = models::read(&mut models::connect(url)?, models::server)?;
    if there == here { Ok(()) } else { Err(StartError::OtherDatabase) }
}
