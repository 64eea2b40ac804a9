//! The desired Secrets of a sync: a pure function of its items, the opened sources and the mark.

use serde_json::{Map, Value, json};

use super::data;
use super::item::{self, Entries, Item};
use crate::integrations::context::Context;
use crate::integrations::deployments::mark::{DEPLOYMENT, MANAGED_BY, MANAGER, Made, Mark, ObjectRef, SECRET_VERSION};
use crate::integrations::deployments::objects::Desired;
use crate::integrations::deployments::secrets;
use crate::providers::kubernetes::kinds;

/// What the items come to.
pub(super) struct Plan {
    pub items: Vec<Item>,
    pub wanted: Vec<Wanted>,
    /// The items that cannot be kept, and why.
    pub failed: Vec<(Item, String)>,
}

/// The Secret of an item in one of its namespaces.
#[derive(Clone)]
pub(super) struct Wanted {
    pub item: Item,
    /// Of the source; reveals nothing about its values. Blank until the cluster was looked at, where the store has none.
    pub version: String,
    pub desired: Desired,
}

impl Wanted {
    pub fn set_version(&mut self, version: String) {
        self.desired.body["metadata"]["annotations"][SECRET_VERSION] = json!(version);
        self.version = version;
    }
}

/// The Secrets of an item.
pub(super) fn objects(item: &Item) -> impl Iterator<Item = ObjectRef> {
    item.namespaces.iter().map(|namespace| ObjectRef::new(kinds::SECRET.kind, namespace, &item.secret))
}

impl Plan {
    pub fn of(cx: &Context<'_>, mark: &Mark, entries: &Entries) -> Self {
        let items = item::items(cx.settings);
        let (mut wanted, mut failed) = (Vec::new(), Vec::new());
        for item in &items {
            match of_item(cx, mark, entries, item) {
                Ok(some) => wanted.extend(some),
                Err(why) => failed.push((item.clone(), why)),
            }
        }
        Self { items, wanted, failed }
    }

    /// Sentences about the items that cannot be kept.
    pub fn trouble(&self) -> Vec<String> {
        self.failed.iter().map(|(item, why)| format!("Secret {}: {why}", item.secret)).collect()
    }

    /// The recorded Secrets that no item asks for.
    pub fn leftovers(&self, mark: &Mark) -> Vec<ObjectRef> {
        let named: Vec<ObjectRef> = self.items.iter().flat_map(objects).collect();
        mark.made.iter().map(Made::object).filter(|object| !named.contains(object)).collect()
    }
}

/// The version and the data of an item's source. The version is blank where the store has none.
fn source(cx: &Context<'_>, entries: &Entries, item: &Item) -> Result<(String, Map<String, Value>), String> {
    let gone = "its source is not there any more. Edit it, or delete it.";
    match &item.entry {
        None => {
            let secret = cx.secret(&item.role()).ok_or(gone)?;
            Ok((secrets::version(secret), data::of_credential(item, secret)?))
        }
        Some(of) => {
            let (values, version) = entries.get(&item.id).ok_or(gone)?.as_ref().map_err(String::clone)?;
            let data = data::of_fields(item, data::Fields::of(values))?;
            let plain = |c: &char| c.is_ascii_alphanumeric() || "-_:".contains(*c);
            let version: String = version.chars().filter(plain).take(64).collect();
            Ok((if version.is_empty() { version } else { format!("{}.{version}", of.store) }, data))
        }
    }
}

fn of_item(cx: &Context<'_>, mark: &Mark, entries: &Entries, item: &Item) -> Result<Vec<Wanted>, String> {
    let (version, data) = source(cx, entries, item)?;
    let labels = json!({ MANAGED_BY: MANAGER, DEPLOYMENT: mark.id.to_string() });
    let of_namespace = |namespace: &String| {
        let metadata = json!({
            "name": item.secret,
            "namespace": namespace,
            "labels": labels,
            "annotations": { SECRET_VERSION: version },
        });
        let rest = json!({ "type": item.kind, "data": data });
        let desired = Desired::new(&kinds::SECRET, metadata, rest);
        Wanted { item: item.clone(), version: version.clone(), desired }
    };
    Ok(item.namespaces.iter().map(of_namespace).collect())
}

/// The recorded Secrets, and every one that the items may create. They are saved before the first request, so that a later
/// run can remove what an interrupted one created.
pub fn may_make(settings: &crate::form::Values, mark: &Mark) -> Vec<Made> {
    let named: Vec<ObjectRef> = item::items(settings).iter().flat_map(objects).collect();
    let mut made = mark.made.clone();
    for object in named.into_iter().filter(|object| mark.made.iter().all(|made| made.object() != *object)) {
        made.push(Made { kind: object.kind, namespace: object.namespace, name: object.name, uid: String::new() });
    }
    made
}
