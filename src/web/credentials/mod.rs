//! The credentials' screens: table, form, page, deletion, one a file. What several of them show lies in [`view`]; what is
//! done there, in `usecases::credentials`. A further screen is a file here and a line in the URL tree.

use actix_web::http::StatusCode;
use actix_web::http::header::LOCATION;
use actix_web::{HttpRequest, HttpResponse};

use super::error::Error;
use super::{htmx, page};
use crate::models::CredentialId;

pub mod bulk;
pub mod checkup;
mod conflict;
pub mod delete;
pub mod edit;
pub mod export;
mod form;
pub mod import;
pub mod index;
pub mod limit;
pub mod new;
mod policies;
pub(super) mod query;
pub mod replace;
pub mod rotate;
mod row;
pub mod show;
mod trials;
pub mod usages;
pub mod view;

/// The id in an address; anything else names nothing.
fn id(path: &str) -> Result<CredentialId, Error> {
    path.parse().map_err(|_| Error::NotFound)
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
