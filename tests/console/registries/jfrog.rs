//! JFrog Artifactory, by a user and by an access token.

use strongroom::credentials::api_token;
use strongroom::integrations::progress::Step;
use strongroom::providers::{ProviderError, Sent};

use super::Scan;
use crate::support::peers::jfrog::{self, TOKEN, USER, shelf};
use crate::support::peers::receiver::{Receiver, Said};

pub fn by_user(peer: &Receiver, password: &str) -> Scan {
    Scan::of(peer.url()).version("jfrog").password(USER.0, password)
}

#[tokio::test]
async fn a_user_of_artifactory_scans_what_it_holds_newest_first() {
    let peer = Receiver::start(jfrog::answer);
    let images = by_user(&peer, USER.1).with("cap", "1").run().await.unwrap();
    let places: Vec<String> = images.iter().map(|image| format!("{}:{}", image.repository, image.tag)).collect();
    assert_eq!(places, ["docker-local/app:1.0", "docker-local/team/deep:1.0"], "9.9 is the older one");
    assert_eq!(Some(&images[0].digest), shelf().digest("app", "1.0").as_ref());
    assert_eq!(images[0].platforms, ["linux/arm64"]);
    assert_eq!(images[0].pushed_at.unwrap().to_rfc3339(), "2026-11-01T10:00:00.123+00:00");
}

#[tokio::test]
async fn an_access_token_of_artifactory_opens_the_same() {
    let peer = Receiver::start(jfrog::answer);
    let scan = Scan::of(peer.url()).version("jfrog").credential(&api_token::KIND, &[("token", TOKEN)]);
    assert_eq!(scan.with("repository", "docker-local/app").images().await.len(), 2);
}

#[tokio::test]
async fn an_artifactory_that_lists_no_files_is_ordered_by_name() {
    let peer = Receiver::start(jfrog::answer_without_files);
    let images = by_user(&peer, USER.1).with("repository", "docker-local/app*").with("cap", "1").run().await.unwrap();
    assert_eq!((images[0].tag.as_str(), images[0].pushed_at), ("9.9", None));
}

#[tokio::test]
async fn a_wrong_password_of_artifactory_ends_the_scan_at_the_door() {
    let peer = Receiver::start(jfrog::answer);
    let error = by_user(&peer, "WRONG").run().await.unwrap_err();
    assert_eq!((error.step, &error.cause), (Step::SIGNING_IN, &ProviderError::Unauthorized { sent: Sent::Password }));
    assert!(!error.to_string().contains("WRONG"));
    let other = Receiver::start(|_| Said::json(404, &serde_json::json!({})));
    let error = by_user(&other, USER.1).run().await.unwrap_err();
    assert_eq!(error.cause, ProviderError::NoInterface { of: "JFrog Artifactory" });
}

#[tokio::test]
async fn test_connection_of_artifactory_says_what_the_user_sees() {
    let peer = Receiver::start(jfrog::answer);
    let said = by_user(&peer, USER.1).check().await.unwrap();
    assert_eq!(said, "The registry let Strongroom in and lists 1 repository on its first page.");
}
