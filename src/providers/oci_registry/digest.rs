//! Digests (OCI image specification 1.1, "Digests"): their grammar, and whether bytes are what one promises.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use sha2::{Digest, Sha256, Sha512};

/// `sha256:` and the hex digits of the bytes.
pub fn sha256(bytes: &[u8]) -> String {
    format!("sha256:{}", hex::encode(Sha256::digest(bytes)))
}

/// `algorithm:encoded` of any algorithm, and safe inside a path. The two that are registered have their own length.
pub fn is_digest(text: &str) -> bool {
    let Some((algorithm, encoded)) = text.split_once(':') else { return false };
    let hex =
        |length: usize| encoded.len() == length && encoded.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    let part = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    match algorithm {
        "sha256" => hex(64),
        "sha512" => hex(128),
        _ => {
            let encoding = |b: u8| b.is_ascii_alphanumeric() || b"=_-".contains(&b);
            let named = algorithm.split(['+', '.', '_', '-']).all(part);
            named && !encoded.is_empty() && text.len() <= 255 && encoded.bytes().all(encoding)
        }
    }
}

/// Whether the bytes are those that the digest promises; `None` for an algorithm that is not known here.
pub fn promises(digest: &str, bytes: &[u8]) -> Option<bool> {
    match digest.split_once(':')? {
        ("sha256", _) => Some(sha256(bytes) == digest),
        ("sha512", encoded) => Some(hex::encode(Sha512::digest(bytes)) == encoded),
        _ => None,
    }
}

#[derive(Deserialize)]
struct Signed {
    signatures: Vec<Signature>,
}

#[derive(Deserialize)]
struct Signature {
    protected: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Protected {
    format_length: usize,
    format_tail: String,
}

/// What a signed manifest of Docker's schema 1 has its digest over: the body without its signatures.
/// <https://distribution.github.io/distribution/spec/manifest-v2-1/>
pub fn signed_part(body: &[u8]) -> Option<Vec<u8>> {
    let signed: Signed = serde_json::from_slice(body).ok()?;
    let protected = URL_SAFE_NO_PAD.decode(&signed.signatures.first()?.protected).ok()?;
    let protected: Protected = serde_json::from_slice(&protected).ok()?;
    let mut part = body.get(..protected.format_length)?.to_vec();
    part.extend(URL_SAFE_NO_PAD.decode(protected.format_tail).ok()?);
    Some(part)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests_of_any_algorithm_are_digests_and_nothing_else_is() {
        for good in [sha256(b""), format!("sha512:{}", "0".repeat(128)), "blake3+b64u:LCa0a2j_xo".to_owned()] {
            assert!(is_digest(&good), "{good}");
        }
        let long = format!("x:{}", "a".repeat(254));
        for bad in ["", "sha256:", "sha256:abc", "../x:y", "x:../y", "x:a/b", "X:a", "a..b:c", long.as_str()] {
            assert!(!is_digest(bad), "{bad}");
        }
    }

    #[test]
    fn bytes_are_held_against_both_registered_algorithms() {
        let long = format!("sha512:{}", hex::encode(Sha512::digest(b"x")));
        assert_eq!((promises(&sha256(b"x"), b"x"), promises(&sha256(b"x"), b"y")), (Some(true), Some(false)));
        assert_eq!((promises(&long, b"x"), promises(&long, b"y")), (Some(true), Some(false)));
        assert_eq!(promises("blake3:abc", b"x"), None);
    }

    #[test]
    fn a_signed_schema_1_manifest_has_its_digest_over_what_was_signed() {
        let payload = b"{\n   \"schemaVersion\": 1\n}";
        let encode = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        let protected = serde_json::json!({"formatLength": payload.len() - 2, "formatTail": encode(b"\n}")});
        let signature = serde_json::json!([{"protected": encode(protected.to_string().as_bytes())}]);
        let head = String::from_utf8(payload[..payload.len() - 2].to_vec()).unwrap();
        let body = format!("{head},\n   \"signatures\": {signature}\n}}");
        assert_eq!(signed_part(body.as_bytes()).unwrap(), payload);
        assert_eq!(signed_part(payload), None);
    }
}
