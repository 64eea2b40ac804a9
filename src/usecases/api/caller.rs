//! Who calls: by the password of a user, by an API token in its place, or by the session that one of them began. Whatever is
//! wrong, the caller is told the same; the audit trail is told what.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Instant;

use chrono::{DateTime, TimeDelta, Utc};
use zeroize::Zeroizing;

use crate::accounts::api_tokens::{Begun, Sent, Session};
use crate::accounts::visitor::{Via, Visitor};
use crate::accounts::{Busy, Refused};
use crate::models::api_tokens::{self, ApiToken, Scope};
use crate::models::events::{self, Action};
use crate::models::trust::{Seen, Trusted};
use crate::models::users::{self, User};
use crate::models::{self, Conn, DbError, SessionId, UserId};
use crate::names;
use crate::services::Services;
use crate::usecases::Principal;
use crate::vault::Vault;

/// Why somebody is nobody.
#[derive(Debug)]
pub enum Denied {
    /// Also a session or a token that has ended.
    Wrong,
    /// The password is right, and does not suffice.
    NeedsToken,
    /// The account must have a second step, and has none.
    NeedsTwoStep,
    /// It is right, and somebody else knows it.
    NeedsPassword,
    /// Seconds to wait.
    Throttled(i64),
    Busy(Busy),
    Db(DbError),
}

impl From<Refused> for Denied {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::Wrong => Self::Wrong,
            Refused::Throttled(seconds) => Self::Throttled(seconds),
            Refused::Busy(busy) => Self::Busy(busy),
            Refused::Db(error) => Self::Db(error),
        }
    }
}

impl From<DbError> for Denied {
    fn from(error: DbError) -> Self {
        match error {
            // The user or the token was changed since it was read.
            DbError::Stale => Self::Wrong,
            error => Self::Db(error),
        }
    }
}

/// A user who has shown who they are, and by what.
struct Known {
    user: Trusted<User>,
    token: Option<Trusted<ApiToken>>,
    begun: Begun,
    /// The database's clock.
    now: DateTime<Utc>,
}

impl Known {
    fn by_token(user: Trusted<User>, token: Trusted<ApiToken>, now: DateTime<Utc>) -> Self {
        let begun = Begun::Token(token.id.0, token.row_version);
        Self { user, token: Some(token), begun, now }
    }

    fn by_password(user: Trusted<User>, now: DateTime<Utc>) -> Self {
        let begun = Begun::Password(user.row_version);
        Self { user, token: None, begun, now }
    }

    /// How the audit trail says it.
    fn how(&self) -> String {
        match &self.token {
            Some(token) => format!("to the API, with the token {}", token.name),
            None => "to the API, with the password".to_owned(),
        }
    }

    fn visitor(&self, session: SessionId, address: IpAddr) -> Visitor {
        let via = match &self.token {
            Some(token) => Via { scope: token.scope, token: Some(token.name.clone()) },
            None => Via { scope: Scope::Write, token: None },
        };
        Visitor::by_api(&self.user, session, address.to_string(), via)
    }

    fn principal(&self, session: SessionId, address: IpAddr) -> Principal {
        Principal::User(Arc::new(self.visitor(session, address)))
    }

    /// Whether the last use must be written down.
    fn used(&self) -> Option<models::ApiTokenId> {
        let token = self.token.as_ref()?;
        (self.now - token.last_used_at > TimeDelta::minutes(1)).then_some(token.id)
    }
}

/// What a row of a user or of a token is worth.
enum Found {
    Known(Box<Known>),
    /// There is none, or it is over.
    Nobody,
    /// The user must set up the second step first.
    NeedsTwoStep,
    /// It is not what Strongroom saved.
    Tampered {
        name: String,
        words: &'static str,
    },
}

/// Begins a session. It holds for half an hour, and no longer than what began it.
pub async fn authenticate(
    services: &Services,
    name: &str,
    password: &str,
    address: IpAddr,
) -> Result<Zeroizing<String>, Denied> {
    let known = prove(services, name, password, address).await?;
    let session = Session::begin(known.user.id, known.begun, known.now);
    record_login(services, &known, session.id(), address).await?;
    Ok(session.write(&services.vault))
}

async fn record_login(services: &Services, known: &Known, session: SessionId, address: IpAddr) -> Result<(), DbError> {
    let (actor, vault) = (known.visitor(session, address).actor(), services.vault.clone());
    let (user, used, how) = (known.user.clone(), known.token.as_ref().map(|token| token.id), known.how());
    let begin = move |conn: &mut Conn| {
        let mut ledger = events::open(conn)?;
        users::lock_unchanged(conn, &user)?;
        if let Some(token) = used {
            api_tokens::note_use(conn, token, &actor.address)?;
        }
        ledger.record(conn, &vault, &actor, &user.event(Action::LoginSucceeded, how.clone()))
    };
    services.db.transaction(begin).await
}

/// Another session token for a session that holds. One that was begun by a password ends for good when a browser's session
/// would.
pub async fn renew(services: &Services, token: &str, address: IpAddr) -> Result<Zeroizing<String>, Denied> {
    let (session, known) = session(services, token, address).await?;
    let longest = TimeDelta::hours(i64::from(services.session_limits().hours));
    Ok(session.renewed(known.now, longest).write(&services.vault))
}

/// Who holds a session token.
pub async fn by_session(services: &Services, token: &str, address: IpAddr) -> Result<Principal, Denied> {
    let (session, known) = session(services, token, address).await?;
    note(services, &known, address).await?;
    Ok(known.principal(session.id(), address))
}

