//! JSON Web Tokens (RFC 7519): signed by us with RS256 where a provider takes assertions, and read, unverified, where a
//! provider's own token says whose it is. Nothing may be decided by what is read here.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::RSA_PKCS1_SHA256;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;
use zeroize::Zeroizing;

use super::ProviderError;
use super::calls::shown;
use crate::credentials::pem::RsaKey;

/// Longest token that is looked into, in bytes.
const MAX_BYTES: usize = 64 * 1024;

/// A compact JWS (RFC 7515). `header` must name `RS256`.
pub(super) fn sign(header: &Value, claims: &Value, key: &RsaKey) -> Result<Zeroizing<String>, ProviderError> {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let mut token = Zeroizing::new(format!("{}.{}", part(header), part(claims)));
    let signature = rs256(key, token.as_bytes())?;
    token.push('.');
    token.push_str(&URL_SAFE_NO_PAD.encode(signature));
    Ok(token)
}

/// RSASSA-PKCS1-v1_5 with SHA-256.
pub(super) fn rs256(key: &RsaKey, message: &[u8]) -> Result<Vec<u8>, ProviderError> {
    let mut signature = vec![0; key.pair.public_modulus_len()];
    let signed = key.pair.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message, &mut signature);
    signed.map_err(|_| ProviderError::BadCertificate)?;
    Ok(signature)
}

/// The claims of somebody's token, for display only; null when it is no JWT.
pub(super) fn claims(token: &str) -> Value {
    let body = Some(token).filter(|token| token.len() <= MAX_BYTES).and_then(|token| token.split('.').nth(1));
    let json = body.and_then(|body| URL_SAFE_NO_PAD.decode(body).ok());
    json.and_then(|json| serde_json::from_slice(&json).ok()).unwrap_or_default()
}

/// A claim at a JSON pointer, as text that is fit to be shown.
pub(super) fn claim(claims: &Value, pointer: &str) -> Option<String> {
    claims.pointer(pointer).and_then(Value::as_str).and_then(shown)
}
