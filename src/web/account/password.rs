//! Changing one's own password. The current one is asked for and counted like a login; all other sessions end, and this
//! one gets a new token.

use actix_web::http::StatusCode;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};

use super::super::error::Error;
use super::super::posted::Posted;
use super::super::session::{As, Auditor};
use super::super::{login, page, session};
use crate::accounts::{Refused, password};
use crate::app::App;
use crate::form::Errors;
use crate::models::users::{self, Change};
use crate::models::{DbError, sessions};

pub async fn update(
    app: Data<App>,
    request: HttpRequest,
    visitor: As<Auditor>,
    posted: Posted,
) -> Result<HttpResponse, Error> {
    posted.only(["current", "password", "password_again"])?;
    let mut errors = check(posted.get("password"), posted.get("password_again"), &visitor.name);
    if errors.is_empty() {
        let address = session::client_ip(&request, &app);
        match app.gate.password(&visitor.name, posted.get("current"), address).await {
            Ok(user) if user.id == visitor.user_id => {}
            Ok(_) | Err(Refused::Wrong) => errors.add("current", "That is not your password."),
            Err(refused) => return Err(refused.into()),
        }
    }
    if !errors.is_empty() {
        return super::render(&app, &request, &visitor, StatusCode::UNPROCESSABLE_ENTITY, errors).await;
    }
    let change = Change::Password(app.gate.hasher.hash(posted.get("password")).await?);
    let token = session::new_token();
    let (new, old, actor, id) = (session::hash(&token), visitor.token_hash.clone(), visitor.actor(), visitor.user_id);
    let vault = app.vault.clone();
    app.db
        .transaction(move |conn| {
            users::change(conn, &vault, &actor, id, &change, Some(&old))?;
            sessions::renew(conn, &old, &new).map(drop)
        })
        .await
        .map_err(|error: DbError| Error::from(error))?;
    app.sessions.forget();
    Ok(login::with_cookie(page::see_other("/account", "password"), session::cookie(&app, &token)))
}

/// What is wrong with a new password that was typed twice.
pub fn check(new: &str, again: &str, user: &str) -> Errors {
    match password::acceptable(new, user) {
        Err(problem) => Errors::one("password", problem),
        Ok(()) if new != again => Errors::one("password_again", "The two passwords differ."),
        Ok(()) => Errors::default(),
    }
}
