//! The pods of a deployment: the node of each, and why it is not ready. A reason is the one word that the kubelet or
//! the scheduler reports; their messages are not repeated.
//! <https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/>

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::Deserialize;

use super::node::Facts;
use crate::integrations::scan::Item;

/// The fields of a pod that show its state.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Pod {
    metadata: Metadata,
    spec: Spec,
    status: Status,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Metadata {
    name: String,
    labels: BTreeMap<String, String>,
    deletion_timestamp: Option<DateTime<Utc>>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Spec {
    node_name: String,
    containers: Vec<Container>,
    affinity: Affinity,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct Container {
    image: String,
}

/// The DaemonSet controller names the node here before the scheduler binds the pod.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Affinity {
    node_affinity: NodeAffinity,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct NodeAffinity {
    required_during_scheduling_ignored_during_execution: Terms,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Terms {
    node_selector_terms: Vec<Term>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Term {
    match_fields: Vec<Match>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct Match {
    values: Vec<String>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Status {
    phase: String,
    reason: String,
    start_time: Option<DateTime<Utc>>,
    conditions: Vec<Condition>,
    container_statuses: Vec<ContainerStatus>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct Condition {
    #[serde(rename = "type")]
    kind: String,
    status: String,
    reason: String,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct ContainerStatus {
    restart_count: u32,
    state: ContainerState,
    last_state: ContainerState,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct ContainerState {
    waiting: Option<Reason>,
    terminated: Option<Reason>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct Reason {
    reason: String,
}

/// The state of a pod.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Stand {
    Ready,
    /// Runs an earlier revision.
    Outdated,
    Starting,
    Stopping,
    Failing,
}

impl Stand {
    pub fn label(self) -> &'static str {
        match self {
            Self::Ready => "Ready",
            Self::Outdated => "Outdated",
            Self::Starting => "Starting",
            Self::Stopping => "Stopping",
            Self::Failing => "Failing",
        }
    }
}

/// Reasons that are part of a normal start.
const PASSING: [&str; 3] = ["ContainerCreating", "PodInitializing", "Pulling"];

impl Pod {
    /// `template`: the generation of the latest revision.
    pub fn stand(&self, template: Option<&str>) -> Stand {
        let condition = |kind: &str| self.status.conditions.iter().find(|condition| condition.kind == kind);
        let is_ready = condition("Ready").is_some_and(|ready| ready.status == "True");
        let latest = template.zip(self.metadata.labels.get("pod-template-generation"));
        match () {
            () if self.metadata.deletion_timestamp.is_some() => Stand::Stopping,
            () if latest.is_some_and(|(wanted, has)| wanted != has) => Stand::Outdated,
            () if is_ready => Stand::Ready,
            () if self.reason().is_empty() => Stand::Starting,
            () => Stand::Failing,
        }
    }

    /// Why it is not ready, in one word: `ImagePullBackOff`. Blank while nothing is wrong.
    pub fn reason(&self) -> String {
        let of =
            |state: &ContainerState| state.waiting.as_ref().or(state.terminated.as_ref()).map(|r| r.reason.clone());
        let statuses = self.status.container_statuses.iter();
        let waiting = statuses.clone().filter_map(|status| of(&status.state)).find(|r| !PASSING.contains(&r.as_str()));
        // For a container in CrashLoopBackOff, the reason of its last exit says more.
        let ended =
            statuses.filter_map(|status| status.last_state.terminated.as_ref()).map(|r| r.reason.clone()).next();
        let unscheduled = self.status.conditions.iter().find(|c| c.kind == "PodScheduled" && c.status == "False");
        let said = match (waiting, ended) {
            (Some(waiting), Some(ended)) if waiting == "CrashLoopBackOff" && ended != "Error" => ended,
            (Some(waiting), _) => waiting,
            (None, _) if self.status.phase == "Failed" => self.status.reason.clone(),
            (None, _) => unscheduled.map(|condition| condition.reason.clone()).unwrap_or_default(),
        };
        word(&said)
    }

    /// The node that it runs on, or is meant for.
    pub fn node(&self) -> &str {
        if !self.spec.node_name.is_empty() {
            return &self.spec.node_name;
        }
        let terms = &self.spec.affinity.node_affinity.required_during_scheduling_ignored_during_execution;
        let fields = terms.node_selector_terms.iter().flat_map(|term| &term.match_fields);
        fields.flat_map(|field| &field.values).next().map_or("", String::as_str)
    }

    pub fn item(&self, template: Option<&str>, kubelet: &str) -> Item {
        let stand = self.stand(template);
        let reason = if matches!(stand, Stand::Failing | Stand::Starting) { self.reason() } else { String::new() };
        let facts = Facts {
            state: stand.label().to_owned(),
            reason,
            restarts: self.status.container_statuses.iter().map(|status| status.restart_count).sum(),
            revision: short(self.metadata.labels.get("controller-revision-hash").map_or("", String::as_str)),
            started: self.status.start_time,
            kubelet: short(kubelet),
        };
        let image = self.spec.containers.first().map_or("", |container| container.image.as_str());
        Item::new(short(self.node()), short(&self.metadata.name), short(image), &facts)
    }
}

/// A name from the cluster, cut to a bounded length.
pub(super) fn short(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(512).collect()
}

/// The reason, if it has the form of a Kubernetes reason: letters and digits only.
fn word(text: &str) -> String {
    let fit = text.len() <= 64 && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b':');
    if fit { text.to_owned() } else { "Unknown".to_owned() }
}

/// What a reason means and what to do, as the end of a sentence that starts with the reason.
pub(super) fn meaning(reason: &str) -> &'static str {
    match reason {
        "ImagePullBackOff" | "ErrImagePull" | "ErrImageNeverPull" | "RegistryUnavailable" => {
            "the node can't pull the image. Check its name and the pull secret."
        }
        "InvalidImageName" => "the image name is not valid. Check it.",
        "CrashLoopBackOff" | "Error" | "Completed" => "the agent keeps exiting. Check its logs.",
        "OOMKilled" => "the agent used more memory than its limit. Raise the memory limit.",
        "CreateContainerConfigError" => "a Secret, or a key in it, that the pod refers to is missing.",
        "CreateContainerError" | "RunContainerError" | "StartError" | "ContainerCannotRun" => {
            "the node can't start the container. Check arguments, host folders and privileges."
        }
        "Unschedulable" => "the pod doesn't fit on the node. Lower its requests, or give it a priority class.",
        "Evicted" => "the node ran short of a resource and evicted the pod.",
        "NodeAffinity" | "NodeLost" | "NodeShutdown" | "Terminated" => {
            "the node is gone, or no longer matches the pod."
        }
        _ => "the pod can't run there.",
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn pod(more: Value) -> Pod {
        serde_json::from_value(more).unwrap()
    }

    #[test]
    fn a_pod_that_waits_for_its_image_fails_with_the_kubelets_word() {
        let waiting = |reason: &str| {
            pod(json!({ "status": { "containerStatuses": [
            { "state": { "waiting": { "reason": reason, "message": "Back-off pulling image hunter2" } } },
        ] } }))
        };
        assert_eq!(waiting("ImagePullBackOff").stand(None), Stand::Failing);
        assert_eq!(waiting("ImagePullBackOff").reason(), "ImagePullBackOff");
        assert_eq!(waiting("ContainerCreating").stand(None), Stand::Starting);
        assert_eq!(waiting("a <b> word").reason(), "Unknown");
        assert!(!waiting("ImagePullBackOff").item(None, "").facts.contains("hunter2"));
    }

    #[test]
    fn a_pod_of_an_earlier_revision_is_outdated_however_ready() {
        let ready = pod(json!({
            "metadata": { "labels": { "pod-template-generation": "4" } },
            "status": { "conditions": [{ "type": "Ready", "status": "True" }] },
        }));
        assert_eq!((ready.stand(Some("5")), ready.stand(Some("4"))), (Stand::Outdated, Stand::Ready));
        assert_eq!(ready.stand(None), Stand::Ready);
    }

    #[test]
    fn memory_tells_more_than_a_crash_loop_and_a_waiting_pod_has_a_node() {
        let killed = pod(json!({ "status": { "containerStatuses": [{
            "restartCount": 3,
            "state": { "waiting": { "reason": "CrashLoopBackOff" } },
            "lastState": { "terminated": { "reason": "OOMKilled" } },
        }] } }));
        assert_eq!(killed.reason(), "OOMKilled");
        assert!(killed.item(None, "").facts.contains("\"restarts\":3"));
        let terms = json!([{ "matchFields": [{ "key": "metadata.name", "values": ["n1"] }] }]);
        let affinity = json!({ "nodeAffinity": {
            "requiredDuringSchedulingIgnoredDuringExecution": { "nodeSelectorTerms": terms },
        } });
        let conditions = json!([{ "type": "PodScheduled", "status": "False", "reason": "Unschedulable" }]);
        let pending = pod(json!({ "spec": { "affinity": affinity }, "status": { "conditions": conditions } }));
        assert_eq!((pending.node(), pending.reason().as_str()), ("n1", "Unschedulable"));
    }
}
