//! *Deploy*: the user's answers to the preview arrive as one field per answer, or as one button with all of them.

use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};

use crate::integrations::deployments::Options;
use crate::models::IntegrationId;
use crate::services::Services;
use crate::usecases::integrations::deployments;
use crate::web::error::Error;
use crate::web::page;
use crate::web::posted::Posted;
use crate::web::session::{As, Operator};
use crate::web::step_up;

/// The fields other than the answers.
const FIELDS: [&str; 2] = ["row_version", "all"];

fn options(posted: &Posted) -> Result<Options, Error> {
    let ticked = posted.0.names().filter(|name| !FIELDS.contains(name));
    let words: Vec<String> = ticked.chain(posted.get("all").lines()).map(str::to_owned).collect();
    let unknown = "The form holds a field that does not belong to it. Reload the page.";
    Options::from_words(&words).ok_or_else(|| Error::Unacceptable(unknown.to_owned()))
}

pub async fn create(
    services: Data<Services>,
    request: HttpRequest,
    visitor: As<Operator>,
    id: Path<IntegrationId>,
    posted: Posted,
) -> Result<HttpResponse, Error> {
    let (options, seen) = (options(&posted)?, posted.seen_version().ok_or(Error::Malformed)?);
    let page = format!("/integrations/{id}");
    let done = deployments::deploy(&services, &visitor.principal(), (*id, seen), &options).await;
    let queued = done.map_err(step_up::on_its_page(&request, &page))?;
    Ok(page::see_other(&page, if queued { "queued" } else { "busy" }))
}
