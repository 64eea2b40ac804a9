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
use crate::accounts::Refused;
use crate::app::App;
use crate::models::events::{self, Actor};
use crate::models::users::User;
use crate::models::{DbError, altered, sessions, users};

#[derive(Template)]
#[template(path = "login/new.html")]
struct New {
    next: String,
    username: String,
    problem: Option<String>,
    idle_minutes: i32,
}

#[derive(Template)]
#[template(path = "login/code.html")]
struct Code {
    next: String,
    problem: Option<String>,
}

pub async fn new(app: Data<App>, request: HttpRequest, params: Params) -> Result<HttpResponse, Error> {
    let next = page::local_path(params.get("next")).to_owned();
    if session::visitor(&request).await?.is_some() {
        return Ok(page::see_other(&next, ""));
    }
    let idle_minutes = app.session_limits().idle_minutes;
    page::html(&New { next, username: String::new(), problem: None, idle_minutes })
}

pub async fn create(app: Data<App>, request: HttpRequest, posted: Posted) -> Result<HttpResponse, Error> {
    posted.only(["username", "password", "next"])?;
    let next = page::local_path(posted.get("next")).to_owned();
    let (username, password) = (posted.get("username"), posted.get("password"));
    let idle_minutes = app.session_limits().idle_minutes;
    let again = |status, problem: String, wait: Option<i64>| {
        let form = New { next: next.clone(), username: username.to_owned(), problem: Some(problem), idle_minutes };
        with_wait(page::html_with(status, &form)?, wait)
    };
    if password.len() > 1024 {
        return again(StatusCode::UNPROCESSABLE_ENTITY, "A password has at most 1024 bytes.".to_owned(), None);
    }
    match app.gate.password(username, password, session::client_ip(&request, &app)).await {
        Ok(user) if user.totp_confirmed => {
            let cookie = begin(&app, &request, user, true).await?;
            let query: String = form_urlencoded::Serializer::new(String::new()).append_pair("next", &next).finish();
            Ok(redirect(&format!("/login/code?{query}"), cookie))
        }
        Ok(user) => Ok(redirect(&next, begin(&app, &request, user, false).await?)),
        Err(refused @ Refused::Wrong) => again(StatusCode::UNPROCESSABLE_ENTITY, refused.to_string(), None),
        Err(refused @ Refused::Throttled(seconds)) => {
            again(StatusCode::TOO_MANY_REQUESTS, refused.to_string(), Some(seconds))
        }
        Err(refused @ Refused::Busy(_)) => again(StatusCode::SERVICE_UNAVAILABLE, refused.to_string(), Some(5)),
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

/// Makes the session and forgets the one that the visitor may have come with.
pub async fn begin(
    app: &Data<App>,
    request: &HttpRequest,
    user: User,
    awaits_code: bool,
) -> Result<Cookie<'static>, Error> {
    let token = session::new_token();
    let (hash, old) = (session::hash(&token), session::token(request, app).map(|token| session::hash(&token)));
    let actor = Actor { name: user.name.clone(), address: session::client_address(request, app) };
    let agent = agent(request);
    let vault = app.vault.clone();
    app.db
        .transaction(move |conn| {
            if altered::is_put_back(conn, &user)? {
                altered::refuse_user(conn, &vault, &actor, &user, "login refused: an older row was put back")?;
                return Ok(false);
            }
            if let Some(old) = &old {
                sessions::end(conn, old)?;
            }
            sessions::create(conn, &vault, &hash, user.id, awaits_code, &actor.address, &agent)?;
            if awaits_code {
                return users::still(conn, &user).map(|()| true);
            }
            users::logged_in(conn, &user)?;
            altered::settle(conn, user.id, user.row_version)?;
            events::record(conn, &vault, &actor, &user.event("login.succeeded", String::new())).map(|()| true)
        })
        .await
        .and_then(|in_order| if in_order { Ok(()) } else { Err(DbError::Stale) })
        .map_err(|error| match error {
            // The password or the role changed since it was checked a moment ago, or an older row was put back.
            DbError::Stale => login_again(),
            error => error.into(),
        })?;
    app.sessions.forget();
    Ok(session::cookie(app, &token))
}

fn login_again() -> Error {
    Error::LoginNeeded { next: "/".to_owned(), htmx: false }
}

/// What the browser calls itself, shortened, for the list of sessions.
fn agent(request: &HttpRequest) -> String {
    let agent = request.headers().get(USER_AGENT).and_then(|agent| agent.to_str().ok()).unwrap_or("unknown");
    agent.chars().filter(|c| !c.is_control()).take(200).collect()
}

pub async fn code(app: Data<App>, request: HttpRequest, params: Params) -> Result<HttpResponse, Error> {
    let next = page::local_path(params.get("next")).to_owned();
    match session::awaiting_code(&request, &app).await? {
        Some(_) => page::html(&Code { next, problem: None }),
        None => Ok(page::see_other("/login", "")),
    }
}

pub async fn check_code(app: Data<App>, request: HttpRequest, posted: Posted) -> Result<HttpResponse, Error> {
    posted.only(["code", "next"])?;
    let Some((_, user)) = session::awaiting_code(&request, &app).await? else {
        return Ok(page::see_other("/login", ""));
    };
    let next = page::local_path(posted.get("next")).to_owned();
    let again = |status, problem: String, wait| {
        with_wait(page::html_with(status, &Code { next: next.clone(), problem: Some(problem) })?, wait)
    };
    match app.gate.code(&user, posted.get("code"), session::client_ip(&request, &app)).await {
        Ok(()) => Ok(redirect(&next, begin(&app, &request, user, false).await?)),
        Err(Refused::Wrong) => again(
            StatusCode::UNPROCESSABLE_ENTITY,
            "That code is not right, or was used already. Wait for the next one.".to_owned(),
            None,
        ),
        Err(refused @ Refused::Throttled(seconds)) => {
            again(StatusCode::TOO_MANY_REQUESTS, refused.to_string(), Some(seconds))
        }
        Err(refused) => Err(refused.into()),
    }
}

pub async fn destroy(app: Data<App>, request: HttpRequest, posted: Posted) -> Result<HttpResponse, Error> {
    posted.only([])?;
    if let Some(token) = session::token(&request, &app) {
        let hash = session::hash(&token);
        app.db.transaction(move |conn| sessions::end(conn, &hash)).await?;
        app.sessions.forget();
    }
    let mut response = redirect("/login", session::removal(&app));
    let site_data = HeaderValue::from_static("\"cache\", \"storage\"");
    response.headers_mut().insert(HeaderName::from_static("clear-site-data"), site_data);
    Ok(response)
}
