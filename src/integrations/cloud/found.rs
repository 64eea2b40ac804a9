//! How the items of cloud scans read: keys and resources in one table, each by its own facts.

use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::Value;

use super::key::{self, Sort};
use super::resource;
use crate::integrations::inventory::{self, Cell, Column, Inventory};

pub static INVENTORY: Inventory = Inventory {
    noun: "item",
    source: "account",
    part: "part",
    place: "Account",
    name: "Name",
    fingerprint: None,
    separator: " ",
    // Each of the two writes the same cells.
    columns: &[
        Column { head: "Type", csv: "type", is_number: false },
        Column { head: "Owner or title", csv: "owner", is_number: false },
        Column { head: "Region", csv: "region", is_number: false },
        Column { head: "State", csv: "state", is_number: false },
        Column { head: "Details", csv: "details", is_number: false },
        Column { head: "Created", csv: "created_at", is_number: false },
        Column { head: "Last used", csv: "last_used_at", is_number: false },
        Column { head: "Expires", csv: "expires_at", is_number: false },
        Column { head: "Address", csv: "address", is_number: false },
    ],
    shown: 8,
    exported: &["type", "owner", "region", "state", "details", "created_at", "last_used_at", "expires_at", "address"],
    hint: "The account has nothing of what the scan looks for, or the credential may not list it.",
    note: "",
    cells,
    alarm: None,
};

/// What sort of item it is: all that keys and resources have in common.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Common {
    sort: Sort,
}

fn cells(facts: &Value, now: DateTime<Utc>) -> Vec<Cell> {
    match Common::deserialize(facts).unwrap_or_default().sort {
        Sort::Key => inventory::cells::<key::Facts>(facts, now),
        Sort::Registry | Sort::Functions | Sort::Cluster => inventory::cells::<resource::Facts>(facts, now),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_and_resources_fill_the_same_columns() {
        let now = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        for sort in ["key", "registry", "functions", "cluster", "of a later release"] {
            let cells = cells(&serde_json::json!({ "sort": sort, "service": "Amazon EKS" }), now);
            assert_eq!(cells.len(), INVENTORY.columns.len(), "{sort}");
            let is_resource = cells[0] == Cell::Text("Amazon EKS".to_owned());
            assert_eq!(is_resource, ["registry", "functions", "cluster"].contains(&sort), "{sort}");
        }
    }
}
