//! The items of a sync: each is one Secret that it keeps, in one or several namespaces. They are stored in the settings of
//! the integration, which are signed; the credential of an item is a usage of its own, in the item's role.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::form::Values;

/// The setting with the items, as JSON. No form has a field of this name.
pub const ITEMS: &str = "items";
/// In the place of [`Item::end`] where nobody has confirmed where a value goes.
pub const NOWHERE: &str = "nowhere until it is confirmed";
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
    /// Where an administrator has confirmed that it belongs: an [`Item::end`], or [`NOWHERE`].
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

/// Whether every entry goes where it was confirmed to go. `settings` are those of a run, which may have been applied
/// long ago; `saved` are the present ones, which alone tell what is confirmed. `main` as in [`Item::end`].
pub fn entries_are_confirmed(settings: &Values, saved: &Values, main: &str) -> bool {
    let saved = items(saved);
    let end = |item: &Item| saved.iter().find(|other| other.id == item.id)?.entry.as_ref().map(|of| of.end.clone());
    items(settings).iter().filter(|item| item.entry.is_some()).all(|item| end(item) == Some(item.end(main)))
}

/// Takes back where the entries of a sync were confirmed to go.
pub fn forget_ends(settings: &mut Values) {
    let mut items = items(settings);
    for of in items.iter_mut().filter_map(|item| item.entry.as_mut()) {
        NOWHERE.clone_into(&mut of.end);
    }
    set_items(settings, &items);
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
        assert_eq!(items(&settings), std::slice::from_ref(&item));
        forget_ends(&mut settings);
        assert_eq!(items(&settings), [item]);
        set_items(&mut settings, &[]);
        assert!(items(&settings).is_empty() && !String::from_utf8_lossy(&settings.to_json()).contains(ITEMS));
    }

    #[test]
    fn an_entry_goes_only_where_the_saved_item_was_confirmed() {
        let of = StoreEntry { end: "k/shop as db".into(), ..StoreEntry::default() };
        let item = |id: &str, of: &StoreEntry| Item {
            id: id.into(),
            entry: Some(of.clone()),
            secret: "db".into(),
            namespaces: vec!["shop".into()],
            ..Item::default()
        };
        let settings = |item: &Item| {
            let mut settings = Values::default();
            set_items(&mut settings, std::slice::from_ref(item));
            settings
        };
        let applied = settings(&item("1", &of));
        assert!(entries_are_confirmed(&applied, &applied, "k"));
        assert!(!entries_are_confirmed(&applied, &applied, "another cluster"));
        let mut forgotten = applied.clone();
        forget_ends(&mut forgotten);
        assert_eq!(items(&forgotten)[0].entry.as_ref().unwrap().end, NOWHERE);
        for saved in [forgotten, settings(&item("2", &of)), Values::default()] {
            assert!(!entries_are_confirmed(&applied, &saved, "k"), "what was applied before does not count");
        }
    }
}
