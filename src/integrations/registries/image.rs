//! Images as items: a tag of a repository, whose fingerprint is the digest of the manifest or index that the tag names
//! (`sha256:…`). How they are shown is the [`INVENTORY`].

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::integrations::inventory::{self, Cell, Column, Inventory};

/// What is known of an image beside repository, tag and digest.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Facts {
    /// Compressed layers plus configuration, summed over platforms, in bytes.
    pub size: i64,
    /// `linux/amd64`, `linux/arm64/v8` …
    pub platforms: Vec<String>,
    pub pushed: Option<DateTime<Utc>>,
    /// How clients name the repository where that is not by the integration's own host:
    /// `images.example.com/team/app`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pulled_from: Option<String>,
}

impl inventory::Facts for Facts {
    fn cells(self, _: DateTime<Utc>) -> Vec<Cell> {
        vec![Cell::List(self.platforms), Cell::Size(Some(self.size)), Cell::At(self.pushed)]
    }
}

pub static INVENTORY: Inventory = Inventory {
    noun: "image",
    source: "registry",
    place: "Repository",
    name: "Tag",
    fingerprint: Some("Digest"),
    part: "repository",
    separator: ":",
    columns: &[
        Column { head: "Platforms", csv: "platforms", is_number: false },
        Column { head: "Size", csv: "size_bytes", is_number: true },
        Column { head: "Pushed", csv: "pushed_at", is_number: false },
    ],
    shown: 3,
    exported: &["size_bytes", "platforms", "pushed_at"],
    hint: "Look at Repository and Tag under Settings.",
    note: "",
    cells: inventory::cells::<Facts>,
    alarm: None,
};
