//! Ending one's own sessions: one, or all but this one.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};

use super::super::error::Error;
use super::super::posted::Posted;
use super::super::session::{As, Auditor};
use super::super::{page, params};
use crate::services::Services;
use crate::usecases::account;

pub async fn end(
    services: Data<Services>,
    request: HttpRequest,
    visitor: As<Auditor>,
    posted: Posted,
) -> Result<HttpResponse, Error> {
    posted.only([])?;
    account::end_session(&services, &visitor.principal(), params::id(&request)?).await?;
    Ok(page::see_other("/account", "ended"))
}

pub async fn end_others(services: Data<Services>, visitor: As<Auditor>, posted: Posted) -> Result<HttpResponse, Error> {
    posted.only([])?;
    account::end_other_sessions(&services, &visitor.principal()).await?;
    Ok(page::see_other("/account", "sessions-ended"))
}
