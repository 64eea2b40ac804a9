//! Google Cloud Functions and Cloud Run: what a scan reads, what it says of what it cannot read, and the whole way in the
//! console.

use crate::support::google_scan::Scan;
use crate::support::peers::google_functions::Google;

mod hostile;
mod projects;
mod story;

fn scan(peer: &Google) -> Scan {
    Scan::of("google_functions", &peer.url())
}
