//! How use cases come to the database.

use super::Principal;
use crate::models::events::Actor;
use crate::models::{Conn, DbError};
use crate::services::Services;
use crate::vault::Vault;

/// Reads from the database.
pub(super) async fn read<T: Send + 'static>(
    services: &Services,
    work: impl FnOnce(&mut Conn, &Vault) -> Result<T, DbError> + Send + 'static,
) -> Result<T, DbError> {
    let vault = services.vault.clone();
    services.db.run(move |conn| work(conn, &vault)).await
}

/// One transaction, with the principal as the actor that the audit trail names.
pub(super) async fn write<T: Send + 'static>(
    services: &Services,
    principal: &Principal,
    work: impl Fn(&mut Conn, &Vault, &Actor) -> Result<T, DbError> + Send + 'static,
) -> Result<T, DbError> {
    let (vault, actor) = (services.vault.clone(), principal.actor());
    let written = services.db.transaction(move |conn| work(conn, &vault, &actor)).await;
    // It may be what a client fetches. Others hear of it from the database, a moment later.
    services.fetches.forget();
    written
}
