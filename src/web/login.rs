//! Logging in and out: the password, then the one-time code of users who have one. A session made before is never
//! promoted: each step makes a new one and deletes the old.

use actix_web::cookie::Cookie;
use actix_web::http::StatusCode;
use actix_web::http::header::{HeaderName, HeaderValue, USER_AGENT};
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;
use uuid::Uuid;

use super::error::Error;
use super::params::Params;
use super::posted::Posted;
use super::{page, session};
use crate::accounts::{Refused, network, totp};
use crate::app::App;
use crate::models::events::{self, Actor};
use crate::models::users::User;
use crate::models::{DbError, logins, sessions, users};
use crate::names;

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

fn with_wait(mut response: HttpResponse, seconds: Option<i64>) -> Result<HttpResponse, Error> {
    if let Some(seconds) = seconds
        && let Ok(value) = HeaderValue::from_str(&seconds.to_string())
    {
        response.headers_mut().insert(HeaderName::from_static("retry-after"), value);
    }
    Ok(response)
}

fn redirect(to: &str, cookie: Cookie<'static>) -> HttpResponse {
    let mut response = page::see_other(to, "");
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
    let token = hex::encode(crate::vault::random::<32>());
    let (hash, old) = (session::hash(&token), session::token(request, app).map(|token| session::hash(&token)));
    let actor = Actor { name: user.name.clone(), address: session::client_address(request, app) };
    let agent = agent(request);
    let vault = app.vault.clone();
    app.db
        .transaction(move |conn| {
            if let Some(old) = &old {
                sessions::end(conn, old)?;
            }
            sessions::create(conn, &hash, user.id, awaits_code, &actor.address, &agent)?;
            if awaits_code {
                return Ok(());
            }
            users::logged_in(conn, user.id)?;
            events::record(conn, &vault, &actor, &user.event("login.succeeded", String::new()))
        })
        .await
        .map_err(|error: DbError| Error::from(error))?;
    app.sessions.forget();
    Ok(session::cookie(app, &token))
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
    user.check(&app.vault).map_err(DbError::from)?;
    let next = page::local_path(posted.get("next")).to_owned();
    let network = network(session::client_ip(&request, &app));
    match take_code(&app, &user, posted.get("code"), network).await? {
        Taken::Yes => Ok(redirect(&next, begin(&app, &request, user, false).await?)),
        Taken::No => {
            let problem = Some("That code is not right, or was used already. Wait for the next one.".to_owned());
            page::html_with(StatusCode::UNPROCESSABLE_ENTITY, &Code { next, problem })
        }
        Taken::TooMany(seconds) => {
            let problem = Some(Refused::Throttled(seconds).to_string());
            with_wait(page::html_with(StatusCode::TOO_MANY_REQUESTS, &Code { next, problem })?, Some(seconds))
        }
    }
}

enum Taken {
    Yes,
    No,
    TooMany(i64),
}

/// Uses a one-time code or a recovery code up. Tries are counted like passwords, under a name of their own.
async fn take_code(app: &Data<App>, user: &User, code: &str, network: String) -> Result<Taken, Error> {
    let key = format!("{}/code", names::key(&user.name));
    let secret = user.sealed_totp().map(|sealed| app.vault.open(&user.totp_context(), &sealed)).transpose();
    let secret = secret.map_err(DbError::from)?.unwrap_or_default();
    let recovery = totp::recovery_mac(&app.vault, code);
    let (id, code): (Uuid, String) = (user.id, code.to_owned());
    let taken = app
        .db
        .run(move |conn| {
            if let logins::Throttle::Closed(seconds) = logins::throttle(conn, &key, &network)? {
                return Ok::<_, DbError>(Taken::TooMany(seconds));
            }
            logins::record_failure(conn, &key, &network)?;
            let seconds = u64::try_from(users::seconds(conn)?).unwrap_or_default();
            let right = match totp::step(&secret, &code, seconds) {
                Some(step) => users::take_totp_step(conn, id, step)?,
                None => users::take_recovery_code(conn, id, &recovery)?,
            };
            if right {
                logins::clear_failures(conn, &key, &network)?;
            }
            Ok(if right { Taken::Yes } else { Taken::No })
        })
        .await?;
    Ok(taken)
}

pub async fn destroy(app: Data<App>, request: HttpRequest, posted: Posted) -> Result<HttpResponse, Error> {
    posted.only([])?;
    if let Some(token) = session::token(&request, &app) {
        let hash = session::hash(&token);
        app.db.run(move |conn| sessions::end(conn, &hash)).await?;
        app.sessions.forget();
    }
    let mut response = redirect("/login", session::removal(&app));
    let site_data = HeaderValue::from_static("\"cache\", \"storage\"");
    response.headers_mut().insert(HeaderName::from_static("clear-site-data"), site_data);
    Ok(response)
}
