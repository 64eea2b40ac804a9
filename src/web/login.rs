//! Logging in and out: the password, then the one-time code of users who have one. A session made before is never
//! promoted: each step makes a new one and deletes the old.

use actix_web::cookie::Cookie;
use actix_web::http::StatusCode;
use actix_web::http::header::{HeaderName, HeaderValue, USER_AGENT};
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use super::error::Error;
use super::params::Params;
use super::posted::Posted;
use super::{page, session};
use crate::accounts::{Refused, tokens};
use crate::models::events::{self, Action, Actor};
use crate::models::logins::{self, Setup};
use crate::models::sessions::Visit;
use crate::models::trust::Trusted;
use crate::models::users::{Proof, User};
use crate::models::{Conn, DbError, account_letters, altered, sessions, users};
use crate::services::Services;
use crate::vault::Vault;

#[derive(Template)]
#[template(path = "login/new.html")]
struct New {
    next: String,
    username: String,
    problem: Option<String>,
    idle_minutes: i32,
    setup: Setup,
    /// A form was posted after its session had ended.
    ended: bool,
    /// A password was chosen by a link a moment ago.
    chosen: bool,
    /// Whether a forgotten password can be reset by mail.
    resets: bool,
    in_clear: Option<&'static str>,
}

#[derive(Template)]
#[template(path = "login/code.html")]
struct Code {
    next: String,
    problem: Option<String>,
    in_clear: Option<&'static str>,
}

pub async fn new(services: Data<Services>, request: HttpRequest, params: Params) -> Result<HttpResponse, Error> {
    let next = page::local_path(params.get("next")).to_owned();
    if session::visitor(&request).await?.is_some() {
        return Ok(page::see_other(&next, ""));
    }
    let idle_minutes = services.session_limits().idle_minutes;
    let vault = services.vault.clone();
    let found = services.db.run(move |conn| Ok::<_, DbError>((logins::setup(conn)?, resets(conn, &vault)?)));
    let (setup, resets) = found.await?;
    let in_clear = page::in_clear(&request);
    let (ended, chosen) = (!params.get("ended").is_empty(), !params.get("chosen").is_empty());
    let (username, problem) = (String::new(), None);
    page::html(&New { next, username, problem, idle_minutes, setup, ended, chosen, resets, in_clear })
}

/// Whether a forgotten password can be reset by mail.
fn resets(conn: &mut Conn, vault: &Vault) -> Result<bool, DbError> {
    Ok(account_letters::channel(conn, vault)?.is_some())
}

pub async fn create(services: Data<Services>, request: HttpRequest, posted: Posted) -> Result<HttpResponse, Error> {
    posted.only(["username", "password", "next"])?;
    let next = page::local_path(posted.get("next")).to_owned();
    let (username, password) = (posted.get("username"), posted.get("password"));
    let (idle_minutes, in_clear) = (services.session_limits().idle_minutes, page::in_clear(&request));
    let (setup, ended, chosen) = (Setup::Done, false, false);
    let again = async |status, problem: String, wait: Option<i64>| {
        let (next, username, vault) = (next.clone(), username.to_owned(), services.vault.clone());
        let (problem, resets) = (Some(problem), services.db.run(move |conn| resets(conn, &vault)).await?);
        let form = New { next, username, problem, idle_minutes, setup, ended, chosen, resets, in_clear };
        with_wait(page::html_with(status, &form)?, wait)
    };
    if password.len() > 1024 {
        return again(StatusCode::UNPROCESSABLE_ENTITY, "A password has at most 1024 bytes.".to_owned(), None).await;
    }
    match services.gate.password(username, password, session::client_ip(&request, &services)).await {
        Ok(user) if user.totp_confirmed => {
            let cookie = begin(&services, &request, user, Step::Password).await?;
            let query: String = form_urlencoded::Serializer::new(String::new()).append_pair("next", &next).finish();
            Ok(redirect(&format!("/login/code?{query}"), cookie))
        }
        Ok(user) => Ok(redirect(&next, begin(&services, &request, user, Step::Whole(None)).await?)),
        Err(refused @ Refused::Wrong) => again(StatusCode::UNPROCESSABLE_ENTITY, refused.to_string(), None).await,
        Err(refused @ Refused::Throttled(seconds)) => {
            again(StatusCode::TOO_MANY_REQUESTS, refused.to_string(), Some(seconds)).await
        }
        Err(refused @ Refused::Busy(_)) => again(StatusCode::SERVICE_UNAVAILABLE, refused.to_string(), Some(5)).await,
        Err(Refused::Db(error)) => Err(error.into()),
    }
}

/// The answer with `Retry-After`.
pub fn with_wait(mut response: HttpResponse, seconds: Option<i64>) -> Result<HttpResponse, Error> {
    if let Some(seconds) = seconds
        && let Ok(value) = HeaderValue::from_str(&seconds.to_string())
    {
        response.headers_mut().insert(HeaderName::from_static("retry-after"), value);
    }
    Ok(response)
}

