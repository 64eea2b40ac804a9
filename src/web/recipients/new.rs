//! Adds a recipient: an address, and what it is told about. The confirmation goes out at once, and nothing else before
//! it is answered. Whatever stands in the way, what was typed comes back with the form.

use std::time::Instant;

use actix_web::http::StatusCode;
use actix_web::http::header::{HeaderValue, RETRY_AFTER};
use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;
use uuid::Uuid;

use crate::accounts::limiter::TooOften;
use crate::form::{self, Errors, Field, FieldView, Values};
use crate::integrations::alerts::email::address;
use crate::integrations::alerts::{self, TRIGGER_FIELDS, Trigger};
use crate::models::integrations::Integration;
use crate::models::recipients::LINK_DAYS;
use crate::models::{DbError, integrations, recipients};
use crate::services::Services;
use crate::web::error::Error;
use crate::web::page::{self, Shell};
use crate::web::posted::Posted;
use crate::web::session::{Administrator, As};
use crate::web::step_up::{self, Ask};

const ADDRESS: Field = Field::text("address", "E-mail address").placeholder("ops@example.com").max(254).check(address);

#[derive(Template)]
#[template(path = "recipients/new.html")]
struct New {
    shell: Shell,
    id: Uuid,
    profile: String,
    fields: Vec<FieldView>,
    days: i64,
    password: Option<Ask>,
}

fn fields() -> Vec<Field> {
    std::iter::once(ADDRESS).chain(TRIGGER_FIELDS).collect()
}

/// The profile, if it is one that people subscribe to.
async fn profile(services: &Services, id: Uuid) -> Result<Integration, Error> {
    let vault = services.vault.clone();
    let row = services.db.run(move |conn| integrations::find(conn, &vault, id)).await?.trust()?;
    let people = alerts::channel(&row.version).is_some_and(|channel| channel.has_recipients);
    if people { Ok((*row).clone()) } else { Err(Error::NotFound) }
}

fn show(
    request: &HttpRequest,
    visitor: &As<Administrator>,
    profile: Integration,
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
        profile: profile.name,
        fields: form::view(&fields(), posted.or(me.as_ref()), None, errors, &|_| Vec::new()),
        days: LINK_DAYS,
        password: None,
    }
}

pub async fn new(
    services: Data<Services>,
    request: HttpRequest,
    visitor: As<Administrator>,
    id: Path<Uuid>,
) -> Result<HttpResponse, Error> {
    let profile = profile(&services, *id).await?;
    // Asked before the form is filled in, so that nothing typed is lost.
    visitor.require_fresh(&request, &format!("/integrations/{id}/recipients/new"))?;
    page::html(&show(&request, &visitor, profile, None, &Errors::default()))
}

fn later(seconds: i64, form: &New) -> Result<HttpResponse, Error> {
    let mut response = page::html_with(StatusCode::TOO_MANY_REQUESTS, form)?;
    response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
    Ok(response)
}

pub async fn create(
    services: Data<Services>,
    request: HttpRequest,
    visitor: As<Administrator>,
    id: Path<Uuid>,
    posted: Posted,
) -> Result<HttpResponse, Error> {
    posted.only(fields().iter().map(|field| field.name).chain([step_up::FIELD, "redraw"]))?;
    let (profile, id) = (profile(&services, *id).await?, *id);
    let form = |errors: &Errors| show(&request, &visitor, profile.clone(), Some(&posted.0), errors);
    let again = |errors: Errors| page::html_with(StatusCode::UNPROCESSABLE_ENTITY, &form(&errors));
    if posted.0.contains("redraw") {
        return page::html(&form(&Errors::default()));
    }
    let values = match form::check(&fields(), &posted.0, None) {
        Ok(values) => values,
        Err(errors) => return again(errors),
    };
    let wanted: Vec<&str> =
        Trigger::ALL.into_iter().filter(|trigger| trigger.wanted(&values)).map(Trigger::slug).collect();
    if wanted.is_empty() {
        return again(Errors::one(TRIGGER_FIELDS[0].name, "Tick at least one."));
    }
    if let Err(ask) = step_up::confirm(&services, &request, &visitor, &posted).await? {
        return ask.answer(&New { password: Some(ask.clone()), ..form(&Errors::default()) });
    }
    // Each sends a mail to somebody who did not ask for it.
    match services.invitations.take(visitor.user_id, Instant::now()) {
        Ok(()) => {}
        Err(TooOften { text, seconds }) => return later(seconds, &form(&Errors::one(ADDRESS.name, text))),
    }
    let (vault, actor, wanted) = (services.vault.clone(), visitor.actor(), wanted.join(","));
    let address = values.get(ADDRESS.name).to_owned();
    let added = services
        .db
        .transaction(move |conn| recipients::create(conn, &vault, &actor, id, &address, &wanted).map(drop))
        .await;
    match added {
        Ok(()) => {
            services.wake.messages.notify_one();
            Ok(page::see_other(&format!("/integrations/{id}"), "invited"))
        }
        Err(DbError::Duplicate(_)) => again(Errors::one(ADDRESS.name, "This address is on the list already.")),
        Err(DbError::Check(name)) if name == recipients::TOO_MANY => again(Errors::one(ADDRESS.name, asked_often())),
        Err(error) => Err(error.into()),
    }
}

fn asked_often() -> String {
    format!(
        "This address was asked to confirm {} times in the last 24 hours, and has not. Wait for its owner to follow the \
         link, or try again tomorrow.",
        recipients::MOST_A_DAY
    )
}
