//! GitHub and GitLab: who a token is, what it may and until when.

use super::*;
use crate::support::peers::certificates::Authority;
use crate::support::peers::forges;
use crate::support::peers::receiver::Said;

const TOKEN: &str = "ghp_0123456789";

#[tokio::test]
async fn a_github_token_says_its_user_scopes_and_expiry() {
    let peer = forges::github(TOKEN, None);
    let finding = test("github_token", &[("token", TOKEN)], &moved(Service::Github, &peer)).await;
    assert_eq!((finding.verdict, finding.remedy.as_str()), (Verdict::Ok, ""), "{finding:?}");
    assert_eq!(fact(&finding, "User"), "octo-scanner");
    assert_eq!(fact(&finding, "Scopes"), "read:packages, read:org");
    assert_eq!(finding.expires_at.unwrap().to_rfc3339(), "2031-05-04T08:00:00+00:00");
}

#[tokio::test]
async fn an_enterprise_server_is_asked_below_its_own_api_path() {
    let authority = Authority::new();
    let peer = forges::github(TOKEN, Some(&authority));
    let posted = [("server_url", &*peer.url()), ("token", TOKEN), ("ca_certificate", &authority.pem)];
    let finding = test("github_token", &posted, &Endpoints::default()).await;
    assert_eq!(finding.verdict, Verdict::Ok, "{finding:?}");
    let stranger = test("github_token", &posted[..2], &Endpoints::default()).await;
    assert_eq!(stranger.verdict, Verdict::Unreachable);
    assert!(stranger.remedy.contains("CA certificate"), "{stranger:?}");
}

#[tokio::test]
async fn a_token_without_the_scope_for_images_is_told_what_it_lacks() {
    let peer = forges::github(TOKEN, None);
    let user = serde_json::json!({"login": "octo-scanner"});
    peer.say(Said::json(200, &user).with("X-OAuth-Scopes", ""));
    let finding = test("github_token", &[("token", TOKEN)], &moved(Service::Github, &peer)).await;
    assert_eq!(finding.verdict, Verdict::Ok);
    assert!(finding.remedy.contains("read:packages"), "{finding:?}");
}

#[tokio::test]
async fn a_wrong_token_is_a_bad_key_on_both() {
    let (github, gitlab) = (forges::github(TOKEN, None), forges::gitlab("glpat-1", true));
    let endpoints = moved(Service::Github, &github).with(Service::Gitlab, gitlab.url().parse().unwrap());
    for slug in ["github_token", "gitlab_token"] {
        let finding = test(slug, &[("token", "wrong-0")], &endpoints).await;
        assert_eq!(finding.verdict, Verdict::BadKey, "{finding:?}");
    }
}

#[tokio::test]
async fn githubs_rate_limit_is_no_denial() {
    let peer = forges::github(TOKEN, None);
    peer.say(Said::html(403).with("X-RateLimit-Remaining", "0"));
    let finding = test("github_token", &[("token", TOKEN)], &moved(Service::Github, &peer)).await;
    assert_eq!(finding.verdict, Verdict::Throttled);
}

#[tokio::test]
async fn a_gitlab_token_says_its_user_scopes_and_expiry() {
    let peer = forges::gitlab("glpat-1", true);
    let finding = test("gitlab_token", &[("token", "glpat-1")], &moved(Service::Gitlab, &peer)).await;
    assert_eq!((finding.verdict, finding.remedy.as_str()), (Verdict::Ok, ""), "{finding:?}");
    assert_eq!(fact(&finding, "User"), "group_bot");
    assert_eq!(fact(&finding, "Scopes"), "read_api, read_registry");
    assert_eq!(finding.expires_at.unwrap().to_rfc3339(), "2031-05-04T00:00:00+00:00");
}

#[tokio::test]
async fn an_old_gitlab_says_the_user_alone() {
    let peer = forges::gitlab("glpat-1", false);
    let finding = test("gitlab_token", &[("token", "glpat-1")], &moved(Service::Gitlab, &peer)).await;
    assert_eq!((finding.verdict, fact(&finding, "User")), (Verdict::Ok, "group_bot"), "{finding:?}");
    assert_eq!(finding.expires_at, None);
}

#[tokio::test]
async fn field_fa_47_a_stored_deploy_token_is_called_that_and_not_wrong() {
    let peer = forges::gitlab("glpat-1", true);
    let kind = credentials::find("gitlab_token").unwrap();
    // As an earlier release stored it: the form no longer takes one.
    let values = Values::from_iter([("token", "gldt-abcdefGHIJKLMNOPQRST")]);
    let finding = providers::test(kind, &values, &[], &loopback(), &moved(Service::Gitlab, &peer)).await;
    assert_eq!(finding.verdict, Verdict::NotHere, "{finding:?}");
    assert!(
        finding.sentence.contains("deploy token") && finding.remedy.contains("Basic authentication"),
        "{finding:?}"
    );
}
