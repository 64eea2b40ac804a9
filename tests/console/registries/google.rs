//! Google's Artifact Registry and gcr.io, by a service account's key.

use crate::support::images::Image;
use strongroom::credentials::gcp;
use strongroom::integrations::progress::Step;
use strongroom::providers::ProviderError;
use strongroom::providers::endpoints::{Endpoints, Service};

use super::Scan;
use crate::support::peers::google_artifacts::{self, IMAGE, INDEX, account};
use crate::support::peers::receiver::{Receiver, Said};

pub fn by_key(peer: &Receiver, host: &str, level: &str) -> Scan {
    let services = [Service::GoogleToken, Service::GoogleArtifacts, Service::GoogleProjects];
    let moved = services.into_iter().fold(Endpoints::default(), |all, one| all.with(one, peer.url().parse().unwrap()));
    let scan = Scan::of(host).version("google_artifacts").endpoints(moved);
    scan.credential(&gcp::KIND, &[("service_account", &account()), ("level", level)])
}

fn places(images: &[Image]) -> Vec<String> {
    images.iter().map(|image| format!("{}:{}", image.repository, image.tag)).collect()
}

#[tokio::test]
async fn a_service_account_of_google_scans_its_project_newest_first() {
    let peer = Receiver::start(google_artifacts::answer);
    let images = by_key(&peer, "europe-west3-docker.pkg.dev", "project").with("cap", "2").run().await.unwrap();
    assert_eq!(places(&images), ["shop/apps/job:2", "shop/apps/web/front:1.0", "shop/apps/web/front:latest"]);
    let front = &images[1];
    assert_eq!((front.digest.as_str(), front.size_bytes), (INDEX, 5000));
    assert_eq!(front.platforms, ["linux/amd64", "linux/arm64/v8"]);
    assert_eq!(front.pushed_at.unwrap().date_naive().to_string(), "2026-11-05");
    let lists = peer.calls().iter().filter(|call| call.path().ends_with("/apps/dockerImages")).count();
    assert_eq!(lists, 4, "each page of the repository's list is read once");
}

#[tokio::test]
async fn images_of_gcr_io_are_named_as_there() {
    let peer = Receiver::start(google_artifacts::answer);
    let scan = by_key(&peer, "gcr.io", "project");
    let images = scan.run().await.unwrap();
    assert_eq!(places(&images), ["shop/job:2", "shop/web/front:1.0", "shop/web/front:9.9", "shop/web/front:latest"]);
    let exact = by_key(&peer, "gcr.io", "project").with("repository", "shop/job");
    assert_eq!(exact.run().await.unwrap()[0].digest, IMAGE);
}

#[tokio::test]
async fn an_organisation_is_scanned_without_projects_that_have_no_registry() {
    let peer = Receiver::start(google_artifacts::answer);
    let host = "europe-west3-docker.pkg.dev";
    assert_eq!(by_key(&peer, host, "organization").images().await.len(), 4);
    let named = by_key(&peer, host, "project").with("repository", "bare/*, shop/*").whole().await.unwrap();
    assert_eq!(named.images.len(), 4);
    assert!(named.gaps[0].to_string().contains("switched off in the project. Enable"), "{:?}", named.gaps);
}

#[tokio::test]
async fn a_right_that_a_service_account_lacks_is_told_as_one() {
    let peer = Receiver::start(google_artifacts::answer);
    let scan = by_key(&peer, "europe-west3-docker.pkg.dev", "project").with("repository", "secret/*");
    let error = scan.run().await.unwrap_err();
    assert_eq!((error.step, &error.cause), (Step::LISTING_REPOSITORIES, &ProviderError::Forbidden));
    let scan = by_key(&peer, "us-docker.pkg.dev", "project").with("repository", "shop/r/app");
    assert_eq!(scan.run().await.unwrap_err().step, Step::LISTING_TAGS);
}

#[tokio::test]
async fn a_key_that_google_does_not_know_ends_the_scan_at_the_door() {
    let peer = Receiver::start(|call| match call.path() {
        "/token" => Said::json(400, &serde_json::json!({"error": "invalid_grant", "error_description": "deleted"})),
        _ => google_artifacts::answer(call),
    });
    let error = by_key(&peer, "gcr.io", "project").run().await.unwrap_err();
    assert_eq!(error.step, Step::SIGNING_IN);
    assert!(matches!(error.cause, ProviderError::SignIn(_)), "{error}");
}

#[tokio::test]
async fn test_connection_of_google_reads_one_page_of_a_repository() {
    let peer = Receiver::start(google_artifacts::answer);
    let said = by_key(&peer, "europe-west3-docker.pkg.dev", "project").check().await.unwrap();
    assert_eq!(said, "The registry let Strongroom in and lists 1 repository on its first page.");
}
