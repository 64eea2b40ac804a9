//! Identity tokens (RFC 7519, 8725), verified: RS256 or ES256 by a key of the issuer, an exact audience, times within a
//! minute. Tokens that are read without being verified are in [`mod@crate::providers::jwt`].

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use super::{Refused, shown};
use crate::providers::clock;

/// Longest token that is looked at, in bytes.
const MOST_BYTES: usize = 16 * 1024;
/// Longest that a token may be valid in all. Kubernetes makes tokens of up to a day.
pub const LONGEST: TimeDelta = TimeDelta::hours(25);
/// Clocks may differ by this many seconds.
const LEEWAY: u64 = 60;

/// The public keys of an issuer, by key ID (RFC 7517). Keys that cannot be read are left out.
#[derive(Clone, Debug, Default)]
pub struct Keys(BTreeMap<String, Jwk>);

impl Keys {
    /// Reads a JWK set. `None` if it is none or holds no key that can be used.
    pub fn parse(text: &[u8]) -> Option<Self> {
        let mut set: Value = serde_json::from_slice(text).ok()?;
        let Value::Array(list) = set.get_mut("keys")?.take() else { return None };
        let keys = list.into_iter().filter_map(|key| serde_json::from_value::<Jwk>(key).ok()).filter(signs);
        let keys: BTreeMap<_, _> = keys.filter_map(|key| Some((key.common.key_id.clone()?, key))).collect();
        (!keys.is_empty()).then_some(Self(keys))
    }

    pub fn has(&self, id: &str) -> bool {
        self.0.contains_key(id)
    }
}

/// Whether a key can have signed a token by an algorithm that counts.
fn signs(key: &Jwk) -> bool {
    !matches!(key.common.public_key_use, Some(PublicKeyUse::Encryption)) && algorithm(key).is_some()
}

fn algorithm(key: &Jwk) -> Option<Algorithm> {
    match &key.algorithm {
        AlgorithmParameters::RSA(_) => Some(Algorithm::RS256),
        AlgorithmParameters::EllipticCurve(curve) if curve.curve == EllipticCurve::P256 => Some(Algorithm::ES256),
        _ => None,
    }
}

/// A token that was verified.
#[derive(Clone, Debug)]
pub struct Verified {
    pub claims: Map<String, Value>,
    /// Until when it could be used again.
    pub until: DateTime<Utc>,
    /// The same for two uses of one token, and for no other token.
    pub replay_key: Vec<u8>,
}

impl Verified {
    /// A claim as text; members of objects by a JSON pointer, as `/kubernetes.io/namespace`. Numbers and truth values
    /// are written out, since issuers differ in them.
    pub fn claim(&self, name: &str) -> Option<String> {
        let value = match name.strip_prefix('/') {
            Some(path) => path.split('/').try_fold(None, |at: Option<&Value>, part| {
                Some(Some(at.map_or_else(|| self.claims.get(part), |value| value.get(part))?))
            })??,
            None => self.claims.get(name)?,
        };
        match value {
            Value::String(text) => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            Value::Bool(truth) => Some(truth.to_string()),
            _ => None,
        }
    }

    /// Checks that each of these claims has exactly that value.
    pub fn require<'a>(&self, conditions: impl IntoIterator<Item = (&'a str, &'a str)>) -> Result<(), Refused> {
        for (name, value) in conditions {
            if self.claim(name).as_deref() != Some(value) {
                return Err(Refused::Claim(name.to_owned()));
            }
        }
        Ok(())
    }
}

/// The ID of the key that a token says it was signed with.
pub fn key_id(token: &str) -> Result<String, Refused> {
    let header = Some(token).filter(|token| token.len() <= MOST_BYTES).ok_or(Refused::Malformed)?;
    let header = decode_header(header).map_err(|error| refused(error.kind()))?;
    header.kid.ok_or(Refused::UnknownKey)
}

