//! Entries as items: a name in its mount, region, project, vault or safe. A value is no fact.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::integrations::inventory::{self, Cell, Column, Inventory};

/// What is known of an entry beside its place and name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Facts {
    /// As the store calls it: `KV version 2`, `SecureString`.
    pub kind: String,
    /// The store's own; blank where its list does not tell.
    pub version: String,
    #[serde(with = "chrono::serde::ts_seconds_option", skip_serializing_if = "Option::is_none")]
    pub changed: Option<DateTime<Utc>>,
    /// What keeps it from being read: `Disabled`. Blank where it can be read.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub state: String,
}

impl inventory::Facts for Facts {
    fn cells(self, _now: DateTime<Utc>) -> Vec<Cell> {
        vec![Cell::Text(self.kind), Cell::Text(self.version), Cell::At(self.changed), Cell::Text(self.state)]
    }
}

pub static INVENTORY: Inventory = Inventory {
    noun: "entry",
    source: "store",
    part: "place",
    place: "Place",
    name: "Entry",
    fingerprint: None,
    separator: "/",
    columns: &[
        Column { head: "Type", csv: "type", is_number: false },
        Column { head: "Version", csv: "version", is_number: false },
        Column { head: "Changed", csv: "changed_at", is_number: false },
        Column { head: "State", csv: "state", is_number: false },
    ],
    shown: 4,
    exported: &["type", "version", "changed_at", "state"],
    hint: "The store has no entries here, or the credential may not list them. Look at the path and at Entries under Settings.",
    note: "Names only: values are read when a rule or a sync passes them on, and are not kept.",
    cells: inventory::cells::<Facts>,
    alarm: None,
};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::integrations::inventory::Facts as _;

    #[test]
    fn an_entry_fills_every_column() {
        assert_eq!(Facts::default().cells(DateTime::UNIX_EPOCH).len(), INVENTORY.columns.len());
        assert_eq!(INVENTORY.plural(), "entries");
    }
}
