//! Deleting an integration, with its runs and its inventory, after a question. The credential stays.

use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;
use uuid::Uuid;

use super::{inventory, shown};
use crate::integrations::Family;
use crate::models::{DbError, integrations, items};
use crate::services::Services;
use crate::web::error::Error;
use crate::web::page::{self, Shell};
use crate::web::posted::Posted;
use crate::web::session::{As, Operator};

#[derive(Template)]
#[template(path = "integrations/delete.html")]
struct Delete {
    shell: Shell,
    page: String,
    name: String,
    items: String,
    row_version: i64,
    alerts: bool,
}

/// The page that asks. A channel is deleted together with its alerts' way out, a scan with its history: neither comes
/// back.
fn address(id: Uuid) -> String {
    format!("/integrations/{id}/delete")
}

pub async fn confirm(
    services: Data<Services>,
    request: HttpRequest,
    visitor: As<Operator>,
    id: Path<Uuid>,
) -> Result<HttpResponse, Error> {
    let (id, vault) = (*id, services.vault.clone());
    visitor.require_fresh(&request, &address(id))?;
    let found = services.db.run(move |conn| {
        let row = integrations::find(conn, &vault, id)?.into_shown();
        Ok::<_, DbError>((row, items::count(conn, id)?))
    });
    let (row, items) = found.await?;
    let shell = Shell::new(&request, &visitor, "integrations");
    page::html(&Delete {
        shell,
        page: format!("/integrations/{id}"),
        alerts: row.family == Family::AlertProfile.slug(),
        items: shown::counted(items, inventory::of(&row.family).noun),
        name: row.name,
        row_version: row.row_version,
    })
}

pub async fn delete(
    services: Data<Services>,
    request: HttpRequest,
    visitor: As<Operator>,
    id: Path<Uuid>,
    posted: Posted,
) -> Result<HttpResponse, Error> {
    posted.only(["row_version"])?;
    visitor.require_fresh(&request, &address(*id))?;
    let (vault, actor, id, seen) = (services.vault.clone(), visitor.actor(), *id, posted.seen_version());
    let deleted = services.db.transaction(move |conn| {
        let row = integrations::find(conn, &vault, id)?.into_shown();
        if seen.is_some_and(|seen| seen != row.row_version) {
            return Err(DbError::Stale);
        }
        integrations::delete(conn, &vault, &actor, id)
    });
    deleted.await?;
    Ok(page::see_other("/integrations", "deleted"))
}
