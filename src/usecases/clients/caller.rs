//! Which client is calling. Whatever is wrong with what it shows, it is told the same; the audit trail is told what.

use std::net::IpAddr;

use chrono::{DateTime, Utc};
use ipnet::IpNet;

use super::fetch::Refused;
use crate::accounts::client_attempt;
use crate::accounts::client_tokens::{SessionToken, Token};
use crate::models::client_logins::{self, ClientLogin, Method};
use crate::models::clients::Client;
use crate::models::events::{self, Action, Actor, NewEvent};
use crate::models::logins::{self, Throttle};
use crate::models::trust::{Seen, Trusted};
use crate::models::{self, ClientLoginId, Conn, DbError, altered, spent_tokens};
use crate::services::Services;
use crate::vault::Vault;

/// In the trail, a client that nobody has.
const UNKNOWN: &str = "an unknown client";

/// A client that has shown who it is.
pub struct Caller {
    pub client: Trusted<Client>,
    pub login: Trusted<ClientLogin>,
    pub address: IpAddr,
    /// The database's clock.
    pub now: DateTime<Utc>,
    /// When what it has shown ends; `None`: never.
    pub ends_at: Option<DateTime<Utc>>,
}

impl Caller {
    /// As the audit trail names it.
    pub fn actor(&self) -> Actor {
        actor(&self.client, self.address)
    }

    /// How long what it has shown holds.
    pub fn left(&self) -> Option<std::time::Duration> {
        self.ends_at.map(|end| (end - self.now).to_std().unwrap_or_default())
    }
}

/// A client as the audit trail names it.
pub fn actor(client: &Client, address: IpAddr) -> Actor {
    Actor { name: client.name.clone(), address: address.to_string() }
}

