//! What people do about an alert: *Acknowledge* and *Snooze*.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};

use crate::services::Services;
use crate::usecases::alerts::{self, Snooze};
use crate::web::error::Error;
use crate::web::posted::Posted;
use crate::web::session::{As, Operator};
use crate::web::{page, params};

pub async fn acknowledge(
    services: Data<Services>,
    request: HttpRequest,
    visitor: As<Operator>,
    posted: Posted,
) -> Result<HttpResponse, Error> {
    posted.only([])?;
    let id = params::id(&request)?;
    alerts::acknowledge(&services, &visitor.principal(), id).await?;
    Ok(page::see_other(&format!("/alerts/{id}"), "acknowledged"))
}

pub async fn snooze(
    services: Data<Services>,
    request: HttpRequest,
    visitor: As<Operator>,
    posted: Posted,
) -> Result<HttpResponse, Error> {
    posted.only(["days"])?;
    let id = params::id(&request)?;
    let snooze =
        Snooze::find(posted.get("days")).filter(|snooze| *snooze != Snooze::Quarter).ok_or(Error::Malformed)?;
    alerts::snooze(&services, &visitor.principal(), id, snooze).await?;
    Ok(page::see_other(&format!("/alerts/{id}"), if snooze == Snooze::Not { "reminded" } else { "snoozed" }))
}
