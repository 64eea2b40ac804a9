//! What an administrator changes on one user. Each asks for a password that was given lately, is audited, and ends the
//! sessions that must not outlive it, all in one transaction of `models::users::change`.

use actix_web::http::StatusCode;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use uuid::Uuid;

use super::super::error::{Error, LAST_ADMINISTRATOR};
use super::super::posted::Posted;
use super::super::session::{Administrator, As};
use super::super::{page, params};
use super::new::Wanted;
use super::show;
use crate::accounts::Role;
use crate::form::Errors;
use crate::models::sessions::Which;
use crate::models::users::{self, Change};
use crate::models::{DbError, sessions};
use crate::services::Services;

pub async fn role(
    services: Data<Services>,
    request: HttpRequest,
    visitor: As<Administrator>,
    posted: Posted,
) -> Result<HttpResponse, Error> {
    posted.only(["role"])?;
    let id = subject(&request, &visitor)?;
    let role =
        Role::find(posted.get("role")).ok_or_else(|| Error::Unacceptable("Choose one of the roles.".to_owned()))?;
    change(&services, &request, &visitor, id, Change::Role(role.slug().to_owned()), "role").await
}

pub async fn disabled(
    services: Data<Services>,
    request: HttpRequest,
    visitor: As<Administrator>,
    posted: Posted,
) -> Result<HttpResponse, Error> {
    posted.only(["disabled"])?;
    let id = subject(&request, &visitor)?;
    let (disabled, word) = match posted.get("disabled") {
        "on" => (true, "disabled"),
        "off" => (false, "enabled"),
        _ => return Err(Error::Malformed),
    };
    change(&services, &request, &visitor, id, Change::Disabled(disabled), word).await
}

pub async fn two_step(
    services: Data<Services>,
    request: HttpRequest,
    visitor: As<Administrator>,
    posted: Posted,
) -> Result<HttpResponse, Error> {
    posted.only(["two_step"])?;
    let id = subject(&request, &visitor)?;
    let (wanted, word) = match posted.get("two_step") {
        "required" => (Change::TotpRequired(true), "saved"),
        "optional" => (Change::TotpRequired(false), "saved"),
        "reset" => (Change::TotpRemoved, "two-step-reset"),
        _ => return Err(Error::Malformed),
    };
    change(&services, &request, &visitor, id, wanted, word).await
}

pub async fn password(
    services: Data<Services>,
    request: HttpRequest,
    visitor: As<Administrator>,
    posted: Posted,
) -> Result<HttpResponse, Error> {
    posted.only(["password", "password_again"])?;
    let id = subject(&request, &visitor)?;
    if id == visitor.user_id {
        return Err(Error::Unacceptable("Change your own password on your account page.".to_owned()));
    }
    let vault = services.vault.clone();
    let name = services.db.run(move |conn| users::find(conn, &vault, id)).await?.into_shown().name;
    let wanted = Wanted::read(&posted, &name);
    if !wanted.errors.is_empty() {
        let status = StatusCode::UNPROCESSABLE_ENTITY;
        return show::render(&services, &request, &visitor, status, None, wanted.errors).await;
    }
    let hash = services.gate.hasher.hash(&wanted.password).await?;
    let answer = change(&services, &request, &visitor, id, Change::TemporaryPassword(hash), "user-password").await?;
    if wanted.generated && answer.status() == StatusCode::SEE_OTHER {
        return super::generated(&request, &visitor, id, &name, &wanted.password, false);
    }
    Ok(answer)
}

pub async fn end_sessions(
    services: Data<Services>,
    request: HttpRequest,
    visitor: As<Administrator>,
    posted: Posted,
) -> Result<HttpResponse, Error> {
    posted.only([])?;
    let id = params::id(&request)?;
    let (keep, vault, actor) = (visitor.token_hash.clone(), services.vault.clone(), visitor.actor());
    services
        .db
        .transaction(move |conn| {
            let user = users::find(conn, &vault, id)?.into_shown();
            sessions::end_of(conn, &vault, &actor, &user, &Which::Others(&keep))
        })
        .await
        .map_err(|error: DbError| Error::from(error))?;
    services.sessions.forget();
    Ok(page::see_other(&format!("/users/{id}"), "sessions-ended"))
}

/// Whom it is about, once the visitor has shown lately who they are.
fn subject(request: &HttpRequest, visitor: &As<Administrator>) -> Result<Uuid, Error> {
    let id = params::id(request)?;
    visitor.require_fresh(request, &format!("/users/{id}"))?;
    Ok(id)
}

async fn change(
    services: &Services,
    request: &HttpRequest,
    visitor: &As<Administrator>,
    id: Uuid,
    change: Change,
    word: &str,
) -> Result<HttpResponse, Error> {
    // One's own session outlives what one does to oneself, but not under another role.
    let keep = Some(visitor.token_hash.clone()).filter(|_| !matches!(change, Change::Role(_)));
    let (vault, actor) = (services.vault.clone(), visitor.actor());
    let changed =
        services.db.transaction(move |conn| users::change(conn, &vault, &actor, id, &change, keep.as_deref())).await;
    services.sessions.forget();
    match changed {
        Ok(()) => Ok(page::see_other(&format!("/users/{id}"), word)),
        Err(DbError::Check(name)) if name == "users_last_administrator" => {
            let status = StatusCode::UNPROCESSABLE_ENTITY;
            show::render(services, request, visitor, status, Some(LAST_ADMINISTRATOR), Errors::default()).await
        }
        Err(error) => Err(error.into()),
    }
}
