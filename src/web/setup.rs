//! The very first visit: the one-time link that `serve` prints makes the first administrator. Anything wrong with the
//! link looks like a page that does not exist.

use actix_web::http::StatusCode;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use super::error::Error;
use super::login::Step;
use super::params::Params;
use super::posted::Posted;
use super::{login, page, session};
use crate::accounts::{self, Role, password, tokens};
use crate::form::{Errors, name_shown_again};
use crate::models::events::Actor;
use crate::models::{DbError, logins, users};
use crate::services::Services;

#[derive(Template)]
#[template(path = "setup/new.html")]
struct New {
    token: String,
    username: String,
    errors: Errors,
    in_clear: Option<&'static str>,
}

pub async fn new(services: Data<Services>, request: HttpRequest, params: Params) -> Result<HttpResponse, Error> {
    let token = params.get("token").to_owned();
    let (hash, vault) = (tokens::hash(&token), services.vault.clone());
    if !services.db.run(move |conn| logins::setup_open(conn, &vault, &hash)).await? {
        return Err(Error::NotFound);
    }
    let in_clear = page::in_clear(&request);
    page::html(&New { token, username: String::new(), errors: Errors::default(), in_clear })
}

pub async fn create(services: Data<Services>, request: HttpRequest, posted: Posted) -> Result<HttpResponse, Error> {
    posted.only(["token", "username", "password", "password_again"])?;
    let (token, password) = (posted.get("token").to_owned(), posted.get("password"));
    let hash = tokens::hash(&token);
    let open = {
        let (hash, vault) = (hash.clone(), services.vault.clone());
        services.db.run(move |conn| logins::setup_open(conn, &vault, &hash)).await?
    };
    if !open {
        return Err(Error::NotFound);
    }
    let mut errors = Errors::default();
    let name = accounts::user_name(posted.get("username")).unwrap_or_else(|problem| {
        errors.add("username", problem);
        String::new()
    });
    if let Err(problem) = password::acceptable(password, &name) {
        errors.add("password", problem);
    } else if password != posted.get("password_again") {
        errors.add("password_again", "The two passwords differ.");
    }
    if !errors.is_empty() {
        let form = New {
            token,
            username: name_shown_again(&posted.0, "username"),
            errors,
            in_clear: page::in_clear(&request),
        };
        return page::html_with(StatusCode::UNPROCESSABLE_ENTITY, &form);
    }
    let phc = services.gate.hasher.hash(password).await?;
    let actor = Actor { name: name.clone(), address: session::client_address(&request, &services) };
    let vault = services.vault.clone();
    let made = services
        .db
        .transaction(move |conn| {
            if !logins::take_setup(conn, &vault, &hash)? {
                return Ok::<_, DbError>(None);
            }
            let id = users::create(conn, &vault, &actor, &name, Role::Administrator.slug(), &phc)?;
            Ok(Some(users::find(conn, &vault, id)?.trust()?))
        })
        .await?;
    let user = made.ok_or(Error::NotFound)?;
    // The user is saved: an error of the session must not say that nothing was changed.
    let Ok(cookie) = login::begin(&services, &request, user, Step::Whole(None)).await else {
        return Ok(page::see_other("/login", ""));
    };
    Ok(login::with_cookie(page::see_other("/", "welcome"), cookie))
}
