//! Ending one's own sessions: one, or all but this one. Needs no password: it only takes away.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};

use super::super::error::Error;
use super::super::posted::Posted;
use super::super::session::{As, Auditor};
use super::super::{page, params};
use crate::app::App;
use crate::models::events::Action;
use crate::models::{DbError, events, sessions, users};

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
            if !sessions::end_one(conn, id, one)? {
                return Err(DbError::NotFound);
            }
            let user = users::find(conn, id)?;
            events::record(conn, &vault, &actor, &user.event(Action::SessionEnded, String::new()))
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
            let ended = sessions::end_others(conn, id, &keep)?;
            let user = users::find(conn, id)?;
            let detail = format!("all others, {ended} in number");
            events::record(conn, &vault, &actor, &user.event(Action::SessionEnded, detail))
        })
        .await
        .map_err(|error: DbError| Error::from(error))?;
    app.sessions.forget();
    Ok(page::see_other("/account", "sessions-ended"))
}
