//! Azure Function Apps: scans against a peer that pages, throttles and refuses as Azure does, the vendor's own client
//! beside them, and the way from the form to the inventory.

use strongroom::providers::endpoints::Service;

use crate::support::azure_scan::AzureScan;
use crate::support::peers::azure_management::Management;

mod client;
mod hostile;
mod story;
mod subscriptions;

/// The subscription of the credential.
const OWN: &str = "5c2a1d8e-0b1f-4f2e-9d3c-7a6b5c4d3e2f";
const TEST: &str = "9f8e7d6c-5b4a-4392-8171-60504f3e2d1c";

fn scan(peer: &Management) -> AzureScan {
    AzureScan::of("azure_functions", Some(OWN)).at(Service::AzureManagement, &peer.receiver).with("slots", "on")
}

fn sites(subscription: &str) -> String {
    format!("/subscriptions/{subscription}/providers/Microsoft.Web/sites")
}
