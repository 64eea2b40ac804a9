//! Integrations of a family as one list, as programs read and write it whole. An entry that was there is found again by its
//! ID, else by what it is about; what the program does not speak of stays as it is. Integrations that the program's
//! language has no word for are not in the list, and nothing happens to them.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
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
use crate::usecases::{Answer, Confirmation, Principal, Refusal, confirm, read};
use crate::vault::Vault;

/// Most integrations of a family that are listed.
pub const MOST: i64 = 5_000;
/// Entries that are checked before others get a turn.
const AT_ONCE: usize = 100;
/// What tells two integrations of one provider from each other, the address first.
const ABOUT: [&str; 5] = ["registry", "repository", "tag", "regions", "region_names"];

/// In what an entry without an ID and its integration are alike.
#[derive(Clone, Copy)]
enum By {
    /// In all that they are about, and in the credential.
    All,
    /// In all that they are about.
    Place,
    Address,
    Credential,
}

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

    /// In which ways an entry of the whole list finds its integration.
    fn replaces_by(self) -> [By; 3] {
        let last = if self.is_of_accounts() { By::Credential } else { By::Address };
        [By::All, By::Place, last]
    }

    /// In which ways an entry that is added finds the one that it is saved over.
    fn appends_by(self) -> &'static [By] {
        if self.is_of_accounts() { &[By::All] } else { &[By::All, By::Place] }
    }

    /// Whether the credential says which account it is of: there is no address.
    fn is_of_accounts(self) -> bool {
        self.family == Family::ServerlessScan
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

/// Refuses a list that is longer than what is served, before anybody looks into it.
pub fn check_length(entries: usize) -> Result<(), Refusal> {
    if entries as i64 <= MOST { Ok(()) } else { Err(Refusal::Unacceptable("A list may have 5,000 entries.")) }
}

/// Makes the list what was sent: everything is checked before anything is saved. What is not in it any more is deleted.
/// That asks for the password, unless it is a single one and others stay: programs take one out before they delete its
/// credential.
pub async fn replace(
    services: &Services,
    principal: &Principal,
    list: List,
    wanted: Vec<Wanted>,
    confirmation: &Confirmation<'_>,
) -> Result<(), Refusal> {
    principal.require(Role::Operator)?;
    check_length(wanted.len())?;
    check_ids(&wanted)?;
    let mut rows = list.rows(services).await?;
    let ids = credential_ids(services, &wanted).await?;
    let found = matched(&rows, &wanted, &ids, &list.replaces_by());
    let kept: HashSet<IntegrationId> = found.iter().flatten().map(|row| row.id).collect();
    let changes = changes(services, &wanted, found, &ids).await?;
    rows.retain(|row| !kept.contains(&row.id));
    if rows.len() > 1 || wanted.is_empty() && !rows.is_empty() {
        confirm(services, principal.visitor(), confirmation).await?;
    }
    save(services, principal, changes, confirmation).await?;
    for row in rows {
        remove(services, principal, row.id, Some(row.row_version)).await?;
    }
    Ok(())
}

/// Adds one, or saves over the one that is about exactly the same.
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
    let ids = credential_ids(services, &wanted).await?;
    let found = matched(&rows, &wanted, &ids, list.appends_by());
    let changes = changes(services, &wanted, found, &ids).await?;
    save(services, principal, changes, confirmation).await
}

/// Two entries with one ID would each be half saved.
fn check_ids(wanted: &[Wanted]) -> Result<(), Refusal> {
    let mut seen = HashSet::new();
    match wanted.iter().position(|one| one.id.is_some_and(|id| !seen.insert(id))) {
        None => Ok(()),
        Some(at) => Err(Refusal::Invalid(Errors::one("", format!("Entry {}: Another entry has the same id.", at + 1)))),
    }
}

/// The credentials that entries name, by the keys of their names.
async fn credential_ids(services: &Services, wanted: &[Wanted]) -> Result<HashMap<String, CredentialId>, DbError> {
    let names: Vec<String> = wanted.iter().filter_map(|one| one.credential.clone()).collect();
    let ids = read(services, move |conn: &mut Conn, _| family_rows::credential_ids(conn, &names)).await?;
    Ok(ids.into_iter().collect())
}

