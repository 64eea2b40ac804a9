//! The page of a link from a mail: it asks for a password, and says the same of every link that is good no more.

use actix_web::http::StatusCode;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use crate::form::Errors;
use crate::models::DbError;
use crate::models::account_letters::Purpose;
use crate::services::Services;
use crate::usecases::{Refusal, password_links, user_mail};
use crate::web::error::Error;
use crate::web::params::Params;
use crate::web::posted::Posted;
use crate::web::{page, session};

#[derive(Template)]
#[template(path = "password/choose.html")]
struct Choose {
    token: String,
    name: String,
    purpose: Purpose,
    errors: Errors,
    in_clear: Option<&'static str>,
}

#[derive(Template)]
#[template(path = "password/over.html")]
struct Over {
    /// Whether another link can be asked for.
    offered: bool,
}

pub async fn new(services: Data<Services>, request: HttpRequest, params: Params) -> Result<HttpResponse, Error> {
    match params.get("token") {
        "" => Ok(page::see_other("/login", "")),
        token => ask(&services, &request, token, StatusCode::OK, Errors::default()).await,
    }
}

pub async fn create(services: Data<Services>, request: HttpRequest, posted: Posted) -> Result<HttpResponse, Error> {
    posted.only(["token", "username", "password", "password_again"])?;
    let (token, address) = (posted.get("token"), session::client_address(&request, &services));
    match password_links::follow(&services, token, posted.typed_password(), address).await {
        Ok(_) => Ok(page::see_other("/login?chosen=on", "")),
        Err(Refusal::Invalid(errors)) => {
            ask(&services, &request, token, StatusCode::UNPROCESSABLE_ENTITY, errors).await
        }
        Err(Refusal::Db(DbError::NotFound)) => over(&services).await,
        Err(refusal) => Err(refusal.into()),
    }
}

async fn ask(
    services: &Services,
    request: &HttpRequest,
    token: &str,
    status: StatusCode,
    errors: Errors,
) -> Result<HttpResponse, Error> {
    let Some((purpose, name)) = password_links::find(services, token).await? else { return over(services).await };
    let (token, in_clear) = (token.to_owned(), page::in_clear(request));
    page::html_with(status, &Choose { token, name, purpose, errors, in_clear })
}

async fn over(services: &Services) -> Result<HttpResponse, Error> {
    page::html_with(StatusCode::GONE, &Over { offered: user_mail::is_offered(services).await? })
}
