//! Cloud scans of Azure: keys of applications against a stand-in of Microsoft Graph, registries, function apps and
//! clusters against one of the Resource Manager.

use serde_json::{Value, json};
use strongroom::providers::endpoints::Service;

use crate::support::azure_scan::AzureScan;
use crate::support::peers::azure_management::Management;
use crate::support::peers::graph::Graph;

mod keys;
mod resources;
mod story;

/// The subscription of the credential.
const OWN: &str = "5c2a1d8e-0b1f-4f2e-9d3c-7a6b5c4d3e2f";
const TEST: &str = "9f8e7d6c-5b4a-4392-8171-60504f3e2d1c";

fn scan(graph: &Graph, management: &Management) -> AzureScan {
    AzureScan::of("azure_tenant", Some(OWN))
        .at(Service::AzureGraph, &graph.receiver)
        .at(Service::AzureManagement, &management.receiver)
}

/// Adds a registry, with what differs in its properties.
fn registry(peer: &Management, subscription: &str, name: &str, changes: &Value) {
    let path = format!("/subscriptions/{subscription}/providers/Microsoft.ContainerRegistry/registries");
    let id = format!(
        "/subscriptions/{subscription}/resourceGroups/Shop/providers/Microsoft.ContainerRegistry/registries/{name}"
    );
    let mut properties = json!({"loginServer": format!("{name}.azurecr.io"), "provisioningState": "Succeeded",
        "creationDate": "2024-05-01T10:00:00.1234567Z", "adminUserEnabled": false, "publicNetworkAccess": "Enabled"});
    for (member, value) in changes.as_object().expect("an object") {
        properties[member] = value.clone();
    }
    peer.holds(
        &path,
        &json!({"id": id, "name": name, "type": "Microsoft.ContainerRegistry/registries",
        "location": "westeurope", "sku": {"name": "Premium", "tier": "Premium"}, "tags": {}, "properties": properties}),
    );
}

fn cluster(peer: &Management, subscription: &str, name: &str) {
    let path = format!("/subscriptions/{subscription}/providers/Microsoft.ContainerService/managedClusters");
    let id = format!(
        "/subscriptions/{subscription}/resourcegroups/shop/providers/Microsoft.ContainerService/managedClusters/{name}"
    );
    let pools = json!([{"name": "system", "count": 3, "vmSize": "x"}, {"name": "jobs", "count": 2, "vmSize": "x"}]);
    let properties = json!({"provisioningState": "Succeeded", "powerState": {"code": "Running"}, "kubernetesVersion": "1.33",
        "currentKubernetesVersion": "1.33.2", "fqdn": format!("{name}-1.hcp.westeurope.azmk8s.io"),
        "agentPoolProfiles": pools, "apiServerAccessProfile": null});
    peer.holds(
        &path,
        &json!({"id": id, "name": name, "type": "Microsoft.ContainerService/ManagedClusters",
        "location": "westeurope", "properties": properties, "systemData": {"createdAt": "2025-02-03T04:05:06Z"}}),
    );
}
