//! The form of an item: its fields, and all checks of what was entered. Nothing is saved here.

use uuid::Uuid;

use super::kept::{ENTRY, Kept, SOURCE_CREDENTIAL, STORED};
use crate::accounts::Role;
use crate::draft::Shown;
use crate::form::{self, Errors, Field, Values};
use crate::integrations::Spec;
use crate::integrations::deployments::syncs::{FIELDS, Item, MOST_ITEMS, MOST_SECRETS, StoreEntry};
use crate::integrations::issue::{Form, VALUE};
use crate::models::credentials::{self, Credential};
use crate::models::{Conn, CredentialId, DbError, IntegrationId, integrations};
use crate::services::Services;
use crate::usecases::clients::entered::{OFF, RELEASED};
use crate::usecases::{Principal, Refusal, read};
use crate::vault::Vault;

const ADMINISTRATORS: &str = "Only an administrator can let a cluster get a stored value.";
const PASSES_ON: &str = "Only an administrator can pass on an entry of a secret store.";
const LIST: &str = "Choose one from the list.";

const SOURCE: Field =
    Field::choice("source", "Source", &[(STORED, "A stored credential"), (ENTRY, "An entry of a secret store")]);
const CREDENTIAL: Field = Field::pick(SOURCE_CREDENTIAL, "Credential")
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

/// An item as somebody entered it, after all checks.
pub(super) struct Checked {
    pub item: Item,
    pub source: Source,
}

/// Where its value comes from.
pub(super) enum Source {
    Credential(Box<Credential>),
    /// Of the integration that reads from the store, its name.
    Entry(String),
}

impl Source {
    pub fn name(&self) -> &str {
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
pub(super) async fn check(
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
    let source =
        find_credential(services, values.get(SOURCE_CREDENTIAL)).await?.ok_or_else(|| one(SOURCE_CREDENTIAL, LIST))?;
    let kind = crate::credentials::find(&source.kind);
    let kind = kind.ok_or_else(|| one(SOURCE_CREDENTIAL, "This release does not know the type of it."))?;
    let same = edited.filter(|item| kept.row.credential_as(&item.role()) == Some(source.id));
    let item = Item::of_form(same.map_or_else(fresh, |item| item.id.clone()), values);
    item.check_kind(kind).map_err(Refusal::Invalid)?;
    holds_secret(kind, &source)?;
    if !services.settings.releases_values() {
        return Err(one(SOURCE_CREDENTIAL, OFF));
    }
    if principal.require(Role::Administrator).is_err() {
        return Err(one(SOURCE_CREDENTIAL, ADMINISTRATORS));
    }
    Ok(Checked { item, source: Source::Credential(Box::new(source)) })
}

/// A credential that stands for the server's own identity has no value to give.
fn holds_secret(kind: &'static crate::credentials::Kind, source: &Credential) -> Result<(), Refusal> {
    let Some(value) = Form::find(VALUE) else { return Ok(()) };
    let fits = value.check(kind, &Values::default(), &Shown::read(&source.facts).stored());
    fits.map(drop).map_err(|_| {
        Refusal::Invalid(Errors::one(SOURCE_CREDENTIAL, "This credential holds no secret. Choose another one."))
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
