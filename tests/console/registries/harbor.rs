//! Harbor's own interface, with a robot account and without one.

use serde_json::json;
use strongroom::integrations::progress::Step;
use strongroom::providers::{ProviderError, Sent};

use super::Scan;
use crate::support::peers::harbor::{self, IMAGE, INDEX, ROBOT, SECRET};
use crate::support::peers::scripted::{Reply, Scripted};

#[tokio::test]
async fn a_robot_account_of_harbor_lists_what_it_may_read_with_dates() {
    let peer = harbor::start();
    let scan = Scan::of(peer.url()).version("harbor").with("cap", "2").password(ROBOT, SECRET);
    let found = scan.whole().await.unwrap();
    let places: Vec<String> = found.images.iter().map(|image| format!("{}:{}", image.repository, image.tag)).collect();
    // The newest two of each repository by the date of the push.
    let expected = ["public/tool:1.0", "team/app:1.1", "team/app:latest", "team/deep/er/app:1.1"];
    assert_eq!(places[..4], expected);
    assert_eq!(places.len(), 5);
    let latest = &found.images[2];
    assert_eq!((latest.digest.as_str(), latest.size_bytes), (INDEX, 9000));
    assert_eq!(latest.platforms, ["linux/amd64", "linux/arm64/v8"]);
    assert_eq!(latest.pushed_at.unwrap().to_rfc3339(), "2026-11-05T10:00:00+00:00");
    assert_eq!(
        (found.images[1].digest.as_str(), found.images[1].platforms.as_slice()),
        (IMAGE, &["linux/amd64".to_owned()][..])
    );
    let gaps: Vec<_> = found.gaps.iter().map(|gap| (gap.step, gap.cause.clone())).collect();
    assert_eq!(gaps, [(Step::LISTING_REPOSITORIES, ProviderError::Forbidden)], "the project that it may not read");
}

#[tokio::test]
async fn patterns_with_a_project_in_front_list_that_project_only() {
    let peer = harbor::start();
    let scan = Scan::of(peer.url()).version("harbor").with("repository", "team/*").password(ROBOT, SECRET);
    assert_eq!(scan.images().await.len(), 6);
    assert!(peer.calls().iter().all(|call| call.path() != "/api/v2.0/projects"));
}

#[tokio::test]
async fn without_a_credential_harbor_shows_its_public_projects() {
    let peer = harbor::start();
    assert_eq!(Scan::of(peer.url()).version("harbor").images().await, ["public/tool:1.0"]);
    assert!(peer.calls().iter().all(|call| !call.header("authorization").is_some_and(|h| h.starts_with("Basic"))));
}

#[tokio::test]
async fn a_wrong_secret_of_a_robot_account_ends_the_scan_at_its_door() {
    let peer = harbor::start();
    let error = Scan::of(peer.url()).version("harbor").password(ROBOT, "WRONG-SECRET").run().await.unwrap_err();
    assert_eq!((error.step, &error.cause), (Step::SIGNING_IN, &ProviderError::Unauthorized { sent: Sent::Password }));
    assert!(!error.to_string().contains("WRONG-SECRET"));
}

#[tokio::test]
async fn test_connection_of_harbor_reads_one_page_and_changes_nothing() {
    let peer = harbor::start();
    let scan = Scan::of(peer.url()).version("harbor").with("repository", "team/*").password(ROBOT, SECRET);
    let said = scan.check().await.unwrap();
    assert_eq!(said, "The registry let Strongroom in and lists 1 repository on its first page.");
    assert!(peer.calls().iter().all(|call| call.method == "GET"));
    assert_eq!(peer.calls().iter().filter(|call| call.path().starts_with("/api/")).count(), 1);
}

#[tokio::test]
async fn a_registry_that_is_no_harbor_is_told_as_one() {
    let peer = Scripted::start(|path| match path {
        "/v2/" => Reply::json(json!({})),
        _ => Reply::status(404),
    })
    .await;
    let error = Scan::of(peer.url()).version("harbor").run().await.unwrap_err();
    assert_eq!(error.cause, ProviderError::NoInterface { of: "Harbor" });
}
