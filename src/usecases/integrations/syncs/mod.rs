//! The items of a Secret Sync: each is one Secret, made from a stored credential or from an entry of a secret store. A
//! stored value leaves Strongroom, so only an administrator adds or changes such an item, with the password and the
//! credential's name typed, where the operator allows it; every administrator who can be written to is told. An entry is
//! passed on: an administrator with a fresh password chooses it. Where a value goes is bound to the item: after any other
//! change that would lead it elsewhere, nothing is written until it is confirmed again.

use super::destination::leads_to;
use super::draft;
use crate::accounts::Role;
use crate::form::{Errors, Values};
use crate::integrations::Spec;
use crate::integrations::deployments::syncs::{self, Item};
use crate::models::credentials::{self, Credential};
use crate::models::events::{self, Action, Actor, NewEvent};
use crate::models::integrations::{self, Integration, NewIntegration};
use crate::models::usages::Usage;
use crate::models::{Conn, DbError, IntegrationId, account_letters, sync_entries};
use crate::services::Services;
use crate::usecases::clients::entered::RELEASED;
use crate::usecases::confirmation::check_password;
use crate::usecases::{Confirmation, Principal, Refusal, confirm, read, write};
use crate::vault::Vault;

mod entered;
mod kept;

use entered::{Checked, Source, check};
pub use entered::{field_names, fields};
pub use kept::{Kept, SOURCE_CREDENTIAL};

/// What comes with the form beside its fields.
pub struct Answer<'a> {
    /// The name of the credential, as it was typed; `None` while nobody was asked.
    pub released: Option<&'a str>,
    pub confirmation: Confirmation<'a>,
}

/// The sync as it is saved.
pub async fn find(services: &Services, id: IntegrationId) -> Result<Kept, Refusal> {
    let row = read(services, move |conn, vault| integrations::find(conn, vault, id)).await?.trust()?;
    Kept::of((*row).clone())
}

/// The sync as of the version that the principal has seen.
async fn seen(services: &Services, (id, seen): (IntegrationId, i64)) -> Result<Kept, Refusal> {
    let kept = find(services, id).await?;
    if kept.row.row_version == seen { Ok(kept) } else { Err(Refusal::Overtaken) }
}

/// The password; for a stored value always anew, with the credential's name.
async fn confirm_all(
    services: &Services,
    principal: &Principal,
    checked: &Checked,
    answer: &Answer<'_>,
) -> Result<(), Refusal> {
    let Source::Credential(source) = &checked.source else {
        return confirm(services, principal.visitor(), &answer.confirmation).await;
    };
    match answer.released {
        Some(typed) if typed.trim() == source.name => {
            check_password(services, principal.visitor(), &answer.confirmation).await
        }
        Some(typed) if !typed.trim().is_empty() => {
            Err(Refusal::Invalid(Errors::one(RELEASED, "The name doesn't match. Nothing was saved.")))
        }
        _ => Err(Refusal::Invalid(Errors::one(RELEASED, "Type the name of the credential."))),
    }
}

/// Saves the row with these items and usages.
fn save(
    conn: &mut Conn,
    vault: &Vault,
    actor: &Actor,
    row: &Integration,
    (items, further): (&[Item], &[Usage]),
) -> Result<(), DbError> {
    let mut settings = Values::from_json(row.settings.as_bytes()).ok_or(DbError::LaterRelease)?;
    syncs::set_items(&mut settings, items);
    let settings = String::from_utf8_lossy(&settings.to_json()).into_owned();
    let new = NewIntegration {
        family: &row.family,
        version: &row.version,
        name: &row.name,
        credential_id: row.credential_id,
        host: &row.host,
        further,
        settings: &settings,
        every_hours: row.every_hours,
    };
    integrations::update(conn, vault, actor, (row.id, row.row_version), &new)?;
    let of_stores = items.iter().filter_map(|item| {
        let of = item.entry.as_ref()?;
        Some((item.id.as_str(), IntegrationId(of.store), of.entry.as_str()))
    });
    sync_entries::set(conn, row.id, &of_stores.collect::<Vec<_>>())
}

