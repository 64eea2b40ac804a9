//! Google Kubernetes Engine.

use serde_json::{Value, json};

use super::*;
use crate::support::google_scan::moved;
use crate::support::peers::google::account;
use crate::support::peers::google_world::{Api, Google, Says};
use crate::support::peers::managed_clusters as api;

fn console(google: &Google) -> Console {
    let account = account();
    let values = [("service_account", account.as_str()), ("level", "project")];
    Console::new("gke", "gcp", &values, moved(&google.url()))
}

fn prod(endpoint: &str) -> [(&str, &str); 3] {
    [("project", "shop"), ("cluster", "europe-west3/prod"), ("endpoint", endpoint)]
}

/// The address of an API server as Google writes it, without its scheme.
fn address(api: &Receiver) -> String {
    api.address.to_string()
}

fn with_cluster(authority: &Authority, changes: &Value) -> Google {
    let google = Google::start();
    let mut described = json!({"masterAuth": {"clusterCaCertificate": in_base64(authority)}});
    described.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
    google.with_project("shop").cluster("shop", "europe-west3", "prod", &described);
    google
}

#[tokio::test]
async fn a_gke_cluster_is_reached_by_its_public_and_private_address() {
    let authority = Authority::new();
    let (public, private) = (api::gke(&authority), api::gke(&authority));
    let ip = json!({"enabled": true, "enablePublicEndpoint": true, "publicEndpoint": address(&public),
        "privateEndpoint": address(&private)});
    let google = with_cluster(&authority, &json!({"controlPlaneEndpointsConfig": {"ipEndpointsConfig": ip}}));
    let console = console(&google);
    let said = console.check(&prod("public")).await.unwrap();
    assert_eq!(said, "The cluster (Kubernetes v1.33.1) lets Strongroom deploy. 1 node matches.");
    assert_eq!((public.calls().is_empty(), private.calls().is_empty()), (false, true));
    console.check(&prod("private")).await.unwrap();
    assert!(!private.calls().is_empty());
}

#[tokio::test]
async fn the_gke_dns_endpoint_is_verified_against_public_authorities() {
    let authority = Authority::new();
    let api = api::gke(&authority);
    let dns = |open: bool| {
        let config = json!({"endpoint": address(&api), "allowExternalTraffic": open});
        with_cluster(
            &authority,
            &json!({"controlPlaneEndpointsConfig": {"dnsEndpointConfig": config,
            "ipEndpointsConfig": {"enabled": false}}}),
        )
    };
    let said = console(&dns(true)).refused(&prod("dns")).await;
    assert!(said.contains("is not trusted") && bearers(&api).is_empty(), "{said}");
    let said = console(&dns(false)).refused(&prod("dns")).await;
    assert!(said.contains("takes no traffic from outside") && said.contains("--enable-dns-access"), "{said}");
    let said = console(&dns(true)).refused(&prod("public")).await;
    assert!(said.contains("The cluster has no public address. Choose another Endpoint: DNS endpoint."), "{said}");
}

#[tokio::test]
async fn each_reason_why_a_gke_cluster_is_unavailable_is_named() {
    let authority = Authority::new();
    let stranger = api::aks(&authority, "nobody");
    let google = with_cluster(&authority, &json!({"endpoint": address(&stranger)}));
    let console = console(&google);
    let unknown = console.refused(&prod("public")).await;
    assert!(unknown.contains("does not accept tokens of this service account"), "{unknown}");
    let absent = [("project", "shop"), ("cluster", "europe-west3/test")];
    assert!(console.refused(&absent).await.contains("There is no cluster test in europe-west3 of shop"));
    google.cluster("shop", "europe-west3", "new", &json!({"status": "PROVISIONING"}));
    let starting = [("project", "shop"), ("cluster", "europe-west3/new")];
    assert!(console.refused(&starting).await.contains("GKE calls it provisioning"));
    google.says(Api::Clusters, "shop", Says::Denied);
    let denied = console.refused(&prod("public")).await;
    assert!(denied.contains("container.clusters.get"), "{denied}");
}

#[tokio::test]
async fn the_gke_clusters_of_a_project_and_unreachable_zones_are_listed() {
    let authority = Authority::new();
    let google = with_cluster(&authority, &json!({}));
    google.cluster("shop", "asia-east1", "batch", &json!({"privateClusterConfig": {"enablePrivateEndpoint": true}}));
    google.unreachable(Api::Clusters, "shop", &["us-east1-b"]);
    let listed = console(&google).list(&[]).await.unwrap();
    let expected = [
        "shop asia-east1/batch asia-east1 1.33.2-gke.1 Private",
        "shop europe-west3/prod europe-west3 1.33.2-gke.1 Public",
    ];
    assert_eq!(shown(&listed), expected);
    assert_eq!(listed.missing, ["Google could not reach us-east1-b."]);
    let other = console(&google).list(&[("project", "unknown")]).await.unwrap_err();
    assert!(other.contains("container.clusters.list"), "{other}");
}

#[tokio::test]
async fn a_client_gets_a_token_for_a_gke_cluster_and_no_key() {
    let authority = Authority::new();
    let api = api::gke(&authority);
    let ip = json!({"enabled": true, "enablePublicEndpoint": true, "publicEndpoint": address(&api)});
    let google = with_cluster(&authority, &json!({"controlPlaneEndpointsConfig": {"ipEndpointsConfig": ip}}));
    let console = console(&google);
    let issued = console.issue("gke_token", &prod("public")).await.unwrap();
    assert!(enters(&issued).await && issued.left().is_some_and(|left| left > Duration::from_secs(50 * 60)));
    let closed = console.issue("gke_token", &prod("private")).await.unwrap_err();
    assert!(closed.contains("has no private address"), "{closed}");
}
