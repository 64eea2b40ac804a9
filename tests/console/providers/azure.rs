//! Azure: client secret, certificate, managed identity.

use super::*;
use crate::support::peers::entra::{self, CLIENT, SECRET, TENANT};
use crate::support::peers::oidc_provider::OidcProvider;

async fn by_secret(secret: &str, peer: &Receiver) -> Finding {
    secret_at(secret, &moved(Service::AzureLogin, peer)).await
}

async fn by_certificate(certificate: &str, peer: &Receiver) -> Finding {
    certificate_at(certificate, &moved(Service::AzureLogin, peer)).await
}

async fn secret_at(secret: &str, endpoints: &Endpoints) -> Finding {
    let key = service_key(secret);
    test("azure", &[("method", "service_key"), ("service_key", &key)], endpoints).await
}

async fn certificate_at(certificate: &str, endpoints: &Endpoints) -> Finding {
    let pem = format!("{certificate}{}", rsa_pem());
    let ids = [("tenant_id", TENANT), ("client_id", CLIENT), ("subscription_id", CLIENT)];
    let posted = [&[("method", "certificate"), ("certificate", pem.as_str())][..], &ids].concat();
    test("azure", &posted, endpoints).await
}

async fn by_machine(client: &str, peer: &Receiver) -> Finding {
    let posted = [("method", "managed_identity"), ("subscription_id", CLIENT), ("identity_client_id", client)];
    test("azure", &posted, &moved(Service::AzureMetadata, peer)).await
}

#[tokio::test]
async fn a_client_secret_gives_a_token_and_says_whose_it_is() {
    let peer = entra::start(None);
    let finding = by_secret(SECRET, &peer).await;
    assert_eq!(finding.verdict, Verdict::Ok, "{finding:?}");
    assert_eq!((fact(&finding, "Tenant"), fact(&finding, "Client")), (TENANT, CLIENT));
    assert!(!fact(&finding, "Object").is_empty());
    assert_eq!(peer.calls().len(), 1, "one harmless call");
}

#[tokio::test]
async fn a_wrong_client_secret_is_told_from_an_expired_one() {
    let peer = entra::start(None);
    let wrong = by_secret("wrong~secret", &peer).await;
    assert_eq!((wrong.verdict, wrong.sentence.as_str()), (Verdict::BadKey, "The client secret is wrong."));
    let expired = by_secret("expired", &peer).await;
    assert_eq!((expired.verdict, expired.sentence.as_str()), (Verdict::Expired, "The client secret has expired."));
}

#[tokio::test]
async fn an_unknown_tenant_and_an_unknown_client_are_named() {
    let peer = entra::start(None);
    let endpoints = moved(Service::AzureLogin, &peer);
    let key = service_key(SECRET).replace(TENANT, "00000000-0000-0000-0000-000000000001");
    let tenant = test("azure", &[("method", "service_key"), ("service_key", &key)], &endpoints).await;
    assert_eq!(
        (tenant.verdict, tenant.sentence.as_str()),
        (Verdict::BadKey, "There is no such tenant in this Azure cloud.")
    );
    let key = service_key(SECRET).replace(CLIENT, "00000000-0000-0000-0000-000000000002");
    let client = test("azure", &[("method", "service_key"), ("service_key", &key)], &endpoints).await;
    assert_eq!(client.sentence, "The tenant does not know this client ID.");
}

#[tokio::test]
async fn a_certificate_signs_an_assertion_that_the_directory_verifies() {
    let (pem, der) = rsa_certificate(2024, 2031);
    let peer = entra::start(Some(der));
    let finding = by_certificate(&pem, &peer).await;
    assert_eq!(finding.verdict, Verdict::Ok, "{finding:?}");
    assert_eq!(finding.expires_at.unwrap().format("%Y-%m-%d").to_string(), "2031-01-01");
}

#[tokio::test]
async fn a_certificate_that_the_app_does_not_know_is_not_trusted() {
    let (pem, _) = rsa_certificate(2024, 2031);
    let (_, other) = rsa_certificate(2024, 2032);
    let finding = by_certificate(&pem, &entra::start(Some(other))).await;
    assert_eq!(finding.verdict, Verdict::NotTrusted, "{finding:?}");
}

#[tokio::test]
async fn an_expired_certificate_is_said_without_asking_anyone() {
    let (pem, der) = rsa_certificate(2020, 2021);
    let peer = entra::start(Some(der));
    let finding = by_certificate(&pem, &peer).await;
    assert_eq!(finding.verdict, Verdict::Expired);
    assert_eq!(finding.sentence, "The certificate expired on 2021-01-01.");
    assert!(peer.calls().is_empty());
}

#[tokio::test]
async fn a_clock_that_is_wrong_is_said_to_be_wrong() {
    let (pem, der) = rsa_certificate(2024, 2031);
    let peer = entra::start(Some(der));
    peer.set_clock_ahead(3 * 3600);
    let finding = by_certificate(&pem, &peer).await;
    assert_eq!(finding.verdict, Verdict::BadKey);
    assert!(finding.remedy.contains("is 3 hours slow") || finding.remedy.contains("is 2 hours slow"), "{finding:?}");
}

