//! *Switch off* and *Switch on*: an integration that is off keeps its usage and its inventory, and scans nothing.

use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use uuid::Uuid;

use crate::integrations::Family;
use crate::models::integrations;
use crate::services::Services;
use crate::web::error::Error;
use crate::web::page;
use crate::web::posted::Posted;
use crate::web::session::{As, Operator};

pub async fn update(
    services: Data<Services>,
    request: HttpRequest,
    visitor: As<Operator>,
    id: Path<Uuid>,
    posted: Posted,
) -> Result<HttpResponse, Error> {
    posted.only(["active"])?;
    let active = match posted.get("active") {
        "on" => true,
        "" => false,
        _ => return Err(Error::Malformed),
    };
    let (id, vault) = (*id, services.vault.clone());
    let row = services.db.run(move |conn| integrations::find(conn, &vault, id)).await?.trust()?;
    if !active && row.family == Family::AlertProfile.slug() {
        // A channel that is off tells nobody anything.
        visitor.require_fresh(&request, &format!("/integrations/{id}"))?;
    }
    let (vault, actor) = (services.vault.clone(), visitor.actor());
    services.db.transaction(move |conn| integrations::set_active(conn, &vault, &actor, id, active)).await?;
    Ok(page::see_other(&format!("/integrations/{id}"), if active { "activated" } else { "deactivated" }))
}
