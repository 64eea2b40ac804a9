//! The npm package oidc-provider in place of Microsoft Entra ID: somebody else's reading of RFC 7521 and RFC 7523.
//! `script/test` installs it and names its folder in `STRONGROOM_TEST_OIDC`.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::json;
use x509_parser::prelude::{FromDer, X509Certificate};
use x509_parser::public_key::PublicKey;

pub struct OidcProvider {
    process: Child,
    pub url: String,
}

impl OidcProvider {
    /// `None` where it is not installed. With a certificate (DER), the client proves itself by its key alone.
    pub fn start(tenant: &str, client: &str, secret: &str, certificate: Option<&[u8]>) -> Option<Self> {
        let modules = std::env::var("STRONGROOM_TEST_OIDC").ok()?;
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/console/support/peers/oidc_provider.mjs");
        let scope = "https://management.azure.com/.default";
        let mut command = Command::new("node");
        command.args([script, &modules, tenant, client, scope, secret]).args(certificate.map(jwk));
        let mut process = command.stdout(Stdio::piped()).spawn().expect("node runs");
        let mut url = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut url).unwrap();
        Some(Self { process, url: url.trim().to_owned() })
    }
}

impl Drop for OidcProvider {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The RSA key of a certificate (RFC 7518, section 6.3.1).
fn jwk(certificate: &[u8]) -> String {
    let (_, certificate) = X509Certificate::from_der(certificate).unwrap();
    let Ok(PublicKey::RSA(key)) = certificate.public_key().parsed() else { panic!("not an RSA key") };
    let number = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(&bytes[bytes.iter().position(|byte| *byte != 0).unwrap()..]);
    json!({"kty": "RSA", "use": "sig", "alg": "RS256", "n": number(key.modulus), "e": number(key.exponent)}).to_string()
}