#[tokio::test]
async fn a_managed_identity_comes_from_the_machine() {
    let peer = entra::machine();
    let system = by_machine("", &peer).await;
    assert_eq!((system.verdict, fact(&system, "Client")), (Verdict::Ok, "system"), "{system:?}");
    let named = by_machine(CLIENT, &peer).await;
    assert_eq!((named.verdict, fact(&named, "Client")), (Verdict::Ok, CLIENT));
    let unknown = by_machine("00000000-0000-0000-0000-000000000002", &peer).await;
    assert_eq!(unknown.verdict, Verdict::NotHere);
    assert_eq!(unknown.sentence, "This machine has no managed identity with that client ID.");
}

#[tokio::test]
async fn without_the_identity_service_there_is_no_managed_identity_here() {
    let gone = Receiver::start(|_| unreachable!()).address;
    let nobody = Endpoints::default().with(Service::AzureMetadata, format!("http://{gone}").parse().unwrap());
    let posted = [("method", "managed_identity"), ("subscription_id", CLIENT)];
    assert_eq!(test("azure", &posted, &nobody).await.verdict, Verdict::NotHere);
}

/// The cache over real tokens: many integrations on one credential ask once.
#[tokio::test]
async fn two_hundred_integrations_on_one_credential_ask_for_one_token() {
    use strongroom::credentials::azure::Payload;
    use strongroom::providers::azure::{Resource, token};
    use strongroom::providers::sessions::{Cache, Key};
    let peer = entra::start(None);
    let key = service_key(SECRET);
    let values = checked("azure", &[("method", "service_key"), ("service_key", &key)]);
    let payload = credentials::payload::<Payload>(&values).unwrap();
    let (egress, endpoints, cache) = (loopback(), moved(Service::AzureLogin, &peer), Cache::default());
    let get = |secret_version| {
        let scope = "resource-manager".to_owned();
        let key = Key { credential: uuid::Uuid::nil(), secret_version, scope };
        cache.get(key, || async {
            let token = token(&payload, Resource::ResourceManager, &egress, &endpoints).await?;
            let lifetime = token.lifetime;
            Ok::<_, strongroom::providers::Failure>((token, lifetime))
        })
    };
    let all = futures_util::future::join_all((0..200).map(|_| get(1))).await;
    assert!(all.iter().all(Result::is_ok));
    assert_eq!(peer.calls().len(), 1);
    get(2).await.map(drop).unwrap();
    assert_eq!(peer.calls().len(), 2, "an edited credential has a session of its own");
}

#[tokio::test]
async fn another_reading_of_the_standards_takes_the_secret_and_the_assertion() {
    let at = |peer: &OidcProvider| Endpoints::default().with(Service::AzureLogin, peer.url.parse().unwrap());
    let Some(peer) = OidcProvider::start(TENANT, CLIENT, SECRET, None) else {
        return eprintln!("left out: STRONGROOM_TEST_OIDC does not name an installed oidc-provider");
    };
    assert_eq!(secret_at(SECRET, &at(&peer)).await.verdict, Verdict::Ok);
    assert_eq!(secret_at("wrong~secret", &at(&peer)).await.verdict, Verdict::BadKey);
    let (pem, der) = rsa_certificate(2024, 2031);
    let peer = OidcProvider::start(TENANT, CLIENT, SECRET, Some(&der)).unwrap();
    assert_eq!(certificate_at(&pem, &at(&peer)).await.verdict, Verdict::Ok);
    let other = rcgen::KeyPair::from_pem(&new_rsa_pem()).unwrap();
    let other = rcgen::CertificateParams::default().self_signed(&other).unwrap();
    let peer = OidcProvider::start(TENANT, CLIENT, SECRET, Some(other.der())).unwrap();
    assert_eq!(certificate_at(&pem, &at(&peer)).await.verdict, Verdict::BadKey);
}

#[tokio::test]
async fn field_fa_37_a_tenant_of_another_cloud_is_told_the_way_out() {
    let peer = entra::start(None);
    let key = r#"{"appId": "11111111-2222-4333-8444-555555555555", "displayName": "azure-cli-2026-11-26",
                  "password": "Xy8Q~field_A.sec-ret~ForTest1234567890abc", "tenant": "gov-tenant"}"#;
    let posted = [("method", "service_key"), ("service_key", key)];
    let finding = test("azure", &posted, &moved(Service::AzureLogin, &peer)).await;
    assert_eq!(finding.verdict, Verdict::BadKey);
    assert!(finding.remedy.contains("--json-auth") && finding.remedy.contains("Azure Government"), "{finding:?}");
}

#[tokio::test]
async fn field_fa_37_a_certificate_goes_to_the_cloud_that_was_chosen() {
    let peer = entra::start(None);
    let (certificate, _) = rsa_certificate(2024, 2031);
    let pem = format!("{certificate}{}", rsa_pem());
    let posted = [
        ("method", "certificate"),
        ("certificate", pem.as_str()),
        ("cloud", "us_government"),
        ("tenant_id", TENANT),
        ("client_id", CLIENT),
        ("subscription_id", CLIENT),
    ];
    test("azure", &posted, &moved(Service::AzureLogin, &peer)).await;
    let calls = peer.calls();
    assert_eq!(calls[0].field("scope").as_deref(), Some("https://management.usgovcloudapi.net/.default"));
}
