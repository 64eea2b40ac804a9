//! The items of a Secret Sync: each is one Secret, made from a stored credential or from an entry of a secret store. A
//! stored value leaves Strongroom, so only an administrator adds or changes such an item, with the password and the
//! credential's name typed, where the operator allows it; every administrator who can be written to is told. An entry is
//! passed on: an administrator with a fresh password chooses it. Where a value goes is bound to the item: after any other
//! change that would lead it elsewhere, nothing is written until it is confirmed again.

use uuid::Uuid;

use super::destination::leads_to;
use super::draft;
use crate::accounts::Role;
use crate::draft::Shown;
use crate::form::{self, Errors, Field, Values};
use crate::integrations::Spec;
use crate::integrations::deployments::syncs::{self, FIELDS, Item, MOST_ITEMS, MOST_SECRETS, StoreEntry};
use crate::integrations::issue::{Form, VALUE};
use crate::models::credentials::{self, Credential};
use crate::models::events::{self, Action, Actor, NewEvent};
use crate::models::integrations::{self, Integration, NewIntegration};
use crate::models::usages::Usage;
use crate::models::{Conn, CredentialId, DbError, IntegrationId, account_letters, sync_entries};
use crate::services::Services;
use crate::usecases::clients::rules::{OFF, RELEASED};
use crate::usecases::confirmation::check_password;
use crate::usecases::{Confirmation, Principal, Refusal, confirm, read, write};
use crate::vault::Vault;

const ADMINISTRATORS: &str = "Only an administrator can let a cluster get a stored value.";
const PASSES_ON: &str = "Only an administrator can pass on an entry of a secret store.";
const LIST: &str = "Choose one from the list.";
const NO_SYNC: Refusal = Refusal::Unacceptable("Only a Secret Sync has Secrets.");

/// The values of the field that says where a value comes from.
const STORED: &str = "credential";
const ENTRY: &str = "entry";

const SOURCE: Field =
    Field::choice("source", "Source", &[(STORED, "A stored credential"), (ENTRY, "An entry of a secret store")]);
const CREDENTIAL: Field = Field::pick("credential", "Credential")
    .when("source", &[STORED])
    .check(id)
    .help("Its stored value goes to the cluster.");
const STORE: Field = Field::pick("store", "Secret store").when("source", &[ENTRY]).check(id);
const ENTRY_NAME: Field = Field::text("entry", "Entry")
    .when("source", &[ENTRY])
    .placeholder("secret/team/db")
    .help("As the store's page lists it: the place, a slash, the entry.")
    .max(1024);

fn id(text: &str) -> Result<String, String> {
    text.parse::<Uuid>().map(|id| id.to_string()).map_err(|_| LIST.to_owned())
}

/// The whole form of an item.
pub fn fields() -> Vec<Field> {
    [SOURCE, CREDENTIAL, STORE, ENTRY_NAME].into_iter().chain(FIELDS.iter().copied()).collect()
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
        values.set("source", if item.entry.is_some() { ENTRY } else { STORED });
        if let Some(of) = &item.entry {
            values.set("store", of.store.to_string());
            values.set("entry", &of.entry);
        }
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
    source: Source,
}

/// Where its value comes from.
enum Source {
    Credential(Box<Credential>),
    /// Of the integration that reads from the store, its name.
    Entry(String),
}

impl Source {
    fn name(&self) -> &str {
        match self {
            Self::Credential(row) => &row.name,
            Self::Entry(store) => store,
        }
    }
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
    let checked = match values.get("source") {
        ENTRY => of_entry(services, principal, edited, &values).await?,
        _ => of_credential(services, principal, (kept, edited), &values).await?,
    };
    fits_in(kept, edited, &checked.item)?;
    Ok(checked)
}

/// An item that passes on an entry of a store.
async fn of_entry(
    services: &Services,
    principal: &Principal,
    edited: Option<&Item>,
    values: &Values,
) -> Result<Checked, Refusal> {
    let one = |field: &str, text: &str| Refusal::Invalid(Errors::one(field, text));
    if principal.require(Role::Administrator).is_err() {
        return Err(one("store", PASSES_ON));
    }
    let store: IntegrationId = values.get("store").parse().map_err(|_| one("store", LIST))?;
    let row = match read(services, move |conn, vault| integrations::find(conn, vault, store)).await {
        Err(DbError::NotFound) => return Err(one("store", LIST)),
        row => row?.trust()?,
    };
    if Spec::find(&row.version).is_none_or(|spec| spec.store().is_none()) {
        return Err(one("store", LIST));
    }
    let entry = values.get("entry").to_owned();
    let is_same = |item: &&Item| item.entry.as_ref().is_some_and(|of| of.store == store.0 && of.entry == entry);
    let id = edited.filter(is_same).map_or_else(fresh, |item| item.id.clone());
    let item =
        Item { entry: Some(StoreEntry { store: store.0, entry, end: String::new() }), ..Item::of_form(id, values) };
    Ok(Checked { item, source: Source::Entry(row.name.clone()) })
}

/// An item that releases the stored value of a credential.
async fn of_credential(
    services: &Services,
    principal: &Principal,
    (kept, edited): (&Kept, Option<&Item>),
    values: &Values,
) -> Result<Checked, Refusal> {
    let one = |field: &str, text: &str| Refusal::Invalid(Errors::one(field, text));
    let source = find_credential(services, values.get("credential")).await?.ok_or_else(|| one("credential", LIST))?;
    let kind = crate::credentials::find(&source.kind);
    let kind = kind.ok_or_else(|| one("credential", "This release does not know the type of it."))?;
    let same = edited.filter(|item| kept.row.credential_as(&item.role()) == Some(source.id));
    let item = Item::of_form(same.map_or_else(fresh, |item| item.id.clone()), values);
    item.check_kind(kind).map_err(Refusal::Invalid)?;
    holds_secret(kind, &source)?;
    if !services.settings.releases_values() {
        return Err(one("credential", OFF));
    }
    if principal.require(Role::Administrator).is_err() {
        return Err(one("credential", ADMINISTRATORS));
    }
    Ok(Checked { item, source: Source::Credential(Box::new(source)) })
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
    Ok(write(services, principal, save).await.map_err(draft::refused)?)
}
