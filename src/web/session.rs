//! Who is asking: the session cookie, the visitor behind it, and the extractors that let a handler say which role it
//! takes. A handler without one of them is open to everybody, so `tests/console/access.rs` walks them all.

use std::marker::PhantomData;
use std::ops::Deref;
use std::sync::Arc;
use std::time::Instant;

use actix_web::cookie::{Cookie, SameSite};
use actix_web::dev::Payload;
use actix_web::http::Method;
use actix_web::web::Data;
use actix_web::{FromRequest, HttpRequest};
use chrono::TimeDelta;
use futures_util::future::LocalBoxFuture;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::error::Error;
use super::htmx;
use crate::accounts::Role;
use crate::app::App;
use crate::models::events::Actor;
use crate::models::sessions::{self, Found, Valid};
use crate::models::trust::Trusted;
use crate::models::{altered, users};

mod cache;
pub use super::forwarded::{client_address, client_ip};
pub use cache::Cache;

/// Seconds for which a password that was just given counts as confirmation.
const FRESH_SECONDS: f64 = 300.0;

/// Somebody who is logged in.
#[derive(Clone, Debug)]
pub struct Visitor {
    pub user_id: Uuid,
    pub name: String,
    pub role: Role,
    pub theme: String,
    pub shortcuts: bool,
    pub two_step: bool,
    pub must_enrol: bool,
    /// Somebody else knows the password.
    pub must_choose_password: bool,
    pub session_id: Uuid,
    pub token_hash: Vec<u8>,
    pub address: String,
    seconds_since_password: f64,
    loaded: Instant,
}

impl Visitor {
    /// As the audit trail names them.
    pub fn actor(&self) -> Actor {
        Actor { name: self.name.clone(), address: self.address.clone() }
    }

    /// For what a hijacked session must not do: sends the visitor to give the password once more, unless that was a
    /// moment ago. `next` is the page to come back to; what was posted is not done.
    pub fn require_fresh(&self, request: &HttpRequest, next: &str) -> Result<(), Error> {
        if self.confirmed_lately() {
            return Ok(());
        }
        Err(Error::ConfirmNeeded { next: next.to_owned(), htmx: htmx::asked(request) })
    }

    pub fn may(&self, role: Role) -> bool {
        self.role >= role
    }

    /// Whether the password was given within the last five minutes.
    pub fn confirmed_lately(&self) -> bool {
        self.seconds_since_password + self.loaded.elapsed().as_secs_f64() < FRESH_SECONDS
    }
}

/// 256 bits that nobody can guess, for the cookie.
pub fn new_token() -> String {
    hex::encode(crate::vault::random::<32>())
}

/// What the database keeps of a token.
pub fn hash(token: &str) -> Vec<u8> {
    Sha256::digest(token.as_bytes()).to_vec()
}

/// A role as a type, so that a handler's signature says who may call it.
pub trait Level {
    const ROLE: Role;
}

pub struct Auditor;
pub struct Operator;
pub struct Administrator;

impl Level for Auditor {
    const ROLE: Role = Role::Auditor;
}
impl Level for Operator {
    const ROLE: Role = Role::Operator;
}
impl Level for Administrator {
    const ROLE: Role = Role::Administrator;
}

/// A visitor of at least that role.
pub struct As<L> {
    visitor: Arc<Visitor>,
    level: PhantomData<L>,
}

impl<L> Deref for As<L> {
    type Target = Visitor;

    fn deref(&self) -> &Visitor {
        &self.visitor
    }
}

impl<L: Level + 'static> FromRequest for As<L> {
    type Error = Error;
    type Future = LocalBoxFuture<'static, Result<Self, Error>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move {
            let visitor = visitor(&request).await?.ok_or_else(|| login_needed(&request))?;
            if visitor.must_choose_password && request.path() != "/account/password" {
                return Err(Error::PasswordNeeded);
            }
            if visitor.must_enrol && !may_enrol(request.path()) {
                return Err(Error::EnrolNeeded);
            }
            if !visitor.may(L::ROLE) {
                return Err(Error::Forbidden);
            }
            Ok(Self { visitor, level: PhantomData })
        })
    }
}

/// Where somebody may go who must set up two-step verification before anything else.
fn may_enrol(path: &str) -> bool {
    path.starts_with("/account/two-step") || matches!(path, "/account/confirm" | "/account/password")
}

fn login_needed(request: &HttpRequest) -> Error {
    let next = match request.method() {
        &Method::GET => request.uri().path_and_query().map_or("/", |next| next.as_str()),
        // What was posted is gone, so the way back is the page and not the action.
        _ => "/",
    };
    Error::LoginNeeded { next: next.to_owned(), htmx: htmx::asked(request) }
}

