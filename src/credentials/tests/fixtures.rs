//! Valid values of every kind and method, made anew for each run: no key is written down, but for one that is too short
//! to be anybody's.

use std::sync::OnceLock;

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::rsa::{KeyPair, KeySize};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use md5::{Digest as _, Md5};
use rcgen::{CertificateParams, DnType};
use serde_json::{Value, json};

use crate::credentials::{Kind, find, pem};
use crate::form::Values;

/// PEM (PKCS #8) of an RSA key of 2048 bits, the same within a run.
pub fn rsa_pem() -> &'static str {
    static KEY: OnceLock<String> = OnceLock::new();
    KEY.get_or_init(new_rsa_pem)
}

/// Another one.
pub fn new_rsa_pem() -> String {
    let pair = KeyPair::generate(KeySize::Rsa2048).expect("a key");
    let der: Pkcs8V1Der<'_> = pair.as_der().expect("its DER");
    let body = STANDARD.encode(der.as_ref());
    let lines: Vec<&str> = body.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).expect("ASCII")).collect();
    format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n", lines.join("\n"))
}

/// (certificate, key) in PEM, signed by itself; ECDSA P-256.
pub fn certificate(name: &str) -> (String, String) {
    signed(name, &rcgen::KeyPair::generate().expect("a key"))
}

/// (certificate, key) in PEM, signed by itself; RSA.
pub fn rsa_certificate(name: &str) -> (String, String) {
    signed(name, &rcgen::KeyPair::from_pem(rsa_pem()).expect("a key"))
}

fn signed(name: &str, key: &rcgen::KeyPair) -> (String, String) {
    let mut params = CertificateParams::new(vec![]).expect("parameters");
    params.distinguished_name.push(DnType::CommonName, name);
    params.not_before = rcgen::date_time_ymd(2024, 1, 1);
    params.not_after = rcgen::date_time_ymd(2031, 5, 4);
    (params.self_signed(key).expect("a certificate").pem(), key.serialize_pem())
}

/// (certificate, key) in PEM; RSA of 1024 bits, the certificate good until 2126. Written down, since nothing here makes
/// keys that are so short: `openssl req -x509 -newkey rsa:1024 -nodes -days 36500 -subj /CN=short`. It opens nothing
/// anywhere.
pub fn short_rsa_certificate() -> (String, String) {
    let armour = |label: &str, body: &str| format!("-----BEGIN {label}-----\n{body}\n-----END {label}-----\n");
    (armour("CERTIFICATE", SHORT_CERTIFICATE), armour("PRIVATE KEY", SHORT_KEY))
}

const SHORT_CERTIFICATE: &str = "\
    MIIB/jCCAWegAwIBAgIUd8iaT8dQ9yRqaovlJpo8wWTJMN0wDQYJKoZIhvcNAQEL\n\
    BQAwEDEOMAwGA1UEAwwFc2hvcnQwIBcNMjYxMTIyMDc0MzMwWhgPMjEyNjEwMjkw\n\
    NzQzMzBaMBAxDjAMBgNVBAMMBXNob3J0MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCB\n\
    iQKBgQCXfcxIaQ813BQsIQY9QVqodPzCblSX6fzZ3POZe52wtL06QHLT9O0n5iBB\n\
    clkLZ8YglnqJ7mwqWcO4D2D+0UBKaSmEGHKNbvcCdRlfYt//pD9WrK/J1TzDq8ge\n\
    upsf4FMU0h/ezJwnWpp4OuIX59YhufXiudnACyo6+OcnNFbH+QIDAQABo1MwUTAd\n\
    BgNVHQ4EFgQUlE9CeWO6ZrhYjf0hadFO9z2Y6MQwHwYDVR0jBBgwFoAUlE9CeWO6\n\
    ZrhYjf0hadFO9z2Y6MQwDwYDVR0TAQH/BAUwAwEB/zANBgkqhkiG9w0BAQsFAAOB\n\
    gQBbjfjWOJiO4c5i0WAT1++iq9HIbugmEDlYLM8I6JHRzzoynwVbJQjjfNISphB2\n\
    oYoD1cvYlLU46ybOhgQpptVQOeRwzCkKPg5uoRgCZxj7WBaM/FayxMOhTGYGSkE4\n\
    csjxGkwiG9+hSi6OcYMLisOcbcYUvD39yv9PxgdlG8RvWA==";

