//! What people decide about a message that no channel would take: *Try again*, or *Give up*. The forms stand on the
//! Alerts pages and on a channel's own.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};

use super::error::Error;
use super::posted::Posted;
use super::session::{As, Operator};
use super::{page, params};
use crate::models::DbError;
use crate::models::deliveries::{self, Parked};
use crate::services::Services;

pub async fn retry(
    services: Data<Services>,
    request: HttpRequest,
    visitor: As<Operator>,
    posted: Posted,
) -> Result<HttpResponse, Error> {
    posted.only(["next"])?;
    decide(&services, &visitor, Parked::One(params::id(&request)?), posted.get("next"), true).await
}

/// `drop` is the name of the address; the function of that name is Rust's.
pub async fn give_up(
    services: Data<Services>,
    request: HttpRequest,
    visitor: As<Operator>,
    posted: Posted,
) -> Result<HttpResponse, Error> {
    posted.only(["next"])?;
    visitor.require_fresh(&request, listed(posted.get("next")))?;
    decide(&services, &visitor, Parked::One(params::id(&request)?), posted.get("next"), false).await
}

/// All that waits at a channel, by a button of the channel's page.
pub async fn of_channel(
    services: Data<Services>,
    request: HttpRequest,
    visitor: As<Operator>,
    posted: Posted,
) -> Result<HttpResponse, Error> {
    posted.only(["decision"])?;
    let again = match posted.get("decision") {
        "retry" => true,
        "drop" => false,
        _ => return Err(Error::Malformed),
    };
    let id = params::id(&request)?;
    if !again {
        visitor.require_fresh(&request, &format!("/integrations/{id}"))?;
    }
    decide(&services, &visitor, Parked::OfChannel(id), &format!("/integrations/{id}"), again).await
}

/// The page that a form stands on.
fn listed(next: &str) -> &str {
    match next {
        "" => "/alerts",
        next => page::local_path(next),
    }
}

/// `next` as in [`listed`].
async fn decide(
    services: &Services,
    visitor: &As<Operator>,
    which: Parked,
    next: &str,
    again: bool,
) -> Result<HttpResponse, Error> {
    let (vault, actor) = (services.vault.clone(), visitor.actor());
    let decided = services.db.transaction(move |conn| deliveries::decide(conn, &vault, &actor, which, again)).await;
    let tried = decided.map_err(|error| match error {
        DbError::Stale => Error::Conflict("This message waits for nobody any more.".to_owned()),
        error => error.into(),
    })?;
    services.wake.messages.notify_one();
    services.wake.alerts.notify_one();
    Ok(page::see_other(
        listed(next),
        match (again, tried) {
            (true, 0) => "nothing-to-retry",
            (true, _) => "retried",
            (false, _) => "given-up",
        },
    ))
}
