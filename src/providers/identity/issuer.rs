//! The public keys of OpenID Connect issuers, found by their discovery document and kept for a while.
//! <https://openid.net/specs/openid-connect-discovery-1_0.html>

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde::Deserialize;
use url::Url;

use super::jwt::{self, Keys, Verified};
use super::{Refused, shown};
use crate::providers::calls;
use crate::providers::egress::{Client, Egress, Tls};

/// Keys are read again after this.
const FRESH: Duration = Duration::from_secs(10 * 60);
/// An unknown key makes them be read again, at most this often.
const PAUSE: Duration = Duration::from_secs(60);
/// While an issuer cannot be reached, its keys count for this long.
const STALE: Duration = Duration::from_secs(24 * 3600);
/// Issuers whose keys are kept.
const MOST: usize = 64;

/// Somebody who signs identity tokens.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Issuer {
    /// As the claim `iss` has it.
    pub url: String,
    /// PEM, for an issuer whose certificate is of a private authority; blank otherwise.
    pub ca_certificate: String,
}

#[derive(Clone)]
struct Kept {
    keys: Arc<Keys>,
    read: Instant,
}

type Slot = Arc<tokio::sync::Mutex<(Option<Kept>, Option<Instant>)>>;

/// The keys of issuers that this process knows.
pub struct Issuers {
    egress: Egress,
    slots: Mutex<HashMap<Issuer, Slot>>,
}

#[derive(Deserialize)]
struct Discovery {
    issuer: String,
    jwks_uri: Url,
}

impl Issuers {
    pub fn new(egress: Egress) -> Self {
        Self { egress, slots: Mutex::default() }
    }

    /// Verifies a token of an issuer.
    pub async fn verify(&self, token: &str, issuer: &Issuer, audience: &str) -> Result<Verified, Refused> {
        let keys = self.keys(issuer, &jwt::key_id(token)?).await?;
        jwt::verify(token, &keys, &issuer.url, audience)
    }

    /// The keys of an issuer, read again if there is none of this ID among those that are kept.
    async fn keys(&self, issuer: &Issuer, id: &str) -> Result<Arc<Keys>, Refused> {
        let slot = self.slot(issuer);
        let mut slot = slot.lock().await;
        let (kept, asked) = &mut *slot;
        let good = kept.as_ref().filter(|kept| kept.read.elapsed() < FRESH && kept.keys.has(id));
        if let Some(kept) = good {
            return Ok(kept.keys.clone());
        }
        let usable = kept.as_ref().filter(|kept| kept.read.elapsed() < STALE).map(|kept| kept.keys.clone());
        if asked.is_some_and(|at| at.elapsed() < PAUSE) {
            return usable.ok_or_else(|| Refused::Unasked("The issuer could not be read a moment ago.".to_owned()));
        }
        *asked = Some(Instant::now());
        match self.read(issuer).await {
            Ok(keys) => {
                let keys = Arc::new(keys);
                *kept = Some(Kept { keys: keys.clone(), read: Instant::now() });
                Ok(keys)
            }
            Err(why) => usable.ok_or(why),
        }
    }

    fn slot(&self, issuer: &Issuer) -> Slot {
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        if slots.len() >= MOST && !slots.contains_key(issuer) {
            slots.clear();
        }
        slots.entry(issuer.clone()).or_default().clone()
    }

    async fn read(&self, issuer: &Issuer) -> Result<Keys, Refused> {
        let ca_certificates = Some(issuer.ca_certificate.clone()).filter(|pem| !pem.trim().is_empty());
        let tls = Tls { ca_certificates: ca_certificates.into_iter().collect(), ..Tls::default() };
        let base = Url::parse(&issuer.url).map_err(|_| Refused::Issuer)?;
        let who = base.host_str().unwrap_or_default().to_owned();
        let client = self.egress.client(tls).map_err(|error| Refused::unasked(&error, &who))?;
        let place = format!("{}/.well-known/openid-configuration", issuer.url.trim_end_matches('/'));
        let place = Url::parse(&place).map_err(|_| Refused::Issuer)?;
        let found: Discovery = serde_json::from_slice(&body(&client, place, &who).await?)
            .map_err(|_| Refused::Unasked(format!("{who} has no OpenID Connect discovery document.")))?;
        if found.issuer != issuer.url {
            return Err(Refused::Unasked(format!("{who} calls itself {}.", shown(&found.issuer))));
        }
        if found.jwks_uri.origin() != base.origin() {
            return Err(Refused::KeysElsewhere(shown(found.jwks_uri.host_str().unwrap_or_default())));
        }
        let keys = Keys::parse(&body(&client, found.jwks_uri, &who).await?);
        keys.ok_or_else(|| Refused::Unasked(format!("{who} lists no public keys for RS256 or ES256.")))
    }
}

async fn body(client: &Client, url: Url, who: &str) -> Result<Vec<u8>, Refused> {
    let answer = calls::send(client, calls::get(url)).await.map_err(|error| Refused::unasked(&error, who))?;
    match answer.status {
        200 => Ok(answer.body),
        status => Err(Refused::Unasked(format!("{who} answered with status {status}."))),
    }
}