/// Why somebody is nobody.
pub struct Denied {
    /// The login that was named, whether there is one or not.
    login: Option<ClientLoginId>,
    /// The client, where its secret was right.
    client: Option<Box<Client>>,
    why: Why,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Why {
    /// No such login, or another secret.
    Secret,
    Disabled,
    Elsewhere,
    Over,
    Revoked,
    Tampered(&'static str),
    /// What is wrong with an identity, as a sentence.
    Identity(String),
}

impl Why {
    fn words(&self) -> &str {
        match self {
            Self::Secret => "unknown token or secret",
            Self::Disabled => "the client is disabled",
            Self::Elsewhere => "not from this address",
            Self::Over => "the login or token has ended",
            Self::Revoked => "the session token was revoked",
            Self::Tampered(words) => words,
            Self::Identity(words) => words,
        }
    }
}

impl Denied {
    /// Of what cannot be a token or a secret of this console.
    pub fn malformed() -> Self {
        Self { login: None, client: None, why: Why::Secret }
    }

    /// Whether what was shown is of this console, but over or not for here.
    fn is_known(&self) -> bool {
        self.client.is_some() && matches!(self.why, Why::Over | Why::Revoked | Why::Disabled | Why::Elsewhere)
    }

    /// Of a client whose identity is not one that it may log in with.
    pub fn identity(client: &Client, words: String) -> Self {
        Self { login: None, client: Some(Box::new(client.clone())), why: Why::Identity(words) }
    }

    pub fn tampered(client: Client, words: &'static str) -> Self {
        Self { login: None, client: Some(Box::new(client)), why: Why::Tampered(words) }
    }
}

/// The client behind a token. Call inside a transaction.
pub fn of_token(
    conn: &mut Conn,
    vault: &Vault,
    token: &Token,
    address: IpAddr,
) -> Result<Result<Caller, Denied>, DbError> {
    match token {
        Token::Own(own) => of_secret(conn, vault, (own.login, Method::Token, &own.hash), address),
        Token::Session(session) => of_session(conn, vault, (token.login(), session), address),
    }
}

/// The client behind the hash of a secret. Call inside a transaction.
pub fn of_secret(
    conn: &mut Conn,
    vault: &Vault,
    (id, method, hash): (ClientLoginId, Method, &[u8]),
    address: IpAddr,
) -> Result<Result<Caller, Denied>, DbError> {
    let found = client_logins::find(conn, vault, id)?;
    let found = found.filter(|(login, _)| login.shown().method == method && login.shown().opens(hash));
    let Some((login, client)) = found else {
        return Ok(Err(Denied { login: Some(id), client: None, why: Why::Secret }));
    };
    judge(conn, (login, client), address, None)
}

fn of_session(
    conn: &mut Conn,
    vault: &Vault,
    (id, session): (ClientLoginId, &SessionToken),
    address: IpAddr,
) -> Result<Result<Caller, Denied>, DbError> {
    let Some((login, client)) = client_logins::find(conn, vault, id)? else {
        return Ok(Err(Denied { login: Some(id), client: None, why: Why::Over }));
    };
    let versions = (login.shown().row_version, client.shown().row_version);
    let elsewhere = session.address.is_some_and(|bound| bound.to_canonical() != address.to_canonical());
    let why = if versions != session.versions {
        Some(Why::Over)
    } else if elsewhere {
        Some(Why::Elsewhere)
    } else if spent_tokens::is_spent(conn, session.id.as_bytes())? {
        Some(Why::Revoked)
    } else {
        None
    };
    match why {
        Some(why) => Ok(Err(Denied { login: Some(id), client: Some(Box::new(client.into_shown())), why })),
        None => judge(conn, (login, client), address, Some(session.ends_at())),
    }
}

/// A client whose secret or token is right.
pub fn judge(
    conn: &mut Conn,
    (login, client): (Seen<ClientLogin>, Seen<Client>),
    address: IpAddr,
    end: Option<DateTime<Utc>>,
) -> Result<Result<Caller, Denied>, DbError> {
    let (id, shown) = (login.shown().id, Box::new(client.shown().clone()));
    let denied = |why| Ok(Err(Denied { login: Some(id), client: Some(shown.clone()), why }));
    let (login, client) = match (login.judged(), client.judged()) {
        (Ok(login), Ok(client)) => (login, client),
        (Err((_, doubt)), _) | (_, Err((_, doubt))) => return denied(Why::Tampered(doubt.words())),
    };
    let now = models::clock(conn)?;
    let ends_at = login.expires_at.into_iter().chain(end).min();
    if !client.active {
        denied(Why::Disabled)
    } else if !is_within(&client.networks, address) {
        denied(Why::Elsewhere)
    } else if ends_at.is_some_and(|end| end <= now) {
        denied(Why::Over)
    } else {
        Ok(Ok(Caller { client, login, address, now, ends_at }))
    }
}

/// Why a client is refused before anybody looks at what it shows.
pub fn keeps_out(client: &Client, address: IpAddr) -> Option<Denied> {
    let why = if !client.active {
        Why::Disabled
    } else if !is_within(&client.networks, address) {
        Why::Elsewhere
    } else {
        return None;
    };
    Some(Denied { login: None, client: Some(Box::new(client.clone())), why })
}

fn is_within(networks: &[String], address: IpAddr) -> bool {
    let address = address.to_canonical();
    let within = |network: &String| network.parse::<IpNet>().is_ok_and(|network| network.contains(&address));
    networks.is_empty() || networks.iter().any(within)
}

/// Counts and records that somebody was denied. What is right is never throttled, so no client can shut another out;
/// what is wrong is not written down without an end.
pub async fn deny(services: &Services, denied: Denied, address: IpAddr) -> Refused {
    metrics::counter!("strongroom_client_login_failures_total").increment(1);
    let vault = services.vault.clone();
    let recorded = services
        .db
        .transaction(move |conn| {
            let key = logins::of_clients(&vault, denied.login.map(|id| id.0));
            let throttle = logins::count(conn, &client_attempt(&key, address))?;
            if let Throttle::Closed(seconds) = throttle {
                // Whose secret is right logs in again, and is not told to wait.
                return Ok(Some(seconds).filter(|_| !denied.is_known()));
            }
            record(conn, &vault, &denied, address)?;
            Ok::<_, DbError>(None)
        })
        .await;
    match recorded {
        Ok(None) => Refused::Unauthenticated,
        Ok(Some(seconds)) => Refused::TooOften(seconds),
        Err(error) => error.into(),
    }
}

/// Writes down that somebody was denied. Call inside a transaction.
pub fn record(conn: &mut Conn, vault: &Vault, denied: &Denied, address: IpAddr) -> Result<(), DbError> {
    let actor = Actor { name: "somebody".to_owned(), address: address.to_string() };
    if let (Why::Tampered(words), Some(client)) = (&denied.why, &denied.client) {
        return altered::refuse_client(conn, vault, &actor, client, &format!("login refused: {words}"));
    }
    let event = NewEvent {
        action: Action::ClientLoginFailed,
        subject_kind: "client",
        subject_id: denied.client.as_ref().map(|client| client.id.0),
        subject_name: denied.client.as_ref().map_or(UNKNOWN, |client| &client.name),
        detail: denied.why.words().to_owned(),
    };
    events::record(conn, vault, &actor, &event)
}
