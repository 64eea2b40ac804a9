//! The state of a deployment in its cluster: the DaemonSet, its pods and, if the login may list them, the nodes.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::faults::{Deed, Fault};
use super::mark::{DEPLOYMENT, ObjectRef};
use super::node::Facts;
use super::nodes::{Choice, Node};
use super::parts::Parts;
use super::pods::{Pod, Stand, meaning, short};
use super::state::State;
use super::status::{DaemonSet, image};
use crate::integrations::progress::Step;
use crate::integrations::scan::{Gap, Hides, Item, Scan};
use crate::providers::kubernetes::kinds;
use crate::providers::kubernetes::{ApiError, Cluster, Objects};

/// How many nodes a sentence names.
const NAMED: usize = 3;

/// What was found in the cluster.
pub(super) struct Survey {
    pub daemon_set: DaemonSet,
    /// The DaemonSet's image; blank if there is no DaemonSet.
    image: String,
    pods: Vec<Pod>,
    /// The nodes that should have a pod; `None` if they were not or cannot be listed.
    nodes: Option<Vec<Node>>,
    gaps: Vec<Gap>,
}

/// `v1.36.2`; blank if the cluster does not report it.
pub(super) async fn version(cluster: &Cluster, step: Step) -> Result<String, Fault> {
    let failed = |error| Fault { step, at: String::new(), deed: Deed::Read, error };
    Ok(cluster.version().await.map_err(failed)?.unwrap_or_default())
}

/// The label selector of a deployment's pods.
pub(super) fn selector(parts: &Parts<'_>) -> String {
    format!("{DEPLOYMENT}={}", parts.mark.id)
}

pub(super) fn daemon_set(parts: &Parts<'_>) -> ObjectRef {
    ObjectRef::new(kinds::DAEMON_SET.kind, parts.namespace(), parts.name())
}

/// The pods of the deployment.
pub(super) async fn pods(cluster: &Cluster, parts: &Parts<'_>, step: Step) -> Result<Objects<Pod>, Fault> {
    let at = format!("the pods in {}", parts.namespace());
    let listed = cluster.list(&kinds::POD, parts.namespace(), &selector(parts)).await;
    listed.map_err(|error| Fault { step, at, deed: Deed::List, error })
}

/// The nodes that the settings select; `None` if the login may not list nodes.
pub(super) async fn chosen(cluster: &Cluster, parts: &Parts<'_>, step: Step) -> Result<Option<Vec<Node>>, Fault> {
    match cluster.list::<Node>(&kinds::NODE, "", "").await {
        Ok(mut listed) => {
            let choice = Choice::of(parts.settings);
            listed.items.retain(|node| choice.takes(node));
            Ok(Some(listed.items))
        }
        Err(ApiError::Refused(_)) => Ok(None),
        Err(error) => Err(Fault { step, at: "the nodes".to_owned(), deed: Deed::List, error }),
    }
}

impl Survey {
    /// `live` is the DaemonSet as just read. Nodes are listed only `with_nodes`.
    pub async fn of(
        cluster: &Cluster,
        parts: &Parts<'_>,
        live: Option<&Value>,
        step: Step,
        with_nodes: bool,
    ) -> Result<Self, Fault> {
        let (mut found, mut gaps) = (Vec::new(), Vec::new());
        match pods(cluster, parts, step).await {
            Ok(Objects { items, has_more }) => {
                found = items;
                let unread = Fault {
                    step,
                    at: "the pods".to_owned(),
                    deed: Deed::List,
                    error: ApiError::Call(crate::providers::ProviderError::TooLarge),
                };
                gaps.extend(has_more.then(|| unread.gap()));
            }
            Err(fault) if matches!(fault.error, ApiError::Refused(_)) => gaps.push(fault.gap().hiding(Hides::All)),
            Err(fault) => return Err(fault),
        }
        let nodes = if with_nodes { chosen(cluster, parts, step).await? } else { None };
        let image = live.map(|live| image(live, parts.name())).unwrap_or_default();
        Ok(Self { daemon_set: live.map(DaemonSet::of).unwrap_or_default(), image, pods: found, nodes, gaps })
    }

    fn stands(&self) -> impl Iterator<Item = (&Pod, Stand)> {
        let template = self.daemon_set.template();
        self.pods.iter().map(move |pod| (pod, pod.stand(template)))
    }

    /// Whether the rollout makes no progress: no node is selected, or a pod fails while none starts or stops.
    pub fn is_stuck(&self) -> bool {
        let stands: BTreeSet<Stand> = self.stands().map(|(_, stand)| stand).collect();
        let is_moving = stands.contains(&Stand::Starting) || stands.contains(&Stand::Stopping);
        let nowhere = self.daemon_set.is_observed() && self.daemon_set.desired() == 0;
        nowhere || (stands.contains(&Stand::Failing) && !is_moving)
    }

    /// One item per pod, and one per node without a pod.
    fn items(&self) -> Vec<Item> {
        let kubelets: BTreeMap<&str, &str> =
            self.nodes.iter().flatten().map(|node| (node.name(), node.kubelet())).collect();
        let template = self.daemon_set.template();
        let kubelet = |pod: &Pod| kubelets.get(pod.node()).copied().unwrap_or_default();
        let mut items: Vec<Item> = self.pods.iter().map(|pod| pod.item(template, kubelet(pod))).collect();
        let with_pod: BTreeSet<&str> = self.pods.iter().map(Pod::node).collect();
        let without = self.nodes.iter().flatten().filter(|node| !with_pod.contains(node.name()));
        items.extend(without.map(|node| {
            let facts = Facts { state: "No pod".to_owned(), kubelet: short(node.kubelet()), ..Facts::default() };
            Item::new(short(node.name()), String::new(), String::new(), &facts)
        }));
        items.sort_by(|a, b| (&a.place, &a.name).cmp(&(&b.place, &b.name)));
        items.dedup_by(|a, b| (&a.place, &a.name) == (&b.place, &b.name));
        items
    }

