//! Kept tokens of Google, IBM and Azure: one call for many who ask, another after an edit.

use futures_util::future::join_all;
use strongroom::providers::azure::Resource;
use strongroom::providers::gcp::CLOUD_PLATFORM;
use strongroom::providers::tokens::{Stored, Tokens};
use uuid::Uuid;

use super::*;
use crate::support::peers::clouds;

fn stored(secret_version: i32) -> Stored {
    Stored { credential: Uuid::from_u128(7), secret_version }
}

fn secret(token: &strongroom::providers::calls::AccessToken) -> &str {
    secrecy::ExposeSecret::expose_secret(&token.secret)
}

fn account() -> Values {
    let account = service_account(rsa_pem());
    checked("gcp", &[("service_account", account.as_str()), ("level", "project")])
}

#[tokio::test]
async fn two_hundred_who_ask_google_at_once_share_one_token() {
    let peer = clouds::google(EMAIL, KEY_ID, public(rsa_pem()));
    let (tokens, values) = (Tokens::new(loopback(), moved(Service::GoogleToken, &peer)), account());
    let all = join_all((0..200).map(|_| tokens.google_token(stored(1), &values, CLOUD_PLATFORM))).await;
    assert!(all.iter().all(|token| token.as_ref().is_ok_and(|token| secret(token).starts_with("ya29."))));
    assert_eq!(peer.calls().len(), 1);
    assert!(tokens.google_token(stored(1), &values, CLOUD_PLATFORM).await.is_ok());
    assert_eq!(peer.calls().len(), 1, "it is kept");
}

#[tokio::test]
async fn an_edited_credential_gets_a_token_of_its_own_and_a_deleted_one_leaves_none() {
    let peer = clouds::ibm(API_KEY, ACCOUNT);
    let tokens = Tokens::new(loopback(), moved(Service::IbmIam, &peer));
    let values = checked("ibm_cloud", &[("account_guid", ACCOUNT), ("api_key", API_KEY)]);
    let ask = |version| tokens.ibm_token(stored(version), &values);
    for (version, calls) in [(1, 1), (1, 1), (2, 2), (2, 2)] {
        assert!(ask(version).await.is_ok());
        assert_eq!(peer.calls().len(), calls, "version {version}");
    }
    tokens.forget(stored(2).credential);
    assert!(ask(2).await.is_ok());
    assert_eq!(peer.calls().len(), 3);
    let wrong = checked("ibm_cloud", &[("account_guid", ACCOUNT), ("api_key", "withdrawn")]);
    let refused = tokens.ibm_token(stored(3), &wrong).await.err().expect("a refusal");
    assert_eq!(refused.verdict, Verdict::BadKey);
}

#[tokio::test]
async fn azure_gives_each_resource_a_token_of_its_own() {
    let peer = Receiver::start(|call| {
        let token = call.field("scope").unwrap_or_default();
        Said::json(200, &json!({"access_token": token, "expires_in": 3599}))
    });
    let tokens = Tokens::new(loopback(), moved(Service::AzureLogin, &peer));
    let values = checked("azure", &[("method", "service_key"), ("service_key", &service_key("s3cret"))]);
    for resource in [Resource::ResourceManager, Resource::KeyVault, Resource::KeyVault] {
        let token = tokens.azure_token(stored(1), &values, resource).await.expect("a token");
        let vault = secret(&token).contains("vault.azure.net");
        assert_eq!(vault, resource == Resource::KeyVault, "{}", secret(&token));
    }
    assert_eq!(peer.calls().len(), 2);
}

#[tokio::test]
async fn values_of_another_type_are_refused_before_any_call() {
    let tokens = Tokens::new(loopback(), Endpoints::default());
    let values = checked("ibm_cloud", &[("account_guid", ACCOUNT), ("api_key", API_KEY)]);
    let refused = tokens.google_token(stored(1), &values, CLOUD_PLATFORM).await;
    assert_eq!(refused.err().map(|finding| finding.verdict), Some(Verdict::BadKey));
}
