//! A client waits until something changes that its rules stand on, so that the programs beside it need not ask again and
//! again. It is told which rules changed, not what they give now.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::{Duration, Instant};

use sha2::{Digest, Sha256};

use super::caller::{self, Denied};
use super::fetch::Refused;
use crate::accounts::client_tokens::Token;
use crate::models::client_rules;
use crate::services::Services;

/// For whoever finds no place to wait.
const LATER_SECONDS: i64 = 30;
/// Between two looks where nobody hears of changes.
const UNHEARD: Duration = Duration::from_secs(10);

/// The rules of a client as they stand.
pub struct Standing {
    /// Another one when anything has changed.
    pub tag: String,
    /// By the name of the rule, what is another when it has changed.
    pub rules: BTreeMap<String, String>,
}

impl Standing {
    fn new(rules: BTreeMap<String, String>) -> Self {
        let mut hash = Sha256::new();
        for part in rules.iter().flat_map(|(name, stamp)| [name, stamp]) {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part);
        }
        Self { tag: hex::encode(&hash.finalize()[..16]), rules }
    }
}

/// How the client's rules stand once they differ from the `known` tag, or when the time is over.
pub async fn wait(
    services: &Services,
    (token, address): (&str, IpAddr),
    known: impl Fn(&str) -> bool,
    longest: Duration,
) -> Result<Standing, Refused> {
    let Some(_place) = services.waiting.place() else { return Err(Refused::TooOften(LATER_SECONDS)) };
    let mut changes = services.fetches.changes();
    let end = Instant::now() + longest;
    loop {
        changes.mark_unchanged();
        let standing = standing(services, token, address).await?;
        let left = end.saturating_duration_since(Instant::now());
        if !known(&standing.tag) || left.is_zero() {
            return Ok(standing);
        }
        let pause = if services.fetches.hears() { left } else { left.min(UNHEARD) };
        tokio::select! {
            () = services.stopping.cancelled() => return Ok(standing),
            _ = changes.changed() => {}
            () = tokio::time::sleep(pause) => {}
        }
    }
}

async fn standing(services: &Services, token: &str, address: IpAddr) -> Result<Standing, Refused> {
    let Some(token) = Token::parse(&services.vault, token) else {
        return Err(caller::deny(services, Denied::malformed(), address).await);
    };
    let vault = services.vault.clone();
    let _turn = services.waiting.turn().await;
    let found = services.db.run(move |conn| {
        let caller = match caller::of_token(conn, &vault, &token, address)? {
            Ok(caller) => caller,
            Err(denied) => return Ok(Err(denied)),
        };
        client_rules::stamps(conn, caller.client.id).map(Ok::<_, Denied>)
    });
    match found.await? {
        Ok(stamps) => Ok(Standing::new(stamps.into_iter().collect())),
        Err(denied) => Err(caller::deny(services, denied, address).await),
    }
}
