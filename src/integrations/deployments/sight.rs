//! Decides whether an object in the cluster is ours.

use serde_json::{Value, json};

use super::mark::{DEPLOYMENT, MANAGED_BY, MANAGER, Mark, ObjectRef};
use crate::providers::ProviderError;
use crate::providers::calls::shown;
use crate::providers::kubernetes::kinds::Kind;
use crate::providers::kubernetes::{ApiError, Cluster, FIELD_MANAGER};

/// An object as found in the cluster.
#[derive(Debug)]
pub(super) enum Sight {
    Missing,
    /// It carries this deployment's label, and Strongroom created it.
    Ours(Value),
    Foreign(Value),
}

impl Sight {
    pub fn live(&self) -> Option<&Value> {
        match self {
            Self::Missing => None,
            Self::Ours(live) | Self::Foreign(live) => Some(live),
        }
    }
}

pub(super) async fn look(cluster: &Cluster, object: &ObjectRef, mark: &Mark) -> Result<Sight, ApiError> {
    // Only kinds that Strongroom creates are recorded.
    let kind = Kind::find(&object.kind).ok_or(ProviderError::InvalidAddress)?;
    Ok(match cluster.find(kind, &object.namespace, &object.name).await? {
        None => Sight::Missing,
        Some(live) if is_ours(&live, object, mark) => Sight::Ours(live),
        Some(live) => Sight::Foreign(live),
    })
}

pub(super) fn uid(live: &Value) -> &str {
    live["metadata"]["uid"].as_str().unwrap_or_default()
}

/// Whether it is being deleted.
pub(super) fn is_leaving(live: &Value) -> bool {
    live["metadata"]["deletionTimestamp"].is_string()
}

/// Whether the object is ours. It must carry this deployment's label. If an object of its name was recorded, it must
/// also have that UID or Strongroom among its field managers; otherwise it is a copy that somebody else made.
fn is_ours(live: &Value, object: &ObjectRef, mark: &Mark) -> bool {
    let labels = &live["metadata"]["labels"];
    let is_marked = labels[MANAGED_BY] == json!(MANAGER) && labels[DEPLOYMENT] == json!(mark.id.to_string());
    let recorded = mark.recorded(object);
    is_marked && (recorded.is_none_or(|made| made.uid == uid(live)) || is_written_by_us(live))
}

fn is_written_by_us(live: &Value) -> bool {
    let managers = live["metadata"]["managedFields"].as_array();
    managers.into_iter().flatten().any(|entry| entry["manager"] == json!(FIELD_MANAGER))
}

/// Another field manager of the object. Controllers that only write the status do not count.
pub(super) fn other_manager(live: &Value) -> Option<String> {
    let managers = live["metadata"]["managedFields"].as_array();
    let sets_spec = |entry: &&Value| entry["fieldsV1"].get("f:spec").is_some();
    let names = managers.into_iter().flatten().filter(sets_spec).filter_map(|entry| entry["manager"].as_str());
    let mut names: Vec<&str> = names.filter(|name| *name != FIELD_MANAGER).collect();
    names.sort_unstable();
    names.dedup();
    match names.as_slice() {
        [only] => shown(only),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::integrations::deployments::mark::Made;

    #[test]
    fn an_object_is_ours_by_its_mark_and_its_uid_or_our_hand() {
        let object = ObjectRef::new("DaemonSet", "a", "b");
        let live = |id: Uuid, uid: &str, manager: &str| {
            json!({ "metadata": {
                "uid": uid,
                "labels": { MANAGED_BY: MANAGER, DEPLOYMENT: id.to_string() },
                "managedFields": [{ "manager": manager }],
            } })
        };
        let (id, other) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let made = Made { kind: "DaemonSet".into(), namespace: "a".into(), name: "b".into(), uid: "1".into() };
        let (unknown, known) = (Mark { id, ..Mark::default() }, Mark { id, made: vec![made], ..Mark::default() });
        assert!(is_ours(&live(id, "9", "kubectl"), &object, &unknown));
        assert!(!is_ours(&live(other, "1", "strongroom"), &object, &unknown), "of another deployment");
        assert!(is_ours(&live(id, "1", "kubectl"), &object, &known));
        assert!(!is_ours(&live(id, "9", "velero"), &object, &known), "a copy with our labels");
        assert!(is_ours(&live(id, "9", "strongroom"), &object, &known), "made anew by an apply that was cut off");
        assert!(!is_ours(&json!({}), &object, &unknown));
    }
}
