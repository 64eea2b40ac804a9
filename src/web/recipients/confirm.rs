//! The owner of an address says that they want its mail. Programs that look at the links of a mail before its reader
//! does only ever get: nothing is confirmed before the button is pressed.

use actix_web::http::StatusCode;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use super::{Place, labels, proof};
use crate::models::recipients::Recipient;
use crate::services::Services;
use crate::usecases::recipients::{self, Asked};
use crate::web::error::Error;
use crate::web::posted::Posted;
use crate::web::{page, session};

#[derive(Template)]
#[template(path = "recipients/confirm.html")]
struct Confirm<'a> {
    state: Asked,
    address: &'a str,
    by: &'a str,
    triggers: String,
    action: String,
}

fn show(person: &Recipient, state: Asked, link: &Place) -> Result<HttpResponse, Error> {
    let triggers = labels(person).join(", ").to_lowercase();
    let action = format!("/recipients/{}/confirm/{}", link.0, link.1);
    let page = Confirm { state, address: &person.address, by: &person.invited_by, triggers, action };
    let status = if state == Asked::Over { StatusCode::GONE } else { StatusCode::OK };
    page::html_with(status, &page)
}

pub async fn new(services: Data<Services>, link: Place) -> Result<HttpResponse, Error> {
    let (person, state) = recipients::asked(&services, &proof(&link)).await?;
    show(&person, state, &link)
}

pub async fn create(
    services: Data<Services>,
    request: HttpRequest,
    link: Place,
    posted: Posted,
) -> Result<HttpResponse, Error> {
    posted.only([])?;
    let from = session::client_ip(&request, &services);
    let (person, state) = recipients::accept(&services, &proof(&link), from).await?;
    show(&person, state, &link)
}
