//! The owner of an address wants no more mail: a page with a button, and the one POST that mail programs make by
//! themselves (RFC 8058). No login, no cookie; the link is the proof. The guard lets that POST in though nothing says
//! which page it comes from.

use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use super::{Place, Shared, linked, owner};
use crate::models::recipients::{self, Link, Recipient};
use crate::web::error::Error;
use crate::web::page;
use crate::web::posted::Posted;

#[derive(Template)]
#[template(path = "recipients/unsubscribe.html")]
struct Unsubscribe<'a> {
    address: &'a str,
    done: bool,
    action: String,
}

async fn find(app: &Shared, link: &Place) -> Result<Recipient, Error> {
    let (vault, (id, key)) = (app.vault.clone(), (link.0, link.1.clone()));
    let found = app.db.run(move |conn| linked(conn, &vault, id, Link::Unsubscribe, &key));
    Ok(found.await?)
}

fn show(person: &Recipient, done: bool, link: &Place) -> Result<HttpResponse, Error> {
    page::html(&Unsubscribe {
        address: &person.address,
        done,
        action: format!("/recipients/{}/unsubscribe/{}", link.0, link.1),
    })
}

pub async fn new(app: Shared, link: Place) -> Result<HttpResponse, Error> {
    let person = find(&app, &link).await?;
    show(&person, person.unsubscribed_at.is_some(), &link)
}

pub async fn create(app: Shared, request: HttpRequest, link: Place, posted: Posted) -> Result<HttpResponse, Error> {
    posted.only(["List-Unsubscribe"])?;
    let person = find(&app, &link).await?;
    let (vault, actor, id) = (app.vault.clone(), owner(&app, &request, &person), person.id);
    app.db.transaction(move |conn| recipients::unsubscribe(conn, &vault, &actor, id)).await?;
    show(&person, true, &link)
}
