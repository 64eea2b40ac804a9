//! Every Secret of a sync as the cluster has it, judged by a dry run. A Secret that cannot be judged does not cost the
//! others.

use futures_util::StreamExt;

use super::facts::{DIFFERS, FAILED, FOREIGN, Facts, IN_SYNC, MISSING};
use super::plan::{Plan, Wanted};
use crate::integrations::deployments::faults::Fault;
use crate::integrations::deployments::judge::{Judged, Place};
use crate::integrations::deployments::mark::{Made, Mark, ObjectRef};
use crate::integrations::deployments::namespace::stuck;
use crate::integrations::deployments::preview::ChangeKind;
use crate::integrations::deployments::sight::{Sight, uid};
use crate::integrations::progress::Step;
use crate::integrations::scan::{Item, Scan};
use crate::providers::kubernetes::{ApiError, Cluster, Refusal, kinds};

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
        let mut judged = place.judge(wanted.desired.clone()).await?;
        if let Some(fault) = &mut judged.objection {
            explain(cluster, fault, &judged.desired.object()).await;
        }
        Ok(Seen { wanted: wanted.clone(), judged })
    });
    futures_util::stream::iter(each).buffered(AT_ONCE).collect::<Vec<_>>().await.into_iter().collect()
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

pub(super) fn scan(items: Vec<Item>) -> Scan {
    let mut items = items;
    items.sort_by(|a, b| (&a.place, &a.name).cmp(&(&b.place, &b.name)));
    Scan { items, ..Scan::default() }
}
