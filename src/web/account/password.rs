//! Changing one's own password. The current one is asked for and counted like a login; all other sessions end, and this
//! one gets a new token. Whoever came in with a password that somebody else has set gets no further than a page for
//! this.

use actix_web::http::StatusCode;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use super::super::error::Error;
use super::super::posted::Posted;
use super::super::session::{As, Auditor};
use super::super::{login, page, session, step_up};
use crate::form::Errors;
use crate::services::Services;
use crate::usecases::{Refusal, Unconfirmed, account};

#[derive(Template)]
#[template(path = "account/password.html")]
struct Choose {
    name: String,
    errors: Errors,
}

/// The page for whoever must choose; everybody else has the form on the account page.
pub async fn show(visitor: As<Auditor>) -> Result<HttpResponse, Error> {
    if !visitor.must_choose_password {
        return Ok(page::see_other("/account", ""));
    }
    page::html(&Choose { name: visitor.name.clone(), errors: Errors::default() })
}

pub async fn update(
    services: Data<Services>,
    request: HttpRequest,
    visitor: As<Auditor>,
    posted: Posted,
) -> Result<HttpResponse, Error> {
    posted.only(["current", "password", "password_again"])?;
    let current = step_up::typed("current", &services, &request, &posted);
    let typed = posted.typed_password();
    match account::change_password(&services, &visitor.principal(), &current, typed).await {
        Ok(token) => {
            let next = if visitor.must_choose_password { "/" } else { "/account" };
            Ok(login::with_cookie(page::see_other(next, "password"), session::cookie(&services, &token)))
        }
        Err(Refusal::LoggedOut) => Err(Error::LoginNeeded { next: "/account".to_owned(), htmx: false, posted: false }),
        Err(refusal) => again(&services, &request, &visitor, refusal).await,
    }
}

/// The page with what is wrong.
async fn again(
    services: &Services,
    request: &HttpRequest,
    visitor: &As<Auditor>,
    refusal: Refusal,
) -> Result<HttpResponse, Error> {
    let (status, errors, wait) = match refusal {
        Refusal::Invalid(errors) => (StatusCode::UNPROCESSABLE_ENTITY, errors, None),
        Refusal::Unconfirmed(Unconfirmed { error, seconds }) => {
            let status = seconds.map_or(StatusCode::UNPROCESSABLE_ENTITY, |_| StatusCode::TOO_MANY_REQUESTS);
            let sentence = error.unwrap_or_else(|| "Enter your password.".to_owned());
            (status, Errors::one("current", sentence), seconds)
        }
        refusal => return Err(refusal.into()),
    };
    let page = if visitor.must_choose_password {
        page::html_with(status, &Choose { name: visitor.name.clone(), errors })?
    } else {
        super::render(services, request, visitor, status, errors).await?
    };
    login::with_wait(page, wait)
}
