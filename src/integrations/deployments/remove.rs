//! Removes a deployment in the reverse order of the apply: DaemonSet and pods, then roles, Secrets, ServiceAccount, and
//! the namespace if it is ours and empty. Deletes only objects that are ours, with the UID that was just read as a
//! precondition. Never removes a finalizer or forces a deletion.

use std::time::Duration;

use serde::de::IgnoredAny;
use serde_json::Value;
use tokio::time::Instant;

use super::deployment::Deployment;
use super::faults::{Deed, Fault, not_open, stopped};
use super::mark::{Made, Mark, ObjectRef};
use super::namespace::{inhabited, stuck};
use super::objects::{Desired, Plan};
use super::parts::Parts;
use super::sight::{Sight, is_leaving, look, uid};
use super::state::{Outcome, State};
use super::survey::{selector, version};
use crate::form::Values;
use crate::integrations::context::Context;
use crate::integrations::progress::Step;
use crate::integrations::scan::Gap;
use crate::providers::ProviderError;
use crate::providers::kubernetes::kinds::{self, Kind, MADE};
use crate::providers::kubernetes::{ApiError, Cluster, Refusal};

const STEP: Step = Step::REMOVING;

/// Pause between two checks whether an object is gone.
const PAUSE: Duration = Duration::from_secs(1);
/// How long to wait for an object. Only a finalizer takes longer.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long to wait if the cluster reports what blocks the deletion.
const EXPLAINED: Duration = Duration::from_secs(10);
/// How long to wait for the pods: longer than usual grace periods.
const PODS_PATIENCE: Duration = Duration::from_secs(3 * 60);

/// Removes the deployment's objects.
pub async fn remove(deployment: &dyn Deployment, cx: &Context<'_>, mark: &Mark) -> Result<Outcome, Gap> {
    let work = async {
        cx.report.step(Step::SIGNING_IN);
        let cluster = deployment.open(cx).await.map_err(not_open)?;
        let parts = Parts::of(cx, mark);
        let version = version(&cluster, STEP).await.map_err(Fault::gap)?;
        let doomed = Doomed { cluster: &cluster, cx, mark };
        doomed.remove_all(&parts, version).await.map_err(Fault::gap)
    };
    cx.stop.run_until_cancelled(work).await.unwrap_or_else(|| Err(stopped(STEP)))
}

/// Objects that were created and that the settings no longer need, in the order of removal.
pub(super) fn leftovers(plan: &Plan, mark: &Mark) -> Vec<ObjectRef> {
    let wanted: Vec<ObjectRef> =
        std::iter::once(plan.namespace.object()).chain(plan.objects.iter().map(Desired::object)).collect();
    let mut left: Vec<ObjectRef> = mark.made.iter().map(Made::object).collect();
    left.retain(|object| !wanted.contains(object));
    in_order(left)
}

/// The reverse of the order in which objects are applied.
fn in_order(mut objects: Vec<ObjectRef>) -> Vec<ObjectRef> {
    let place = |object: &ObjectRef| MADE.iter().position(|kind| kind.kind == object.kind);
    objects.sort_by_key(|object| (std::cmp::Reverse(place(object)), object.clone()));
    objects.dedup();
    objects
}

/// Everything that may exist: the recorded objects, and those that the settings may have created.
fn candidates(parts: &Parts<'_>) -> Vec<ObjectRef> {
    let (namespace, name, role) = (parts.namespace(), parts.name(), parts.role_name());
    let mut all = vec![ObjectRef::new(kinds::NAMESPACE.kind, "", namespace)];
    if !namespace.is_empty() && !name.is_empty() {
        let within = |kind: &Kind, name: &str| ObjectRef::new(kind.kind, namespace, name);
        all.extend([
            within(&kinds::SERVICE_ACCOUNT, parts.service_account()),
            within(&kinds::SECRET, &parts.pull_name()),
            within(&kinds::SECRET, &parts.agent_name()),
            ObjectRef::new(kinds::CLUSTER_ROLE.kind, "", &role),
            ObjectRef::new(kinds::CLUSTER_ROLE_BINDING.kind, "", &role),
            within(&kinds::DAEMON_SET, name),
        ]);
    }
    all.extend(parts.mark.made.iter().map(Made::object));
    all.retain(|object| !object.name.is_empty());
    in_order(all)
}

/// The recorded objects, and every object that a deployment with these settings may create. They are saved before the first
/// request, so that a later run can remove what an interrupted apply created, even under other settings.
pub fn may_make(settings: &Values, mark: &Mark) -> Vec<Made> {
    let parts = Parts { settings, mark, pull: None, agent: None };
    let of = |object: ObjectRef| match mark.recorded(&object) {
        Some(made) => made.clone(),
        None => Made { kind: object.kind, namespace: object.namespace, name: object.name, uid: String::new() },
    };
    candidates(&parts).into_iter().map(of).collect()
}

/// The outcome of removing one object.
#[derive(Debug)]
pub(super) enum End {
    Gone,
    /// Strongroom must not delete it. The sentence says why.
    Stays(String),
    /// The cluster is still deleting it. The sentence says why.
    Held(String),
}

