//! The items of a Secret Sync: each is one Secret, made from a stored credential. Its value leaves Strongroom, so only an
//! administrator adds or changes one, with the password and the credential's name typed, where the operator allows it;
//! every administrator who can be written to is told. Where it goes is bound to the item: after any other change that
//! would lead it elsewhere, nothing is written until it is confirmed again.

use uuid::Uuid;

use super::destination::leads_to;
use super::draft;
use crate::accounts::Role;
use crate::draft::Shown;
use crate::form::{self, Errors, Field, Values};
use crate::integrations::Spec;
use crate::integrations::deployments::syncs::{self, FIELDS, Item, MOST_ITEMS, MOST_SECRETS};
use crate::integrations::issue::{Form, VALUE};
use crate::models::credentials::{self, Credential};
use crate::models::events::{self, Action, Actor, NewEvent};
use crate::models::integrations::{self, Integration, NewIntegration};
use crate::models::usages::Usage;
use crate::models::{Conn, CredentialId, DbError, IntegrationId, account_letters};
use crate::services::Services;
use crate::usecases::clients::rules::{OFF, RELEASED};
use crate::usecases::confirmation::check_password;
use crate::usecases::{Confirmation, Principal, Refusal, read, write};
use crate::vault::Vault;

const ADMINISTRATORS: &str = "Only an administrator can let a cluster get a stored value.";
const LIST: &str = "Choose one from the list.";
const NO_SYNC: Refusal = Refusal::Unacceptable("Only a Secret Sync has Secrets.");

const CREDENTIAL: Field =
    Field::pick("credential", "Credential").check(id).help("Its stored value goes to the cluster.");

fn id(text: &str) -> Result<String, String> {
    text.parse::<CredentialId>().map(|id| id.to_string()).map_err(|_| LIST.to_owned())
}

/// The whole form of an item.
pub fn fields() -> Vec<Field> {
    [CREDENTIAL].into_iter().chain(FIELDS.iter().copied()).collect()
}

/// Names of all fields that the form may post.
pub fn field_names() -> Vec<&'static str> {
    fields().into_iter().map(|field| field.name).chain([RELEASED]).collect()
}

/// What comes with the form beside its fields.
pub struct Answer<'a> {
    /// The name of the credential, as it was typed; `None` while nobody was asked.
    pub released: Option<&'a str>,
    pub confirmation: Confirmation<'a>,
}

/// A sync with its items, to be shown.
pub struct Kept {
    pub row: Integration,
    pub items: Vec<Item>,
}

impl Kept {
    fn of(row: Integration) -> Result<Self, Refusal> {
        let is_sync = Spec::find(&row.version).is_some_and(Spec::is_sync);
        let settings = Values::from_json(row.settings.as_bytes()).filter(|_| is_sync).ok_or(NO_SYNC)?;
        Ok(Self { items: syncs::items(&settings), row })
    }

    /// The form's values of an item.
    pub fn stored(&self, item: &Item) -> Values {
        let mut values = item.to_form();
        let credential = self.row.credential_as(&item.role());
        values.set("credential", credential.map(|id| id.to_string()).unwrap_or_default());
        values
    }

