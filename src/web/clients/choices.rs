//! What the form of a rule offers: credentials or secret stores, and the entries of the store that is chosen.

use crate::form::Values;
use crate::integrations::Family;
use crate::integrations::issue::Form;
use crate::integrations::stores::entry_name;
use crate::models::{
    self, ClientId, Conn, CredentialId, DbError, IntegrationId, client_usages, clients as stored, credential_choices,
    items,
};
use crate::services::Services;
use crate::web::error::Error;
use crate::web::integrations::shown;

/// Most stores on the list.
const MOST_STORES: i64 = 1_000;
/// Most entries that are suggested.
const MOST_ENTRIES: i64 = 300;

/// What the form has chosen already.
#[derive(Clone, Copy, Default)]
pub struct Chosen {
    credential: Option<CredentialId>,
    store: Option<IntegrationId>,
}

impl Chosen {
    pub fn of(values: &Values) -> Self {
        Self { credential: values.get("credential").parse().ok(), store: values.get("store").parse().ok() }
    }
}

pub struct Choices {
    /// Of the client.
    pub name: String,
    /// Ids of what the form gives from, each with `prod — AKIA… · 120 days` or the name of a store.
    pub from: Vec<(String, String)>,
    /// Names of entries, as the store's last listing has them.
    pub entries: Vec<String>,
}

pub async fn read(
    services: &Services,
    client: ClientId,
    form: &'static Form,
    chosen: Chosen,
) -> Result<Choices, Error> {
    let vault = services.vault.clone();
    let read = move |conn: &mut Conn| {
        let row = stored::find(conn, &vault, client)?;
        let from = if form.is_entry() { stores(conn)? } else { credentials_for(conn, form, chosen.credential)? };
        let entries = match chosen.store.filter(|_| form.is_entry()) {
            Some(store) => entries(conn, store)?,
            None => Vec::new(),
        };
        Ok::<_, DbError>((row, from, entries))
    };
    let (seen, from, entries) = services.db.run(read).await?;
    Ok(Choices { name: seen.trust()?.name.clone(), from, entries })
}

fn entries(conn: &mut Conn, store: IntegrationId) -> Result<Vec<String>, DbError> {
    let page = items::page(conn, store, "", None, MOST_ENTRIES)?;
    Ok(page.rows.into_iter().map(|item| entry_name(&item.place, &item.name)).collect())
}

fn stores(conn: &mut Conn) -> Result<Vec<(String, String)>, DbError> {
    let found = client_usages::stores(conn, Family::SecretStore.slug(), MOST_STORES)?;
    Ok(found.into_iter().map(|store| (store.id.to_string(), store.name)).collect())
}

fn credentials_for(
    conn: &mut Conn,
    form: &Form,
    chosen: Option<CredentialId>,
) -> Result<Vec<(String, String)>, DbError> {
    let every: Vec<&'static str> = crate::credentials::KINDS.iter().map(|kind| kind.slug).collect();
    let kinds = if form.kinds.is_empty() { every } else { form.kinds.to_vec() };
    let (found, now) = (credential_choices::choices(conn, &kinds, chosen)?, models::clock(conn)?);
    let label = |one: credential_choices::Choice| {
        let age = shown::counted((now - one.aged_from).num_days().max(0), "day");
        let whose = if one.identity.is_empty() { String::new() } else { format!("{} · ", one.identity) };
        (one.id.to_string(), format!("{} — {whose}{age}", one.name))
    };
    Ok(found.into_iter().map(label).collect())
}
