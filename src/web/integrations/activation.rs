//! *Switch off* and *Switch on*: an integration that is off keeps its usage and its inventory, and scans nothing.

use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};

use crate::models::IntegrationId;
use crate::services::Services;
use crate::usecases::integrations;
use crate::web::error::Error;
use crate::web::posted::Posted;
use crate::web::session::{As, Operator};
use crate::web::{page, step_up};

pub async fn update(
    services: Data<Services>,
    request: HttpRequest,
    visitor: As<Operator>,
    id: Path<IntegrationId>,
    posted: Posted,
) -> Result<HttpResponse, Error> {
    posted.only(["active"])?;
    let (active, word) = match posted.get("active") {
        "on" => (true, "activated"),
        "" => (false, "deactivated"),
        _ => return Err(Error::Malformed),
    };
    let page = format!("/integrations/{id}");
    let done = integrations::set_active(&services, &visitor.principal(), *id, active).await;
    done.map_err(step_up::on_its_page(&request, &page))?;
    Ok(page::see_other(&page, word))
}
