//! *Undo*: goes back to the settings deployed before the current ones, after a page that lists the changes.

use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use crate::models::IntegrationId;
use crate::models::integrations::Integration;
use crate::services::Services;
use crate::usecases::integrations::deployments;
use crate::web::error::Error;
use crate::web::integrations::facts::facts;
use crate::web::page::{self, Shell};
use crate::web::posted::Posted;
use crate::web::session::{As, Operator};
use crate::web::step_up;

#[derive(Template)]
#[template(path = "deployments/undo.html")]
struct Page {
    shell: Shell,
    page: String,
    name: String,
    row_version: i64,
    /// Label, current value, previous value.
    changes: Vec<(&'static str, String, String)>,
}

/// The settings that differ, as the page shows them.
fn changes(row: &Integration, then: &crate::form::Values) -> Vec<(&'static str, String, String)> {
    let now = facts(row, &crate::form::Values::from_json(row.settings.as_bytes()).unwrap_or_default(), None);
    let then = facts(row, then, None);
    let of = |list: &[(&'static str, String)], label: &str| {
        list.iter().find(|(known, _)| *known == label).map(|(_, value)| value.clone()).unwrap_or_default()
    };
    let mut labels: Vec<&'static str> = now.iter().chain(&then).map(|(label, _)| *label).collect();
    labels.sort_unstable();
    labels.dedup();
    let pairs = labels.into_iter().map(|label| (label, of(&now, label), of(&then, label)));
    pairs.filter(|(_, now, then)| now != then).collect()
}

fn address(id: IntegrationId) -> String {
    format!("/integrations/{id}/undo")
}

pub async fn confirm(
    services: Data<Services>,
    request: HttpRequest,
    visitor: As<Operator>,
    id: Path<IntegrationId>,
) -> Result<HttpResponse, Error> {
    visitor.require_fresh(&request, &address(*id))?;
    let page = format!("/integrations/{id}");
    let Some((row, then)) = deployments::before(&services, *id).await? else {
        return Ok(page::see_other(&page, ""));
    };
    page::html(&Page {
        shell: Shell::new(&request, &visitor, "integrations"),
        page,
        changes: changes(&row, &then),
        row_version: row.row_version,
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
    posted.only(["row_version"])?;
    let seen = posted.seen_version().ok_or(Error::Malformed)?;
    let done = deployments::undo(&services, &visitor.principal(), (*id, seen)).await;
    let queued = done.map_err(step_up::on_its_page(&request, &address(*id)))?;
    Ok(page::see_other(&format!("/integrations/{id}"), if queued { "queued" } else { "busy" }))
}