/// What an integration or an entry is about.
struct About<'a> {
    version: &'a str,
    values: Cow<'a, Values>,
    /// Its ID; blank without one, `None` where the program does not say.
    credential: Option<String>,
}

impl<'a> About<'a> {
    fn row(row: &'a Integration) -> Self {
        let values = Cow::Owned(Values::from_json(row.settings.as_bytes()).unwrap_or_default());
        Self { version: &row.version, values, credential: Some(text_of(row.credential_id)) }
    }

    fn entry(one: &'a Wanted, ids: &HashMap<String, CredentialId>) -> Self {
        let credential = match one.credential.as_deref() {
            None => None,
            Some("") => Some(String::new()),
            Some(name) => ids.get(&names::key(name)).map(|id| text_of(Some(*id))),
        };
        Self { version: one.version, values: Cow::Borrowed(&one.given), credential }
    }

    /// What those have in common that are alike in that way; `None`: it is like no other.
    fn key(&self, by: By) -> Option<String> {
        let (fields, credential) = match by {
            By::All => (&ABOUT[..], self.credential.as_deref()?),
            By::Place => (&ABOUT[..], ""),
            By::Address => (&ABOUT[..1], ""),
            By::Credential => (&[][..], self.credential.as_deref()?),
        };
        let parts = fields.iter().map(|field| {
            // However an address is written.
            let text = self.values.get(field).trim();
            let text = text.strip_prefix("https://").unwrap_or(text).trim_end_matches('/');
            if *field == "registry" { text.to_lowercase() } else { text.to_owned() }
        });
        let ends = [self.version.to_owned(), credential.to_owned()];
        Some(ends.into_iter().chain(parts).collect::<Vec<_>>().join("\n"))
    }
}

fn text_of(id: Option<CredentialId>) -> String {
    id.map(|id| id.to_string()).unwrap_or_default()
}

/// The row of each entry: by its ID, else in these ways one after the other, where one row and one entry are alike.
fn matched(
    rows: &[Arc<Integration>],
    wanted: &[Wanted],
    ids: &HashMap<String, CredentialId>,
    ways: &[By],
) -> Vec<Option<Arc<Integration>>> {
    let by_id: HashMap<IntegrationId, usize> = rows.iter().enumerate().map(|(at, row)| (row.id, at)).collect();
    let mut found: Vec<Option<usize>> = wanted.iter().map(|one| by_id.get(&one.id?).copied()).collect();
    let stored: Vec<About<'_>> = rows.iter().map(|row| About::row(row)).collect();
    let sent: Vec<About<'_>> = wanted.iter().map(|one| About::entry(one, ids)).collect();
    for by in ways {
        let taken: HashSet<usize> = found.iter().flatten().copied().collect();
        let mut alike: HashMap<String, (Vec<usize>, Vec<usize>)> = HashMap::new();
        for at in (0..stored.len()).filter(|at| !taken.contains(at)) {
            stored[at].key(*by).into_iter().for_each(|key| alike.entry(key).or_default().0.push(at));
        }
        for at in (0..sent.len()).filter(|at| found[*at].is_none()) {
            sent[at].key(*by).into_iter().for_each(|key| alike.entry(key).or_default().1.push(at));
        }
        for (rows, entries) in alike.into_values() {
            if let ([row], [entry]) = (&rows[..], &entries[..]) {
                found[*entry] = Some(*row);
            }
        }
    }
    found.into_iter().map(|at| at.map(|at| rows[at].clone())).collect()
}

/// What has to be saved: entries that are as they are stored are left out.
async fn changes(
    services: &Services,
    wanted: &[Wanted],
    found: Vec<Option<Arc<Integration>>>,
    ids: &HashMap<String, CredentialId>,
) -> Result<Vec<Change>, Refusal> {
    let (mut changes, mut errors) = (Vec::new(), Errors::default());
    for (number, (one, row)) in wanted.iter().zip(found).enumerate() {
        if number % AT_ONCE == AT_ONCE - 1 {
            tokio::task::yield_now().await;
        }
        let values = match entered(one, row.as_deref(), ids) {
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
