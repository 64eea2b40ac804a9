//! Cloud scans of Google Cloud: the keys of service accounts, and what the projects hold.

use serde_json::Value;
use strongroom::integrations::scan::{self, Item};

use crate::support::google_scan::Scan;
use crate::support::peers::google_world::Google;

mod discovery;
mod hostile;
mod keys;
mod story;

const PAY: &str = "pay@shop.iam.gserviceaccount.com";

/// One part of a scan of the own project.
fn part(peer: &Google, part: &'static str) -> Scan {
    Scan::of("google_cloud", &peer.url()).with(part, "on")
}

fn facts(item: &Item) -> Value {
    serde_json::from_str(&item.facts).unwrap()
}

/// The facts of the item of that name.
fn of(scan: &scan::Scan, name: &str) -> Value {
    facts(scan.items.iter().find(|item| item.name == name).expect(name))
}
