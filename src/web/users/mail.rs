//! The e-mail address of a user, and the invitation that goes to it.

use actix_web::http::StatusCode;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};

use super::super::error::Error;
use super::super::page;
use super::super::params;
use super::super::posted::Posted;
use super::super::session::{Administrator, As, confirm_needed};
use super::super::step_up::{self, Ask};
use super::show;
use crate::models::{DbError, UserId};
use crate::services::Services;
use crate::usecases::{Refusal, user_mail};

type Visitor = As<Administrator>;

pub async fn address(
    services: Data<Services>,
    request: HttpRequest,
    visitor: Visitor,
    posted: Posted,
) -> Result<HttpResponse, Error> {
    posted.only(["email", step_up::OTHER_FIELD])?;
    let (id, email): (UserId, _) = (params::id(&request)?, posted.get("email"));
    let confirmation = step_up::typed(step_up::OTHER_FIELD, &services, &request, &posted);
    match user_mail::set_email(&services, &visitor.principal(), id, email, &confirmation).await {
        Ok(()) => Ok(page::see_other(&format!("/users/{id}"), "saved")),
        Err(Refusal::Unconfirmed(why)) => {
            let ask = Ask::new(step_up::OTHER_FIELD, why);
            ask.answer(&show::with_email(&services, &request, &visitor, email, Ok(&ask)).await?)
        }
        Err(Refusal::Invalid(errors)) => {
            let page = show::with_email(&services, &request, &visitor, email, Err(errors)).await?;
            page::html_with(StatusCode::UNPROCESSABLE_ENTITY, &page)
        }
        Err(refusal) => Err(refusal.into()),
    }
}

pub async fn invitation(
    services: Data<Services>,
    request: HttpRequest,
    visitor: Visitor,
    posted: Posted,
) -> Result<HttpResponse, Error> {
    posted.only(["do"])?;
    let id: UserId = params::id(&request)?;
    let (page, principal) = (format!("/users/{id}"), visitor.principal());
    let (done, word) = match posted.get("do") {
        "send" => (user_mail::invite(&services, &principal, id).await, "user-invited"),
        "withdraw" => (user_mail::withdraw(&services, &principal, id).await, "invitation-withdrawn"),
        _ => return Err(Error::Malformed),
    };
    match done {
        Ok(()) => Ok(page::see_other(&page, word)),
        Err(Refusal::Unconfirmed(_)) => Err(confirm_needed(&request, &page)),
        // Followed, or withdrawn, a moment ago: the page shows how it stands.
        Err(Refusal::Db(DbError::Stale)) => Ok(page::see_other(&page, "")),
        Err(Refusal::Invalid(errors)) => {
            let page = show::with_email(&services, &request, &visitor, "", Err(errors)).await?;
            page::html_with(StatusCode::UNPROCESSABLE_ENTITY, &page)
        }
        Err(refusal) => Err(refusal.into()),
    }
}
