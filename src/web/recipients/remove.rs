//! Takes a recipient off the list, with everything that waits to be sent there.

use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use uuid::Uuid;

use crate::app::App;
use crate::models::recipients;
use crate::web::error::Error;
use crate::web::page;
use crate::web::posted::Posted;
use crate::web::session::{Administrator, As};

pub async fn destroy(
    app: Data<App>,
    request: HttpRequest,
    visitor: As<Administrator>,
    id: Path<Uuid>,
    posted: Posted,
) -> Result<HttpResponse, Error> {
    posted.only([])?;
    let (id, vault) = (*id, app.vault.clone());
    let profile = app.db.run(move |conn| recipients::find(conn, &vault, id)).await?.shown().integration_id;
    let page = format!("/integrations/{profile}");
    visitor.require_fresh(&request, &page)?;
    let (vault, actor) = (app.vault.clone(), visitor.actor());
    app.db.transaction(move |conn| recipients::delete(conn, &vault, &actor, id)).await?;
    Ok(page::see_other(&page, "recipient-removed"))
}
