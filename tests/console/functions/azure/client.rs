//! Microsoft's own client reads from our stand-in what a scan reads: so the stand-in is right where it counts.

use std::process::Command;

use serde_json::json;

use super::{OWN, scan};
use crate::support::peers::azure_management::{Management, token};

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/console/support/peers/azure_clients.py");

#[tokio::test]
async fn microsofts_client_reads_the_function_apps_that_a_scan_reads() {
    let peer = Management::start();
    peer.subscription(OWN, "Production").app(OWN, "pay", &json!({})).slot(OWN, "pay", "staging", &json!({}));
    peer.app(OWN, "mail", &json!({"kind": "functionapp", "state": "Stopped", "location": "North Europe"}));
    peer.app(OWN, "web", &json!({"kind": "app"})).slot(OWN, "pay", "b", &json!({})).slot(OWN, "pay", "c", &json!({}));
    let found = scan(&peer).run().await.unwrap();
    let line = |item: &strongroom::integrations::scan::Item| {
        let facts: serde_json::Value = serde_json::from_str(&item.facts).unwrap();
        let text = |name: &str| facts[name].as_str().unwrap_or_default().to_owned();
        format!("{} {} {} {} {}", item.place, item.name, text("state"), &text("modified")[..10], text("runtime"))
    };
    let mut lines: Vec<String> = found.items.iter().map(line).collect();
    lines.sort();
    assert_eq!(lines.len(), 5);
    let python = std::env::var("STRONGROOM_TEST_REGISTRY_CLIENTS").expect("script/test sets it");
    let arguments = ["functions", &peer.receiver.url(), &token(), OWN];
    let output = Command::new(python).arg(SCRIPT).args(arguments).output().expect("Python runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let mut read: Vec<String> = String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect();
    read.sort();
    assert_eq!(read, lines);
}
