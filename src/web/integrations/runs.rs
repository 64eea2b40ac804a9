//! *Scan now* and *Stop*. Both only leave word in the database; the worker of some replica acts on it.

use actix_web::HttpResponse;
use actix_web::web::{Data, Path};
use uuid::Uuid;

use crate::models::events::Action;
use crate::models::{DbError, events, integrations, runs};
use crate::services::Services;
use crate::web::error::Error;
use crate::web::page;
use crate::web::posted::Posted;
use crate::web::session::{As, Operator};

pub async fn create(
    services: Data<Services>,
    visitor: As<Operator>,
    id: Path<Uuid>,
    posted: Posted,
) -> Result<HttpResponse, Error> {
    posted.only([])?;
    let (vault, actor, id) = (services.vault.clone(), visitor.actor(), *id);
    let queued = services
        .db
        .transaction(move |conn| {
            // A run of a row that does not count fails at once, and says so in its history and in the audit trail.
            if !integrations::find(conn, &vault, id)?.shown().active {
                return Ok::<_, DbError>(None);
            }
            Ok(Some(runs::queue(conn, &vault, id, "asked", &actor.name)?.is_some()))
        })
        .await?;
    let Some(queued) = queued else {
        return Err(Error::Conflict("This integration is switched off. Switch it on to scan.".to_owned()));
    };
    if queued {
        services.wake.runs.notify_one();
    }
    Ok(page::see_other(&format!("/integrations/{id}"), if queued { "queued" } else { "busy" }))
}

pub async fn stop(
    services: Data<Services>,
    visitor: As<Operator>,
    id: Path<Uuid>,
    posted: Posted,
) -> Result<HttpResponse, Error> {
    posted.only([])?;
    let (vault, actor, id) = (services.vault.clone(), visitor.actor(), *id);
    let stopping = services
        .db
        .transaction(move |conn| {
            let row = integrations::find(conn, &vault, id)?.into_shown();
            let stopping = runs::request_stop(conn, id)?;
            if stopping {
                events::record(conn, &vault, &actor, &row.event(Action::ScanStopRequested, String::new()))?;
            }
            Ok::<_, DbError>(stopping)
        })
        .await?;
    Ok(page::see_other(&format!("/integrations/{id}"), if stopping { "stopping" } else { "" }))
}
