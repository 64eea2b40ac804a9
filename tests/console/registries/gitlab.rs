//! GitLab's registry, by an access token and by a deploy token.

use serde_json::json;
use strongroom::credentials::gitlab_token;
use strongroom::form::Values;
use strongroom::integrations::Spec;
use strongroom::integrations::progress::Step;
use strongroom::providers::endpoints::{Endpoints, Service};
use strongroom::providers::{ProviderError, Sent};

use super::Scan;
use crate::support::peers::gitlab::{self, DEPLOY, TOKEN, digest};
use crate::support::peers::receiver::{Receiver, Said};

/// A scan of gitlab.com by an access token.
pub fn by_token(peer: &Receiver, token: &str) -> Scan {
    let at = || peer.url().parse().unwrap();
    let moved = Endpoints::default().with(Service::Gitlab, at()).with(Service::GitlabRegistry, at());
    let scan = Scan::of("registry.gitlab.com").version("gitlab").endpoints(moved);
    scan.credential(&gitlab_token::KIND, &[("server_url", "https://gitlab.com"), ("token", token)])
}

#[tokio::test]
async fn a_gitlab_token_scans_its_groups_and_projects_newest_first() {
    let peer = Receiver::start(gitlab::answer);
    let images = by_token(&peer, TOKEN).with("cap", "1").run().await.unwrap();
    let places: Vec<String> = images.iter().map(|image| format!("{}:{}", image.repository, image.tag)).collect();
    // 9.9 is the older one; the repository that is being deleted is left out.
    assert_eq!(places, ["ada/lab:1.0", "team/app:1.0", "team/app/worker:1.0", "team/sub/tool:1.0"]);
    assert_eq!(images[0].digest, digest("ada/lab", "1.0"));
    assert_eq!(images[0].platforms, ["linux/arm64"]);
    assert_eq!(images[0].pushed_at.unwrap().to_rfc3339(), "2026-11-01T10:00:00.123+00:00");
    assert!(images[0].size_bytes > 5, "layer and configuration");
    let asked = |path: &str| peer.calls().iter().any(|call| call.path() == path);
    assert!(!asked("/api/v4/groups/team%2Fsub/registry/repositories"), "the group above has listed it");
}

#[tokio::test]
async fn patterns_with_a_path_in_front_ask_for_that_project_alone() {
    let peer = Receiver::start(gitlab::answer);
    let scan = by_token(&peer, TOKEN).with("repository", "team/app/w*, team/app/worker/*");
    assert_eq!(scan.images().await, ["team/app/worker:1.0", "team/app/worker:9.9"]);
    assert!(peer.calls().iter().all(|call| !["/api/v4/groups", "/api/v4/projects"].contains(&call.path())));
}

#[tokio::test]
async fn a_deploy_token_of_gitlab_reads_the_repositories_that_are_named() {
    let peer = Receiver::start(gitlab::answer);
    let scan = Scan::of(peer.url()).version("gitlab").password(DEPLOY.0, DEPLOY.1).with("repository", "team/app");
    assert_eq!(scan.images().await, ["team/app:1.0", "team/app:9.9"]);
    assert!(peer.calls().iter().all(|call| !call.path().starts_with("/api/")));
    let suits = |repository| {
        let settings = Values::from_iter([("repository", repository)]);
        (Spec::find("gitlab").unwrap().suits)(&settings, "basic", &Values::default())
    };
    assert!(suits("team/app").is_ok() && suits("team/*").is_err() && suits("").is_err());
}

#[tokio::test]
async fn a_gitlab_registry_without_a_database_gets_its_dates_from_the_api() {
    let peer = Receiver::start(gitlab::answer_without_database);
    let images = by_token(&peer, TOKEN).with("repository", "team/app*").with("cap", "1").run().await.unwrap();
    let places: Vec<String> = images.iter().map(|image| format!("{}:{}", image.repository, image.tag)).collect();
    assert_eq!(places, ["team/app:1.0", "team/app/worker:1.0"], "9.9 is the older one");
    assert_eq!(images[0].pushed_at.unwrap().date_naive().to_string(), "2026-11-01");
    // A deploy token does not open the API: names decide.
    let by_name = Scan::of(peer.url()).version("gitlab").password(DEPLOY.0, DEPLOY.1).with("repository", "team/app");
    let images = by_name.with("cap", "1").run().await.unwrap();
    assert_eq!((images[0].tag.as_str(), images[0].pushed_at), ("9.9", None));
}

#[tokio::test]
async fn a_wrong_token_of_gitlab_ends_the_scan_at_the_registrys_door() {
    let peer = Receiver::start(gitlab::answer);
    let error = by_token(&peer, "glpat-WRONG").run().await.unwrap_err();
    assert_eq!((error.step, &error.cause), (Step::SIGNING_IN, &ProviderError::Unauthorized { sent: Sent::Password }));
    assert!(!error.to_string().contains("WRONG"));
}

#[tokio::test]
async fn a_gitlab_token_without_the_right_scope_is_told_which() {
    let peer = Receiver::start(|call| match call.path().starts_with("/api/") {
        // What GitLab answers to a token with read_registry alone.
        true => Said::json(
            403,
            &json!({"error": "insufficient_scope", "scope": "api read_api",
            "error_description": "The request requires higher privileges than provided by the access token."}),
        ),
        false => gitlab::answer(call),
    });
    let said = by_token(&peer, TOKEN).check().await.unwrap_err();
    assert!(said.starts_with("Listing the repositories failed: the token lacks the scope read_api. Create"), "{said}");
}

#[tokio::test]
async fn test_connection_of_gitlab_reads_one_page_of_repositories() {
    let peer = Receiver::start(gitlab::answer);
    let said = by_token(&peer, TOKEN).check().await.unwrap();
    assert_eq!(said, "The registry let Strongroom in and lists 1 repository on its first page.");
    assert!(peer.calls().iter().all(|call| call.method == "GET"));
}

#[tokio::test]
async fn what_a_gitlab_token_may_not_see_is_named() {
    let peer = Receiver::start(gitlab::answer);
    let error = by_token(&peer, TOKEN).with("repository", "others/*").run().await.unwrap_err();
    assert_eq!((error.step, &error.cause), (Step::LISTING_REPOSITORIES, &ProviderError::NotFound));
}
