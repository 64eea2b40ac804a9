//! The nodes of a deployment as inventory items: a node, its pod, and why the pod is not ready.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::integrations::inventory::{self, Cell, Column, Inventory};

/// What is known of a node's pod.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Facts {
    /// `Ready`, `Starting`, `Failing`, `Outdated`, `No pod`
    pub state: String,
    /// The pod's reason, followed by a sentence if there is one: `ImagePullBackOff`.
    pub reason: String,
    pub restarts: u32,
    /// Hash of the pod's controller revision.
    pub revision: String,
    pub started: Option<DateTime<Utc>>,
    /// `v1.36.2`; blank if the login may not list nodes.
    pub kubelet: String,
}

impl inventory::Facts for Facts {
    fn cells(self, _now: DateTime<Utc>) -> Vec<Cell> {
        let tone = match self.state.as_str() {
            "Ready" => "good",
            "Failing" | "No pod" => "bad",
            "Starting" | "Outdated" => "warn",
            _ => "neutral",
        };
        let state = if self.state.is_empty() { "Unknown".to_owned() } else { self.state };
        vec![
            Cell::Mark(tone, state),
            Cell::Text(self.reason),
            Cell::Text(self.restarts.to_string()),
            Cell::At(self.started),
            Cell::Text(self.kubelet),
            Cell::Text(self.revision),
        ]
    }
}

pub static INVENTORY: Inventory = Inventory {
    noun: "node",
    source: "cluster",
    part: "part",
    place: "Node",
    name: "Pod",
    fingerprint: Some("Image"),
    separator: " ",
    columns: &[
        Column { head: "State", csv: "state", is_number: false },
        Column { head: "Reason", csv: "reason", is_number: false },
        Column { head: "Restarts", csv: "restarts", is_number: true },
        Column { head: "Started", csv: "started_at", is_number: false },
        Column { head: "Kubelet", csv: "kubelet_version", is_number: false },
        Column { head: "Revision", csv: "revision", is_number: false },
    ],
    shown: 5,
    exported: &["state", "reason", "restarts", "started_at", "kubelet_version", "revision"],
    hint: "No node matches the node selector and tolerations under Settings.",
    note: "",
    cells: inventory::cells::<Facts>,
    alarm: None,
};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::integrations::inventory::Facts as _;

    #[test]
    fn a_node_fills_every_column_and_a_failing_one_is_red() {
        let now = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        let cells = Facts { state: "Failing".to_owned(), ..Facts::default() }.cells(now);
        assert_eq!(cells.len(), INVENTORY.columns.len());
        assert_eq!(cells[0], Cell::Mark("bad", "Failing".to_owned()));
        assert_eq!(Facts::default().cells(now)[0], Cell::Mark("neutral", "Unknown".to_owned()));
    }
}
