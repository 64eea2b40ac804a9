//! The Secrets of a sync as inventory items.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::integrations::inventory::{self, Cell, Column, Inventory};

/// What is known of a Secret. Never a value, and no hash of one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Facts {
    /// `In sync`, `Differs`, `Missing`, `Not ours`, `Failed`
    pub state: String,
    /// `Opaque`
    pub kind: String,
    /// Of the source: `3`.
    pub version: String,
    /// A sentence; may be blank.
    pub reason: String,
}

pub const IN_SYNC: &str = "In sync";
pub const DIFFERS: &str = "Differs";
pub const MISSING: &str = "Missing";
pub const FOREIGN: &str = "Not ours";
pub const FAILED: &str = "Failed";

impl inventory::Facts for Facts {
    fn cells(self, _now: DateTime<Utc>) -> Vec<Cell> {
        let tone = match self.state.as_str() {
            IN_SYNC => "good",
            MISSING | FAILED => "bad",
            "" => "neutral",
            _ => "warn",
        };
        let state = if self.state.is_empty() { "Unknown".to_owned() } else { self.state };
        vec![Cell::Mark(tone, state), Cell::Text(self.kind), Cell::Text(self.version), Cell::Text(self.reason)]
    }
}

pub static INVENTORY: Inventory = Inventory {
    noun: "secret",
    source: "cluster",
    part: "secret",
    place: "Namespace",
    name: "Secret",
    fingerprint: None,
    separator: "/",
    columns: &[
        Column { head: "State", csv: "state", is_number: false },
        Column { head: "Type", csv: "type", is_number: false },
        Column { head: "Version", csv: "version", is_number: false },
        Column { head: "Reason", csv: "reason", is_number: false },
    ],
    shown: 4,
    exported: &["state", "type", "version", "reason"],
    hint: "Add a Secret, then preview and apply.",
    note: "",
    cells: inventory::cells::<Facts>,
    alarm: None,
};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::integrations::inventory::Facts as _;

    #[test]
    fn a_secret_fills_every_column() {
        let now = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        let cells = Facts { state: IN_SYNC.to_owned(), ..Facts::default() }.cells(now);
        assert_eq!((cells.len(), &cells[0]), (INVENTORY.columns.len(), &Cell::Mark("good", IN_SYNC.to_owned())));
        assert_eq!(Facts::default().cells(now)[0], Cell::Mark("neutral", "Unknown".to_owned()));
    }
}