/// Puts the item in the place of the one that was edited, or behind all, and binds its credential to where it goes.
fn keep(
    conn: &mut Conn,
    vault: &Vault,
    actor: &Actor,
    (kept, edited): (&Kept, Option<&Item>),
    Checked { item, source }: &Checked,
) -> Result<(), DbError> {
    let row = &kept.row;
    let main = row.credential_id.ok_or(DbError::NotFound)?;
    let main = credentials::find(conn, vault, main)?.trust()?;
    let spec = Spec::find(&row.version).ok_or(DbError::LaterRelease)?;
    let (end, mut item, mut items) = (item.end(&leads_to(spec, &main, &row.host)), item.clone(), kept.items.clone());
    if let Some(of) = &mut item.entry {
        of.end.clone_from(&end);
    }
    match edited.and_then(|edited| items.iter().position(|other| other.id == edited.id)) {
        Some(at) => items[at] = item.clone(),
        None => items.push(item.clone()),
    }
    let former = edited.map(Item::role);
    let mut further: Vec<Usage> = row.further.to_vec();
    further.retain(|other| other.role != item.role() && Some(&other.role) != former.as_ref());
    if let Source::Credential(source) = source {
        further.push(Usage { role: item.role(), credential: source.id, host: end.clone() });
    }
    save(conn, vault, actor, row, (&items, &further))?;
    let action = if edited.is_some() { Action::SyncItemEdited } else { Action::SyncItemAdded };
    events::record(conn, vault, actor, &row.event(action, about(&item, source)))?;
    match source {
        Source::Credential(source) => tell(conn, vault, actor, (row, source, &end)),
        Source::Entry(_) => Ok(()),
    }
}

/// Tells every administrator that a stored value leaves, and the audit trail.
fn tell(
    conn: &mut Conn,
    vault: &Vault,
    actor: &Actor,
    (row, source, end): (&Integration, &Credential, &str),
) -> Result<(), DbError> {
    let allowed = NewEvent {
        action: Action::SyncValueAllowed,
        subject_kind: "credential",
        subject_id: Some(source.id.0),
        subject_name: &source.name,
        detail: format!("{end}, by {}", row.name),
    };
    events::record(conn, vault, actor, &allowed)?;
    let about = format!("“{}”, by the Secret Sync {}, to {end}", source.name, row.name);
    let now = events::open(conn)?.now;
    account_letters::tell_administrators(conn, vault, &about, (&actor.name, now)).map(drop)
}

/// `db in shop, pay from robot`
fn about(item: &Item, source: &Source) -> String {
    let entry = item.entry.as_ref().map(|of| format!("{} of ", of.entry)).unwrap_or_default();
    format!("{} in {} from {entry}{}", item.secret, item.namespaces.join(", "), source.name())
}

/// Adds an item, or saves one over the version of the sync that the principal has seen.
pub async fn put(
    services: &Services,
    principal: &Principal,
    (at, item): ((IntegrationId, i64), Option<&str>),
    posted: &Values,
    answer: &Answer<'_>,
) -> Result<(), Refusal> {
    principal.require(Role::Operator)?;
    let kept = seen(services, at).await?;
    let edited = item.map(|id| kept.item(id).cloned()).transpose()?;
    let checked = check(services, principal, (&kept, edited.as_ref()), posted).await?;
    confirm_all(services, principal, &checked, answer).await?;
    let save = move |conn: &mut Conn, vault: &Vault, actor: &Actor| {
        keep(conn, vault, actor, (&kept, edited.as_ref()), &checked)
    };
    write(services, principal, save).await.map_err(draft::refused)?;
    services.wake.messages.notify_one();
    Ok(())
}

/// Takes an item from the sync. Its Secrets stay in the cluster until the next apply deletes them.
pub async fn delete(
    services: &Services,
    principal: &Principal,
    (at, item): ((IntegrationId, i64), &str),
) -> Result<(), Refusal> {
    principal.require_fresh_as(Role::Operator)?;
    let kept = seen(services, at).await?;
    let gone = kept.item(item)?.clone();
    let save = move |conn: &mut Conn, vault: &Vault, actor: &Actor| {
        let items: Vec<Item> = kept.items.iter().filter(|other| other.id != gone.id).cloned().collect();
        let role = gone.role();
        let further: Vec<Usage> = kept.row.further.iter().filter(|usage| usage.role != role).cloned().collect();
        save(conn, vault, actor, &kept.row, (&items, &further))?;
        let detail = format!("{} in {}", gone.secret, gone.namespaces.join(", "));
        events::record(conn, vault, actor, &kept.row.event(Action::SyncItemDeleted, detail))
    };
    write(services, principal, save).await.map_err(draft::refused)
}
