//! Addresses that registries call when something in them changed. Operators make and remove them; who calls is known by
//! the address alone, of which only a hash is stored.

use super::{Principal, Refusal, read, write};
use crate::accounts::{Role, tokens};
use crate::form::Values;
use crate::integrations::registries::hooks::{Changed, Hook};
use crate::models::{Conn, DbError, HookId, IntegrationId, hooks, integrations};
use crate::services::Services;
use crate::vault::Vault;

/// An address that was made.
pub struct Made {
    /// It is known now and never again.
    pub address: String,
    /// Where the vendor takes it, as a sentence.
    pub enter: &'static str,
    /// Of its integration.
    pub name: String,
}

/// Makes the address of an integration, instead of the one that it has.
pub async fn make(services: &Services, principal: &Principal, id: IntegrationId) -> Result<Made, Refusal> {
    principal.require_fresh_as(Role::Operator)?;
    let secret = tokens::new_token();
    let hash = tokens::hash(&secret);
    let made = write(services, principal, move |conn, vault, actor| {
        let row = integrations::find(conn, vault, id)?.trust()?;
        let Some(hook) = Hook::of(&row.version) else { return Ok(None) };
        let id = hooks::make(conn, vault, actor, &row, &hash)?;
        Ok(Some((id, hook.enter, row.name.clone())))
    });
    let none = Refusal::Conflict("This kind of integration has no webhook. It scans on its schedule.");
    let (id, enter, name) = made.await.map_err(overtaken)?.ok_or(none)?;
    let address = services.public_url.join(&format!("hooks/{id}/{secret}"));
    let address = address.map_err(|_| Refusal::Unacceptable("The console's address cannot be extended."))?;
    Ok(Made { address: address.into(), enter, name })
}

/// Somebody else has made one at the same time.
fn overtaken(error: DbError) -> Refusal {
    match error {
        DbError::Duplicate(_) => Refusal::Overtaken,
        error => error.into(),
    }
}

/// Removes the address of an integration. Twice is as good as once.
pub async fn remove(services: &Services, principal: &Principal, id: IntegrationId) -> Result<(), Refusal> {
    principal.require(Role::Operator)?;
    let remove = move |conn: &mut Conn, vault: &Vault, actor: &_| {
        let row = integrations::find(conn, vault, id)?.into_shown();
        hooks::remove(conn, vault, actor, &row).map(drop)
    };
    Ok(write(services, principal, remove).await?)
}

/// A call to an address that is right.
pub struct Call {
    hook: HookId,
    integration: IntegrationId,
}

/// Looks at the address of a call. [`DbError::NotFound`] for whatever is wrong with it.
pub async fn called(services: &Services, id: HookId, secret: &str) -> Result<Call, DbError> {
    let hash = tokens::hash(secret);
    let find = move |conn: &mut Conn, vault: &Vault| match hooks::find(conn, vault, id) {
        Err(DbError::NotFound) => Ok(None),
        found => found.map(Some),
    };
    let hook = read(services, find).await?.and_then(|seen| seen.trust().ok());
    let hook = hook.filter(|hook| hook.opens(&hash)).ok_or(DbError::NotFound)?;
    Ok(Call { hook: hook.id, integration: hook.integration_id })
}

/// Notes what the message of a call says has changed; it is scanned a little later.
pub async fn tell(services: &Services, call: &Call, message: Vec<u8>) -> Result<(), DbError> {
    let (hook, integration, vault) = (call.hook, call.integration, services.vault.clone());
    let note = move |conn: &mut Conn| match changed(conn, &vault, integration, &message)? {
        Changed::Nothing => Ok(()),
        Changed::All => hooks::note(conn, hook, None),
        Changed::Repositories(names) => hooks::note(conn, hook, Some(&names)),
    };
    services.db.transaction(note).await
}

fn changed(conn: &mut Conn, vault: &Vault, id: IntegrationId, message: &[u8]) -> Result<Changed, DbError> {
    // A run of a row that does not count fails at once, and says so in its history.
    let Ok(row) = integrations::find(conn, vault, id)?.trust() else { return Ok(Changed::All) };
    if !row.active {
        return Ok(Changed::Nothing);
    }
    let settings = Values::from_json(row.settings.as_bytes()).unwrap_or_default();
    Ok(Hook::of(&row.version).map_or(Changed::All, |hook| hook.changed(&settings, message)))
}