impl End {
    pub fn sentence(self) -> Option<String> {
        match self {
            Self::Gone => None,
            Self::Stays(said) | Self::Held(said) => Some(said),
        }
    }
}

/// Deletes objects of one deployment.
pub(super) struct Doomed<'a> {
    pub cluster: &'a Cluster,
    pub cx: &'a Context<'a>,
    pub mark: &'a Mark,
}

impl Doomed<'_> {
    async fn remove_all(&self, parts: &Parts<'_>, version: String) -> Result<Outcome, Fault> {
        let mut state = State { cluster_version: version, ..State::default() };
        let all = candidates(parts);
        self.cx.report.parts(STEP, all.len(), 0);
        state.removed = true;
        for object in all {
            let end = self.remove(&object).await?;
            if object.kind == kinds::DAEMON_SET.kind && matches!(end, End::Gone) {
                state.trouble.extend(self.pods_gone(parts, &object.namespace).await?);
            }
            if let End::Held(_) = &end {
                state.removed = false;
                state.made.extend(self.recorded(&object));
            }
            state.trouble.extend(end.sentence());
            self.cx.report.part(STEP, 0, 0);
        }
        Ok(Outcome { state, ..Outcome::default() })
    }

    /// The object as it was recorded; `None` if it only may have been created.
    pub fn recorded(&self, object: &ObjectRef) -> Option<Made> {
        self.mark.recorded(object).cloned()
    }

    /// Deletes one object if it is ours, and waits until it is gone.
    pub async fn remove(&self, object: &ObjectRef) -> Result<End, Fault> {
        let sight = match look(self.cluster, object, self.mark).await {
            Ok(sight) => sight,
            // A login that may not read this kind of object is taken not to have created one, unless it was recorded.
            Err(error) if error.is_forbidden() && self.recorded(object).is_none() => return Ok(End::Gone),
            Err(error) => return Err(Fault::new(STEP, object, Deed::Read, error)),
        };
        let live = match sight {
            Sight::Missing => return Ok(End::Gone),
            // It was never recorded as ours, so it is not even mentioned.
            Sight::Foreign(_) if self.recorded(object).is_none() => return Ok(End::Gone),
            Sight::Foreign(_) => {
                let said = format!("{object} is kept: someone else recreated it, or removed Strongroom's label.");
                return Ok(End::Stays(said));
            }
            Sight::Ours(live) => live,
        };
        if object.kind == kinds::NAMESPACE.kind
            && !is_leaving(&live)
            && let Some(why) = inhabited(self.cluster, &object.name, self.mark).await?
        {
            return Ok(End::Stays(why));
        }
        match self.delete_and_wait(object, &live).await {
            Ok(()) => Ok(End::Gone),
            Err(fault) if fault.error == ApiError::Refused(Refusal::Terminating) => Ok(End::Held(fault.at)),
            Err(fault) => Err(fault),
        }
    }

    /// Deletes the object with the UID that was read, and waits until it is gone.
    pub async fn delete_and_wait(&self, object: &ObjectRef, live: &Value) -> Result<(), Fault> {
        let failed = |error| Fault::new(STEP, object, Deed::Delete, error);
        let kind = Kind::find(&object.kind).ok_or_else(|| failed(ProviderError::InvalidAddress.into()))?;
        let (namespace, name, id) = (&object.namespace, &object.name, uid(live));
        if !is_leaving(live) {
            self.cluster.delete(kind, namespace, name, id).await.map_err(failed)?;
        }
        let begun = Instant::now();
        loop {
            let live = self.cluster.find(kind, namespace, name).await.map_err(failed)?;
            // An object with the same name and another UID is not ours.
            let Some(live) = live.filter(|live| uid(live) == id) else { return Ok(()) };
            let mut why = stuck(&live);
            let patience = if why.is_empty() { PATIENCE } else { EXPLAINED };
            if begun.elapsed() >= patience {
                why.insert(0, format!("{object} is still being deleted."));
                let error = ApiError::Refused(Refusal::Terminating);
                return Err(Fault { step: STEP, at: why.join(" "), deed: Deed::Delete, error });
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// Waits until the pods of the deleted DaemonSet are gone; returns a sentence if some are not.
    async fn pods_gone(&self, parts: &Parts<'_>, namespace: &str) -> Result<Option<String>, Fault> {
        let begun = Instant::now();
        loop {
            let listed = self.cluster.list::<IgnoredAny>(&kinds::POD, namespace, &selector(parts)).await;
            let count = match listed {
                Ok(listed) => listed.items.len(),
                // Without the right to list pods we cannot tell. The garbage collector deletes them.
                Err(ApiError::Refused(_)) => 0,
                Err(error) => {
                    let at = format!("the pods in {namespace}");
                    return Err(Fault { step: STEP, at, deed: Deed::List, error });
                }
            };
            if count == 0 {
                return Ok(None);
            }
            if begun.elapsed() >= PODS_PATIENCE {
                let pods = if count == 1 { "1 pod is".to_owned() } else { format!("{count} pods are") };
                return Ok(Some(format!("{pods} still there: the nodes have not confirmed that they have ended.")));
            }
            tokio::time::sleep(PAUSE).await;
        }
    }
}
