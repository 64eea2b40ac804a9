//! The values of the entries that the items of a Secret Sync pass on, read from their stores for one run or preview. They
//! stay in memory.

use std::collections::BTreeMap;

use futures_util::{StreamExt, stream};
use uuid::Uuid;

use crate::entries;
use crate::form::{Values, in_sentence};
use crate::integrations::deployments::syncs::{Entries, Item, items};
use crate::models::IntegrationId;
use crate::models::events::Actor;
use crate::services::Services;

/// Stores that are read at the same time.
const AT_ONCE: usize = 8;

/// By item, its entry or why it could not be read. Each store is read once; one that cannot be read does not cost the
/// others.
pub async fn read(services: &Services, actor: &Actor, settings: &Values) -> Entries {
    let items = items(settings);
    let mut by_store: BTreeMap<Uuid, Vec<(&Item, &str)>> = BTreeMap::new();
    for item in &items {
        if let Some(of) = &item.entry {
            by_store.entry(of.store).or_default().push((item, &of.entry));
        }
    }
    let mut reads = Vec::with_capacity(by_store.len());
    for (store, wanted) in by_store {
        reads.push(of_store(services, actor, IntegrationId(store), wanted));
    }
    let found: Vec<Vec<(String, Found)>> = stream::iter(reads).buffered(AT_ONCE).collect().await;
    found.into_iter().flatten().collect()
}

type Found = Result<(Values, String), String>;

/// The entries of one store, by item.
async fn of_store(
    services: &Services,
    actor: &Actor,
    store: IntegrationId,
    wanted: Vec<(&Item, &str)>,
) -> Vec<(String, Found)> {
    let mut names: Vec<String> = wanted.iter().map(|(_, entry)| (*entry).to_owned()).collect();
    names.sort_unstable();
    names.dedup();
    let answers = entries::read(services, actor, store, &names).await;
    let of_item = |entry: &str| match (&answers, names.iter().position(|name| name == entry)) {
        (Ok(answers), Some(at)) => match answers.get(at) {
            Some(Ok(entry)) => Ok((entry.keys.clone(), entry.version.clone())),
            Some(Err(failure)) => Err(in_sentence(&failure.to_string())),
            None => Err("the store did not answer for this entry.".to_owned()),
        },
        (Err(refused), _) => Err(in_sentence(&refused.sentence())),
        (_, None) => Err("the store did not answer for this entry.".to_owned()),
    };
    wanted.into_iter().map(|(item, entry)| (item.id.clone(), of_item(entry))).collect()
}
