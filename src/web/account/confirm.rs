//! Asking for the password once more before what a hijacked session must not do. The session gets a new token and
//! counts as confirmed for five minutes; what was posted before is not done.

use actix_web::http::StatusCode;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use super::super::error::Error;
use super::super::params::Params;
use super::super::posted::Posted;
use super::super::session::{As, Auditor};
use super::super::{login, page, session};
use crate::accounts::{Refused, tokens};
use crate::models::sessions;
use crate::services::Services;

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
    let again = |status, problem: String, wait| {
        let form = Confirm { name: visitor.name.clone(), next: next.clone(), problem: Some(problem) };
        login::with_wait(page::html_with(status, &form)?, wait)
    };
    match services.gate.password(&visitor.name, posted.get("password"), session::client_ip(&request, &services)).await {
        Ok(user) if user.id == visitor.user_id => {}
        Ok(_) | Err(Refused::Wrong) => {
            return again(StatusCode::UNPROCESSABLE_ENTITY, "That is not your password.".to_owned(), None);
        }
        Err(refused @ Refused::Throttled(seconds)) => {
            return again(StatusCode::TOO_MANY_REQUESTS, refused.to_string(), Some(seconds));
        }
        Err(refused) => return Err(refused.into()),
    }
    let token = tokens::new_token();
    let (old, new) = (visitor.token_hash.clone(), tokens::hash(&token));
    let (vault, actor) = (services.vault.clone(), visitor.actor());
    let renewed = services.db.transaction(move |conn| sessions::renew(conn, &vault, &actor, &old, &new)).await?;
    services.sessions.forget();
    if !renewed {
        return Err(Error::LoginNeeded { next, htmx: false });
    }
    Ok(login::with_cookie(page::see_other(&next, "confirmed"), session::cookie(&services, &token)))
}