    /// Sentences that say why the rollout is not finished.
    pub fn trouble(&self, parts: &Parts<'_>) -> Vec<String> {
        let mut said = Vec::new();
        if self.image.is_empty() {
            return said;
        }
        let daemon_set = &self.daemon_set;
        if !daemon_set.is_observed() {
            said.push("The cluster's controller has not seen the latest settings yet.".to_owned());
        } else if daemon_set.desired() == 0 {
            said.push("No node matches the node selector and tolerations, so the agent runs on no node.".to_owned());
        }
        let mut failing: BTreeMap<String, Vec<&str>> = BTreeMap::new();
        for (pod, _) in self.stands().filter(|(_, stand)| *stand == Stand::Failing) {
            failing.entry(pod.reason()).or_default().push(pod.node());
        }
        said.extend(failing.iter().map(|(reason, nodes)| format!("{reason} on {}: {}", named(nodes), meaning(reason))));
        if daemon_set.uncreated() > 0 && failing.is_empty() {
            said.push(format!(
                "The cluster created no pod for {} of {} nodes: a quota or the Pod Security level of the namespace may \
                 refuse them. To see why: kubectl -n {} describe daemonset {}.",
                daemon_set.uncreated(),
                daemon_set.desired(),
                parts.namespace(),
                parts.name()
            ));
        }
        said
    }

    /// The items, and the state with the cluster's numbers filled in.
    pub fn told(self, parts: &Parts<'_>, mut state: State) -> (Scan, State) {
        self.daemon_set.count(&mut state);
        state.finished &= !self.image.is_empty();
        state.trouble.extend(self.trouble(parts));
        if state.misscheduled > 0 {
            let pods = if state.misscheduled == 1 { "pod runs" } else { "pods run" };
            state.trouble.push(format!("{} {pods} on nodes that no longer match the settings.", state.misscheduled));
        }
        let items = self.items();
        state.image = self.image;
        (Scan { items, gaps: self.gaps, ..Scan::default() }, state)
    }
}

/// `3 nodes (a, b, c)`
fn named(nodes: &[&str]) -> String {
    let mut names: Vec<String> = nodes.iter().filter(|name| !name.is_empty()).map(|name| short(name)).collect();
    names.sort();
    names.dedup();
    let more = if names.len() > NAMED { ", …" } else { "" };
    let noun = if nodes.len() == 1 { "node" } else { "nodes" };
    names.truncate(NAMED);
    match names.is_empty() {
        true => format!("{} {noun}", nodes.len()),
        false => format!("{} {noun} ({}{more})", nodes.len(), names.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::form::Values;
    use crate::integrations::deployments::mark::Mark;

    fn survey(status: Value, pods: &[Value]) -> Survey {
        let pods = pods.iter().map(|pod| serde_json::from_value(pod.clone()).unwrap()).collect();
        let daemon_set = DaemonSet::of(&json!({ "metadata": { "generation": 1 }, "status": status }));
        Survey { daemon_set, image: "a:1".into(), pods, nodes: None, gaps: Vec::new() }
    }

    fn trouble(survey: &Survey) -> String {
        let (settings, mark) = (Values::default(), Mark::default());
        survey.trouble(&Parts { settings: &settings, mark: &mark, pull: None, agent: None }).join(" ")
    }

    fn waiting(node: &str, reason: &str) -> Value {
        let status = json!({ "containerStatuses": [{ "state": { "waiting": { "reason": reason } } }] });
        json!({ "metadata": { "name": node }, "spec": { "nodeName": node }, "status": status })
    }

    #[test]
    fn failing_nodes_are_named_by_reason_and_a_few_of_many() {
        let status = json!({ "observedGeneration": 1, "desiredNumberScheduled": 5, "currentNumberScheduled": 5 });
        let pods: Vec<Value> = ["a", "b", "c", "d"].map(|node| waiting(node, "ErrImagePull")).into();
        let found = survey(status, &pods);
        let said = trouble(&found);
        assert!(said.starts_with("ErrImagePull on 4 nodes (a, b, c, …): the node can't pull the image."), "{said}");
        assert!(found.is_stuck());
        let starting = survey(json!({}), &[waiting("a", "ErrImagePull"), waiting("b", "ContainerCreating")]);
        assert!(!starting.is_stuck());
    }

    #[test]
    fn nothing_to_run_on_is_said_and_so_are_pods_that_are_never_created() {
        let nowhere = survey(json!({ "observedGeneration": 1 }), &[]);
        assert!(trouble(&nowhere).contains("runs on no node") && nowhere.is_stuck());
        let uncreated = survey(json!({ "observedGeneration": 1, "desiredNumberScheduled": 2 }), &[]);
        assert!(trouble(&uncreated).contains("no pod for 2 of 2 nodes"));
        assert!(trouble(&survey(json!({}), &[])).contains("not seen the latest settings"));
    }
}