fn redirect(to: &str, cookie: Cookie<'static>) -> HttpResponse {
    with_cookie(page::see_other(to, ""), cookie)
}

/// The answer with the session's cookie.
pub fn with_cookie(mut response: HttpResponse, cookie: Cookie<'static>) -> HttpResponse {
    // A fresh response takes any cookie.
    let _ = response.add_cookie(&cookie);
    response
}

/// How far a login has come.
#[derive(Clone, Debug)]
pub enum Step {
    /// The password was right, and a one-time code is still needed.
    Password,
    /// All that is needed was given; with what proved the second step, where there is one.
    Whole(Option<Proof>),
}

/// Makes the session and ends the one that the visitor may have come with.
pub async fn begin(
    services: &Services,
    request: &HttpRequest,
    user: Trusted<User>,
    step: Step,
) -> Result<Cookie<'static>, Error> {
    let token = tokens::new_token();
    let (hash, old) = (tokens::hash(&token), session::token(request, services).map(|token| tokens::hash(&token)));
    let actor = Actor { name: user.name.clone(), address: session::client_address(request, services) };
    let agent = agent(request);
    let vault = services.vault.clone();
    services
        .db
        .transaction(move |conn| {
            let visit = Visit { token_hash: &hash, address: &actor.address, agent: &agent };
            let mut ledger = events::open(conn)?;
            let (user, pending) = match &step {
                Step::Whole(proof) => {
                    let user = users::log_in(conn, &vault, &actor, &mut ledger, user.clone(), proof.as_ref())?;
                    altered::settle(conn, &user)?;
                    (user, false)
                }
                _ => {
                    users::lock_unchanged(conn, &user)?;
                    (user.clone(), true)
                }
            };
            // The user's row is locked before any session: two logins of one user at once cannot deadlock.
            if let Some(old) = &old {
                sessions::end(conn, &vault, &actor, old, Action::SessionEnded)?;
            }
            sessions::create(conn, &vault, &ledger, &user, pending, &visit)
        })
        .await
        .map_err(|error| match error {
            // The password or the role changed since it was checked a moment ago, or the code was used by another
            // login.
            DbError::Stale => login_again(),
            error => error.into(),
        })?;
    services.sessions.forget();
    Ok(session::cookie(services, &token))
}

fn login_again() -> Error {
    Error::LoginNeeded { next: "/".to_owned(), htmx: false, posted: false }
}

/// What the browser calls itself, shortened, for the list of sessions.
fn agent(request: &HttpRequest) -> String {
    let agent = request.headers().get(USER_AGENT).and_then(|agent| agent.to_str().ok()).unwrap_or("unknown");
    agent.chars().filter(|c| !c.is_control()).take(200).collect()
}

pub async fn code(services: Data<Services>, request: HttpRequest, params: Params) -> Result<HttpResponse, Error> {
    let next = page::local_path(params.get("next")).to_owned();
    match session::awaiting_code(&request, &services).await? {
        Some(_) => page::html(&Code { next, problem: None, in_clear: page::in_clear(&request) }),
        None => Ok(page::see_other("/login", "")),
    }
}

pub async fn check_code(services: Data<Services>, request: HttpRequest, posted: Posted) -> Result<HttpResponse, Error> {
    posted.only(["code", "next"])?;
    let Some((_, user)) = session::awaiting_code(&request, &services).await? else {
        return Ok(page::see_other("/login", ""));
    };
    let next = page::local_path(posted.get("next")).to_owned();
    let again = |status, problem: String, wait| {
        let form = Code { next: next.clone(), problem: Some(problem), in_clear: page::in_clear(&request) };
        with_wait(page::html_with(status, &form)?, wait)
    };
    match services.gate.code(&user, posted.get("code"), session::client_ip(&request, &services)).await {
        Ok(proof) => Ok(redirect(&next, begin(&services, &request, user, Step::Whole(Some(proof))).await?)),
        Err(Refused::Wrong) => again(
            StatusCode::UNPROCESSABLE_ENTITY,
            "That code is wrong or already used. Wait for the next one.".to_owned(),
            None,
        ),
        Err(refused @ Refused::Throttled(seconds)) => {
            again(StatusCode::TOO_MANY_REQUESTS, refused.to_string(), Some(seconds))
        }
        Err(refused) => Err(refused.into()),
    }
}

pub async fn destroy(services: Data<Services>, request: HttpRequest, posted: Posted) -> Result<HttpResponse, Error> {
    posted.only([])?;
    if let Some(token) = session::token(&request, &services) {
        let (hash, vault) = (tokens::hash(&token), services.vault.clone());
        let address = session::client_address(&request, &services);
        let end = move |conn: &mut Conn| sessions::log_out(conn, &vault, &address, &hash);
        services.db.transaction(end).await?;
        services.sessions.forget();
    }
    let mut response = redirect("/login", session::removal(&services));
    let site_data = HeaderValue::from_static("\"cache\", \"storage\"");
    response.headers_mut().insert(HeaderName::from_static("clear-site-data"), site_data);
    Ok(response)
}
