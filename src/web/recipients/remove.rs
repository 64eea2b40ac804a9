//! Takes a recipient off the list, with everything that waits to be sent there.

use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use uuid::Uuid;

use crate::models::recipients;
use crate::services::Services;
use crate::web::error::Error;
use crate::web::page;
use crate::web::posted::Posted;
use crate::web::session::{Administrator, As};

pub async fn destroy(
    services: Data<Services>,
    request: HttpRequest,
    visitor: As<Administrator>,
    id: Path<Uuid>,
    posted: Posted,
) -> Result<HttpResponse, Error> {
    posted.only([])?;
    let (id, vault) = (*id, services.vault.clone());
    let profile = services.db.run(move |conn| recipients::find(conn, &vault, id)).await?.shown().integration_id;
    let page = format!("/integrations/{profile}");
    visitor.require_fresh(&request, &page)?;
    let (vault, actor) = (services.vault.clone(), visitor.actor());
    services.db.transaction(move |conn| recipients::delete(conn, &vault, &actor, id)).await?;
    Ok(page::see_other(&page, "recipient-removed"))
}
