//! Every Secret of a sync as the cluster has it, judged by a dry run. A Secret that cannot be judged does not cost the
//! others.

use futures_util::StreamExt;
use serde_json::{Map, Value};
use uuid::Uuid;

use super::facts::{DIFFERS, FAILED, FOREIGN, Facts, IN_SYNC, MISSING};
use super::plan::{self, Plan, Wanted};
use crate::integrations::deployments::faults::{Deed, Fault};
use crate::integrations::deployments::judge::{Judged, Place};
use crate::integrations::deployments::mark::{Made, Mark, ObjectRef, SECRET_VERSION};
use crate::integrations::deployments::namespace::stuck;
use crate::integrations::deployments::preview::ChangeKind;
use crate::integrations::deployments::sight::{Sight, uid};
use crate::integrations::progress::Step;
use crate::integrations::scan::{Item, Scan};
use crate::providers::kubernetes::{ApiError, Cluster, FIELD_MANAGER, Refusal, kinds};

/// Secrets judged at the same time.
const AT_ONCE: usize = 8;

/// A Secret with what the dry run said.
pub(super) struct Seen {
    pub wanted: Wanted,
    pub judged: Judged,
}

/// Judges all Secrets. Changes nothing.
pub(super) async fn judge(cluster: &Cluster, plan: &Plan, mark: &Mark, step: Step) -> Result<Vec<Seen>, Fault> {
    let place = Place { cluster, mark, has_namespace: true, step };
    let place = &place;
    let each = plan.wanted.iter().map(|wanted| async move {
        let mut wanted = wanted.clone();
        if wanted.version.is_empty() {
            wanted.set_version(found(cluster, &wanted, step).await?);
        }
        let mut judged = place.judge(wanted.desired.clone()).await?;
        if let Some(fault) = &mut judged.objection {
            explain(cluster, fault, &judged.desired.object()).await;
        }
        Ok(Seen { wanted, judged })
    });
    futures_util::stream::iter(each).buffered(AT_ONCE).collect::<Vec<_>>().await.into_iter().collect()
}

/// The version for an entry of a store that has none: the one in the cluster while our data there is the same, else a
/// new one by chance.
async fn found(cluster: &Cluster, wanted: &Wanted, step: Step) -> Result<String, Fault> {
    let object = wanted.desired.object();
    let live = match cluster.find(&kinds::SECRET, &object.namespace, &object.name).await {
        Ok(live) => live.unwrap_or_default(),
        // The judgement says so.
        Err(ApiError::Refused(_)) => Value::Null,
        Err(error) => return Err(Fault::new(step, &object, Deed::Read, error)),
    };
    let former = live["metadata"]["annotations"][SECRET_VERSION].as_str();
    let same = former.filter(|_| holds(&live, &wanted.desired.body["data"]));
    Ok(same.map_or_else(|| format!("new.{}", Uuid::new_v4().simple()), str::to_owned))
}

/// Whether the cluster has these keys, and of ours no others. Keys that somebody else has added stay what they are.
fn holds(live: &Value, data: &Value) -> bool {
    let is_there = |(key, value): (&String, &Value)| live["data"].get(key) == Some(value);
    let managers = live["metadata"]["managedFields"].as_array();
    let ours = managers.into_iter().flatten().filter(|entry| entry["manager"] == FIELD_MANAGER);
    let keys = ours.filter_map(|entry| entry["fieldsV1"]["f:data"].as_object()).flat_map(Map::keys);
    let mut keys = keys.filter_map(|key| key.strip_prefix("f:"));
    data.as_object().is_some_and(|data| data.iter().all(is_there)) && keys.all(|key| data.get(key).is_some())
}

/// Says what holds a namespace that is being deleted, if the login may read that.
async fn explain(cluster: &Cluster, fault: &mut Fault, object: &ObjectRef) {
    if fault.error != ApiError::Refused(Refusal::Terminating) {
        return;
    }
    let Ok(Some(live)) = cluster.find(&kinds::NAMESPACE, "", &object.namespace).await else { return };
    let why = stuck(&live);
    if !why.is_empty() {
        fault.at = format!("{} {}", fault.at, why.join(" "));
    }
}

