//! What the answer to a client is made from: an opened credential, or an entry of a secret store, which is read when it is
//! not in memory. Each first use of a minute is written into the audit trail before anything is given.

use chrono::{DateTime, Utc};

use super::caller::Caller;
use crate::accounts::fetches::{Said, Use};
use crate::form::Values;
use crate::integrations::issue::entry::{kept_for, named};
use crate::integrations::issue::{Age, Entry, EntryKey, Read};
use crate::models::client_rules::{self, ClientRule, Source};
use crate::models::events::{self, Action, Actor, NewEvent};
use crate::models::trust::Trusted;
use crate::models::{Conn, CredentialId, DbError, IntegrationId, altered, client_uses, credentials, integrations};
use crate::opening::{self, Closed, Opened};
use crate::providers::{Failure, ProviderError, finding};
use crate::services::Services;
use crate::usecases::stores;
use crate::vault::Vault;

pub(super) enum Material {
    Credential(Opened),
    Entry(Wanted),
}

/// An entry that is to be read.
pub(super) struct Wanted {
    store: IntegrationId,
    key: EntryKey,
    age: Age,
    actor: Actor,
}

/// What a rule names.
pub(super) struct Found {
    pub material: Material,
    pub used: Use,
    pub said: Said,
    /// When the secret was stored, or the entry is asked for.
    pub set_at: DateTime<Utc>,
}

/// Looks up what a rule names, and writes the use into the audit trail unless `is_known` says that it stands there. Call
/// inside a transaction.
pub(super) fn find(
    conn: &mut Conn,
    vault: &Vault,
    (caller, rule, detail): (&Caller, &Trusted<ClientRule>, String),
    is_known: impl Fn(&Use) -> bool,
) -> Result<Result<Found, Closed>, DbError> {
    match rule.source().ok_or(DbError::Other)? {
        Source::Credential(id) => of_credential(conn, vault, (caller, rule, id, detail), is_known),
        Source::Store(id) => of_store(conn, vault, (caller, rule, id, detail), is_known),
    }
}

fn of_credential(
    conn: &mut Conn,
    vault: &Vault,
    (caller, rule, id, detail): (&Caller, &Trusted<ClientRule>, CredentialId, String),
    is_known: impl Fn(&Use) -> bool,
) -> Result<Result<Found, Closed>, DbError> {
    let actor = caller.actor();
    let mut row = None;
    let opened = opening::open_noted(conn, vault, &actor, (id, None), |conn, credential| {
        row = Some((credential.name.clone(), credential.secret_set_at));
        let version = credential.secret_version;
        let used = used(caller, rule, Source::Credential(id), version);
        if is_known(&used) {
            return Ok(());
        }
        let said = format!("{detail}, version {version}");
        credentials::record_fetch(conn, vault, &actor, credential, (Action::ClientFetched, said))?;
        client_uses::note(conn, used.login, Some(used.rule), &actor.address, 1)
    })?;
    let (opened, (name, set_at)) = match (opened, row) {
        (Ok(opened), Some(row)) => (opened, row),
        (Ok(_), None) => return Err(DbError::Other),
        (Err(closed), _) => return Ok(Err(closed)),
    };
    let used = used(caller, rule, Source::Credential(id), opened.version);
    let said = Said { actor, subject: ("credential", id.0, name), detail };
    Ok(Ok(Found { material: Material::Credential(opened), used, said, set_at }))
}

fn of_store(
    conn: &mut Conn,
    vault: &Vault,
    (caller, rule, id, detail): (&Caller, &Trusted<ClientRule>, IntegrationId, String),
    is_known: impl Fn(&Use) -> bool,
) -> Result<Result<Found, Closed>, DbError> {
    if vault.trail.is_held() {
        return Ok(Err(Closed::Held));
    }
    let actor = caller.actor();
    let store = match integrations::find(conn, vault, id)?.judged() {
        Ok(store) => store,
        Err((store, doubt)) => {
            if doubt.is_tampering() {
                altered::refuse(conn, vault, &store, doubt)?;
            }
            return Ok(Err(Closed::Quarantined));
        }
    };
    let settings = Values::from_json(rule.settings.as_bytes()).unwrap_or_default();
    let used = used(caller, rule, Source::Store(id), 0);
    let detail = format!("{detail}, entry {}", named(&settings));
    if !is_known(&used) {
        let event = NewEvent {
            action: Action::ClientFetched,
            subject_kind: "integration",
            subject_id: Some(id.0),
            subject_name: &store.name,
            detail: detail.clone(),
        };
        events::record(conn, vault, &actor, &event)?;
        client_uses::note(conn, used.login, Some(used.rule), &actor.address, 1)?;
    }
    let not_before = client_rules::refreshed_at(conn, rule.id)?;
    let age = Age { now: caller.now, kept_for: kept_for(&settings), not_before };
    let credential = match store.credential_id {
        Some(credential) => Some((credential.0, credentials::secret_version(conn, credential)?)),
        None => None,
    };
    let entry = named(&settings).to_owned();
    let key = EntryKey { store: id.0, store_version: store.row_version, credential, entry };
    let said = Said { actor: actor.clone(), subject: ("integration", id.0, store.name.clone()), detail };
    let material = Material::Entry(Wanted { store: id, key, age, actor });
    Ok(Ok(Found { material, used, said, set_at: caller.now }))
}

fn used(caller: &Caller, rule: &ClientRule, source: Source, version: i32) -> Use {
    Use {
        login: caller.login.id,
        rule: rule.id,
        rule_version: rule.row_version,
        source,
        version,
        address: caller.address,
    }
}

impl Wanted {
    /// From memory, if it was read not too long ago, else from the store.
    pub async fn read(&self, services: &Services) -> Result<Read, Failure> {
        let read = || async {
            let entries = std::slice::from_ref(&self.key.entry);
            let read = stores::read(services, &self.actor, self.store, entries).await;
            read.map_err(failure)?.pop().unwrap_or_else(|| Err(finding(&ProviderError::BadAnswer, "the store").into()))
        };
        services.entries.get(self.key.clone(), self.age, read).await
    }
}

fn failure(refused: stores::Refused) -> Failure {
    match refused {
        stores::Refused::Failed(failure) => failure,
        other => Failure::later(other.sentence()),
    }
}

/// The number of an entry's version: the store's own, else one that is another for other values; and a mark that is
/// another whenever the values are, also where a store counts from one again.
pub(super) fn version_of(vault: &Vault, entry: &Entry) -> (i32, String) {
    let mac = vault.mac("client/entry version", &[&entry.keys.to_json()]);
    let first = mac.first_chunk().map_or(0, |bytes| u32::from_be_bytes(*bytes));
    let own = entry.version.parse().ok().filter(|number| *number > 0);
    (own.unwrap_or_else(|| i32::try_from(first >> 1).unwrap_or_default().max(1)), hex::encode(&mac[..8]))
}
