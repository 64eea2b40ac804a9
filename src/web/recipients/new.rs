//! Adds a recipient: an address, and what it is told about. The confirmation goes out at once, and nothing else before
//! it is answered. Whatever stands in the way, what was typed comes back with the form.

use actix_web::http::StatusCode;
use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use crate::accounts::limiter::TooOften;
use crate::form::{self, Errors, FieldView, Values};
use crate::integrations::alerts::TRIGGER_FIELDS;
use crate::integrations::alerts::email::address;
use crate::models::IntegrationId;
use crate::models::integrations::Integration;
use crate::models::recipients::LINK_DAYS;
use crate::services::Services;
use crate::usecases::Refusal;
use crate::usecases::recipients::{self, ADDRESS, fields};
use crate::web::error::Error;
use crate::web::login;
use crate::web::page::{self, Shell};
use crate::web::posted::Posted;
use crate::web::session::{Administrator, As};
use crate::web::step_up::{self, Ask};

#[derive(Template)]
#[template(path = "recipients/new.html")]
struct New {
    shell: Shell,
    id: IntegrationId,
    profile: String,
    fields: Vec<FieldView>,
    days: i64,
    password: Option<Ask>,
}

fn show(
    request: &HttpRequest,
    visitor: &As<Administrator>,
    profile: &Integration,
    posted: Option<&Values>,
    errors: &Errors,
) -> New {
    // Who is named by an address most likely means their own.
    let me: Option<Values> = address(&visitor.name).ok().map(|own| {
        let ticked = TRIGGER_FIELDS.iter().map(|field| (field.name, field.default.to_owned()));
        std::iter::once((ADDRESS.name, own)).chain(ticked).collect()
    });
    New {
        shell: Shell::new(request, visitor, "integrations"),
        id: profile.id,
        profile: profile.name.clone(),
        fields: form::view(&fields(), posted.or(me.as_ref()), None, errors, &|_| Vec::new()),
        days: LINK_DAYS,
        password: None,
    }
}

pub async fn new(
    services: Data<Services>,
    request: HttpRequest,
    visitor: As<Administrator>,
    id: Path<IntegrationId>,
) -> Result<HttpResponse, Error> {
    let profile = recipients::profile(&services, *id).await?;
    // Asked before the form is filled in, so that nothing typed is lost.
    visitor.require_fresh(&request, &format!("/integrations/{id}/recipients/new"))?;
    page::html(&show(&request, &visitor, &profile, None, &Errors::default()))
}

pub async fn create(
    services: Data<Services>,
    request: HttpRequest,
    visitor: As<Administrator>,
    id: Path<IntegrationId>,
    posted: Posted,
) -> Result<HttpResponse, Error> {
    posted.only(fields().iter().map(|field| field.name).chain([step_up::FIELD, "redraw"]))?;
    let profile = recipients::profile(&services, *id).await?;
    let form = |errors: &Errors| show(&request, &visitor, &profile, Some(&posted.0), errors);
    if posted.0.contains("redraw") {
        return page::html(&form(&Errors::default()));
    }
    let confirmation = step_up::typed(step_up::FIELD, &services, &request, &posted);
    match recipients::invite(&services, &visitor.principal(), &profile, &posted.0, &confirmation).await {
        Ok(()) => Ok(page::see_other(&format!("/integrations/{id}"), "invited")),
        Err(refusal) => again(form, refusal),
    }
}

/// The form as it was filled in, with what stands in the way.
fn again(form: impl FnOnce(&Errors) -> New, refusal: Refusal) -> Result<HttpResponse, Error> {
    match refusal {
        Refusal::Invalid(errors) => page::html_with(StatusCode::UNPROCESSABLE_ENTITY, &form(&errors)),
        Refusal::Unconfirmed(why) => {
            let ask = Ask::new(step_up::FIELD, why);
            ask.answer(&New { password: Some(ask.clone()), ..form(&Errors::default()) })
        }
        Refusal::TooOften(TooOften { text, seconds }) => {
            let form = form(&Errors::one(ADDRESS.name, text));
            login::with_wait(page::html_with(StatusCode::TOO_MANY_REQUESTS, &form)?, Some(seconds))
        }
        refusal => Err(refusal.into()),
    }
}
