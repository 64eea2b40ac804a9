//! Removes a deployment from its cluster, after a confirmation page.

use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use crate::form::Values;
use crate::integrations::Family;
use crate::models::{DbError, IntegrationId, integrations};
use crate::services::Services;
use crate::usecases::integrations::deployments;
use crate::web::error::Error;
use crate::web::page::{self, Shell};
use crate::web::posted::Posted;
use crate::web::session::{As, Operator};
use crate::web::step_up;

#[derive(Template)]
#[template(path = "deployments/remove.html")]
struct Page {
    shell: Shell,
    page: String,
    name: String,
    namespace: String,
    is_sync: bool,
    row_version: i64,
}

fn address(id: IntegrationId) -> String {
    format!("/integrations/{id}/removal")
}

pub async fn confirm(
    services: Data<Services>,
    request: HttpRequest,
    visitor: As<Operator>,
    id: Path<IntegrationId>,
) -> Result<HttpResponse, Error> {
    visitor.require_fresh(&request, &address(*id))?;
    let (vault, id) = (services.vault.clone(), *id);
    let find = move |conn: &mut _| Ok::<_, DbError>(integrations::find(conn, &vault, id)?.into_shown());
    let row = services.db.run(find).await?;
    page::html(&Page {
        shell: Shell::new(&request, &visitor, "integrations"),
        page: format!("/integrations/{id}"),
        namespace: Values::from_json(row.settings.as_bytes()).unwrap_or_default().get("namespace").to_owned(),
        row_version: row.row_version,
        is_sync: row.family == Family::SecretSync.slug(),
        name: row.name,
    })
}

pub async fn create(
    services: Data<Services>,
    request: HttpRequest,
    visitor: As<Operator>,
    id: Path<IntegrationId>,
    posted: Posted,
) -> Result<HttpResponse, Error> {
    posted.only(["row_version", "delete"])?;
    let seen = posted.seen_version().ok_or(Error::Malformed)?;
    let delete = posted.get("delete") == "on";
    let done = deployments::remove(&services, &visitor.principal(), (*id, seen), delete).await;
    let queued = done.map_err(step_up::on_its_page(&request, &address(*id)))?;
    Ok(page::see_other(&format!("/integrations/{id}"), if queued { "removing" } else { "busy" }))
}
