//! The items of a sync: each is one Secret that it keeps, in one or several namespaces. They are stored in the settings of
//! the integration, which are signed; the credential of an item is a usage of its own, in the item's role.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::form::Values;

/// The setting with the items, as JSON. No form has a field of this name.
pub const ITEMS: &str = "items";
/// Begins the role of each item's credential.
pub const ROLE: &str = "item-";

pub const OPAQUE: &str = "Opaque";
pub const DOCKER: &str = "kubernetes.io/dockerconfigjson";
pub const TLS: &str = "kubernetes.io/tls";
pub const BASIC: &str = "kubernetes.io/basic-auth";

/// One Secret that a sync keeps.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Item {
    /// New whenever its source changes, so that no role ever stands for two sources.
    pub id: String,
    /// `None`: the value is that of the credential in the item's role.
    pub entry: Option<StoreEntry>,
    /// Name of the Secret.
    pub secret: String,
    /// Type of the Secret.
    pub kind: String,
    pub namespaces: Vec<String>,
    /// The registry of a [`DOCKER`] Secret.
    pub registry: String,
    /// Key of the source and name in the Secret; empty for all keys, spelled as they are.
    pub keys: Vec<(String, String)>,
    /// Whether the workloads that use the Secret are restarted when it changes.
    pub restart: bool,
}

/// An entry of a secret store.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct StoreEntry {
    /// The integration that reads from the store.
    pub store: Uuid,
    pub entry: String,
    /// Where an administrator has confirmed that it belongs; see [`Item::end`].
    pub end: String,
}

/// The entries that were read for the items, by item: their values and the store's version, or why there are none.
pub type Entries = BTreeMap<String, Result<(Values, String), String>>;

/// The items of a sync, in the order in which they were added.
pub fn items(settings: &Values) -> Vec<Item> {
    serde_json::from_str(settings.get(ITEMS)).unwrap_or_default()
}

pub fn set_items(settings: &mut Values, items: &[Item]) {
    let text = if items.is_empty() { String::new() } else { serde_json::to_string(items).unwrap_or_default() };
    settings.set(ITEMS, text);
}

impl Item {
    /// The role of its credential.
    pub fn role(&self) -> String {
        format!("{ROLE}{}", self.id)
    }

    /// Where its value goes: cluster, namespaces and Secret. With a registry also that, since nodes log in there.
    /// `main` is the cluster that the main credential signs in to.
    pub fn end(&self, main: &str) -> String {
        let registry = if self.registry.is_empty() { String::new() } else { format!(" for {}", self.registry) };
        format!("{main}/{} as {}{registry}", self.namespaces.join(","), self.secret)
    }
}

/// Where the credential of a role goes.
pub(in crate::integrations) fn end(role: &str, settings: &Values, main: &str) -> String {
    items(settings).iter().find(|item| item.role() == role).map(|item| item.end(main)).unwrap_or_default()
}

/// Whether every value goes where it was confirmed to go, so far as the settings tell. `main` as in [`Item::end`]
pub fn entries_are_confirmed(settings: &Values, main: &str) -> bool {
    let is_confirmed = |item: &Item| item.entry.as_ref().is_none_or(|entry| entry.end == item.end(main));
    items(settings).iter().all(is_confirmed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_namespace_secret_or_registry_is_another_destination() {
        let item = Item { secret: "db".into(), namespaces: vec!["shop".into(), "pay".into()], ..Item::default() };
        assert_eq!(item.end("k.example:6443"), "k.example:6443/shop,pay as db");
        let others = [
            Item { secret: "db2".into(), ..item.clone() },
            Item { namespaces: vec!["shop".into()], ..item.clone() },
            Item { registry: "r.example".into(), ..item.clone() },
        ];
        assert!(others.iter().all(|other| other.end("k") != item.end("k")));
        let mut settings = Values::default();
        set_items(&mut settings, std::slice::from_ref(&item));
        assert_eq!(items(&settings), [item]);
        set_items(&mut settings, &[]);
        assert!(items(&settings).is_empty() && !String::from_utf8_lossy(&settings.to_json()).contains(ITEMS));
    }
}
