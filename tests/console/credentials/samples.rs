//! Values that the form of every type and subtype accepts, made anew for each run: no key is written down anywhere.

use std::sync::OnceLock;

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::rsa::{KeyPair, KeySize};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rcgen::{CertificateParams, DnType};
use serde_json::json;

fn rsa_pem() -> &'static str {
    static KEY: OnceLock<String> = OnceLock::new();
    KEY.get_or_init(|| {
        let pair = KeyPair::generate(KeySize::Rsa2048).expect("a key");
        let der: Pkcs8V1Der<'_> = pair.as_der().expect("its DER");
        let body = STANDARD.encode(der.as_ref());
        let lines: Vec<&str> =
            body.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).expect("ASCII")).collect();
        format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n", lines.join("\n"))
    })
}

/// Oracle's fingerprint of a key, as `openssl md5 -c` prints it.
fn fingerprint(key: &str) -> String {
    use md5::Digest as _;
    let key = strongroom::credentials::pem::RsaKey::parse(key).expect("a key");
    let hex: Vec<String> =
        md5::Md5::digest(key.public_der().expect("DER")).iter().map(|byte| format!("{byte:02x}")).collect();
    hex.join(":")
}

fn certificate(name: &str, key: &rcgen::KeyPair) -> String {
    let mut params = CertificateParams::new(vec![]).expect("parameters");
    params.distinguished_name.push(DnType::CommonName, name);
    params.not_before = rcgen::date_time_ymd(2024, 1, 1);
    params.not_after = rcgen::date_time_ymd(2041, 5, 4);
    params.self_signed(key).expect("a certificate").pem()
}

/// (type, what its form takes, and which pieces of it are secret). `canary` is in every secret that is free text.
pub fn all(canary: &str) -> Vec<(&'static str, Vec<(&'static str, String)>)> {
    let key = rcgen::KeyPair::generate().expect("a key");
    let pair = certificate("strongroom", &key) + &key.serialize_pem();
    let rsa_key = rcgen::KeyPair::from_pem(rsa_pem()).expect("a key");
    let rsa_pair = certificate("principal", &rsa_key) + rsa_pem();
    let authority = certificate("authority", &key);
    let guid = "ae01981e-e1bf-49ec-ad81-80af157a944e";
    let service_key = json!({
        "clientId": guid, "clientSecret": canary, "subscriptionId": guid, "tenantId": guid,
        "activeDirectoryEndpointUrl": "https://login.microsoftonline.com",
        "resourceManagerEndpointUrl": "https://management.azure.com/",
    });
    let service_account = json!({
        "type": "service_account", "project_id": "mycompany-project",
        "private_key_id": "abe29475a09fb22e709fdc622306a714e17cd1c0", "private_key": rsa_pem(),
        "client_email": "svc@mycompany-project.iam.gserviceaccount.com", "client_id": "120957099362691824155",
        "token_uri": "https://oauth2.googleapis.com/token",
    });
    let kubeconfig = format!(
        "apiVersion: v1\nkind: Config\ncurrent-context: production\ncontexts:\n- name: production\n  \
         context: {{cluster: one, user: admin}}\nclusters:\n- name: one\n  \
         cluster: {{server: 'https://cluster.example.com:6443'}}\nusers:\n- name: admin\n  user: {{token: {canary}}}\n"
    );
    let text = str::to_owned;
    vec![
        (
            "aws",
            vec![
                ("method", text("access_key")),
                ("access_key_id", text("AKIAIOSFODNN7EXAMPLE")),
                ("secret_access_key", text(canary)),
            ],
        ),
        ("aws", vec![("method", text("iam_role")), ("role_arn", text("arn:aws:iam::123456789123:role/scanner"))]),
        ("azure", vec![("method", text("service_key")), ("service_key", service_key.to_string())]),
        (
            "azure",
            vec![
                ("method", text("certificate")),
                ("certificate", rsa_pair),
                ("tenant_id", text(guid)),
                ("client_id", text(guid)),
                ("subscription_id", text(guid)),
            ],
        ),
        ("azure", vec![("method", text("managed_identity")), ("subscription_id", text(guid))]),
        (
            "gcp",
            vec![
                ("service_account", service_account.to_string()),
                ("api_token", text(canary)),
                ("level", text("organization")),
            ],
        ),
        ("ibm_cloud", vec![("account_guid", text("B1946AC9-2B5E-4A3F-9D1C-0123456789AB")), ("api_key", text(canary))]),
        ("kubeconfig", vec![("kubeconfig", kubeconfig)]),
        ("basic", vec![("username", text("robot$scan")), ("password", text(canary))]),
        ("api_token", vec![("token", text(canary))]),
        ("webhook", vec![("url", format!("https://hooks.example.com/services/{canary}"))]),
        ("certificate", vec![("certificate", pair), ("ca_certificate", authority.clone())]),
        (
            "oci",
            vec![
                ("user_ocid", text("ocid1.user.oc1..aaaaaaaa65vwl75tewwm32rgqvm6i34unq")),
                ("tenancy_ocid", text("ocid1.tenancy.oc1..aaaaaaaaba3pv6wkcr4jqae5f44n2b2m2yt2j6rx32uzr4h25vq")),
                ("fingerprint", fingerprint(rsa_pem())),
                ("private_key", text(rsa_pem())),
            ],
        ),
        (
            "github_token",
            vec![
                ("server_url", text("https://github.example.com")),
                ("token", text(canary)),
                ("ca_certificate", authority),
            ],
        ),
        ("gitlab_token", vec![("token", text(canary))]),
    ]
}

/// A line from the middle of the key that the samples hold, by which a leak shows.
pub fn key_line() -> &'static str {
    rsa_pem().lines().nth(5).expect("a long key")
}
