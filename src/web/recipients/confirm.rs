//! The owner of an address says that they want its mail. Programs that look at the links of a mail before its reader
//! does only ever get: nothing is confirmed before the button is pressed.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;
use chrono::TimeDelta;

use super::{Place, Shared, labels, linked, owner};
use crate::models::recipients::{self, LINK_DAYS, Link, Recipient};
use crate::models::trust::Trusted;
use crate::models::{self, DbError};
use crate::services::Services;
use crate::web::error::Error;
use crate::web::page;
use crate::web::posted::Posted;

#[derive(Template)]
#[template(path = "recipients/confirm.html")]
struct Confirm<'a> {
    state: State,
    address: &'a str,
    by: &'a str,
    triggers: String,
    action: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Open,
    Over,
    Done,
}

/// The recipient of the link and where it stands.
async fn find(services: &Shared, link: &Place) -> Result<(Trusted<Recipient>, State), Error> {
    let (vault, (id, key)) = (services.vault.clone(), (link.0, link.1.clone()));
    let found = services.db.run(move |conn| {
        let person = linked(conn, &vault, id, Link::Confirm, &key)?;
        let over = models::clock(conn)? > person.invited_at + TimeDelta::days(LINK_DAYS);
        let state = match (person.confirmed_at.is_some(), over) {
            (true, _) if person.wants_mail() => State::Done,
            (false, false) if person.unsubscribed_at.is_none() => State::Open,
            _ => State::Over,
        };
        Ok::<_, DbError>((person, state))
    });
    Ok(found.await?)
}

fn show(person: &Recipient, state: State, link: &Place) -> Result<HttpResponse, Error> {
    let triggers = labels(person).join(", ").to_lowercase();
    let action = format!("/recipients/{}/confirm/{}", link.0, link.1);
    let page = Confirm { state, address: &person.address, by: &person.invited_by, triggers, action };
    let status = if state == State::Over { StatusCode::GONE } else { StatusCode::OK };
    page::html_with(status, &page)
}

pub async fn new(services: Shared, link: Place) -> Result<HttpResponse, Error> {
    let (person, state) = find(&services, &link).await?;
    show(&person, state, &link)
}

pub async fn create(
    services: Shared,
    request: HttpRequest,
    link: Place,
    posted: Posted,
) -> Result<HttpResponse, Error> {
    posted.only([])?;
    let (person, state) = find(&services, &link).await?;
    if state != State::Open {
        return show(&person, state, &link);
    }
    match confirm(&services, &request, &person).await {
        // Somebody was faster: a second click, or an administrator who asked anew.
        Err(DbError::Stale) => {
            let (person, state) = find(&services, &link).await?;
            show(&person, state, &link)
        }
        confirmed => {
            confirmed?;
            show(&person, State::Done, &link)
        }
    }
}

async fn confirm(services: &Services, request: &HttpRequest, person: &Recipient) -> Result<(), DbError> {
    let (vault, actor, seen) =
        (services.vault.clone(), owner(services, request, person), (person.id, person.row_version));
    services.db.transaction(move |conn| recipients::confirm(conn, &vault, &actor, seen)).await
}
