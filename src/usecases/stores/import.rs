//! *Import from a store*: the chosen entries of a store become credentials of the kinds that fit. They are read to show
//! what they are, and once more to add the chosen ones: between the two nothing of them is kept, and no answer has a
//! value. Only an administrator lets an entry into the store of credentials, as for every other way that it leaves by.

use super::{Refused, read};
use crate::accounts::Role;
use crate::credentials::import::{self, Contents};
use crate::form::Errors;
use crate::integrations::stores::is_entry;
use crate::models::{IntegrationId, integrations};
use crate::services::Services;
use crate::usecases::credentials::import::{Outcome, Preview, add_of, preview_of};
use crate::usecases::{Principal, Refusal, read as look_up};

/// Most entries of one import.
pub const MOST: usize = 100;
/// The field of the chosen entries.
pub const ENTRIES: &str = "entries";

/// What the entries are, and what of it is new.
pub async fn look(
    services: &Services,
    principal: &Principal,
    store: IntegrationId,
    entries: &[String],
) -> Result<Preview, Refusal> {
    principal.require_fresh_as(Role::Administrator)?;
    preview_of(services, taken_apart(services, principal, store, entries).await?).await
}

/// How a candidate is told from another one that a later read finds in its place.
pub fn mark(kind: &str, place: &str) -> String {
    format!("{kind} {place}")
}

/// Adds those that `chosen` gives a name, by their number. `was` is the [`mark`] that the principal has seen: an entry
/// that is something else by now is not added.
pub async fn add(
    services: &Services,
    principal: &Principal,
    (store, entries): (IntegrationId, &[String]),
    chosen: impl Fn(usize) -> Option<String>,
    was: impl Fn(usize) -> String,
) -> Result<Vec<Outcome>, Refusal> {
    principal.require_fresh_as(Role::Administrator)?;
    let contents = taken_apart(services, principal, store, entries).await?;
    let found: Vec<String> =
        contents.candidates.iter().map(|candidate| mark(candidate.kind.slug, &candidate.place)).collect();
    let same = |number: usize| found.get(number).is_some_and(|now| *now == was(number));
    let mut outcomes = add_of(services, principal, contents, |number| chosen(number).filter(|_| same(number))).await?;
    let most = entries.len().max(found.len()) + import::MOST;
    let changed = (0..most).filter(|number| !same(*number)).filter_map(&chosen);
    outcomes.extend(changed.map(|name| Outcome {
        name,
        done: Err("It isn't what it was when you looked: it changed at the store. Look again.".to_owned()),
    }));
    Ok(outcomes)
}

/// Reads the entries and takes them apart.
async fn taken_apart(
    services: &Services,
    principal: &Principal,
    store: IntegrationId,
    entries: &[String],
) -> Result<Contents, Refusal> {
    let wrong = |text: String| Refusal::Invalid(Errors::one(ENTRIES, text));
    if entries.is_empty() {
        return Err(wrong("Choose the entries to import.".to_owned()));
    }
    if entries.len() > MOST || !entries.iter().all(|entry| is_entry(entry)) {
        return Err(wrong(format!("Choose up to {MOST} entries of the list.")));
    }
    let name = look_up(services, move |conn, vault| integrations::find(conn, vault, store)).await?.into_shown().name;
    let found = match read(services, &principal.actor(), store, entries).await {
        Ok(found) => found,
        Err(Refused::Db(error)) => return Err(error.into()),
        Err(refused) => return Err(wrong(refused.sentence())),
    };
    let mut contents = Contents::new("Entries");
    for (entry, found) in entries.iter().zip(found) {
        match found {
            Ok(found) => import::entry(&mut contents, entry, &found.keys),
            Err(failure) => contents.skip(entry, failure.to_string()),
        }
    }
    for candidate in &mut contents.candidates {
        candidate.values.set("description", format!("From {name}: {}", candidate.place));
    }
    Ok(contents)
}
