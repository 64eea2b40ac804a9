//! Images as items: a tag of a repository, told apart by its digest. How they are shown is the [`INVENTORY`].

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::integrations::inventory::{self, Cell, Column, Inventory};

/// One tag of one repository.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Image {
    pub repository: String,
    pub tag: String,
    /// `sha256:…` of the manifest or index that the tag names.
    pub digest: String,
    /// Compressed layers plus configuration, summed over platforms, in bytes.
    pub size_bytes: i64,
    /// `linux/amd64`, `linux/arm64/v8` …
    pub platforms: Vec<String>,
    pub pushed_at: Option<DateTime<Utc>>,
}

/// What is known of an image beside repository, tag and digest.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Facts {
    /// Compressed layers plus configuration, summed over platforms, in bytes.
    size: i64,
    /// `linux/amd64`, `linux/arm64/v8` …
    platforms: Vec<String>,
    pushed: Option<DateTime<Utc>>,
}

impl inventory::Facts for Facts {
    fn cells(self) -> Vec<Cell> {
        vec![Cell::List(self.platforms), Cell::Size(self.size), Cell::At(self.pushed)]
    }
}

pub static INVENTORY: Inventory = Inventory {
    noun: "image",
    source: "registry",
    place: "Repository",
    name: "Tag",
    fingerprint: "Digest",
    separator: ":",
    columns: &[
        Column { head: "Platforms", csv: "platforms", is_number: false },
        Column { head: "Size", csv: "size_bytes", is_number: true },
        Column { head: "Pushed", csv: "pushed_at", is_number: false },
    ],
    exported: &["size_bytes", "platforms", "pushed_at"],
    hint: "Look at Repository and Tag under Settings.",
    cells: inventory::cells::<Facts>,
};

impl Image {
    /// Its facts.
    pub fn facts(&self) -> Facts {
        Facts { size: self.size_bytes, platforms: self.platforms.clone(), pushed: self.pushed_at }
    }
}
