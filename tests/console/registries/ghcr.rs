//! GitHub's container registry, by classic tokens.

use serde_json::json;
use strongroom::credentials::github_token;
use strongroom::integrations::progress::Step;
use strongroom::providers::endpoints::{Endpoints, Service};
use strongroom::providers::{ProviderError, Sent};

use super::Scan;
use crate::support::peers::ghcr::{self, ORG_TOKEN, TOKEN, digest};
use crate::support::peers::receiver::{Receiver, Said};

pub fn by_token(peer: &Receiver, token: &str) -> Scan {
    let at = || peer.url().parse().unwrap();
    let moved = Endpoints::default().with(Service::Github, at()).with(Service::GithubRegistry, at());
    let scan = Scan::of("ghcr.io").version("ghcr").endpoints(moved);
    scan.credential(&github_token::KIND, &[("server_url", "https://github.com"), ("token", token)])
}

#[tokio::test]
async fn a_classic_token_of_github_scans_an_organisation_newest_first() {
    let peer = Receiver::start(ghcr::answer);
    let scan = by_token(&peer, TOKEN).with("repository", "Acme/*, acme/*").with("cap", "2");
    let images = scan.run().await.unwrap();
    let places: Vec<String> = images.iter().map(|image| format!("{}:{}", image.repository, image.tag)).collect();
    assert_eq!(places, ["acme/app:1.0", "acme/app:latest", "acme/deep/er/app:1.0", "acme/deep/er/app:latest"]);
    assert_eq!(Some(&images[0].digest), digest("acme/app", "1.0").as_ref());
    assert_eq!(images[0].platforms, ["linux/arm64"]);
    assert_eq!(images[0].pushed_at.unwrap().to_rfc3339(), "2026-11-01T10:00:00+00:00");
}

#[tokio::test]
async fn without_a_pattern_the_tokens_own_packages_of_github_are_scanned() {
    let peer = Receiver::start(ghcr::answer);
    let own = ["octo-scanner/mine:1.0", "octo-scanner/mine:9.9", "octo-scanner/mine:latest"];
    let mut found = by_token(&peer, TOKEN).images().await;
    found.sort();
    assert_eq!(found, own);
    let found = by_token(&peer, ORG_TOKEN).images().await;
    assert!(found.contains(&"acme/app:1.0".to_owned()) && found.contains(&own[0].to_owned()), "{found:?}");
}

#[tokio::test]
async fn an_exact_name_of_another_user_of_github_is_found() {
    let peer = Receiver::start(ghcr::answer);
    assert_eq!(by_token(&peer, TOKEN).with("repository", "friend/tool").images().await.len(), 3);
    let error = by_token(&peer, TOKEN).with("repository", "nobody/tool").run().await.unwrap_err();
    assert_eq!((error.step, &error.cause), (Step::LISTING_TAGS, &ProviderError::NotFound));
}

#[tokio::test]
async fn a_wrong_token_of_github_ends_the_scan_at_the_door() {
    let peer = Receiver::start(ghcr::answer);
    let error = by_token(&peer, "ghp_WRONG").run().await.unwrap_err();
    assert_eq!((error.step, &error.cause), (Step::SIGNING_IN, &ProviderError::Unauthorized { sent: Sent::Token }));
    assert!(!error.to_string().contains("WRONG"));
}

#[tokio::test]
async fn a_spent_limit_of_github_is_told_as_one_and_not_as_a_missing_right() {
    let peer = Receiver::start(|call| match call.path() {
        "/orgs/acme/packages" => Said::json(403, &json!({"message": "API rate limit exceeded"}))
            .with("X-RateLimit-Remaining", "0")
            .with("X-RateLimit-Reset", (call.now + 3 * 3600).to_string()),
        _ => ghcr::answer(call),
    });
    let error = by_token(&peer, TOKEN).with("repository", "acme/*").run().await.unwrap_err();
    assert!(matches!(error.cause, ProviderError::Throttled { retry_after: Some(3600..) }), "{error}");
}

#[tokio::test]
async fn a_github_token_of_the_wrong_sort_is_told_which_is_needed() {
    let peer = Receiver::start(ghcr::answer);
    let said = by_token(&peer, "github_pat_0123").check().await.unwrap_err();
    assert!(said.contains("accepts no fine-grained token. Create a classic personal access token"), "{said}");
    assert!(peer.calls().is_empty(), "it was sent nowhere");
    let peer = Receiver::start(|call| match call.path().ends_with("/packages") {
        true => Said::json(403, &json!({"message": "You need at least read:packages scope to list packages."}))
            .with("X-OAuth-Scopes", "read:org, gist")
            .with("X-RateLimit-Remaining", "4999"),
        false => ghcr::answer(call),
    });
    let said = by_token(&peer, TOKEN).with("repository", "acme/*").check().await.unwrap_err();
    assert!(said.contains("the token lacks the scope read:packages."), "{said}");
}

#[tokio::test]
async fn test_connection_of_github_says_what_the_token_sees() {
    let peer = Receiver::start(ghcr::answer);
    let said = by_token(&peer, TOKEN).with("repository", "acme/*").check().await.unwrap();
    assert_eq!(said, "The registry let Strongroom in and lists 1 repository on its first page.");
}
