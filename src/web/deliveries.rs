//! What people decide about a message that no channel would take: *Try again*, or *Give up*. The forms stand on the
//! Alerts pages and on a channel's own.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};

use super::error::Error;
use super::posted::Posted;
use super::session::{As, Operator};
use super::{page, params, step_up};
use crate::models::deliveries::Parked;
use crate::services::Services;
use crate::usecases::Refusal;
use crate::usecases::deliveries::{self, Decision};

pub async fn retry(
    services: Data<Services>,
    request: HttpRequest,
    visitor: As<Operator>,
    posted: Posted,
) -> Result<HttpResponse, Error> {
    one(&services, &request, &visitor, &posted, Decision::Retry).await
}

/// `drop` is the name of the address; the function of that name is Rust's.
pub async fn give_up(
    services: Data<Services>,
    request: HttpRequest,
    visitor: As<Operator>,
    posted: Posted,
) -> Result<HttpResponse, Error> {
    one(&services, &request, &visitor, &posted, Decision::GiveUp).await
}

async fn one(
    services: &Services,
    request: &HttpRequest,
    visitor: &As<Operator>,
    posted: &Posted,
    decision: Decision,
) -> Result<HttpResponse, Error> {
    posted.only(["next"])?;
    let one = Parked::One(params::id(request)?);
    let tried = deliveries::decide(services, &visitor.principal(), one, decision).await;
    answer(request, listed(posted.get("next")), decision, tried)
}

/// All that waits at a channel, by a button of the channel's page.
pub async fn of_channel(
    services: Data<Services>,
    request: HttpRequest,
    visitor: As<Operator>,
    posted: Posted,
) -> Result<HttpResponse, Error> {
    posted.only(["decision"])?;
    let decision = match posted.get("decision") {
        "retry" => Decision::Retry,
        "drop" => Decision::GiveUp,
        _ => return Err(Error::Malformed),
    };
    let id = params::id(&request)?;
    let tried = deliveries::decide(&services, &visitor.principal(), Parked::OfChannel(id), decision).await;
    answer(&request, &format!("/integrations/{id}"), decision, tried)
}

/// The page that a form stands on.
fn listed(next: &str) -> &str {
    match next {
        "" => "/alerts",
        next => page::local_path(next),
    }
}

/// Back to that page.
fn answer(
    request: &HttpRequest,
    to: &str,
    decision: Decision,
    tried: Result<usize, Refusal>,
) -> Result<HttpResponse, Error> {
    let word = match (decision, tried.map_err(step_up::on_its_page(request, to))?) {
        (Decision::Retry, 0) => "nothing-to-retry",
        (Decision::Retry, _) => "retried",
        (Decision::GiveUp, _) => "given-up",
    };
    Ok(page::see_other(to, word))
}
