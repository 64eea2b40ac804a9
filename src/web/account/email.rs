//! One's own e-mail address: invitations and password resets go there, so the password is asked for.

use actix_web::http::StatusCode;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};

use super::super::error::Error;
use super::super::page;
use super::super::posted::Posted;
use super::super::session::{As, Auditor};
use super::super::step_up::{self, Ask};
use crate::services::Services;
use crate::usecases::{Refusal, user_mail};

pub async fn update(
    services: Data<Services>,
    request: HttpRequest,
    visitor: As<Auditor>,
    posted: Posted,
) -> Result<HttpResponse, Error> {
    posted.only(["email", step_up::OTHER_FIELD])?;
    let email = posted.get("email");
    let confirmation = step_up::typed(step_up::OTHER_FIELD, &services, &request, &posted);
    match user_mail::set_email(&services, &visitor.principal(), visitor.user_id, email, &confirmation).await {
        Ok(()) => Ok(page::see_other("/account", "saved")),
        Err(Refusal::Invalid(errors)) => {
            let page = super::load(&services, &request, &visitor, errors).await?;
            page::html_with(StatusCode::UNPROCESSABLE_ENTITY, &super::Show { email: email.to_owned(), ..page })
        }
        Err(Refusal::Unconfirmed(why)) => {
            let ask = Ask::new(step_up::OTHER_FIELD, why);
            let page = super::load(&services, &request, &visitor, Default::default()).await?;
            ask.answer(&super::Show { email: email.to_owned(), password: Some(ask.clone()), ..page })
        }
        Err(refusal) => Err(refusal.into()),
    }
}