/// The visitor of a request; `None` for anybody else, also when the row check of the user does not hold.
pub async fn visitor(request: &HttpRequest) -> Result<Option<Arc<Visitor>>, Error> {
    let Some(app) = request.app_data::<Data<App>>() else { return Ok(None) };
    let Some(token) = token(request, app) else { return Ok(None) };
    let hash = hash(&token);
    // Only reading may rely on memory: a session ended elsewhere a moment ago changes nothing any more.
    let reading = matches!(*request.method(), Method::GET | Method::HEAD);
    if let Some(visitor) = app.sessions.get(&hash).filter(|_| reading) {
        return Ok(Some(visitor));
    }
    let ticket = app.sessions.ticket();
    let (limits, key, vault) = (app.session_limits(), hash.clone(), app.vault.clone());
    let found = app.db.run(move |conn| sessions::find(conn, &vault, &key, limits)).await?;
    let valid = match found {
        Some(Found::Valid(valid)) if !valid.session.awaits_code => valid,
        Some(Found::Valid(_)) | None => return Ok(None),
        Some(doubted) => {
            refuse(app, hash, doubted).await?;
            return Ok(None);
        }
    };
    if valid.now - valid.session.last_seen_at > TimeDelta::minutes(1) {
        let (vault, session, now) = (app.vault.clone(), valid.session.clone(), valid.now);
        app.db.transaction(move |conn| sessions::touch(conn, &vault, session.clone(), now)).await?;
    }
    let visitor = Arc::new(from_row(*valid, client_address(request, app)));
    app.sessions.put(ticket, hash, visitor.clone());
    Ok(Some(visitor))
}

fn from_row(valid: Valid, address: String) -> Visitor {
    let Valid { session, user, now } = valid;
    let seconds_since_password = (now - session.authenticated_at).as_seconds_f64();
    Visitor {
        user_id: user.id,
        role: Role::find(&user.role).unwrap_or(Role::Auditor),
        name: user.name.clone(),
        theme: user.theme.clone(),
        shortcuts: user.shortcuts,
        two_step: user.totp_confirmed,
        must_enrol: user.totp_required && !user.totp_confirmed,
        must_choose_password: user.password_temporary,
        session_id: session.id,
        token_hash: session.token_hash.clone(),
        address,
        seconds_since_password,
        loaded: Instant::now(),
    }
}

/// Somebody wrote to the users' or the sessions' table outside Strongroom. A session that does not count is forgotten;
/// where its user does not, all sessions of that user are. The audit trail says why.
async fn refuse(app: &Data<App>, hash: Vec<u8>, doubted: Found) -> Result<(), Error> {
    let vault = app.vault.clone();
    app.db
        .transaction(move |conn| match &doubted {
            Found::UserDoubted(user, doubt) if doubt.is_tampering() => {
                sessions::forget_all(conn, user.id)?;
                let what = format!("sessions ended: {}", doubt.words());
                altered::refuse_user(conn, &vault, &Actor::system(), user, &what)
            }
            Found::Doubted(doubt) if doubt.is_tampering() => {
                sessions::forget(conn, &hash)?;
                altered::refuse_session(conn, &vault, *doubt)
            }
            _ => Ok(()),
        })
        .await?;
    app.sessions.forget();
    Ok(())
}

/// A session between password and one-time code.
pub async fn awaiting_code(
    request: &HttpRequest,
    app: &Data<App>,
) -> Result<Option<(Vec<u8>, Trusted<users::User>)>, Error> {
    let Some(token) = token(request, app) else { return Ok(None) };
    let (hash, limits, vault) = (hash(&token), app.session_limits(), app.vault.clone());
    let key = hash.clone();
    match app.db.run(move |conn| sessions::find(conn, &vault, &key, limits)).await? {
        Some(Found::Valid(valid)) if valid.session.awaits_code => Ok(Some((hash, valid.user))),
        _ => Ok(None),
    }
}

fn name(app: &App) -> &'static str {
    // The prefix makes browsers refuse a cookie that a neighbouring host tries to set (RFC 6265bis, 4.1.3.2).
    if app.secure() { "__Host-session" } else { "session" }
}

/// The token in the cookie, if it has the form of one.
pub fn token(request: &HttpRequest, app: &App) -> Option<String> {
    let cookie = request.cookie(name(app))?;
    let token = cookie.value();
    (token.len() == 64 && token.bytes().all(|byte| byte.is_ascii_hexdigit())).then(|| token.to_owned())
}

pub fn cookie(app: &App, token: &str) -> Cookie<'static> {
    let cookie = Cookie::build(name(app), token.to_owned()).path("/").http_only(true).same_site(SameSite::Lax);
    cookie.secure(app.secure()).finish()
}

pub fn removal(app: &App) -> Cookie<'static> {
    let mut cookie = cookie(app, "");
    cookie.make_removal();
    cookie
}
