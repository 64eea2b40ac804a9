//! What people do about an alert: *Acknowledge* says that somebody looks after it, *Snooze* keeps reminders away.
//! Neither closes it: only the end of its cause does.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};

use crate::models::{DbError, alerts};
use crate::services::Services;
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
    let (id, vault, actor) = (params::id(&request)?, services.vault.clone(), visitor.actor());
    let done = services.db.transaction(move |conn| alerts::acknowledge(conn, &vault, &actor, id)).await;
    if !done.map_err(closed)? {
        return Err(Error::Conflict("Someone else already owns this alert. Its page says who.".to_owned()));
    }
    services.wake.alerts.notify_one();
    Ok(page::see_other(&format!("/alerts/{id}"), "acknowledged"))
}

pub async fn snooze(
    services: Data<Services>,
    request: HttpRequest,
    visitor: As<Operator>,
    posted: Posted,
) -> Result<HttpResponse, Error> {
    posted.only(["days"])?;
    let days = match posted.get("days") {
        "0" => 0,
        "1" => 1,
        "7" => 7,
        "30" => 30,
        _ => return Err(Error::Malformed),
    };
    let (id, vault, actor) = (params::id(&request)?, services.vault.clone(), visitor.actor());
    let done = services.db.transaction(move |conn| alerts::snooze(conn, &vault, &actor, id, days)).await;
    done.map_err(closed)?;
    services.wake.alerts.notify_one();
    Ok(page::see_other(&format!("/alerts/{id}"), if days > 0 { "snoozed" } else { "reminded" }))
}

fn closed(error: DbError) -> Error {
    match error {
        DbError::Stale => Error::Conflict("This alert is closed: what was wrong is not wrong any more.".to_owned()),
        error => error.into(),
    }
}
