//! The tokens of clients. A client's own token names its login, of which the database has the hash of the secret. A
//! session token has no row: it carries a keyed check, and the versions of its client's and login's rows, so that a change
//! of either ends it.

use std::net::IpAddr;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;
use zeroize::Zeroizing;

use super::tokens;
use crate::models::ClientLoginId;
use crate::vault::Vault;

/// How a client's own token and a session token begin, for scanners of secrets.
const OWN: &str = "srt_";
const SESSION: &str = "sst_";
/// No token is longer.
const LONGEST: usize = 1024;

/// A token as it was sent: well formed, and no more than that.
pub enum Token {
    Own(OwnToken),
    Session(SessionToken),
}

pub struct OwnToken {
    pub login: ClientLoginId,
    /// SHA-256 of its secret.
    pub hash: Vec<u8>,
}

/// The content of a session token whose keyed check was right.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionToken {
    #[serde(rename = "i")]
    pub id: Uuid,
    #[serde(rename = "l")]
    login: Uuid,
    /// Versions of the rows of the login and of the client.
    #[serde(rename = "v")]
    pub versions: (i64, i64),
    /// Seconds since 1970.
    #[serde(rename = "e")]
    end: i64,
    /// The only address that it holds for, if there is one.
    #[serde(rename = "a", skip_serializing_if = "Option::is_none", default)]
    pub address: Option<IpAddr>,
}

impl Token {
    /// `None` for what cannot be a token of this console.
    pub fn parse(vault: &Vault, text: &str) -> Option<Self> {
        if text.len() > LONGEST {
            return None;
        }
        if let Some(rest) = text.strip_prefix(SESSION) {
            return SessionToken::parse(vault, rest).map(Self::Session);
        }
        let (login, secret) = text.strip_prefix(OWN)?.split_once('_')?;
        let (login, hash) = (secret_of(login, secret)?, tokens::hash(secret));
        Some(Self::Own(OwnToken { login, hash }))
    }

    pub fn login(&self) -> ClientLoginId {
        match self {
            Self::Own(token) => token.login,
            Self::Session(token) => ClientLoginId(token.login),
        }
    }
}

/// The login of an id and a secret that are written as Strongroom writes them.
pub fn secret_of(login: &str, secret: &str) -> Option<ClientLoginId> {
    let digits = |text: &str, most: usize| text.len() == most && text.bytes().all(|b| b.is_ascii_hexdigit());
    if !digits(secret, 64) {
        return None;
    }
    // An ID beside a secret may have dashes.
    Uuid::try_parse(login).ok().filter(|_| matches!(login.len(), 32 | 36)).map(ClientLoginId)
}

impl SessionToken {
    /// For a login as of these versions of its row and its client's.
    pub fn new(login: ClientLoginId, versions: (i64, i64), end: DateTime<Utc>, address: Option<IpAddr>) -> Self {
        Self { id: Uuid::new_v4(), login: login.0, versions, end: end.timestamp(), address }
    }

    pub fn ends_at(&self) -> DateTime<Utc> {
        DateTime::from_timestamp(self.end, 0).unwrap_or_default()
    }

    /// As the client sends it.
    pub fn write(&self, vault: &Vault) -> Zeroizing<String> {
        let said = serde_json::to_vec(self).unwrap_or_default();
        let check = URL_SAFE_NO_PAD.encode(vault.mac("client/session", &[&said]));
        Zeroizing::new(format!("{SESSION}{}.{check}", URL_SAFE_NO_PAD.encode(&said)))
    }

    fn parse(vault: &Vault, text: &str) -> Option<Self> {
        let (said, check) = text.split_once('.')?;
        let (said, check) = (URL_SAFE_NO_PAD.decode(said).ok()?, URL_SAFE_NO_PAD.decode(check).ok()?);
        let right = vault.mac("client/session", &[&said]);
        let holds = bool::from(subtle::ConstantTimeEq::ct_eq(right.as_slice(), check.as_slice()));
        if holds { serde_json::from_slice(&said).ok() } else { None }
    }
}
