//! The owner of an address wants no more mail: a page with a button, and the one POST that mail programs make by
//! themselves (RFC 8058). No login, no cookie; the link is the proof. The guard lets that POST in though nothing says
//! which page it comes from. Once a recipient was removed nothing can tell a true link from a made-up one, so every id
//! that nobody has gets the same calm page.

use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use super::{Place, Shared, linked, owner};
use crate::models::DbError;
use crate::models::recipients::{self, Link, Recipient};
use crate::models::trust::Trusted;
use crate::web::error::Error;
use crate::web::page;
use crate::web::posted::Posted;

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

/// `None`: nobody has the id.
async fn find(services: &Shared, link: &Place) -> Result<Option<Trusted<Recipient>>, Error> {
    let (vault, (id, key)) = (services.vault.clone(), (link.0, link.1.clone()));
    let found = services.db.run(move |conn| match recipients::find(conn, &vault, id) {
        Err(DbError::NotFound) => Ok(None),
        Err(error) => Err(error),
        Ok(_) => linked(conn, &vault, id, Link::Unsubscribe, &key).map(Some),
    });
    Ok(found.await?)
}

fn show(person: &Recipient, state: State, link: &Place) -> Result<HttpResponse, Error> {
    let action = format!("/recipients/{}/unsubscribe/{}", link.0, link.1);
    page::html(&Unsubscribe { state, address: &person.address, action })
}

fn gone() -> Result<HttpResponse, Error> {
    page::html(&Unsubscribe { state: State::Gone, address: "", action: String::new() })
}

pub async fn new(services: Shared, link: Place) -> Result<HttpResponse, Error> {
    let Some(person) = find(&services, &link).await? else { return gone() };
    let state = if person.unsubscribed_at.is_some() { State::Done } else { State::Open };
    show(&person, state, &link)
}

pub async fn create(
    services: Shared,
    request: HttpRequest,
    link: Place,
    posted: Posted,
) -> Result<HttpResponse, Error> {
    posted.only(["List-Unsubscribe"])?;
    let Some(person) = find(&services, &link).await? else { return gone() };
    let (vault, actor, id) = (services.vault.clone(), owner(&services, &request, &person), person.id);
    match services.db.transaction(move |conn| recipients::unsubscribe(conn, &vault, &actor, id)).await {
        // Removed this very moment.
        Err(DbError::NotFound) => gone(),
        done => {
            done?;
            show(&person, State::Done, &link)
        }
    }
}
