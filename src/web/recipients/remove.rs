//! Takes a recipient off the list, with everything that waits to be sent there.

use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};

use crate::models::RecipientId;
use crate::services::Services;
use crate::usecases::recipients;
use crate::web::error::Error;
use crate::web::posted::Posted;
use crate::web::session::{Administrator, As};
use crate::web::{page, step_up};

pub async fn destroy(
    services: Data<Services>,
    request: HttpRequest,
    visitor: As<Administrator>,
    id: Path<RecipientId>,
    posted: Posted,
) -> Result<HttpResponse, Error> {
    posted.only([])?;
    let page = format!("/integrations/{}", recipients::profile_of(&services, *id).await?);
    let removed = recipients::remove(&services, &visitor.principal(), *id).await;
    removed.map_err(step_up::on_its_page(&request, &page))?;
    Ok(page::see_other(&page, "recipient-removed"))
}
