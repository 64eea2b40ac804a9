//! What peers that check signatures share: reading and verifying assertions (RFC 7515, RS256 only), and making tokens
//! of their own that say whose they are.

use aws_lc_rs::signature::{RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use x509_parser::prelude::{FromDer, X509Certificate};

/// Header and claims of a token whose signature is of that key (SubjectPublicKeyInfo or RSAPublicKey, DER).
pub fn verified(token: &str, key: &[u8]) -> Option<(Value, Value)> {
    let (signed, signature) = token.rsplit_once('.')?;
    let (header, claims) = signed.split_once('.')?;
    let part = |text: &str| serde_json::from_slice::<Value>(&URL_SAFE_NO_PAD.decode(text).ok()?).ok();
    let (header, claims) = (part(header)?, part(claims)?);
    let signature = URL_SAFE_NO_PAD.decode(signature).ok()?;
    let good = header["alg"] == "RS256" && verifies(key, signed.as_bytes(), &signature);
    good.then_some((header, claims))
}

pub fn verifies(key: &[u8], message: &[u8], signature: &[u8]) -> bool {
    UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, key).verify(message, signature).is_ok()
}

/// The RSA public key of a certificate.
pub fn key_of(certificate: &[u8]) -> Vec<u8> {
    let (_, certificate) = X509Certificate::from_der(certificate).unwrap();
    certificate.public_key().subject_public_key.data.to_vec()
}

/// A token that only its maker could check: nobody else has to.
pub fn issued(claims: &Value) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    format!("{}.{}.c2lnbmF0dXJl", part(&json!({"alg": "RS256", "typ": "JWT"})), part(claims))
}

/// What a token of [`issued`] says.
pub fn claims(token: &str) -> Option<Value> {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(token.split('.').nth(1)?).ok()?).ok()
}
