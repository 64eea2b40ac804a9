//! The operator's addresses for the vendors' services: who may set them, and that they are no way around the rules.

use super::*;
use crate::support::peers::entra;

#[test]
fn the_setting_takes_pairs_and_refuses_anything_else() {
    let endpoints: Endpoints = "azure-login=https://login.example.com/x, github=http://127.0.0.1:8080".parse().unwrap();
    assert_eq!(endpoints.moved(Service::AzureLogin).unwrap().as_str(), "https://login.example.com/x");
    assert_eq!("".parse::<Endpoints>(), Ok(Endpoints::default()));
    for wrong in [
        "azure-login",
        "azure=https://login.example.com",
        "azure-login=login.example.com",
        "azure-login=ftp://login.example.com",
        "azure-login=https://user:pw@login.example.com",
        "azure-login=https://login.example.com/?a=b",
        "azure-login=https://login.example.com/#a",
        "github=https://a.example.com,github=https://b.example.com",
    ] {
        assert!(wrong.parse::<Endpoints>().is_err(), "{wrong}");
    }
}

#[tokio::test]
async fn a_moved_service_passes_the_same_checks_as_any_address() {
    let peer = entra::start(None);
    let key = service_key(entra::SECRET);
    let values = checked("azure", &[("method", "service_key"), ("service_key", &key)]);
    let kind = credentials::find("azure").unwrap();
    let closed = Egress::new(Vec::new());
    let finding = providers::test(kind, &values, &[], &closed, &moved(Service::AzureLogin, &peer)).await;
    assert_eq!(finding.verdict, Verdict::RefusedByPolicy, "{finding:?}");
    assert!(finding.remedy.contains("STRONGROOM_EGRESS_ALLOW"), "{finding:?}");
    assert!(peer.calls().is_empty());
    let metadata = Endpoints::default().with(Service::AzureLogin, "http://169.254.169.254".parse().unwrap());
    let finding = providers::test(kind, &values, &[], &loopback(), &metadata).await;
    assert_eq!(finding.verdict, Verdict::RefusedByPolicy, "{finding:?}");
}