/// Who sends user and password, or a token in its place, with each call.
pub async fn by_password(
    services: &Services,
    name: &str,
    password: &str,
    address: IpAddr,
) -> Result<Principal, Denied> {
    let known = prove(services, name, password, address).await?;
    let session = SessionId(uuid::Uuid::new_v4());
    if known.token.is_none() && is_first(services, known.user.id, address) {
        record_login(services, &known, session, address).await?;
    }
    note(services, &known, address).await?;
    Ok(known.principal(session, address))
}

/// Whether a user has shown the password from that address for the first time within a minute.
fn is_first(services: &Services, user: UserId, address: IpAddr) -> bool {
    services.api_logins.take((user, address), Instant::now()).is_ok()
}

async fn note(services: &Services, known: &Known, address: IpAddr) -> Result<(), DbError> {
    let Some(id) = known.used() else { return Ok(()) };
    let address = address.to_string();
    services.db.transaction(move |conn| api_tokens::note_use(conn, id, &address)).await
}

async fn prove(services: &Services, name: &str, password: &str, address: IpAddr) -> Result<Known, Denied> {
    if let Some(sent) = Sent::parse(password.trim()) {
        let (vault, key) = (services.vault.clone(), names::key(name));
        let found = services.db.run(move |conn| of_token(conn, &vault, &sent, &key)).await?;
        return match found {
            Found::Known(known) => Ok(*known),
            Found::NeedsTwoStep => Err(Denied::NeedsTwoStep),
            Found::Nobody => Err(services.gate.wrong_token(name, address, None).await.into()),
            Found::Tampered { name, words } => Err(services.gate.wrong_token(&name, address, Some(words)).await.into()),
        };
    }
    let user = services.gate.password_alone(name, password, address).await?;
    if !user.is_open_by_password() {
        return Err(insufficient(services, &user, address).await?);
    }
    let now = services.db.run(models::clock).await?;
    Ok(Known::by_password(user, now))
}

/// Why a right password does not do. Recorded once a minute, as a login is.
async fn insufficient(services: &Services, user: &User, address: IpAddr) -> Result<Denied, DbError> {
    let (missing, denied) = if user.must_enrol() {
        ("right password, two-step verification not set up", Denied::NeedsTwoStep)
    } else if user.totp_confirmed {
        ("right password, API token needed", Denied::NeedsToken)
    } else {
        ("right password, to be changed first", Denied::NeedsPassword)
    };
    if is_first(services, user.id, address) {
        services.gate.insufficient(user, address, missing).await?;
    }
    Ok(denied)
}

/// The user whose name has that key, if the token is theirs and holds.
fn of_token(conn: &mut Conn, vault: &Vault, sent: &Sent, name_key: &str) -> Result<Found, DbError> {
    let Some((token, user)) = api_tokens::find(conn, vault, sent.id)? else { return Ok(Found::Nobody) };
    if !token.shown().opens(&sent.hash) || user.shown().name_key != name_key {
        return Ok(Found::Nobody);
    }
    judge(token, user, models::clock(conn)?)
}

fn judge(token: Seen<ApiToken>, user: Seen<User>, now: DateTime<Utc>) -> Result<Found, DbError> {
    let name = user.shown().name.clone();
    let (token, user) = match (token.judged(), user.judged()) {
        (Ok(token), Ok(user)) => (token, user),
        (Err((_, doubt)), _) | (_, Err((_, doubt))) if doubt.is_tampering() => {
            return Ok(Found::Tampered { name, words: doubt.words() });
        }
        _ => return Ok(Found::Nobody),
    };
    if user.disabled || user.deleted_at.is_some() || token.is_over(now) {
        return Ok(Found::Nobody);
    }
    if user.must_enrol() {
        return Ok(Found::NeedsTwoStep);
    }
    Ok(Found::Known(Box::new(Known::by_token(user, token, now))))
}

/// A session token that holds, and whose it is.
async fn session(services: &Services, token: &str, address: IpAddr) -> Result<(Session, Known), Denied> {
    let session = Session::read(&services.vault, token).ok_or(Denied::Wrong)?;
    let (vault, asked) = (services.vault.clone(), session.clone());
    match services.db.run(move |conn| of_session(conn, &vault, &asked)).await? {
        Found::Known(known) => Ok((session, *known)),
        Found::NeedsTwoStep => Err(Denied::NeedsTwoStep),
        Found::Nobody => Err(Denied::Wrong),
        Found::Tampered { name, words } => Err(services.gate.wrong_token(&name, address, Some(words)).await.into()),
    }
}

fn of_session(conn: &mut Conn, vault: &Vault, session: &Session) -> Result<Found, DbError> {
    let now = models::clock(conn)?;
    if session.is_over(now) {
        return Ok(Found::Nobody);
    }
    match session.begun {
        Begun::Token(id, version) => match api_tokens::find(conn, vault, models::ApiTokenId(id))? {
            Some((token, user)) if token.shown().row_version == version && user.shown().id == session.user() => {
                judge(token, user, now)
            }
            _ => Ok(Found::Nobody),
        },
        Begun::Password(version) => {
            let seen = match users::find(conn, vault, session.user()) {
                Err(DbError::NotFound) => return Ok(Found::Nobody),
                found => found?,
            };
            let name = seen.shown().name.clone();
            let user = match seen.judged() {
                Ok(user) => user,
                Err((_, doubt)) if doubt.is_tampering() => {
                    return Ok(Found::Tampered { name, words: doubt.words() });
                }
                Err(_) => return Ok(Found::Nobody),
            };
            let stays = user.row_version == version && !user.disabled && user.deleted_at.is_none();
            let holds = stays && user.is_open_by_password();
            Ok(if holds { Found::Known(Box::new(Known::by_password(user, now))) } else { Found::Nobody })
        }
    }
}
