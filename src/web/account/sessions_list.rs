//! Ending one's own sessions: one, or all but this one. Needs no password: it only takes away.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};

use super::super::error::Error;
use super::super::posted::Posted;
use super::super::session::{As, Auditor};
use super::super::{page, params};
use crate::models::sessions::Which;
use crate::models::{DbError, sessions, users};
use crate::services::Services;

pub async fn end(
    services: Data<Services>,
    request: HttpRequest,
    visitor: As<Auditor>,
    posted: Posted,
) -> Result<HttpResponse, Error> {
    posted.only([])?;
    let (one, id) = (params::id(&request)?, visitor.user_id);
    let (vault, actor) = (services.vault.clone(), visitor.actor());
    services
        .db
        .transaction(move |conn| {
            let user = users::find(conn, &vault, id)?.trust()?;
            match sessions::end_of(conn, &vault, &actor, &user, &Which::One(one))? {
                0 => Err(DbError::NotFound),
                _ => Ok(()),
            }
        })
        .await?;
    services.sessions.forget();
    Ok(page::see_other("/account", "ended"))
}

pub async fn end_others(services: Data<Services>, visitor: As<Auditor>, posted: Posted) -> Result<HttpResponse, Error> {
    posted.only([])?;
    let (id, keep, vault, actor) =
        (visitor.user_id, visitor.token_hash.clone(), services.vault.clone(), visitor.actor());
    services
        .db
        .transaction(move |conn| {
            let user = users::find(conn, &vault, id)?.trust()?;
            sessions::end_of(conn, &vault, &actor, &user, &Which::Others(&keep))
        })
        .await
        .map_err(|error: DbError| Error::from(error))?;
    services.sessions.forget();
    Ok(page::see_other("/account", "sessions-ended"))
}
