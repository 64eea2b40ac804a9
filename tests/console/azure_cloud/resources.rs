//! What a scan finds in the subscriptions: registries, function apps and clusters, and the form that would scan them.

use std::process::Command;

use serde_json::json;

use super::{OWN, TEST, cluster, registry, scan};
use crate::support::azure_scan::facts;
use crate::support::peers::azure_management::{Management, Says, token};
use crate::support::peers::graph::Graph;

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/console/support/peers/azure_clients.py");

fn estate() -> Management {
    let peer = Management::start();
    peer.subscription(OWN, "Production").subscription(TEST, "Test");
    for name in ["example", "team", "third"] {
        registry(&peer, OWN, name, &json!({}));
    }
    peer.app(OWN, "pay", &json!({})).app(OWN, "mail", &json!({})).app(
        TEST,
        "api",
        &json!({"location": "North Europe"}),
    );
    peer.app(OWN, "web", &json!({"kind": "app"}));
    cluster(&peer, TEST, "prod");
    peer
}

#[tokio::test]
async fn what_runs_in_all_subscriptions_is_found_with_the_form_that_scans_it() {
    let (graph, peer) = (Graph::start(), estate());
    let work = scan(&graph, &peer).with("registries", "on").with("functions", "on").with("clusters", "on");
    let found = work.run().await.unwrap();
    assert_eq!(found.gaps, []);
    let names: Vec<String> = found.items.iter().map(|item| format!("{} {}", &item.place[..8], item.name)).collect();
    let expected = [
        "5c2a1d8e acr/westeurope/example",
        "5c2a1d8e acr/westeurope/team",
        "5c2a1d8e acr/westeurope/third",
        "5c2a1d8e functions/westeurope",
        "9f8e7d6c aks/westeurope/shop/prod",
        "9f8e7d6c functions/northeurope",
    ];
    assert_eq!(names, expected);
    let one = facts(&found, "acr/westeurope/example");
    assert_eq!((&one["sort"], &one["scope"]), (&json!("registry"), &json!("registry/example.azurecr.io")));
    assert_eq!(one["add"], json!([["version", "acr"], ["registry", "example.azurecr.io"]]));
    assert_eq!((&one["account"], &one["made"]), (&json!("Production"), &json!(1_714_557_600)));
    let apps = facts(&found, "functions/westeurope");
    assert_eq!((&apps["number"], &apps["scope"]), (&json!(2), &json!(format!("functions/azure/{OWN}"))));
    assert!(apps["add"].as_array().unwrap().contains(&json!(["subscription_ids", OWN])));
    let aks = facts(&found, "aks/westeurope/shop/prod");
    assert_eq!((&aks["number"], &aks["version"], &aks["access"]), (&json!(5), &json!("1.33.2"), &json!("Public")));
    assert!(graph.receiver.calls().is_empty(), "keys are switched off");
    assert_eq!(peer.asked("/subscriptions").len(), 1, "asked once for all parts");
    let said = work.check().await.unwrap();
    assert!(said.contains(&format!("lists 2 registries on its first page of Production ({OWN})")), "{said}");
}

#[tokio::test]
async fn a_denied_subscription_is_a_gap_and_a_part_that_was_never_used_is_none() {
    let (graph, peer) = (Graph::start(), estate());
    let path = |id: &str, kind: &str| format!("/subscriptions/{id}/providers/{kind}");
    peer.says(&path(TEST, "Microsoft.ContainerService"), Says::Denied);
    peer.says(&path(OWN, "Microsoft.ContainerService"), Says::Unregistered);
    peer.says(&path(TEST, "Microsoft.ContainerRegistry"), Says::Denied);
    let work = scan(&graph, &peer).with("registries", "on").with("clusters", "on");
    let found = work.run().await.unwrap();
    assert_eq!(found.items.len(), 3);
    let told: Vec<String> = found.gaps.iter().map(ToString::to_string).collect();
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(told[0].contains("does not allow Microsoft.ContainerService/managedClusters/read"), "{told:?}");
    assert!(told[1].contains("does not allow Microsoft.ContainerRegistry/registries/read"), "{told:?}");
    let hides = &found.gaps[0].hides;
    assert!(hides.may_be(TEST, "aks/westeurope/shop/prod") && !hides.may_be(TEST, "functions/westeurope"));
}

#[tokio::test]
async fn microsofts_clients_read_the_registries_and_clusters_that_a_scan_finds() {
    let (graph, peer) = (Graph::start(), Management::start());
    peer.subscription(OWN, "Production");
    ["example", "team", "third"].iter().for_each(|name| registry(&peer, OWN, name, &json!({})));
    cluster(&peer, OWN, "prod");
    let found = scan(&graph, &peer).with("registries", "on").with("clusters", "on").run().await.unwrap();
    let line = |item: &strongroom::integrations::scan::Item| {
        let facts: serde_json::Value = serde_json::from_str(&item.facts).unwrap();
        let text = |name: &str| facts[name].as_str().unwrap_or_default().to_owned();
        let place = format!("{}/{} {}", item.place, text("region"), text("address"));
        match text("sort").as_str() {
            "registry" => {
                let made = chrono::DateTime::from_timestamp(facts["made"].as_i64().unwrap(), 0).unwrap();
                format!("registry {place} {}", made.format("%Y-%m-%d"))
            }
            _ => format!("cluster {place} {} {}", text("version"), facts["number"]),
        }
    };
    let mut lines: Vec<String> = found.items.iter().map(line).collect();
    lines.sort();
    let python = std::env::var("STRONGROOM_TEST_REGISTRY_CLIENTS").expect("script/test sets it");
    let arguments = ["resources", &peer.receiver.url(), &token(), OWN];
    let output = Command::new(python).arg(SCRIPT).args(arguments).output().expect("Python runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let mut read: Vec<String> = String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect();
    read.sort();
    assert_eq!((read.len(), read), (4, lines));
}
