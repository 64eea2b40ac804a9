//! Quay, by a token of an OAuth application and by a robot account.

use strongroom::credentials::api_token;
use strongroom::integrations::progress::Step;
use strongroom::providers::endpoints::{Endpoints, Service};
use strongroom::providers::{ProviderError, Sent};

use super::Scan;
use crate::support::peers::quay::{self, ROBOT, TOKEN, digest};
use crate::support::peers::receiver::Receiver;

fn at(peer: &Receiver) -> Scan {
    let moved = Endpoints::default().with(Service::Quay, peer.url().parse().unwrap());
    Scan::of("quay.io").version("quay").endpoints(moved)
}

pub fn by_token(peer: &Receiver, token: &str) -> Scan {
    at(peer).credential(&api_token::KIND, &[("token", token)])
}

#[tokio::test]
async fn a_token_of_quay_scans_all_namespaces_of_its_user_newest_first() {
    let peer = Receiver::start(quay::answer);
    let images = by_token(&peer, TOKEN).with("cap", "1").run().await.unwrap();
    let places: Vec<String> = images.iter().map(|image| format!("{}:{}", image.repository, image.tag)).collect();
    assert_eq!(places, ["acme/app:1.0", "acme/deep/er:1.0", "ada/lab:1.0"], "9.9 is the older one");
    assert_eq!(images[0].digest, digest("acme/app", "1.0"));
    assert_eq!(images[0].platforms, ["linux/arm64"]);
    assert_eq!(images[0].pushed_at.unwrap().timestamp(), 1_793_527_200);
}

#[tokio::test]
async fn a_robot_account_of_quay_reads_what_its_v2_interface_lists() {
    let peer = Receiver::start(quay::answer);
    let images = at(&peer).password(ROBOT.0, ROBOT.1).with("repository", "*/app").run().await.unwrap();
    assert_eq!(images.len(), 2);
    assert_eq!(images[0].pushed_at, None);
    assert!(peer.calls().iter().all(|call| !call.path().starts_with("/api/")));
}

#[tokio::test]
async fn a_wrong_secret_of_quay_ends_the_scan_at_the_door() {
    let peer = Receiver::start(quay::answer);
    for scan in [by_token(&peer, "WRONG"), at(&peer).password(ROBOT.0, "WRONG")] {
        let error = scan.run().await.unwrap_err();
        let expected = ProviderError::Unauthorized { sent: Sent::Password };
        assert_eq!((error.step, &error.cause), (Step::SIGNING_IN, &expected));
        assert!(!error.to_string().contains("WRONG"));
    }
}

#[tokio::test]
async fn without_a_credential_quay_is_asked_for_a_namespace_only() {
    let peer = Receiver::start(quay::answer);
    let error = at(&peer).run().await.unwrap_err();
    assert_eq!(
        (error.step, error.cause),
        (Step::LISTING_REPOSITORIES, ProviderError::Unauthorized { sent: Sent::Nothing })
    );
    assert_eq!(at(&peer).with("repository", "acme/*").images().await, [""; 0]);
}

#[tokio::test]
async fn test_connection_of_quay_says_what_the_token_sees() {
    let peer = Receiver::start(quay::answer);
    let said = by_token(&peer, TOKEN).with("repository", "acme/*").check().await.unwrap();
    assert_eq!(said, "The registry let Strongroom in and lists 1 repository on its first page.");
}
