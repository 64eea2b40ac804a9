//! The Test of every type, against peers that check what they are sent, and against peers that mean no good.

use std::sync::OnceLock;
use std::time::Duration;

use rcgen::{CertificateParams, DnType, KeyPair, PKCS_RSA_SHA256};
use serde_json::json;
use strongroom::credentials;
use strongroom::form::{self, Values};
use strongroom::providers;
use strongroom::providers::egress::Egress;
use strongroom::providers::endpoints::{Endpoints, Service};
use strongroom::providers::probe::{Finding, Verdict};

use crate::support::peers::entra;
use crate::support::peers::receiver::{Receiver, Said, UPSTREAM};

mod azure;
mod bad_peers;
mod clusters;
mod disabled;
mod eks;
mod forges;
mod google;
mod ibm;
mod kubernetes;
mod oracle;
mod settings;
mod tokens;
mod without_calls;

const EMAIL: &str = "scanner@mycompany-project.iam.gserviceaccount.com";
const KEY_ID: &str = "abe29475a09fb22e709fdc622306a714e17cd1c0";
const ACCOUNT: &str = "b1946ac92b5e4a3f9d1c0123456789ab";
const API_KEY: &str = "dGhpcyBpcyBub3QgYW4gYXBpIGtleSBhdCBhbGwu";
const USER: &str = "ocid1.user.oc1..aaaaaaaa65vwl75tewwm32rgqvm6i34unq";
const TENANCY: &str = "ocid1.tenancy.oc1..aaaaaaaaba3pv6wkcr4jqae5f44n2b2m2yt2j6rx32uzr4h25vqstifsfdsq";

/// As the operator of a test machine would set it; gives up sooner than the product.
fn loopback() -> Egress {
    let egress = Egress::new(vec!["127.0.0.0/8".parse().unwrap()]);
    egress.within(Duration::from_secs(2), Duration::from_secs(4))
}

fn moved(service: Service, peer: &Receiver) -> Endpoints {
    Endpoints::default().with(service, peer.url().parse().unwrap())
}

fn checked(slug: &str, posted: &[(&str, &str)]) -> Values {
    let kind = credentials::find(slug).unwrap();
    form::check(kind.fields, &posted.iter().copied().collect(), None).expect("the values are good")
}

/// The finding of a test; nothing in it may come from the provider's own texts or hold a secret.
async fn test(slug: &str, posted: &[(&str, &str)], endpoints: &Endpoints) -> Finding {
    let kind = credentials::find(slug).unwrap();
    let values = checked(slug, posted);
    let finding = providers::test(kind, &values, &[], &loopback(), endpoints).await;
    let all = format!("{finding:?}");
    assert!(!all.contains(UPSTREAM) && !all.contains("html"), "{all}");
    assert!(!all.contains("PRIVATE KEY"), "{all}");
    for field in kind.fields.iter().filter(|field| field.control.is_secret()) {
        let secret = values.get(field.name);
        assert!(secret.is_empty() || !all.contains(secret), "{}: {all}", field.name);
    }
    assert!(finding.sentence.ends_with('.') && !finding.sentence.contains('\n'), "{all}");
    assert!(finding.remedy.is_empty() || finding.remedy.ends_with(['.', '…']), "{all}");
    assert!(finding.verdict == Verdict::Ok || !finding.remedy.is_empty(), "{all}");
    finding
}

fn fact<'f>(finding: &'f Finding, label: &str) -> &'f str {
    finding.facts.iter().find(|(name, _)| *name == label).map_or("", |(_, value)| value.as_str())
}

/// PEM of an RSA key, the same within a run.
fn rsa_pem() -> &'static str {
    static KEY: OnceLock<String> = OnceLock::new();
    KEY.get_or_init(new_rsa_pem)
}

fn new_rsa_pem() -> String {
    KeyPair::generate_for(&PKCS_RSA_SHA256).unwrap().serialize_pem()
}

/// DER of the public half, as SubjectPublicKeyInfo.
fn public(pem: &str) -> Vec<u8> {
    credentials::pem::RsaKey::parse(pem).unwrap().public_der().unwrap()
}

/// A certificate of the RSA key that is valid in these years, in PEM and DER.
fn rsa_certificate(from: i32, until: i32) -> (String, Vec<u8>) {
    let key = KeyPair::from_pem(rsa_pem()).unwrap();
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, "strongroom");
    params.not_before = rcgen::date_time_ymd(from, 1, 1);
    params.not_after = rcgen::date_time_ymd(until, 1, 1);
    let certificate = params.self_signed(&key).unwrap();
    (certificate.pem(), certificate.der().to_vec())
}

fn service_key(secret: &str) -> String {
    json!({"clientId": entra::CLIENT, "clientSecret": secret, "tenantId": entra::TENANT,
        "subscriptionId": entra::CLIENT, "activeDirectoryEndpointUrl": "https://login.microsoftonline.com"})
    .to_string()
}

fn service_account(key: &str) -> String {
    json!({"type": "service_account", "project_id": "mycompany-project", "private_key_id": KEY_ID,
        "private_key": key, "client_email": EMAIL, "token_uri": "https://evil.example.com/token"})
    .to_string()
}

/// Oracle's fingerprint of a key.
fn fingerprint(pem: &str) -> String {
    use md5::{Digest, Md5};
    let bytes: Vec<String> = Md5::digest(public(pem)).iter().map(|byte| format!("{byte:02x}")).collect();
    bytes.join(":")
}
