//! Asking for the password once more before what a hijacked session must not do. The session gets a new token and
//! counts as confirmed for five minutes; what was posted before is not done.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use super::super::error::Error;
use super::super::params::Params;
use super::super::posted::Posted;
use super::super::session::{As, Auditor};
use super::super::step_up::{self, Ask};
use super::super::{login, page, session};
use crate::services::Services;
use crate::usecases::{Refusal, Unconfirmed, account};

#[derive(Template)]
#[template(path = "account/confirm.html")]
struct Confirm {
    name: String,
    next: String,
    problem: Option<String>,
}

pub async fn new(visitor: As<Auditor>, params: Params) -> Result<HttpResponse, Error> {
    let next = page::local_path(params.get("next")).to_owned();
    page::html(&Confirm { name: visitor.name.clone(), next, problem: None })
}

pub async fn create(
    services: Data<Services>,
    request: HttpRequest,
    visitor: As<Auditor>,
    posted: Posted,
) -> Result<HttpResponse, Error> {
    posted.only(["password", "next"])?;
    let next = page::local_path(posted.get("next")).to_owned();
    let password = step_up::typed("password", &services, &request, &posted);
    match account::renew_session(&services, &visitor.principal(), &password).await {
        Ok(token) => Ok(login::with_cookie(page::see_other(&next, "confirmed"), session::cookie(&services, &token))),
        Err(Refusal::Unconfirmed(why)) => again(visitor.name.clone(), next, why),
        Err(Refusal::LoggedOut) => Err(Error::LoginNeeded { next, htmx: false, posted: false }),
        Err(refusal) => Err(refusal.into()),
    }
}

fn again(name: String, next: String, why: Unconfirmed) -> Result<HttpResponse, Error> {
    let ask = Ask::new("password", why);
    ask.answer(&Confirm { name, next, problem: ask.error.clone() })
}
