//! The vendors' own clients, which read from our peers what a scan reads: so the peers are right where it counts.

use std::process::Command;

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/console/support/peers/registry_clients.py");

/// What the vendor's client prints, in order.
pub fn read(vendor: &str, url: &str, secret: &str) -> Vec<String> {
    read_with(&std::env::var("STRONGROOM_TEST_REGISTRY_CLIENTS").expect("script/test sets it"), vendor, url, secret)
}

/// The same by the Python of another installation.
pub fn read_with(python: &str, vendor: &str, url: &str, secret: &str) -> Vec<String> {
    let output = Command::new(python).args([SCRIPT, vendor, url, secret]).output().expect("Python runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let mut lines: Vec<String> = String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect();
    lines.sort();
    lines
}
