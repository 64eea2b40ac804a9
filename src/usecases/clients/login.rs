//! How a client logs in: it shows who it is, and gets a token that holds for minutes.

use std::net::IpAddr;

use chrono::{DateTime, TimeDelta, Utc};
use zeroize::Zeroizing;

use super::by_identity;
use super::caller::{self, Caller, Denied};
use super::fetch::Refused;
use crate::accounts::client_tokens::{SessionToken, Token, secret_of};
use crate::accounts::tokens;
use crate::models::client_logins::Method;
use crate::models::events::{self, Action};
use crate::models::{Conn, DbError, client_uses, spent_tokens};
use crate::services::Services;
use crate::vault::Vault;

/// What a client shows to log in.
pub enum Proof {
    AppRole {
        id: String,
        secret: Zeroizing<String>,
    },
    /// Something that somebody else vouches for.
    Identity(by_identity::Claim),
}

/// A session that was begun.
pub struct LoggedIn {
    pub token: Zeroizing<String>,
    pub known: Known,
}

/// What a client may know about itself.
#[derive(Clone, Debug)]
pub struct Known {
    pub client: String,
    /// The last characters of the login's id.
    pub login: String,
    /// When the token ends; `None`: never.
    pub ends_at: Option<DateTime<Utc>>,
    /// The database's clock.
    pub now: DateTime<Utc>,
}

impl Known {
    fn of(caller: &Caller) -> Self {
        let (client, login) = (caller.client.name.clone(), caller.login.tail());
        Self { client, login, ends_at: caller.ends_at, now: caller.now }
    }

    /// Seconds until the token ends; 0 for one that does not.
    pub fn seconds_left(&self) -> i64 {
        self.ends_at.map_or(0, |end| (end - self.now).num_seconds().max(0))
    }
}

/// Begins a session of whoever the proof shows.
pub async fn log_in(services: &Services, proof: Proof, address: IpAddr) -> Result<LoggedIn, Refused> {
    let (id, secret) = match proof {
        Proof::AppRole { id, secret } => (id, secret),
        Proof::Identity(claim) => return by_identity::log_in(services, claim, address).await,
    };
    let Some(id) = secret_of(id.trim(), secret.trim()) else {
        return Err(caller::deny(services, Denied::malformed(), address).await);
    };
    let hash = tokens::hash(secret.trim());
    let vault = services.vault.clone();
    let begun = services.db.transaction(move |conn| {
        let found = caller::of_secret(conn, &vault, (id, Method::AppRole, &hash), address)?;
        then(found, |caller| begin(conn, &vault, &caller, caller.login.title()))
    });
    match begun.await? {
        Ok(session) => Ok(session),
        Err(denied) => Err(caller::deny(services, denied, address).await),
    }
}

/// What comes of a caller, if it is one.
fn then<T>(
    found: Result<Caller, Denied>,
    work: impl FnOnce(Caller) -> Result<T, DbError>,
) -> Result<Result<T, Denied>, DbError> {
    match found {
        Ok(caller) => work(caller).map(Ok),
        Err(denied) => Ok(Err(denied)),
    }
}

/// A session token for a client that has shown who it is; `by` is what the trail says it was. Call inside a transaction.
pub fn begin(conn: &mut Conn, vault: &Vault, caller: &Caller, by: String) -> Result<LoggedIn, DbError> {
    let minutes = TimeDelta::minutes(i64::from(caller.client.token_minutes));
    let end = caller.ends_at.into_iter().chain([caller.now + minutes]).min().unwrap_or(caller.now);
    let address = caller.client.bound_to_address.then_some(caller.address);
    let versions = (caller.login.row_version, caller.client.row_version);
    let session = SessionToken::new(caller.login.id, versions, end, address);
    let event = caller.client.event(Action::ClientLoggedIn, by);
    events::record(conn, vault, &caller.actor(), &event)?;
    client_uses::note(conn, caller.login.id, None, &caller.address.to_string(), 1)?;
    let known = Known { ends_at: Some(session.ends_at()), ..Known::of(caller) };
    Ok(LoggedIn { token: session.write(vault), known })
}

/// What a token is worth.
pub async fn look_up(services: &Services, token: &str, address: IpAddr) -> Result<Known, Refused> {
    let Some(token) = Token::parse(&services.vault, token) else {
        return Err(caller::deny(services, Denied::malformed(), address).await);
    };
    let vault = services.vault.clone();
    match services.db.run(move |conn| caller::of_token(conn, &vault, &token, address)).await? {
        Ok(caller) => Ok(Known::of(&caller)),
        Err(denied) => Err(caller::deny(services, denied, address).await),
    }
}

/// Ends a session token at once. A client's own token is ended on its page: [`Refused::Unknown`].
pub async fn revoke(services: &Services, token: &str, address: IpAddr) -> Result<(), Refused> {
    let Some(Token::Session(session)) = Token::parse(&services.vault, token) else {
        return look_up(services, token, address).await.and(Err(Refused::Unknown));
    };
    let vault = services.vault.clone();
    let revoked = services.db.transaction(move |conn| {
        let token = Token::Session(session.clone());
        let found = caller::of_token(conn, &vault, &token, address)?;
        then(found, |caller| {
            let event = caller.client.event(Action::ClientTokenRevoked, caller.login.title());
            events::record(conn, &vault, &caller.actor(), &event)?;
            spent_tokens::revoke(conn, session.id.as_bytes(), session.ends_at())
        })
    });
    match revoked.await? {
        Ok(()) => {
            services.fetches.forget();
            Ok(())
        }
        Err(denied) => Err(caller::deny(services, denied, address).await),
    }
}
