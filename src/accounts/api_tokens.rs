//! What a program shows when it uses the API in a user's name: an API token, or a session token that is valid for 30
//! minutes. The session token is a JSON Web Token (RFC 7519), signed with a key derived from the vault's. It names the API
//! token or the password's version that it was issued for, and is worth nothing once that has ended.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, TimeDelta, Utc};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation, decode, encode};
use serde::{Deserialize, Serialize};
use uuid::Uuid;
use zeroize::Zeroizing;

use super::tokens;
use crate::models::{ApiTokenId, SessionId, UserId};
use crate::vault::Vault;

/// How a user's token begins, for scanners of secrets.
const PREFIX: &str = "sra_";
/// No session token is longer.
const LONGEST: usize = 2048;
/// How long a session token holds.
pub const MINUTES: i64 = 30;

/// A user's token as it was sent: well formed, and no more than that.
#[derive(Clone)]
pub struct Sent {
    pub id: ApiTokenId,
    /// SHA-256 of its secret.
    pub hash: Vec<u8>,
}

impl Sent {
    /// `None` for what cannot be a token of this console, such as a password.
    pub fn parse(text: &str) -> Option<Self> {
        let (id, secret) = text.strip_prefix(PREFIX)?.split_once('_')?;
        let digits = |text: &str, count: usize| text.len() == count && text.bytes().all(|b| b.is_ascii_hexdigit());
        if !digits(id, 32) || !digits(secret, 64) {
            return None;
        }
        Some(Self { id: ApiTokenId(Uuid::try_parse(id).ok()?), hash: tokens::hash(secret) })
    }
}

/// As its user gets to see it once.
pub fn written(id: ApiTokenId, secret: &str) -> Zeroizing<String> {
    Zeroizing::new(format!("{PREFIX}{}_{secret}", id.0.simple()))
}

/// What a session token was issued for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Begun {
    /// A token of the user's, and the version of its row.
    Token(Uuid, i64),
    /// The password, and the version of the user's row.
    Password(i64),
}

/// The content of a session token whose signature was right.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Session {
    #[serde(rename = "jti")]
    id: Uuid,
    #[serde(rename = "sub")]
    user: Uuid,
    #[serde(rename = "by")]
    pub begun: Begun,
    /// Seconds since 1970: when it was begun by what began it. Renewing does not move it.
    #[serde(rename = "auth_time")]
    begun_at: i64,
    #[serde(rename = "exp")]
    end: i64,
}

impl Session {
    pub fn begin(user: UserId, begun: Begun, now: DateTime<Utc>) -> Self {
        let end = (now + TimeDelta::minutes(MINUTES)).timestamp();
        Self { id: Uuid::new_v4(), user: user.0, begun, begun_at: now.timestamp(), end }
    }

    /// A session that goes on for another 30 minutes, but ends at the latest `longest` after the first login.
    pub fn renewed(&self, now: DateTime<Utc>, longest: TimeDelta) -> Self {
        let end = (now + TimeDelta::minutes(MINUTES)).timestamp();
        let last = self.begun_at.saturating_add(longest.num_seconds());
        Self { id: Uuid::new_v4(), end: end.min(last), ..self.clone() }
    }

    pub fn user(&self) -> UserId {
        UserId(self.user)
    }

    pub fn id(&self) -> SessionId {
        SessionId(self.id)
    }

    pub fn is_over(&self, now: DateTime<Utc>) -> bool {
        self.end <= now.timestamp()
    }

    /// As the program sends it.
    pub fn write(&self, vault: &Vault) -> Zeroizing<String> {
        let written = encode(&Header::new(Algorithm::HS256), self, &EncodingKey::from_secret(&key(vault)));
        // A key of bytes signs whatever can be written as JSON.
        Zeroizing::new(written.unwrap_or_default())
    }

    /// `None` unless this console signed it. Whether it is over is asked by the database's clock.
    pub fn read(vault: &Vault, text: &str) -> Option<Self> {
        if text.len() > LONGEST {
            return None;
        }
        let mut rules = Validation::new(Algorithm::HS256);
        rules.validate_exp = false;
        rules.required_spec_claims.clear();
        decode(text, &DecodingKey::from_secret(&key(vault)), &rules).ok().map(|read| read.claims)
    }
}

fn key(vault: &Vault) -> Zeroizing<Vec<u8>> {
    Zeroizing::new(vault.mac("api/session", &[]))
}

/// User and password of `Authorization: Basic` (RFC 7617), by what follows that word.
pub fn basic(encoded: &str) -> Option<(String, Zeroizing<String>)> {
    let decoded = Zeroizing::new(STANDARD.decode(encoded.trim()).ok()?);
    let text = std::str::from_utf8(&decoded).ok()?;
    let (user, password) = text.split_once(':')?;
    Some((user.to_owned(), Zeroizing::new(password.to_owned())))
}
