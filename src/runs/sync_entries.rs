//! The values of the entries that the items of a Secret Sync pass on, read from their stores for one run or preview. They
//! stay in memory.

use std::collections::BTreeMap;

use uuid::Uuid;

use crate::entries;
use crate::form::{Values, in_sentence};
use crate::integrations::deployments::syncs::{Entries, Item, items};
use crate::models::IntegrationId;
use crate::models::events::Actor;
use crate::services::Services;

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
    let mut found = Entries::default();
    for (store, wanted) in by_store {
        let mut names: Vec<String> = wanted.iter().map(|(_, entry)| (*entry).to_owned()).collect();
        names.sort_unstable();
        names.dedup();
        let answers = entries::read(services, actor, IntegrationId(store), &names).await;
        for (item, entry) in wanted {
            let at = names.iter().position(|name| name == entry);
            let of_item = match (&answers, at) {
                (Ok(answers), Some(at)) => match answers.get(at) {
                    Some(Ok(entry)) => Ok((entry.keys.clone(), entry.version.clone())),
                    Some(Err(failure)) => Err(in_sentence(&failure.to_string())),
                    None => Err("the store did not answer for this entry.".to_owned()),
                },
                (Err(refused), _) => Err(in_sentence(&refused.sentence())),
                (_, None) => Err("the store did not answer for this entry.".to_owned()),
            };
            found.insert(item.id.clone(), of_item);
        }
    }
    found
}
