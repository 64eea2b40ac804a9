//! *Scan now* and *Stop*. Both only leave word in the database; the worker of some replica acts on it.

use actix_web::HttpResponse;
use actix_web::web::{Data, Path};

use crate::models::IntegrationId;
use crate::services::Services;
use crate::usecases::integrations;
use crate::web::error::Error;
use crate::web::page;
use crate::web::posted::Posted;
use crate::web::session::{As, Operator};

pub async fn create(
    services: Data<Services>,
    visitor: As<Operator>,
    id: Path<IntegrationId>,
    posted: Posted,
) -> Result<HttpResponse, Error> {
    posted.only([])?;
    let queued = integrations::scan(&services, &visitor.principal(), *id).await?;
    Ok(page::see_other(&format!("/integrations/{id}"), if queued { "queued" } else { "busy" }))
}

pub async fn stop(
    services: Data<Services>,
    visitor: As<Operator>,
    id: Path<IntegrationId>,
    posted: Posted,
) -> Result<HttpResponse, Error> {
    posted.only([])?;
    let stopping = integrations::stop(&services, &visitor.principal(), *id).await?;
    Ok(page::see_other(&format!("/integrations/{id}"), if stopping { "stopping" } else { "" }))
}
