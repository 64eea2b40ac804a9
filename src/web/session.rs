//! Who is asking: the session cookie, the visitor behind it, and the extractors that let a handler say which role it
//! takes. A handler without one of them is open to everybody, so `tests/console/access.rs` walks them all.

use std::marker::PhantomData;
use std::ops::Deref;
use std::sync::Arc;

use actix_web::cookie::{Cookie, SameSite};
use actix_web::dev::Payload;
use actix_web::http::Method;
use actix_web::web::Data;
use actix_web::{FromRequest, HttpRequest};
use chrono::TimeDelta;
use futures_util::future::LocalBoxFuture;

use super::error::Error;
use super::{htmx, kept};
use crate::accounts::visitor::Visitor;
use crate::accounts::{Role, tokens};
use crate::models::events::Actor;
use crate::models::sessions::{self, Found};
use crate::models::trust::Trusted;
use crate::models::{altered, users};
use crate::services::Services;
use crate::usecases::Principal;

pub use super::forwarded::{client_address, client_ip};

impl Visitor {
    /// For what a hijacked session must not do: sends the visitor to give the password once more, unless that was a
    /// moment ago. `next` is the page to come back to; what was posted is not done.
    pub fn require_fresh(&self, request: &HttpRequest, next: &str) -> Result<(), Error> {
        if self.confirmed_lately() { Ok(()) } else { Err(confirm_needed(request, next)) }
    }
}

/// Sends the visitor to give the password once more; `next` is the page to come back to.
pub fn confirm_needed(request: &HttpRequest, next: &str) -> Error {
    Error::ConfirmNeeded { next: next.to_owned(), htmx: htmx::asked(request) }
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

impl<L> As<L> {
    /// For a use case.
    pub fn principal(&self) -> Principal {
        Principal::User(Arc::clone(&self.visitor))
    }
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
    let posted = request.method() != Method::GET;
    let next = match posted {
        false => request.uri().path_and_query().map_or("/", |next| next.as_str()).to_owned(),
        // The way back is the page of the form and not its action.
        true => kept::page_of_form(request).unwrap_or_else(|| "/".to_owned()),
    };
    Error::LoginNeeded { next, htmx: htmx::asked(request), posted }
}

/// The visitor of a request; `None` for anybody else, also when the row check of the user does not hold.
pub async fn visitor(request: &HttpRequest) -> Result<Option<Arc<Visitor>>, Error> {
    let Some(services) = request.app_data::<Data<Services>>() else { return Ok(None) };
    let Some(token) = token(request, services) else { return Ok(None) };
    let hash = tokens::hash(&token);
    // Only reading may rely on memory: a session ended elsewhere a moment ago changes nothing any more.
    let reading = matches!(*request.method(), Method::GET | Method::HEAD);
    if let Some(visitor) = services.sessions.get(&hash).filter(|_| reading) {
        return Ok(Some(visitor));
    }
    let ticket = services.sessions.ticket();
    let (limits, key, vault) = (services.session_limits(), hash.clone(), services.vault.clone());
    let found = services.db.run(move |conn| sessions::find(conn, &vault, &key, limits)).await?;
    let valid = match found {
        Some(Found::Valid(valid)) if !valid.session.awaits_code => valid,
        Some(Found::Valid(_)) | None => return Ok(None),
        Some(doubted) => {
            refuse(services, hash, doubted).await?;
            return Ok(None);
        }
    };
    if valid.now - valid.session.last_seen_at > TimeDelta::minutes(1) {
        let (vault, session, now) = (services.vault.clone(), valid.session.clone(), valid.now);
        services.db.transaction(move |conn| sessions::touch(conn, &vault, session.clone(), now)).await?;
    }
    let visitor = Arc::new(Visitor::new(*valid, client_address(request, services)));
    services.sessions.put(ticket, hash, visitor.clone());
    Ok(Some(visitor))
}

/// Somebody wrote to the users' or the sessions' table outside Strongroom. A session that does not count is forgotten;
/// where its user does not, all sessions of that user are. The audit trail says why.
async fn refuse(services: &Services, hash: Vec<u8>, doubted: Found) -> Result<(), Error> {
    let vault = services.vault.clone();
    services
        .db
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
    services.sessions.forget();
    Ok(())
}

/// A session between password and one-time code.
pub async fn awaiting_code(
    request: &HttpRequest,
    services: &Services,
) -> Result<Option<(Vec<u8>, Trusted<users::User>)>, Error> {
    let Some(token) = token(request, services) else { return Ok(None) };
    let (hash, limits, vault) = (tokens::hash(&token), services.session_limits(), services.vault.clone());
    let key = hash.clone();
    match services.db.run(move |conn| sessions::find(conn, &vault, &key, limits)).await? {
        Some(Found::Valid(valid)) if valid.session.awaits_code => Ok(Some((hash, valid.user))),
        _ => Ok(None),
    }
}

fn name(services: &Services) -> &'static str {
    // The prefix makes browsers refuse a cookie that a neighbouring host tries to set (RFC 6265bis, 4.1.3.2).
    if services.secure() { "__Host-session" } else { "session" }
}

/// The token in the cookie, if it has the form of one.
pub fn token(request: &HttpRequest, services: &Services) -> Option<String> {
    let cookie = request.cookie(name(services))?;
    let token = cookie.value();
    (token.len() == 64 && token.bytes().all(|byte| byte.is_ascii_hexdigit())).then(|| token.to_owned())
}

pub fn cookie(services: &Services, token: &str) -> Cookie<'static> {
    let cookie = Cookie::build(name(services), token.to_owned()).path("/").http_only(true).same_site(SameSite::Lax);
    cookie.secure(services.secure()).finish()
}

pub fn removal(services: &Services) -> Cookie<'static> {
    let mut cookie = cookie(services, "");
    cookie.make_removal();
    cookie
}
