//! What an administrator changes on one user. What each change asks for, ends and records is in `usecases::users`.

use actix_web::http::StatusCode;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};

use super::super::error::{Error, LAST_ADMINISTRATOR};
use super::super::posted::Posted;
use super::super::session::{Administrator, As, confirm_needed};
use super::super::step_up::{self, Ask};
use super::super::{page, params};
use super::show;
use crate::form::Errors;
use crate::models::UserId;
use crate::services::Services;
use crate::usecases::Refusal;
use crate::usecases::users::{self, TwoStep};

type Visitor = As<Administrator>;

pub async fn role(
    services: Data<Services>,
    request: HttpRequest,
    visitor: Visitor,
    posted: Posted,
) -> Result<HttpResponse, Error> {
    // The page has a field for a password of the user.
    posted.only(["role", step_up::OTHER_FIELD])?;
    let (id, role) = (params::id(&request)?, posted.get("role"));
    let confirmation = step_up::typed(step_up::OTHER_FIELD, &services, &request, &posted);
    match users::set_role(&services, &visitor.principal(), id, role, &confirmation).await {
        Err(Refusal::Unconfirmed(why)) => {
            let ask = Ask::new(step_up::OTHER_FIELD, why);
            ask.answer(&show::asking(&services, &request, &visitor, role, &ask).await?)
        }
        done => answer(&services, &request, &visitor, done, "role").await,
    }
}

pub async fn disabled(
    services: Data<Services>,
    request: HttpRequest,
    visitor: Visitor,
    posted: Posted,
) -> Result<HttpResponse, Error> {
    posted.only(["disabled"])?;
    let id = params::id(&request)?;
    let (disabled, word) = match posted.get("disabled") {
        "on" => (true, "disabled"),
        "off" => (false, "enabled"),
        _ => return Err(Error::Malformed),
    };
    let done = users::set_disabled(&services, &visitor.principal(), id, disabled).await;
    answer(&services, &request, &visitor, done, word).await
}

pub async fn two_step(
    services: Data<Services>,
    request: HttpRequest,
    visitor: Visitor,
    posted: Posted,
) -> Result<HttpResponse, Error> {
    posted.only(["two_step"])?;
    let id = params::id(&request)?;
    let (wanted, word) = match posted.get("two_step") {
        "required" => (TwoStep::Required, "saved"),
        "optional" => (TwoStep::Optional, "saved"),
        "reset" => (TwoStep::Reset, "two-step-reset"),
        _ => return Err(Error::Malformed),
    };
    let done = users::set_two_step(&services, &visitor.principal(), id, wanted).await;
    answer(&services, &request, &visitor, done, word).await
}

pub async fn password(
    services: Data<Services>,
    request: HttpRequest,
    visitor: Visitor,
    posted: Posted,
) -> Result<HttpResponse, Error> {
    posted.only(["password", "password_again"])?;
    let id = params::id(&request)?;
    match users::set_password(&services, &visitor.principal(), id, posted.typed_password()).await {
        Ok(invited) => super::invited(&request, &visitor, &invited, "user-password"),
        Err(refusal) => refused(&services, &request, &visitor, refusal).await,
    }
}

pub async fn end_sessions(
    services: Data<Services>,
    request: HttpRequest,
    visitor: Visitor,
    posted: Posted,
) -> Result<HttpResponse, Error> {
    posted.only([])?;
    let done = users::end_sessions(&services, &visitor.principal(), params::id(&request)?).await;
    answer(&services, &request, &visitor, done, "sessions-ended").await
}

/// Back to the user's page, with a word for the notice there.
async fn answer(
    services: &Services,
    request: &HttpRequest,
    visitor: &Visitor,
    done: Result<(), Refusal>,
    word: &str,
) -> Result<HttpResponse, Error> {
    match done {
        Ok(()) => Ok(page::see_other(&format!("/users/{}", params::id::<UserId>(request)?), word)),
        Err(refusal) => refused(services, request, visitor, refusal).await,
    }
}

/// The page again with what is wrong, or the page that asks for the password.
async fn refused(
    services: &Services,
    request: &HttpRequest,
    visitor: &Visitor,
    refusal: Refusal,
) -> Result<HttpResponse, Error> {
    let (problem, errors) = match refusal {
        Refusal::Unconfirmed(_) => {
            return Err(confirm_needed(request, &format!("/users/{}", params::id::<UserId>(request)?)));
        }
        Refusal::LastAdministrator => (Some(LAST_ADMINISTRATOR), Errors::default()),
        Refusal::Invalid(errors) => (None, errors),
        refusal => return Err(refusal.into()),
    };
    show::render(services, request, visitor, StatusCode::UNPROCESSABLE_ENTITY, problem, errors).await
}
