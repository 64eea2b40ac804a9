//! The owner of an address wants no more mail: a page with a button, and the one POST that mail programs make by
//! themselves (RFC 8058). No login, no cookie; the link is the proof. The guard lets that POST in though nothing says
//! which page it comes from. Once a recipient was removed nothing can tell a true link from a made-up one, so every id
//! that nobody has gets the same calm page.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use super::{Place, proof};
use crate::models::recipients::Recipient;
use crate::services::Services;
use crate::usecases::recipients;
use crate::web::error::Error;
use crate::web::posted::Posted;
use crate::web::{page, session};

#[derive(Template)]
#[template(path = "recipients/unsubscribe.html")]
struct Unsubscribe<'a> {
    state: State,
    address: &'a str,
    action: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Open,
    Done,
    /// Nobody has the id.
    Gone,
}

fn show(person: &Recipient, state: State, link: &Place) -> Result<HttpResponse, Error> {
    let action = format!("/recipients/{}/unsubscribe/{}", link.0, link.1);
    page::html(&Unsubscribe { state, address: &person.address, action })
}

fn gone() -> Result<HttpResponse, Error> {
    page::html(&Unsubscribe { state: State::Gone, address: "", action: String::new() })
}

pub async fn new(services: Data<Services>, link: Place) -> Result<HttpResponse, Error> {
    let Some(person) = recipients::subscriber(&services, &proof(&link)).await? else { return gone() };
    let state = if person.unsubscribed_at.is_some() { State::Done } else { State::Open };
    show(&person, state, &link)
}

pub async fn create(
    services: Data<Services>,
    request: HttpRequest,
    link: Place,
    posted: Posted,
) -> Result<HttpResponse, Error> {
    posted.only(["List-Unsubscribe"])?;
    let from = session::client_ip(&request, &services);
    match recipients::unsubscribe(&services, &proof(&link), from).await? {
        Some(person) => show(&person, State::Done, &link),
        None => gone(),
    }
}
