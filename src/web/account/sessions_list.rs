//! Ending one's own sessions: one, or all but this one. Needs no password: it only takes away.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};

use super::super::error::Error;
use super::super::posted::Posted;
use super::super::session::{As, Auditor};
use super::super::{page, params};
use crate::app::App;
use crate::models::sessions::Which;
use crate::models::{DbError, sessions, users};

pub async fn end(
    app: Data<App>,
    request: HttpRequest,
    visitor: As<Auditor>,
    posted: Posted,
) -> Result<HttpResponse, Error> {
    posted.only([])?;
    let (one, id) = (params::id(&request)?, visitor.user_id);
    let (vault, actor) = (app.vault.clone(), visitor.actor());
    app.db
        .transaction(move |conn| {
            let user = users::find(conn, &vault, id)?.trust()?;
            match sessions::end_of(conn, &vault, &actor, &user, &Which::One(one))? {
                0 => Err(DbError::NotFound),
                _ => Ok(()),
            }
        })
        .await?;
    app.sessions.forget();
    Ok(page::see_other("/account", "ended"))
}

pub async fn end_others(app: Data<App>, visitor: As<Auditor>, posted: Posted) -> Result<HttpResponse, Error> {
    posted.only([])?;
    let (id, keep, vault, actor) = (visitor.user_id, visitor.token_hash.clone(), app.vault.clone(), visitor.actor());
    app.db
        .transaction(move |conn| {
            let user = users::find(conn, &vault, id)?.trust()?;
            sessions::end_of(conn, &vault, &actor, &user, &Which::Others(&keep))
        })
        .await
        .map_err(|error: DbError| Error::from(error))?;
    app.sessions.forget();
    Ok(page::see_other("/account", "sessions-ended"))
}