    pub fn item(&self, id: &str) -> Result<&Item, Refusal> {
        self.items.iter().find(|item| item.id == id).ok_or(Refusal::Db(DbError::NotFound))
    }
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

/// An item as somebody entered it, after all checks.
struct Checked {
    item: Item,
    source: Credential,
}

async fn find_credential(services: &Services, chosen: &str) -> Result<Option<Credential>, Refusal> {
    let Ok(id) = chosen.parse::<CredentialId>() else { return Ok(None) };
    let find = move |conn: &mut Conn, vault: &Vault| match credentials::find(conn, vault, id) {
        Err(DbError::NotFound) => Ok(None),
        found => found.map(Some),
    };
    match read(services, find).await? {
        None => Ok(None),
        Some(seen) => Ok(Some(Credential::clone(&*seen.trust()?))),
    }
}

/// A new name for the role of a credential.
fn fresh() -> String {
    Uuid::new_v4().simple().to_string()[..12].to_owned()
}

/// Checks what was entered for the item `edited`, or for a new one.
async fn check(
    services: &Services,
    principal: &Principal,
    (kept, edited): (&Kept, Option<&Item>),
    posted: &Values,
) -> Result<Checked, Refusal> {
    let values = form::check(&fields(), posted, None).map_err(Refusal::Invalid)?;
    let one = |field: &str, text: &str| Refusal::Invalid(Errors::one(field, text));
    let source = find_credential(services, values.get("credential")).await?.ok_or_else(|| one("credential", LIST))?;
    let kind = crate::credentials::find(&source.kind);
    let kind = kind.ok_or_else(|| one("credential", "This release does not know the type of it."))?;
    let same = edited.filter(|item| kept.row.credential_as(&item.role()) == Some(source.id));
    let item = Item::of_form(same.map_or_else(fresh, |item| item.id.clone()), &values);
    item.check_kind(kind).map_err(Refusal::Invalid)?;
    holds_secret(kind, &source)?;
    if !services.settings.releases_values() {
        return Err(one("credential", OFF));
    }
    if principal.require(Role::Administrator).is_err() {
        return Err(one("credential", ADMINISTRATORS));
    }
    fits_in(kept, edited, &item)?;
    Ok(Checked { item, source })
}

/// A credential that stands for the server's own identity has no value to give.
fn holds_secret(kind: &'static crate::credentials::Kind, source: &Credential) -> Result<(), Refusal> {
    let Some(value) = Form::find(VALUE) else { return Ok(()) };
    let fits = value.check(kind, &Values::default(), &Shown::read(&source.facts).stored());
    fits.map(drop).map_err(|_| {
        Refusal::Invalid(Errors::one("credential", "This credential holds no secret. Choose another one."))
    })
}

/// Whether the item goes beside the others.
fn fits_in(kept: &Kept, edited: Option<&Item>, item: &Item) -> Result<(), Refusal> {
    let others = || kept.items.iter().filter(|other| edited.is_none_or(|edited| edited.id != other.id));
    let meets = |other: &Item| other.namespaces.iter().any(|one| item.namespaces.contains(one));
    if others().any(|other| other.secret == item.secret && meets(other)) {
        let text = "This sync keeps another Secret of this name in one of the namespaces.";
        return Err(Refusal::Invalid(Errors::one("secret", text)));
    }
    let secrets: usize = others().map(|other| other.namespaces.len()).sum();
    if others().count() >= MOST_ITEMS || secrets + item.namespaces.len() > MOST_SECRETS {
        let text = format!("A sync keeps at most {MOST_SECRETS} Secrets. Add another sync.");
        return Err(Refusal::Invalid(Errors::one("namespaces", text)));
    }
    Ok(())
}

/// The password, always anew, with the credential's name.
async fn confirm_all(
    services: &Services,
    principal: &Principal,
    checked: &Checked,
    answer: &Answer<'_>,
) -> Result<(), Refusal> {
    match answer.released {
        Some(typed) if typed.trim() == checked.source.name => {
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
    integrations::update(conn, vault, actor, (row.id, row.row_version), &new)
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
    let end = item.end(&leads_to(spec, &main, &row.host));
    let mut items = kept.items.clone();
    match edited.and_then(|edited| items.iter().position(|other| other.id == edited.id)) {
        Some(at) => items[at] = item.clone(),
        None => items.push(item.clone()),
    }
    let usage = Usage { role: item.role(), credential: source.id, host: end.clone() };
    let former = edited.map(Item::role);
    let mut further: Vec<Usage> = row.further.to_vec();
    further.retain(|other| other.role != usage.role && Some(&other.role) != former.as_ref());
    further.push(usage);
    save(conn, vault, actor, row, (&items, &further))?;
    let action = if edited.is_some() { Action::SyncItemEdited } else { Action::SyncItemAdded };
    events::record(conn, vault, actor, &row.event(action, about(item, &source.name)))?;
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
fn about(item: &Item, source: &str) -> String {
    format!("{} in {} from {source}", item.secret, item.namespaces.join(", "))
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
    Ok(write(services, principal, save).await.map_err(draft::refused)?)
}
