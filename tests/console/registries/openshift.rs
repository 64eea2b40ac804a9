//! The registry of an OpenShift cluster, by the token of a service account.

use strongroom::credentials::api_token;
use strongroom::integrations::progress::Step;
use strongroom::providers::{ProviderError, Sent};

use super::Scan;
use crate::support::peers::openshift::{self, IMAGE, INDEX, SHOP_TOKEN, TOKEN};
use crate::support::peers::receiver::{Receiver, Said};

pub fn by_token(peer: &Receiver, token: &str) -> Scan {
    Scan::of(peer.url()).version("openshift").credential(&api_token::KIND, &[("token", token)])
}

#[tokio::test]
async fn a_service_account_of_openshift_scans_all_projects_newest_first() {
    let peer = Receiver::start(openshift::answer);
    let images = by_token(&peer, TOKEN).with("cap", "1").run().await.unwrap();
    let places: Vec<String> = images.iter().map(|image| format!("{}:{}", image.repository, image.tag)).collect();
    assert_eq!(places, ["shop/app:1.0", "tools/lint:1.0"], "9.9 is the older one");
    assert_eq!((images[0].digest.as_str(), images[0].size_bytes), (INDEX, 5000));
    assert_eq!(images[0].platforms, ["linux/s390x"]);
    assert_eq!(images[0].pushed_at.unwrap().date_naive().to_string(), "2026-11-01");
    let names: Vec<&str> = images.iter().map(|image| image.pulled_from.as_deref().unwrap()).collect();
    assert_eq!(names, ["images.example.com/shop/app", "image-registry.openshift-image-registry.svc:5000/tools/lint"]);
}

#[tokio::test]
async fn a_role_in_one_project_of_openshift_scans_that_project() {
    let peer = Receiver::start(openshift::answer);
    let images = by_token(&peer, SHOP_TOKEN).with("repository", "shop/*").run().await.unwrap();
    assert_eq!((images.len(), images[1].digest.as_str()), (2, IMAGE));
    assert_eq!(by_token(&peer, SHOP_TOKEN).with("repository", "shop/app").images().await.len(), 2);
    let error = by_token(&peer, SHOP_TOKEN).run().await.unwrap_err();
    assert_eq!((error.step, &error.cause), (Step::LISTING_REPOSITORIES, &ProviderError::Forbidden));
    assert!(error.to_string().contains("enter their names under Repository"), "{error}");
}

#[tokio::test]
async fn a_wrong_token_and_another_cluster_than_openshift_are_named() {
    let peer = Receiver::start(openshift::answer);
    let error = by_token(&peer, "sha256~WRONG").run().await.unwrap_err();
    assert_eq!((error.step, &error.cause), (Step::SIGNING_IN, &ProviderError::Unauthorized { sent: Sent::Token }));
    assert!(!error.to_string().contains("WRONG"));
    let other = Receiver::start(|_| Said::json(404, &serde_json::json!({"kind": "Status"})));
    let error = by_token(&other, TOKEN).run().await.unwrap_err();
    assert_eq!(error.cause, ProviderError::NoInterface { of: "OpenShift" });
}

#[tokio::test]
async fn test_connection_of_openshift_says_what_the_token_sees() {
    let peer = Receiver::start(openshift::answer);
    let said = by_token(&peer, TOKEN).check().await.unwrap();
    assert_eq!(said, "The registry let Strongroom in and lists 1 repository on its first page.");
}
