//! The nodes of a cluster, and which of them should run a deployment's pods.
//! <https://kubernetes.io/docs/concepts/workloads/controllers/daemonset/#taints-and-tolerations>

use std::collections::BTreeMap;

use serde::Deserialize;

use super::lines::{self, Toleration, entries};
use crate::form::Values;

/// The fields of a node that decide this.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Node {
    metadata: Metadata,
    spec: Spec,
    status: Status,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct Metadata {
    name: String,
    labels: BTreeMap<String, String>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct Spec {
    taints: Vec<Taint>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct Taint {
    key: String,
    value: String,
    effect: String,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Status {
    node_info: Info,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Info {
    kubelet_version: String,
    architecture: String,
    operating_system: String,
}

/// Taints that the DaemonSet controller makes its pods tolerate.
const ALWAYS_TOLERATED: [&str; 7] = [
    "node.kubernetes.io/not-ready",
    "node.kubernetes.io/unreachable",
    "node.kubernetes.io/disk-pressure",
    "node.kubernetes.io/memory-pressure",
    "node.kubernetes.io/pid-pressure",
    "node.kubernetes.io/unschedulable",
    "node.kubernetes.io/network-unavailable",
];

/// Which nodes the settings select.
pub(super) struct Choice {
    selector: Vec<(String, String)>,
    tolerations: Vec<Toleration>,
    has_host_network: bool,
}

impl Choice {
    pub fn of(settings: &Values) -> Self {
        Self {
            selector: entries(settings.get("node_selector"), lines::pair),
            tolerations: entries(settings.get("tolerations"), lines::toleration),
            has_host_network: settings.get("host_network") == "on",
        }
    }

    pub fn takes(&self, node: &Node) -> bool {
        let selected = self.selector.iter().all(|(key, value)| node.metadata.labels.get(key) == Some(value));
        selected && node.spec.taints.iter().all(|taint| self.tolerates(taint))
    }

    fn tolerates(&self, taint: &Taint) -> bool {
        let network = "node.kubernetes.io/network-unavailable";
        let always = ALWAYS_TOLERATED.contains(&taint.key.as_str()) && (taint.key != network || self.has_host_network);
        let matches = |one: &Toleration| {
            (one.key.is_empty() || one.key == taint.key)
                && one.value.as_ref().is_none_or(|value| *value == taint.value)
                && (one.effect.is_empty() || one.effect == taint.effect)
        };
        // PreferNoSchedule does not keep a DaemonSet's pod away.
        taint.effect == "PreferNoSchedule" || always || self.tolerations.iter().any(matches)
    }
}

impl Node {
    pub fn name(&self) -> &str {
        &self.metadata.name
    }

    pub fn kubelet(&self) -> &str {
        &self.status.node_info.kubelet_version
    }

    /// The platform as registries write it, `linux/amd64`; blank if the node does not report it.
    pub fn platform(&self) -> String {
        let info = &self.status.node_info;
        match (info.operating_system.as_str(), info.architecture.as_str()) {
            ("", _) | (_, "") => String::new(),
            (system, architecture) => format!("{system}/{architecture}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn takes(settings: &[(&str, &str)], node: Value) -> bool {
        Choice::of(&settings.iter().copied().collect()).takes(&serde_json::from_value(node).unwrap())
    }

    #[test]
    fn a_node_is_taken_by_its_labels_and_for_want_of_taints() {
        let node = json!({ "metadata": { "labels": { "disk": "ssd" } } });
        assert!(takes(&[], node.clone()) && takes(&[("node_selector", "disk=ssd")], node.clone()));
        assert!(!takes(&[("node_selector", "disk=hdd")], node));
    }

    #[test]
    fn a_taint_keeps_pods_away_unless_it_is_tolerated() {
        let tainted = |effect: &str| json!({ "spec": { "taints": [{ "key": "a", "value": "b", "effect": effect }] } });
        assert!(!takes(&[], tainted("NoSchedule")) && !takes(&[], tainted("NoExecute")));
        assert!(takes(&[], tainted("PreferNoSchedule")));
        for tolerations in ["*", "a", "a=b", "a=b:NoSchedule", "a:NoSchedule"] {
            assert!(takes(&[("tolerations", tolerations)], tainted("NoSchedule")), "{tolerations}");
        }
        for tolerations in ["b", "a=c", "a:NoExecute"] {
            assert!(!takes(&[("tolerations", tolerations)], tainted("NoSchedule")), "{tolerations}");
        }
    }

    #[test]
    fn a_node_that_is_cordoned_or_not_ready_gets_its_pod_all_the_same() {
        let keys = ["node.kubernetes.io/unschedulable", "node.kubernetes.io/not-ready"];
        let taints = keys.map(|key| json!({ "key": key, "effect": "NoSchedule" }));
        assert!(takes(&[], json!({ "spec": { "taints": taints } })));
        let taint = json!({ "key": "node.kubernetes.io/network-unavailable", "effect": "NoSchedule" });
        let network = json!({ "spec": { "taints": [taint] } });
        assert!(!takes(&[], network.clone()) && takes(&[("host_network", "on")], network));
    }
}