const SHORT_KEY: &str = "\
    MIICdQIBADANBgkqhkiG9w0BAQEFAASCAl8wggJbAgEAAoGBAJd9zEhpDzXcFCwh\n\
    Bj1BWqh0/MJuVJfp/Nnc85l7nbC0vTpActP07SfmIEFyWQtnxiCWeonubCpZw7gP\n\
    YP7RQEppKYQYco1u9wJ1GV9i3/+kP1asr8nVPMOryB66mx/gUxTSH97MnCdamng6\n\
    4hfn1iG59eK52cALKjr45yc0Vsf5AgMBAAECgYApkrM59+Lds/yxM4rjyoiXjCtF\n\
    LEP4wJTMMO+E4kCfGqqHTuJ0OlXOyj911myLTbo4fTM5oP18DdBBNa83nrMWjHhT\n\
    6tppW8W8nK51ZnVKPI3Pill7fewLJMIY+5HdQhNlnOZBGtRgvNJ29iLge2o/NuXp\n\
    0x98lsWZi7mv9/W/ZQJBAMZ4vVGrLh3NAr7UpZMcrDtkLkqiO50+oAlZWhllU2KC\n\
    xyrxK1eHFVk/m4ABpBbt+oLUR/ZUUs6QLitWSZoPQNsCQQDDZvecbX7M211ERETo\n\
    gZjfx/ur5ihpKfNl5EYtycO5X76f8G1ElHUSWPjgXyQkysslsVR9VBhwy6MU8k1j\n\
    T7i7AkB4uUivPKi4h9N7sG1mprI9Dhr6WuRYKZe/GBKuD+xAp7vuavQqMYjS2NYF\n\
    bvoY2Hjgy69aLsCP1TPAOKRciZqxAkANGdg8KrM3tPV54EHmfNntFxFuow3Ojzt8\n\
    d2OlKkPvJ9Y2Dv6kfHek9UYqdPaNaPNZ4ZvSk1LYLS8P9nbt06iFAkAPvcFC0EhM\n\
    oMn1oyuBk7fBmyjC74s7YxPLCx2U1RDAE7FOJOvLYxlnCV9+SvSLx9Zi0TTwiP1E\n\
    7PqnetuCUcUn";

/// Oracle's fingerprint, as `openssl md5 -c` prints it.
pub fn fingerprint(key: &str) -> String {
    let der = pem::RsaKey::parse(key).ok().and_then(|key| key.public_der()).expect("a public key");
    let hex: Vec<String> = Md5::digest(der).iter().map(|byte| format!("{byte:02x}")).collect();
    hex.join(":")
}

pub fn service_key() -> Value {
    json!({
        "clientId": "bc968c1e-67a3-4ba5-8d05-f807abb54a57",
        "clientSecret": "5ce0f4ec~5291.42f8_8be3-90bb3f42ba14",
        "subscriptionId": "ae01981e-e1bf-49ec-ad81-80af157a944e",
        "tenantId": "d189c61b-6c27-41d3-9749-ca5c9cc4a622",
        "activeDirectoryEndpointUrl": "https://login.microsoftonline.com",
        "resourceManagerEndpointUrl": "https://management.azure.com/",
        "activeDirectoryGraphResourceId": "https://graph.windows.net/",
        "sqlManagementEndpointUrl": "https://management.core.windows.net:8443/",
        "galleryEndpointUrl": "https://gallery.azure.com/",
        "managementEndpointUrl": "https://management.core.windows.net/",
    })
}

pub fn service_account() -> Value {
    json!({
        "type": "service_account",
        "project_id": "mycompany-project",
        "private_key_id": "abe29475a09fb22e709fdc622306a714e17cd1c0",
        "private_key": rsa_pem(),
        "client_email": "mycompany-service-svc@mycompany-project.iam.gserviceaccount.com",
        "client_id": "120957099362691824155",
        "auth_uri": "https://accounts.google.com/o/oauth2/auth",
        "token_uri": "https://oauth2.googleapis.com/token",
        "auth_provider_x509_cert_url": "https://www.googleapis.com/oauth2/v1/certs",
        "universe_domain": "googleapis.com",
    })
}

/// A kubeconfig with one context; `user` is the YAML flow map of its user.
pub fn kubeconfig(user: &str) -> String {
    kubeconfig_of("{server: 'https://cluster.example.com:6443'}", user)
}

pub fn kubeconfig_of(cluster: &str, user: &str) -> String {
    format!(
        "apiVersion: v1\nkind: Config\npreferences: {{}}\ncurrent-context: production\n\
         contexts:\n- name: production\n  context: {{cluster: one, user: admin, namespace: agents}}\n\
         clusters:\n- name: one\n  cluster: {cluster}\nusers:\n- name: admin\n  user: {user}\n"
    )
}

