//! Sample data on the dashboard: loading it into an empty console, and removing it again.

use actix_web::HttpRequest;
use actix_web::HttpResponse;
use actix_web::web::Data;
use askama::Template;

use super::error::Error;
use super::page::{self, Shell};
use super::posted::Posted;
use super::session::{Administrator, As};
use crate::models::sample::Row;
use crate::services::Services;
use crate::usecases::sample;

/// What stays, since somebody uses it for something of their own.
#[derive(Template)]
#[template(path = "sample/kept.html")]
struct Kept {
    shell: Shell,
    rows: Vec<Row>,
}

pub async fn create(
    services: Data<Services>,
    visitor: As<Administrator>,
    posted: Posted,
) -> Result<HttpResponse, Error> {
    posted.only([])?;
    sample::load(&services, &visitor.principal()).await?;
    Ok(page::see_other("/", "sample-loaded"))
}

pub async fn destroy(
    services: Data<Services>,
    request: HttpRequest,
    visitor: As<Administrator>,
    posted: Posted,
) -> Result<HttpResponse, Error> {
    posted.only([])?;
    let rows = sample::remove(&services, &visitor.principal()).await?;
    if rows.is_empty() {
        return Ok(page::see_other("/", "sample-removed"));
    }
    page::html(&Kept { shell: Shell::new(&request, &visitor, "dashboard"), rows })
}
