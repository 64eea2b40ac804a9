//! Deleting an integration, with its runs and its inventory, after a question. The credential stays.

use actix_web::http::StatusCode;
use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use super::{inventory, shown};
use crate::integrations::Family;
use crate::models::stores::{self, Using};
use crate::models::{self, DbError, IntegrationId, deployments, items};
use crate::services::Services;
use crate::usecases::{Refusal, integrations};
use crate::web::error::Error;
use crate::web::page::{self, Shell};
use crate::web::posted::Posted;
use crate::web::session::{As, Operator};
use crate::web::step_up;

#[derive(Template)]
#[template(path = "integrations/delete.html")]
struct Delete {
    shell: Shell,
    page: String,
    name: String,
    items: String,
    row_version: i64,
    alerts: bool,
    /// Whether something of it may still be in a cluster.
    deployed: bool,
    /// That is Secrets, and no agent.
    secrets: bool,
    /// What passes on entries of a store, which keeps it.
    using: Vec<Using>,
}

impl Delete {
    async fn load(services: &Services, shell: Shell, id: IntegrationId) -> Result<Self, Error> {
        let vault = services.vault.clone();
        let found = services.db.run(move |conn| {
            let row = models::integrations::find(conn, &vault, id)?.into_shown();
            let deployed = deployments::find(conn, &vault, id)?.is_some_and(|found| !found.shown().removed);
            let using = stores::using(conn, id)?;
            Ok::<_, DbError>((row, items::count(conn, id)?, deployed, using))
        });
        let (row, items, deployed, using) = found.await?;
        Ok(Self {
            shell,
            page: format!("/integrations/{id}"),
            alerts: row.family == Family::AlertProfile.slug(),
            deployed,
            secrets: row.family == Family::SecretSync.slug(),
            using,
            items: shown::counted(items, inventory::of(&row.family).noun),
            name: row.name,
            row_version: row.row_version,
        })
    }
}

/// The page that asks. A channel is deleted together with its alerts' way out, a scan with its history: neither comes
/// back.
fn address(id: IntegrationId) -> String {
    format!("/integrations/{id}/delete")
}

pub async fn confirm(
    services: Data<Services>,
    request: HttpRequest,
    visitor: As<Operator>,
    id: Path<IntegrationId>,
) -> Result<HttpResponse, Error> {
    visitor.require_fresh(&request, &address(*id))?;
    page::html(&Delete::load(&services, Shell::new(&request, &visitor, "integrations"), *id).await?)
}

pub async fn delete(
    services: Data<Services>,
    request: HttpRequest,
    visitor: As<Operator>,
    id: Path<IntegrationId>,
    posted: Posted,
) -> Result<HttpResponse, Error> {
    posted.only(["row_version", "remove"])?;
    if let ("on", Some(seen)) = (posted.get("remove"), posted.seen_version()) {
        let done = integrations::deployments::remove(&services, &visitor.principal(), (*id, seen), true).await;
        let queued = done.map_err(step_up::on_its_page(&request, &address(*id)))?;
        return Ok(page::see_other(&format!("/integrations/{id}"), if queued { "removing" } else { "busy" }));
    }
    let done = integrations::delete(&services, &visitor.principal(), *id, posted.seen_version()).await;
    if let Err(Refusal::InUse) = done {
        let page = Delete::load(&services, Shell::new(&request, &visitor, "integrations"), *id).await?;
        return page::html_with(StatusCode::CONFLICT, &page);
    }
    done.map_err(step_up::on_its_page(&request, &address(*id)))?;
    Ok(page::see_other("/integrations", "deleted"))
}