impl Seen {
    pub fn object(&self) -> ObjectRef {
        self.judged.object()
    }

    /// The Secret as it is recorded, if it is ours.
    pub fn made(&self) -> Option<Made> {
        let Sight::Ours(live) = &self.judged.sight else { return None };
        let ObjectRef { kind, namespace, name } = self.object();
        Some(Made { kind, namespace, name, uid: uid(live).to_owned() })
    }

    /// Whether it is as it was applied, and its source has a new version.
    pub fn is_renewed(&self) -> bool {
        let Sight::Ours(live) = &self.judged.sight else { return false };
        let version = live["metadata"]["annotations"][SECRET_VERSION].as_str();
        let calm = self.judged.objection.is_none() && self.judged.conflicts.is_empty();
        let changed = self.judged.kind == ChangeKind::Changed && version != Some(&*self.wanted.version);
        self.wanted.item.entry.is_some() && calm && changed
    }

    /// How it stands in the cluster, and why.
    pub fn state(&self) -> (&'static str, String) {
        if let Some(fault) = &self.judged.objection {
            return (FAILED, fault.sentence());
        }
        let owners = || {
            let mut names: Vec<&str> = self.judged.conflicts.iter().map(|owned| owned.manager.as_str()).collect();
            names.sort_unstable();
            names.dedup();
            names.join(", ")
        };
        match self.judged.kind {
            ChangeKind::New => (MISSING, String::new()),
            ChangeKind::Foreign => (FOREIGN, "Someone else created it.".to_owned()),
            _ if !self.judged.conflicts.is_empty() => (DIFFERS, format!("Changed by {}.", owners())),
            ChangeKind::Same => (IN_SYNC, String::new()),
            _ if self.is_renewed() => (DIFFERS, "The store has a new value, which is applied next.".to_owned()),
            _ => (DIFFERS, String::new()),
        }
    }
}

/// The inventory item of a Secret.
pub(super) fn item(wanted: &Wanted, (state, reason): (&str, String)) -> Item {
    let object = wanted.desired.object();
    let version = wanted.version.rsplit('.').next().unwrap_or_default().to_owned();
    let facts = Facts { state: state.to_owned(), kind: wanted.item.kind.clone(), version, reason };
    Item::new(object.namespace, object.name, String::new(), &facts)
}

/// The inventory items of what cannot be kept.
pub(super) fn failed(plan: &Plan) -> impl Iterator<Item = Item> {
    plan.failed.iter().flat_map(|(item, why)| {
        let facts =
            Facts { state: FAILED.to_owned(), kind: item.kind.clone(), reason: why.clone(), ..Facts::default() };
        plan::objects(item).map(move |object| Item::new(object.namespace, object.name, String::new(), &facts))
    })
}

pub(super) fn scan(mut items: Vec<Item>) -> Scan {
    items.sort_by(|a, b| (&a.place, &a.name).cmp(&(&b.place, &b.name)));
    Scan { items, ..Scan::default() }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_key_of_others_makes_no_new_version_and_a_key_that_we_drop_does() {
        let live = json!({
            "data": { "a": "MQ==", "theirs": "Mg==" },
            "metadata": { "managedFields": [
                { "manager": FIELD_MANAGER, "fieldsV1": { "f:data": { ".": {}, "f:a": {} } } },
                { "manager": "kubectl", "fieldsV1": { "f:data": { "f:theirs": {} } } },
            ] },
        });
        assert!(holds(&live, &json!({ "a": "MQ==" })));
        for other in [json!({ "a": "Mg==" }), json!({ "a": "MQ==", "b": "MQ==" }), json!({}), Value::Null] {
            assert!(!holds(&live, &other), "{other}");
        }
        assert!(!holds(&Value::Null, &json!({ "a": "MQ==" })));
    }
}