/// A kubeconfig whose user has a client certificate.
pub fn kubeconfig_with_certificate() -> String {
    let (authority, _) = certificate("authority");
    let (certificate, key) = certificate("kubernetes-admin");
    let [authority, certificate, key] = [authority, certificate, key].map(|text| STANDARD.encode(text));
    kubeconfig_of(
        &format!("{{server: 'https://10.0.0.1:6443', certificate-authority-data: {authority}}}"),
        &format!("{{client-certificate-data: {certificate}, client-key-data: {key}}}"),
    )
}

/// Valid values for every method of every kind.
pub fn samples() -> Vec<(&'static Kind, Values)> {
    let (certificate_pem, key) = certificate("strongroom");
    let (authority, _) = certificate("authority");
    let (rsa_certificate, rsa_key) = rsa_certificate("principal");
    let short = json!({"appId": "app", "password": "s3cr3t", "tenant": "contoso.onmicrosoft.com", "displayName": "x"});
    let guid = "ae01981e-e1bf-49ec-ad81-80af157a944e";
    let list: Vec<(&str, Vec<(&str, String)>)> = vec![
        (
            "aws",
            vec![
                ("method", "access_key".into()),
                ("access_key_id", "AKIAIOSFODNN7EXAMPLE".into()),
                ("secret_access_key", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY".into()),
            ],
        ),
        ("aws", vec![("method", "iam_role".into())]),
        ("aws", vec![("method", "iam_role".into()), ("role_arn", "arn:aws:iam::123456789123:role/stsIAMrole".into())]),
        ("azure", vec![("method", "service_key".into()), ("service_key", service_key().to_string())]),
        ("azure", vec![("method", "service_key".into()), ("service_key", short.to_string())]),
        (
            "azure",
            vec![
                ("method", "certificate".into()),
                ("certificate", rsa_key + &rsa_certificate),
                ("tenant_id", guid.into()),
                ("client_id", guid.into()),
                ("subscription_id", guid.into()),
            ],
        ),
        ("azure", vec![("method", "managed_identity".into()), ("subscription_id", guid.into())]),
        (
            "azure",
            vec![
                ("method", "managed_identity".into()),
                ("subscription_id", guid.into()),
                ("identity_client_id", guid.into()),
            ],
        ),
        ("gcp", vec![("service_account", service_account().to_string()), ("level", "organization".into())]),
        (
            "ibm_cloud",
            vec![
                ("account_guid", "B1946AC9-2B5E-4A3F-9D1C-0123456789AB".into()),
                ("api_key", "dGhpcyBpcyBub3QgYW4gYXBpIGtleSBhdCBhbGwu".into()),
            ],
        ),
        ("kubeconfig", vec![("kubeconfig", kubeconfig("{token: abc.def.ghi}"))]),
        ("kubeconfig", vec![("kubeconfig", kubeconfig("{username: admin, password: 'p: \"w\" é'}"))]),
        ("kubeconfig", vec![("kubeconfig", kubeconfig_with_certificate())]),
        ("basic", vec![("username", "robot$scan".into()), ("password", " correct horse ".into())]),
        ("api_token", vec![("token", "hvs.CAESIJ".into())]),
        ("webhook", vec![("url", "https://hooks.example.com/services/T0/B0/x?sig=a%2Fb".into())]),
        ("certificate", vec![("certificate", certificate_pem + &key), ("ca_certificate", authority.clone())]),
        (
            "oci",
            vec![
                ("user_ocid", "ocid1.user.oc1..aaaaaaaa65vwl75tewwm32rgqvm6i34unq".into()),
                (
                    "tenancy_ocid",
                    "ocid1.tenancy.oc1..aaaaaaaaba3pv6wkcr4jqae5f44n2b2m2yt2j6rx32uzr4h25vqstifsfdsq".into(),
                ),
                ("fingerprint", fingerprint(rsa_pem()).to_uppercase()),
                ("private_key", format!("{}OCI_API_KEY\n", rsa_pem())),
            ],
        ),
        ("github_token", vec![("token", "ghp_0123456789".into())]),
        (
            "github_token",
            vec![
                ("server_url", "https://github.example.com/".into()),
                ("token", "ghp_0123456789".into()),
                ("ca_certificate", authority),
            ],
        ),
        ("gitlab_token", vec![("token", "glpat-0123456789".into())]),
    ];
    list.into_iter().map(|(slug, values)| (find(slug).expect("a kind"), Values::from_iter(values))).collect()
}
