//! Integrations of a family as one list, as programs read and write it whole. An entry that was there is found again by its
//! ID, else by what it is about; what the program does not speak of stays as it is. Integrations that the program's
//! language has no word for are not in the list, and nothing happens to them.

use std::collections::HashMap;
use std::sync::Arc;

use super::draft::{Draft, Purpose};
use super::{Entered, check, create, remove, update};
use crate::accounts::Role;
use crate::form::{Errors, Values};
use crate::integrations::Family;
use crate::models::integrations::Integration;
use crate::models::{Conn, CredentialId, DbError, IntegrationId, credential_choices, family_rows};
use crate::names;
use crate::services::Services;
use crate::usecases::{Answer, Confirmation, Principal, Refusal, read};
use crate::vault::Vault;

/// Most integrations of a family that are listed.
pub const MOST: i64 = 5_000;
/// What tells two integrations of one provider from each other.
const ABOUT: [&str; 5] = ["registry", "repository", "tag", "regions", "region_names"];

/// Which integrations the list is of.
#[derive(Clone, Copy)]
pub struct List {
    pub family: Family,
    /// Slugs of the providers that the program has a word for.
    pub versions: &'static [&'static str],
}

/// An entry of the list, as the program sent it.
pub struct Wanted {
    pub id: Option<IntegrationId>,
    /// Slug of the provider.
    pub version: &'static str,
    /// Name of the credential; blank for none, `None` as it is.
    pub credential: Option<String>,
    /// Settings, as far as the program speaks of them.
    pub given: Values,
}

/// An entry that is saved over an integration, or is a new one.
struct Change {
    row: Option<Arc<Integration>>,
    values: Values,
}

impl List {
    /// Whether an integration is in it.
    pub fn has(&self, row: &Integration) -> bool {
        self.versions.contains(&row.version.as_str())
    }

    /// Those that are in it, by name. A row that was tampered with is not.
    async fn rows(self, services: &Services) -> Result<Vec<Arc<Integration>>, DbError> {
        let find = move |conn: &mut Conn, vault: &Vault| family_rows::of(conn, vault, self.family.slug(), MOST);
        let rows = read(services, find).await?.into_iter();
        let rows = rows.filter(|seen| seen.doubt().is_none()).map(|seen| Arc::new(seen.into_shown()));
        Ok(rows.filter(|row| self.has(row)).collect())
    }

    /// The same, each with the name of its credential; blank without one.
    pub async fn named(self, services: &Services) -> Result<Vec<(Arc<Integration>, String)>, DbError> {
        let rows = self.rows(services).await?;
        let ids: Vec<CredentialId> = rows.iter().filter_map(|row| row.credential_id).collect();
        let names = read(services, move |conn: &mut Conn, _| credential_choices::named(conn, &ids)).await?;
        let named = |row: Arc<Integration>| {
            let name = row.credential_id.and_then(|id| names.get(&id)).map(|named| named.name.clone());
            (row, name.unwrap_or_default())
        };
        Ok(rows.into_iter().map(named).collect())
    }
}

/// Makes the list what was sent: everything is checked before anything is saved. What is not in it any more is deleted.
pub async fn replace(
    services: &Services,
    principal: &Principal,
    list: List,
    wanted: Vec<Wanted>,
    confirmation: &Confirmation<'_>,
) -> Result<(), Refusal> {
    principal.require(Role::Operator)?;
    let rows = list.rows(services).await?;
    let found = matched(&rows, &wanted);
    let mut gone = rows.clone();
    gone.retain(|row| !found.iter().flatten().any(|kept| kept.id == row.id));
    let changes = changes(services, &wanted, found).await?;
    save(services, principal, changes, confirmation).await?;
    for row in gone {
        remove(services, principal, row.id, Some(row.row_version)).await?;
    }
    Ok(())
}

/// Adds one, or saves over the one that is about the same.
pub async fn append(
    services: &Services,
    principal: &Principal,
    list: List,
    wanted: Wanted,
    confirmation: &Confirmation<'_>,
) -> Result<(), Refusal> {
    principal.require(Role::Operator)?;
    let rows = list.rows(services).await?;
    let wanted = [wanted];
    let found = matched(&rows, &wanted);
    let changes = changes(services, &wanted, found).await?;
    save(services, principal, changes, confirmation).await
}