/// The issuer that an unverified token names, to find the login that it may be for.
pub fn claimed_issuer(token: &str) -> Option<String> {
    let claims = Some(token).filter(|token| token.len() <= MOST_BYTES).map(crate::providers::jwt::claims)?;
    claims.get("iss")?.as_str().map(shown)
}

/// What an unverified token says of itself, to spare others the question: `None` if it says that it is over, or for another
/// audience.
pub fn claimed_subject(token: &str, audience: &str) -> Option<String> {
    let claims = Some(token).filter(|token| token.len() <= MOST_BYTES).map(crate::providers::jwt::claims)?;
    let is_ours = match claims.get("aud")? {
        Value::Array(list) => list.iter().any(|one| one.as_str() == Some(audience)),
        one => one.as_str() == Some(audience),
    };
    let end = claims.get("exp").and_then(Value::as_f64)?;
    let holds = end + LEEWAY as f64 > clock::now().timestamp() as f64;
    claims.get("sub")?.as_str().filter(|_| is_ours && holds).map(str::to_owned)
}

/// Verifies a token. `issuer` and `audience` are compared exactly.
pub fn verify(token: &str, keys: &Keys, issuer: &str, audience: &str) -> Result<Verified, Refused> {
    let key = keys.0.get(&key_id(token)?).ok_or(Refused::UnknownKey)?;
    let mut validation = Validation::new(algorithm(key).ok_or(Refused::Algorithm)?);
    validation.set_audience(&[audience]);
    validation.set_issuer(&[issuer]);
    validation.set_required_spec_claims(&["exp", "iss", "aud"]);
    validation.validate_nbf = true;
    validation.leeway = LEEWAY;
    let opener = DecodingKey::from_jwk(key).map_err(|_| Refused::UnknownKey)?;
    let claims = decode::<Map<String, Value>>(token, &opener, &validation);
    let claims = claims.map_err(|error| refused(error.kind()))?.claims;
    let at = |name: &str| claims.get(name).and_then(Value::as_f64).map(|seconds| seconds as i64);
    let (now, end) = (clock::now().timestamp(), at("exp").ok_or(Refused::Malformed)?);
    let made = at("iat").or_else(|| at("nbf")).unwrap_or(now);
    if made > now + LEEWAY as i64 {
        return Err(Refused::Early);
    }
    if end.saturating_sub(made.min(now)) > LONGEST.num_seconds() {
        return Err(Refused::LivesTooLong);
    }
    let until = DateTime::from_timestamp(end.saturating_add(LEEWAY as i64), 0).ok_or(Refused::Malformed)?;
    Ok(Verified { replay_key: replay_key(issuer, &claims, token), until, claims })
}

/// By the token's ID, or by what was signed: the signature itself may have several spellings.
fn replay_key(issuer: &str, claims: &Map<String, Value>, token: &str) -> Vec<u8> {
    let signed = token.rsplit_once('.').map_or(token, |(signed, _)| signed);
    let (kind, id) = match claims.get("jti").and_then(Value::as_str) {
        Some(id) => ("jti", id),
        None => ("token", signed),
    };
    let mut hash = Sha256::new();
    for part in [kind, issuer, id] {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part.as_bytes());
    }
    hash.finalize().to_vec()
}

fn refused(error: &ErrorKind) -> Refused {
    match error {
        ErrorKind::InvalidSignature => Refused::Signature,
        ErrorKind::InvalidAlgorithm
        | ErrorKind::InvalidAlgorithmName
        | ErrorKind::UnsupportedAlgorithm
        | ErrorKind::MissingAlgorithm => Refused::Algorithm,
        ErrorKind::ExpiredSignature => Refused::Expired,
        ErrorKind::ImmatureSignature => Refused::Early,
        ErrorKind::InvalidIssuer => Refused::Issuer,
        ErrorKind::InvalidAudience => Refused::Audience,
        ErrorKind::MissingRequiredClaim(name) => Refused::Claim(shown(name)),
        _ => Refused::Malformed,
    }
}

#[cfg(test)]
#[path = "jwt_tests.rs"]
mod tests;
