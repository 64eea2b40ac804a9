//! The very first visit: the one-time link that `serve` prints makes the first administrator. Anything wrong with the
//! link looks the same: while there is no user, a hint where to find it; later, a page that does not exist.

use actix_web::http::StatusCode;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use super::error::Error;
use super::login::Step;
use super::params::Params;
use super::posted::Posted;
use super::{login, page, session};
use crate::form::{Errors, name_shown_again};
use crate::models::logins::{self, Setup};
use crate::models::trust::Trusted;
use crate::models::users::User;
use crate::services::Services;
use crate::usecases::{Refusal, users};

#[derive(Template)]
#[template(path = "setup/new.html")]
struct New {
    token: String,
    username: String,
    errors: Errors,
    in_clear: Option<&'static str>,
}

/// Says no more than the login does.
#[derive(Template)]
#[template(path = "setup/closed.html")]
struct Closed {}

pub async fn new(services: Data<Services>, request: HttpRequest, params: Params) -> Result<HttpResponse, Error> {
    let token = params.get("token").to_owned();
    if !users::is_setup_open(&services, &token).await? {
        return match services.db.run(logins::setup).await? {
            Setup::Open => page::html_with(StatusCode::NOT_FOUND, &Closed {}),
            _ => Err(Error::NotFound),
        };
    }
    let in_clear = page::in_clear(&request);
    page::html(&New { token, username: String::new(), errors: Errors::default(), in_clear })
}

pub async fn create(services: Data<Services>, request: HttpRequest, posted: Posted) -> Result<HttpResponse, Error> {
    posted.only(["token", "username", "password", "password_again"])?;
    let (token, typed) = (posted.get("token"), posted.typed_password());
    let address = session::client_address(&request, &services);
    match users::set_up(&services, token, (posted.get("username"), typed), address).await {
        Ok(user) => welcome(&services, &request, user).await,
        Err(Refusal::Invalid(errors)) => again(&request, &posted, errors),
        Err(refusal) => Err(refusal.into()),
    }
}

async fn welcome(services: &Services, request: &HttpRequest, user: Trusted<User>) -> Result<HttpResponse, Error> {
    // The user is saved: an error of the session must not say that nothing was changed.
    let Ok(cookie) = login::begin(services, request, user, Step::Whole(None)).await else {
        return Ok(page::see_other("/login", ""));
    };
    Ok(login::with_cookie(page::see_other("/", "welcome"), cookie))
}

fn again(request: &HttpRequest, posted: &Posted, errors: Errors) -> Result<HttpResponse, Error> {
    let username = name_shown_again(&posted.0, "username");
    let form = New { token: posted.get("token").to_owned(), username, errors, in_clear: page::in_clear(request) };
    page::html_with(StatusCode::UNPROCESSABLE_ENTITY, &form)
}
