//! Changing one's own password. The current one is asked for and counted like a login; all other sessions end, and this
//! one gets a new token. Whoever came in with a password that somebody else has set gets no further than a page for
//! this.

use actix_web::http::StatusCode;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use super::super::error::Error;
use super::super::posted::Posted;
use super::super::session::{As, Auditor};
use super::super::{login, page, session};
use crate::accounts::{Refused, tokens};
use crate::form::Errors;
use crate::models::users::{self, Change};
use crate::models::{DbError, sessions};
use crate::services::Services;

#[derive(Template)]
#[template(path = "account/password.html")]
struct Choose {
    name: String,
    errors: Errors,
}

/// The page for whoever must choose; everybody else has the form on the account page.
pub async fn show(visitor: As<Auditor>) -> Result<HttpResponse, Error> {
    if !visitor.must_choose_password {
        return Ok(page::see_other("/account", ""));
    }
    page::html(&Choose { name: visitor.name.clone(), errors: Errors::default() })
}

pub async fn update(
    services: Data<Services>,
    request: HttpRequest,
    visitor: As<Auditor>,
    posted: Posted,
) -> Result<HttpResponse, Error> {
    posted.only(["current", "password", "password_again"])?;
    let mut errors = posted.typed_password().check(&visitor.name);
    if errors.is_empty() && posted.get("password") == posted.get("current") {
        errors.add("password", "Choose another password than the one you have.");
    }
    if errors.is_empty() {
        let address = session::client_ip(&request, &services);
        match services.gate.password(&visitor.name, posted.get("current"), address).await {
            Ok(user) if user.id == visitor.user_id => {}
            Ok(_) | Err(Refused::Wrong) => errors.add("current", "That is not your password."),
            Err(refused) => return Err(refused.into()),
        }
    }
    if !errors.is_empty() {
        let status = StatusCode::UNPROCESSABLE_ENTITY;
        if visitor.must_choose_password {
            return page::html_with(status, &Choose { name: visitor.name.clone(), errors });
        }
        return super::render(&services, &request, &visitor, status, errors).await;
    }
    let change = Change::Password(services.gate.hasher.hash(posted.get("password")).await?);
    let token = tokens::new_token();
    let (new, old, actor, id) = (tokens::hash(&token), visitor.token_hash.clone(), visitor.actor(), visitor.user_id);
    let vault = services.vault.clone();
    services
        .db
        .transaction(move |conn| {
            users::change(conn, &vault, &actor, id, &change, Some(&old))?;
            // Whoever ended this session meanwhile, say by setting another password, has the last word.
            if sessions::renew(conn, &vault, &actor, &old, &new)? { Ok(()) } else { Err(DbError::Stale) }
        })
        .await
        .map_err(|error| match error {
            DbError::Stale => Error::LoginNeeded { next: "/account".to_owned(), htmx: false },
            error => error.into(),
        })?;
    services.sessions.forget();
    let next = if visitor.must_choose_password { "/" } else { "/account" };
    Ok(login::with_cookie(page::see_other(next, "password"), session::cookie(&services, &token)))
}
