//! Takes a recipient off the list, with everything that waits to be sent there.

use actix_web::HttpResponse;
use actix_web::web::{Data, Path};
use uuid::Uuid;

use crate::app::App;
use crate::models::{DbError, recipients};
use crate::web::error::Error;
use crate::web::page;
use crate::web::posted::Posted;
use crate::web::session::{Administrator, As};

pub async fn destroy(
    app: Data<App>,
    visitor: As<Administrator>,
    id: Path<Uuid>,
    posted: Posted,
) -> Result<HttpResponse, Error> {
    posted.only([])?;
    let (vault, actor, id) = (app.vault.clone(), visitor.actor(), *id);
    let profile = app
        .db
        .transaction(move |conn| {
            let profile = recipients::find(conn, &vault, id)?.shown().integration_id;
            recipients::delete(conn, &vault, &actor, id)?;
            Ok::<_, DbError>(profile)
        })
        .await?;
    Ok(page::see_other(&format!("/integrations/{profile}"), "recipient-removed"))
}