/// The row of each entry: by its ID, else by all that it is about, else by its address where that is one of each.
fn matched(rows: &[Arc<Integration>], wanted: &[Wanted]) -> Vec<Option<Arc<Integration>>> {
    let settings = |row: &Integration| Values::from_json(row.settings.as_bytes()).unwrap_or_default();
    let full = |version: &str, values: &Values| about(version, values, &ABOUT);
    let mut found: Vec<Option<Arc<Integration>>> =
        wanted.iter().map(|one| rows.iter().find(|row| Some(row.id) == one.id).cloned()).collect();
    let keys: [&dyn Fn(&str, &Values) -> String; 2] = [&full, &|version, values| about(version, values, &["registry"])];
    for key in keys {
        for (at, one) in wanted.iter().enumerate() {
            if found[at].is_some() {
                continue;
            }
            let sought = key(one.version, &one.given);
            let is_free = |row: &&Arc<Integration>| !found.iter().flatten().any(|taken| taken.id == row.id);
            let is_alike = |row: &&Arc<Integration>| key(&row.version, &settings(row)) == sought;
            let alike: Vec<_> = rows.iter().filter(is_free).filter(is_alike).collect();
            let open = wanted.iter().zip(&found).filter(|(_, row)| row.is_none());
            let rivals = open.filter(|(other, _)| key(other.version, &other.given) == sought).count();
            if let [only] = alike[..]
                && rivals == 1
            {
                found[at] = Some(only.clone());
            }
        }
    }
    found
}

/// However an address is written.
fn about(version: &str, values: &Values, fields: &[&str]) -> String {
    let parts = fields.iter().map(|field| {
        let text = values.get(field).trim();
        let text = text.strip_prefix("https://").unwrap_or(text).trim_end_matches('/');
        if *field == "registry" { text.to_lowercase() } else { text.to_owned() }
    });
    std::iter::once(version.to_owned()).chain(parts).collect::<Vec<_>>().join("\n")
}

/// What has to be saved: entries that are as they are stored are left out.
async fn changes(
    services: &Services,
    wanted: &[Wanted],
    found: Vec<Option<Arc<Integration>>>,
) -> Result<Vec<Change>, Refusal> {
    let names: Vec<String> = wanted.iter().filter_map(|one| one.credential.clone()).collect();
    let ids = read(services, move |conn: &mut Conn, _| family_rows::credential_ids(conn, &names)).await?;
    let ids: HashMap<String, CredentialId> = ids.into_iter().collect();
    let (mut changes, mut errors) = (Vec::new(), Errors::default());
    for (number, (one, row)) in wanted.iter().zip(found).enumerate() {
        let values = match entered(one, row.as_deref(), &ids) {
            Ok(values) => values,
            Err(sentence) => {
                errors.add("", format!("Entry {}: {sentence}", number + 1));
                continue;
            }
        };
        let purpose = if row.is_some() { Purpose::Saved } else { Purpose::New };
        match Draft::check(services, &values, purpose) {
            Ok(draft) if row.as_ref().is_some_and(|row| draft.is_saved_as(row)) => {}
            Ok(_) => changes.push(Change { row, values }),
            Err(found) => {
                let sentences = found.iter().map(|(_, sentence)| format!("Entry {}: {sentence}", number + 1));
                sentences.for_each(|sentence| errors.add("", sentence));
            }
        }
    }
    if errors.is_empty() { Ok(changes) } else { Err(Refusal::Invalid(errors)) }
}

/// The whole form: what is stored, and over it what was sent.
fn entered(one: &Wanted, row: Option<&Integration>, ids: &HashMap<String, CredentialId>) -> Result<Values, String> {
    let mut values = row.and_then(|row| Values::from_json(row.settings.as_bytes())).unwrap_or_default();
    if let Some(row) = row {
        values.set("name", row.name.as_str());
        values.set("credential", row.credential_id.map(|id| id.to_string()).unwrap_or_default());
        values.set("schedule", row.every_hours.map_or_else(|| "off".to_owned(), |hours| hours.to_string()));
    }
    values.set("version", one.version);
    for name in one.given.names() {
        values.set(name, one.given.get(name));
    }
    match one.credential.as_deref() {
        None => {}
        Some("") => values.set("credential", ""),
        Some(name) => {
            let id = ids.get(&names::key(name)).ok_or_else(|| format!("There is no credential named {name}."))?;
            values.set("credential", id.to_string());
        }
    }
    Ok(values)
}

/// Checks all, also where their secrets would go, and then saves all.
async fn save(
    services: &Services,
    principal: &Principal,
    changes: Vec<Change>,
    confirmation: &Confirmation<'_>,
) -> Result<(), Refusal> {
    let entered =
        |values| Entered { values, answer: Answer { send_to: None, confirmation: *confirmation }, anyway: false };
    for Change { row, values } in &changes {
        check(services, principal, &entered(values), row.clone()).await?;
    }
    for Change { row, values } in &changes {
        match row {
            Some(row) => update(services, principal, (row.id, row.row_version), &entered(values)).await?,
            None => create(services, principal, &entered(values)).await.map(drop)?,
        }
    }
    Ok(())
}
