//! What a scan of a registry found, as images.

use chrono::{DateTime, Utc};
use strongroom::integrations::registries::image::Facts;
use strongroom::integrations::scan::{Gap, Item, Scan};

/// One tag of one repository.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Image {
    pub repository: String,
    pub tag: String,
    pub digest: String,
    pub size_bytes: i64,
    pub platforms: Vec<String>,
    pub pushed_at: Option<DateTime<Utc>>,
    pub pulled_from: Option<String>,
}

#[derive(Debug, PartialEq, Eq)]
pub struct Scanned {
    pub images: Vec<Image>,
    pub gaps: Vec<Gap>,
}

impl From<Item> for Image {
    fn from(item: Item) -> Self {
        let facts: Facts = serde_json::from_str(&item.facts).expect("facts of an image");
        Self {
            repository: item.place,
            tag: item.name,
            digest: item.fingerprint,
            size_bytes: facts.size,
            platforms: facts.platforms,
            pushed_at: facts.pushed,
            pulled_from: facts.pulled_from,
        }
    }
}

impl From<Scan> for Scanned {
    fn from(scan: Scan) -> Self {
        Self { images: scan.items.into_iter().map(Image::from).collect(), gaps: scan.gaps }
    }
}
