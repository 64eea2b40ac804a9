//! Logging in, and what is told to whoever asks.

use actix_web::http::header::ContentType;
use actix_web::{HttpRequest, HttpResponse};
use serde_json::json;
use zeroize::Zeroizing;

use super::answer::Bad;
use super::caller::{Caller, Open, bearer};
use super::json::{Body, Object};
use crate::usecases::api::{self, Denied};

/// What is served, for programs that make clients.
const OPENAPI: &str = include_str!("openapi.json");
/// No name or password is longer, in bytes.
const LONGEST: usize = 1024;

pub async fn ping(_: Open) -> HttpResponse {
    HttpResponse::Ok().content_type(ContentType::plaintext()).body("OK")
}

pub async fn version(_: Caller) -> HttpResponse {
    HttpResponse::Ok().json(env!("CARGO_PKG_VERSION"))
}

pub async fn openapi(_: Caller) -> HttpResponse {
    HttpResponse::Ok().content_type(ContentType::json()).body(OPENAPI)
}

pub async fn create(open: Open, body: Body) -> Result<HttpResponse, Bad> {
    let sent = Object::of(&body.0, "The body")?;
    let part = |member: &str| Ok::<_, Bad>(sent.text(member)?.unwrap_or_default());
    let (name, password) = (part("username")?, part("password")?);
    if name.is_empty() || name.len().max(password.len()) > LONGEST {
        return Err(Bad::said("username and password must have 1 to 1024 bytes."));
    }
    token(api::authenticate(&open.services, name, password, open.address).await?)
}

pub async fn renew(open: Open, request: HttpRequest) -> Result<HttpResponse, Bad> {
    let sent = bearer(&request).ok_or(Denied::Wrong)?;
    token(api::renew(&open.services, &sent, open.address).await?)
}

fn token(token: Zeroizing<String>) -> Result<HttpResponse, Bad> {
    Ok(HttpResponse::Ok().json(json!({"token": token.as_str()})))
}
