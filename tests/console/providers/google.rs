//! Google Cloud: a service account's key.

use super::*;
use crate::support::peers::clouds;

async fn by_key(key: &str, peer: &Receiver) -> Finding {
    let account = service_account(key);
    let posted = [("service_account", account.as_str()), ("level", "project"), ("api_token", "AIzaSyLeftAlone")];
    test("gcp", &posted, &moved(Service::GoogleToken, peer)).await
}

#[tokio::test]
async fn a_service_account_gives_a_token_and_says_whose_it_is() {
    let peer = clouds::google(EMAIL, KEY_ID, public(rsa_pem()));
    let finding = by_key(rsa_pem(), &peer).await;
    assert_eq!(finding.verdict, Verdict::Ok, "{finding:?}");
    assert_eq!(fact(&finding, "Service account"), EMAIL);
    assert_eq!(fact(&finding, "Project"), "mycompany-project");
    let calls = peer.calls();
    assert_eq!(calls.len(), 1);
    assert!(!String::from_utf8_lossy(&calls[0].body).contains("AIza"), "the API token is left alone");
}

#[tokio::test]
async fn a_deleted_key_is_a_bad_key() {
    let peer = clouds::google(EMAIL, KEY_ID, public(&new_rsa_pem()));
    let finding = by_key(rsa_pem(), &peer).await;
    assert_eq!(finding.verdict, Verdict::BadKey);
    assert!(finding.remedy.starts_with("Create a new key"), "{finding:?}");
}

#[tokio::test]
async fn a_deleted_account_is_told_from_a_deleted_key() {
    let peer = clouds::google("other@example.com", KEY_ID, public(rsa_pem()));
    assert_eq!(by_key(rsa_pem(), &peer).await.sentence, "Google does not know this service account.");
}

#[tokio::test]
async fn a_wrong_clock_is_said_with_its_error() {
    let peer = clouds::google(EMAIL, KEY_ID, public(rsa_pem()));
    peer.set_clock_ahead(-600);
    let finding = by_key(rsa_pem(), &peer).await;
    assert_eq!(finding.verdict, Verdict::BadKey);
    assert!(finding.sentence.contains("time") && finding.remedy.contains("minutes fast"), "{finding:?}");
}
