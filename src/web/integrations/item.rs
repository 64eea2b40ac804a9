//! The address of an item: leads to its place in the inventory.

use actix_web::HttpResponse;
use actix_web::web::{Data, Path};

use crate::models::{ItemId, items};
use crate::services::Services;
use crate::web::error::Error;
use crate::web::page;
use crate::web::params::Params;
use crate::web::session::{As, Auditor};

pub async fn show(
    services: Data<Services>,
    _: As<Auditor>,
    id: Path<ItemId>,
    params: Params,
) -> Result<HttpResponse, Error> {
    let id = *id;
    let (integration, item) = services.db.run(move |conn| items::find(conn, id)).await?;
    Ok(page::see_other(&params.link(&format!("/integrations/{integration}"), &[("q", &item.name)]), ""))
}
