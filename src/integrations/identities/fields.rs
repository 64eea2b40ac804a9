//! Fields that several kinds of identities have, and how they are checked.

use crate::form::{Control, Errors, Field, Values};

/// The audience that a token must be made for.
pub(super) const AUDIENCE: Field = Field::text("audience", "Audience")
    .default("strongroom")
    .max(255)
    .check(audience)
    .help("The program asks for a token with exactly this audience. Tokens for other services are refused.");

/// Public keys, where the issuer's own address can't be reached.
pub(super) const JWKS: Field = Field { control: Control::Document, ..Field::text("jwks", "Public keys (JWKS)") }
    .max(65_536)
    .check(jwks)
    .placeholder("{\"keys\":[{\"kty\":\"RSA\",\"kid\":\"…\",…}]}");

fn audience(text: &str) -> Result<String, String> {
    match text.chars().all(|c| c.is_ascii_graphic()) {
        true => Ok(text.to_owned()),
        false => Err("Enter it without spaces, in ASCII.".to_owned()),
    }
}

/// An issuer exactly as tokens name it, without query and fragment (OpenID Connect Discovery 1.0, section 3). Whether http
/// may be used is decided by the addresses that the operator allows.
pub(super) fn issuer(text: &str) -> Result<String, String> {
    let url = crate::hosts::parse(text).map_err(str::to_owned)?;
    if !matches!(url.scheme(), "https" | "http") {
        return Err("An issuer's address begins with https://.".to_owned());
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err("An issuer's address has no query and no fragment.".to_owned());
    }
    // As it was typed: it is compared with what the token says.
    Ok(text.to_owned())
}

/// At least one public key, each of a kind that signs tokens, and no private one.
pub(super) fn jwks(text: &str) -> Result<String, String> {
    let shape = || "Paste the JSON with its \"keys\", as /openid/v1/jwks returns it.".to_owned();
    let value: serde_json::Value = serde_json::from_str(text).map_err(|_| shape())?;
    let keys = value.get("keys").and_then(|keys| keys.as_array()).ok_or_else(shape)?;
    if keys.iter().any(|key| key.get("d").is_some()) {
        return Err("These are private keys. Paste the public ones.".to_owned());
    }
    let usable = |key: &&serde_json::Value| {
        let kind = key.get("kty").and_then(|kind| kind.as_str()).unwrap_or_default();
        matches!(kind, "RSA" | "EC") && key.get("kid").is_some_and(|kid| kid.is_string())
    };
    if !keys.iter().any(|key| usable(&key)) {
        return Err("None of the keys is an RSA or EC key with a key ID (kid).".to_owned());
    }
    serde_json::to_string(&value).map_err(|_| shape())
}

/// Reads the checked values of a method's fields.
pub(super) fn required(values: &Values, name: &'static str) -> Result<String, Errors> {
    match values.get(name) {
        "" => Err(Errors::one(name, "Fill this in.")),
        value => Ok(value.to_owned()),
    }
}
