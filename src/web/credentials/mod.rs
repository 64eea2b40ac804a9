//! The credentials' screens: table, form, page, deletion, one a file. What several of them show lies in [`view`]; the
//! only opening of a stored secret is in `crate::opening`. A further screen is a file here and a line in the URL tree.

use actix_web::http::StatusCode;
use actix_web::http::header::LOCATION;
use actix_web::{HttpRequest, HttpResponse};
use uuid::Uuid;

use super::error::Error;
use super::{htmx, page};
use crate::models::events::Actor;
use crate::models::{Conn, DbError};
use crate::opening::{self, Closed, Opened};
use crate::services::Services;

pub mod checkup;
mod conflict;
pub mod delete;

pub mod edit;
mod form;
pub mod index;
pub mod limit;
pub mod new;
mod place;
mod policies;
pub mod show;

pub mod usages;
pub mod view;

/// The id in an address; anything else names nothing.
fn id(path: &str) -> Result<Uuid, Error> {
    Uuid::try_parse(path).map_err(|_| Error::NotFound)
}

/// After a successful POST: on to another page, also when htmx asked and would swap the redirect's target in.
fn leave(request: &HttpRequest, to: &str, word: &str) -> HttpResponse {
    let mut response = page::see_other(to, word);
    if htmx::asked(request) {
        *response.status_mut() = StatusCode::NO_CONTENT;
        response.headers_mut().remove(LOCATION);
        htmx::redirect(&mut response, to);
    }
    response
}

/// The stored values of a credential as of a version of its row; `why` is what the trail says it was for.
async fn open(
    services: &Services,
    actor: Actor,
    (id, row_version): (Uuid, i64),
    why: &'static str,
) -> Result<Result<Opened, Closed>, DbError> {
    let vault = services.vault.clone();
    let open = move |conn: &mut Conn| opening::open_at(conn, &vault, &actor, (id, Some(row_version)), why.to_owned());
    services.db.transaction(open).await
}
