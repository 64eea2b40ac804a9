//! Azure Container Registry, entered by each subtype of the Azure credential.

use serde_json::json;
use strongroom::credentials::azure::KIND;
use strongroom::form;
use strongroom::integrations::progress::Step;
use strongroom::providers::endpoints::{Endpoints, Service};

use super::Scan;
use crate::support::peers::acr::{self, HOST, IMAGE, REGISTRIES, RESOURCE_MANAGER};
use crate::support::peers::entra::{self, CLIENT, SECRET, TENANT};
use crate::support::peers::receiver::Receiver;

fn at(registry: &Receiver, login: &Receiver, metadata: Option<&Receiver>) -> Endpoints {
    let endpoints = Endpoints::default()
        .with(Service::AzureRegistry, registry.url().parse().unwrap())
        .with(Service::AzureLogin, login.url().parse().unwrap());
    match metadata {
        Some(machine) => endpoints.with(Service::AzureMetadata, machine.url().parse().unwrap()),
        None => endpoints,
    }
}

fn scan(endpoints: Endpoints, posted: &[(&str, &str)]) -> Scan {
    let posted = posted.iter().copied().collect();
    let values = form::check(KIND.fields, &posted, None).expect("a good credential");
    let pairs: Vec<(String, String)> =
        values.names().map(|name| (name.to_owned(), values.get(name).to_owned())).collect();
    let pairs: Vec<(&str, &str)> = pairs.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    Scan::of(HOST).version("acr").endpoints(endpoints).credential(&KIND, &pairs)
}

fn by_secret(endpoints: Endpoints, secret: &str) -> Scan {
    let key = json!({"clientId": CLIENT, "clientSecret": secret, "tenantId": TENANT, "subscriptionId": CLIENT,
        "activeDirectoryEndpointUrl": "https://login.microsoftonline.com"});
    scan(endpoints, &[("method", "service_key"), ("service_key", &key.to_string())])
}

#[tokio::test]
async fn a_service_key_of_azure_scans_a_registry_with_dates_and_platforms() {
    let (login, registry) = (entra::start(None), acr::start(&[REGISTRIES]));
    let images = by_secret(at(&registry, &login, None), SECRET).run().await.unwrap();
    let places: Vec<String> = images.iter().map(|image| format!("{}:{}", image.repository, image.tag)).collect();
    assert_eq!(places, ["team/app:1.0", "team/app:2.0"]);
    assert_eq!((images[0].digest.as_str(), images[0].size_bytes), (IMAGE, 5000));
    assert_eq!(images[0].platforms, ["linux/amd64"]);
    assert_eq!((images[1].digest.as_str(), images[1].size_bytes), (acr::digest(&acr::index()).as_str(), 700));
    assert_eq!(images[1].platforms, ["linux/arm64/v8"]);
    assert_eq!(images[1].pushed_at.unwrap().date_naive().to_string(), "2026-11-02");
    let calls = registry.calls();
    assert_eq!(calls.iter().filter(|call| call.path() == "/oauth2/exchange").count(), 1);
    assert!(!calls.iter().any(|call| call.path().ends_with("manifests/1.0")), "the attributes cost no pull");
}

#[tokio::test]
async fn a_certificate_and_a_managed_identity_of_azure_scan_a_registry_too() {
    let (pem, der, key) = certificate();
    let (login, registry, machine) = (entra::start(Some(der)), acr::start(&[REGISTRIES]), entra::machine());
    let whole = format!("{pem}{key}");
    let ids = [("tenant_id", TENANT), ("client_id", CLIENT), ("subscription_id", CLIENT)];
    let by_certificate = [&[("method", "certificate"), ("certificate", whole.as_str())][..], &ids].concat();
    let by_machine = [("method", "managed_identity"), ("subscription_id", CLIENT)];
    for posted in [&by_certificate[..], &by_machine] {
        let scan = scan(at(&registry, &login, Some(&machine)), posted);
        assert_eq!(scan.images().await, ["team/app:1.0", "team/app:2.0"], "{:?}", posted[0]);
    }
}

fn certificate() -> (String, Vec<u8>, String) {
    let key = rcgen::KeyPair::generate_for(&rcgen::PKCS_RSA_SHA256).expect("an RSA key");
    let certificate = rcgen::CertificateParams::default().self_signed(&key).unwrap();
    (certificate.pem(), certificate.der().to_vec(), key.serialize_pem())
}

#[tokio::test]
async fn a_registry_that_takes_tokens_of_the_resource_manager_only_is_scanned() {
    let (login, registry) = (entra::start(None), acr::start(&[RESOURCE_MANAGER]));
    assert_eq!(by_secret(at(&registry, &login, None), SECRET).images().await.len(), 2);
}

#[tokio::test]
async fn a_registry_that_lets_nobody_in_and_a_wrong_secret_are_told_apart() {
    let (login, registry) = (entra::start(None), acr::start(&[]));
    let error = by_secret(at(&registry, &login, None), SECRET).run().await.unwrap_err();
    assert_eq!(error.step, Step::SIGNING_IN);
    let said = error.to_string();
    assert!(said.starts_with("Signing in failed: the registry does not let this principal"), "{said}");
    assert!(said.contains("AcrPull"), "{said}");
    let said = by_secret(at(&registry, &login, None), "wrong~secret").run().await.unwrap_err().to_string();
    assert!(said.starts_with("Signing in failed: The client secret is wrong."), "{said}");
}

#[tokio::test]
async fn test_connection_of_azure_lists_one_page() {
    let (login, registry) = (entra::start(None), acr::start(&[REGISTRIES]));
    let said = by_secret(at(&registry, &login, None), SECRET).check().await.unwrap();
    assert_eq!(said, "The registry let Strongroom in and lists 1 repository on its first page.");
}
