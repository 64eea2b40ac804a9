//! Taking a Secret from a sync, after a question: programs may depend on it.

use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use crate::models::IntegrationId;
use crate::services::Services;
use crate::usecases::integrations::syncs;
use crate::web::error::Error;
use crate::web::page::{self, Shell};
use crate::web::posted::Posted;
use crate::web::session::{As, Operator};
use crate::web::step_up;

#[derive(Template)]
#[template(path = "syncs/delete.html")]
struct Question {
    shell: Shell,
    page: String,
    name: String,
    secret: String,
    namespaces: String,
    address: String,
    row_version: i64,
}

fn address(id: IntegrationId, item: &str) -> String {
    format!("/integrations/{id}/secrets/{item}/delete")
}

pub async fn confirm(
    services: Data<Services>,
    request: HttpRequest,
    visitor: As<Operator>,
    ids: Path<(IntegrationId, String)>,
) -> Result<HttpResponse, Error> {
    let (id, item) = ids.into_inner();
    visitor.require_fresh(&request, &address(id, &item))?;
    let kept = syncs::find(&services, id).await?;
    let found = kept.item(&item)?;
    page::html(&Question {
        shell: Shell::new(&request, &visitor, "integrations"),
        page: format!("/integrations/{id}"),
        name: kept.row.name.clone(),
        secret: found.secret.clone(),
        namespaces: found.namespaces.join(", "),
        address: address(id, &item),
        row_version: kept.row.row_version,
    })
}

pub async fn destroy(
    services: Data<Services>,
    request: HttpRequest,
    visitor: As<Operator>,
    ids: Path<(IntegrationId, String)>,
    posted: Posted,
) -> Result<HttpResponse, Error> {
    posted.only(["row_version"])?;
    let (id, item) = ids.into_inner();
    let seen = posted.seen_version().ok_or(Error::Malformed)?;
    let done = syncs::delete(&services, &visitor.principal(), ((id, seen), &item)).await;
    done.map_err(step_up::on_its_page(&request, &address(id, &item)))?;
    Ok(page::see_other(&format!("/integrations/{id}"), "secret-kept"))
}
