//! A part of a registry that cannot be read costs itself and nothing else.

use serde_json::json;
use strongroom::integrations::progress::Step;
use strongroom::providers::ProviderError;

use super::{Scan, hasty};
use crate::support::peers::receiver::{Call, Receiver, Said};
use crate::support::peers::shelf::Shelf;

fn registry() -> Shelf {
    Shelf::default().with("a/one", "1").with("secret/two", "1").with("z/three", "1")
}

/// A registry of three repositories, with something else in place of the second.
fn instead(said: impl Fn(&Call) -> Said + Send + Sync + 'static) -> Receiver {
    let shelf = registry();
    Receiver::start(move |call| if call.path().starts_with("/v2/secret/") { said(call) } else { shelf.answer(call) })
}

/// The places and the reasons of the gaps of a scan that finds the other two.
async fn gaps(peer: &Receiver) -> Vec<(String, String)> {
    let found = Scan::of(peer.url()).egress(hasty()).whole().await.unwrap();
    let read: Vec<&str> = found.images.iter().map(|image| image.repository.as_str()).collect();
    assert_eq!(read, ["a/one", "z/three"]);
    found.gaps.iter().map(|gap| (gap.at.clone(), gap.reason())).collect()
}

#[tokio::test]
async fn field_r13_a_repository_that_is_closed_to_the_account_is_a_gap() {
    let shelf = registry();
    let peer = Receiver::start(move |call| {
        if call.header("authorization").is_none() || call.path().starts_with("/v2/secret/") {
            let asked = "Basic realm=\"Sonatype Nexus Repository Manager\"";
            return Said::json(401, &json!({"errors": [{"code": "UNAUTHORIZED"}]})).with("WWW-Authenticate", asked);
        }
        shelf.answer(call)
    });
    let found = Scan::of(peer.url()).password("robot", "good").whole().await.unwrap();
    assert_eq!(found.images.len(), 2);
    let [gap] = &found.gaps[..] else { panic!("{:?}", found.gaps) };
    assert_eq!((gap.step, gap.at.as_str()), (Step::LISTING_TAGS, "secret/two"));
    let reason = gap.reason();
    assert!(reason.contains("the registry does not allow this"), "{reason}");
    assert!(reason.ends_with("Or add the repository to Repositories to exclude."), "{reason}");
}

#[tokio::test]
async fn faults_of_one_repository_are_gaps_whatever_they_are() {
    for (said, reason) in [
        (Said::json(500, &json!({})), "(500)"),
        (Said::html(200), "is not understood"),
        (Said::Endless, "more than Strongroom accepts"),
        (Said::Silent, "did not answer in time"),
        (Said::json(302, &json!({})).with("Location", "https://login.example.com/"), "login.example.com"),
    ] {
        let peer = instead(move |_| said.clone());
        let found = gaps(&peer).await;
        let [(at, told)] = &found[..] else { panic!("{found:?}") };
        assert!(at == "secret/two" && told.contains(reason), "{at}: {told}");
    }
}

#[tokio::test]
async fn a_tag_without_a_manifest_does_not_vanish_silently() {
    let shelf = registry();
    let peer = instead(move |call| match call.path().contains("/manifests/") {
        true => Said::json(404, &json!({"errors": [{"code": "MANIFEST_UNKNOWN"}]})),
        false => shelf.answer(call),
    });
    let found = gaps(&peer).await;
    assert_eq!(found[0].0, "secret/two:1");
    assert!(found[0].1.contains("lists the tag, but has no manifest for it"), "{found:?}");
}

#[tokio::test]
async fn a_configuration_that_cannot_be_read_costs_the_platform_and_is_told() {
    let shelf = registry();
    let peer = Receiver::start(move |call| match call.path() {
        path if path.starts_with("/v2/secret/") && path.contains("/blobs/") => Said::json(500, &json!({})),
        _ => shelf.answer(call),
    });
    // Another configuration, so that it is not known from the others.
    let found = Scan::of(peer.url()).with("repository", "secret/two").whole().await.unwrap();
    assert_eq!((found.images.len(), found.images[0].platforms.len()), (1, 0));
    assert_eq!((found.gaps.len(), found.gaps[0].at.as_str()), (1, "secret/two:1"));
}

#[tokio::test]
async fn a_page_that_cannot_be_read_leaves_the_names_before_it() {
    let shelf = registry();
    let peer = Receiver::start(move |call| match (call.path(), call.query("last")) {
        ("/v2/_catalog", None) => Said::json(200, &json!({"repositories": ["a/one", "../odd"]}))
            .with("Link", "</v2/_catalog?last=b>; rel=\"next\""),
        ("/v2/_catalog", Some(_)) => Said::json(500, &json!({})),
        _ => shelf.answer(call),
    });
    let found = Scan::of(peer.url()).whole().await.unwrap();
    assert_eq!(found.images.len(), 1);
    let causes: Vec<&ProviderError> = found.gaps.iter().map(|gap| &gap.cause).collect();
    let odd = ProviderError::OddName { name: "../odd".to_owned() };
    assert_eq!(causes, [&odd, &ProviderError::ServerError { status: 500 }]);
    assert!(found.gaps.iter().all(|gap| gap.step == Step::LISTING_REPOSITORIES));
}

#[tokio::test]
async fn a_registry_that_goes_away_ends_the_scan() {
    let mut shelf = Shelf::default();
    (0..30).for_each(|number| shelf = std::mem::take(&mut shelf).with(&format!("r{number:02}"), "1"));
    let peer = Receiver::start(move |call| match call.path().contains("/r0") || !call.path().contains("/r") {
        true => shelf.answer(call),
        false => Said::Silent,
    });
    let error = Scan::of(peer.url()).egress(hasty()).whole().await.unwrap_err();
    assert!(matches!(error.cause, ProviderError::Timeout { .. }), "{error:?}");
    let silent = peer.calls().iter().filter(|call| call.path().contains("/r1") || call.path().contains("/r2")).count();
    assert!(silent <= 16, "{silent} were asked in vain");
}

#[tokio::test]
async fn a_scan_that_reads_nothing_at_all_fails_and_says_how_much_is_missing() {
    let shelf = registry();
    let peer = Receiver::start(move |call| match call.path().contains("/tags/") {
        true => Said::json(403, &json!({})),
        false => shelf.answer(call),
    });
    let error = Scan::of(peer.url()).whole().await.unwrap_err();
    assert_eq!((error.step, error.at.as_str()), (Step::LISTING_TAGS, "a/one"));
    assert!(error.to_string().ends_with("2 other parts could not be read either."), "{error}");
}
