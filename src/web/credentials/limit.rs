//! From when on the secret of one credential counts as old: what its page shows of that, and the form that changes it.
//! Alerts follow at the next look at the clock.

use actix_web::http::StatusCode;
use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};

use super::edit::SHIPPED;
use super::show;
use crate::models::credential_limits::{self, Limits, MOST_DAYS};
use crate::models::credentials::{self, Credential};
use crate::models::{Conn, DbError};
use crate::services::Services;
use crate::web::alerts::settings::days;
use crate::web::error::Error;
use crate::web::page::{self, Shell};
use crate::web::posted::Posted;
use crate::web::session::{As, Operator};
use crate::web::step_up::{self, Ask};

/// The limit as the credential's page shows it.
pub struct LimitView {
    /// In the field: the credential's own limit, or what was entered.
    pub value: String,
    pub error: Option<String>,
    /// Asked before its alerts become quieter.
    pub password: Option<Ask>,
    /// Days at which it counts as old, if it ever does.
    pub days: Option<i32>,
    /// Whether that was set on the credential itself.
    pub own: bool,
    /// What its type says.
    pub by_kind: Option<i32>,
}

impl LimitView {
    pub fn new(limits: &Limits, row: &Credential, own: Option<i32>) -> Self {
        Self {
            value: own.map(|days| days.to_string()).unwrap_or_default(),
            error: None,
            password: None,
            days: limits.days(&row.kind, row.ages, own),
            own: own.is_some(),
            by_kind: limits.of_kind(&row.kind, row.ages),
        }
    }
}

pub async fn update(
    services: Data<Services>,
    request: HttpRequest,
    visitor: As<Operator>,
    path: Path<String>,
    posted: Posted,
) -> Result<HttpResponse, Error> {
    posted.only(["days", step_up::FIELD])?;
    let id = super::id(&path)?;
    let days = match days(posted.get("days"), 0, MOST_DAYS) {
        Ok(days) => days,
        Err(sentence) => {
            let mut page = show::load(&services, Shell::new(&request, &visitor, "credentials"), id).await?;
            page.limit.value = posted.get("days").to_owned();
            page.limit.error = Some(sentence);
            return page::html_with(StatusCode::UNPROCESSABLE_ENTITY, &page);
        }
    };
    let (limits, vault) = (services.limits(), services.vault.clone());
    let quieter = move |conn: &mut Conn| {
        let row = credentials::find(conn, &vault, id)?.trust()?;
        let [before, after] = [row.stale_after_days, days].map(|own| limits.days(&row.kind, row.ages, own));
        Ok::<_, DbError>(before.is_some_and(|before| after.is_none_or(|after| after > before)))
    };
    if services.db.run(quieter).await?
        && let Err(ask) = step_up::confirm(&services, &request, &visitor, &posted).await?
    {
        let mut page = show::load(&services, Shell::new(&request, &visitor, "credentials"), id).await?;
        page.limit.value = posted.get("days").to_owned();
        page.limit.password = Some(ask.clone());
        return ask.answer(&page);
    }
    let (vault, actor) = (services.vault.clone(), visitor.actor());
    let saved = services.db.transaction(move |conn| credential_limits::set(conn, &vault, &actor, id, days)).await;
    saved.map_err(|error| match error {
        DbError::Check(_) => Error::Conflict(SHIPPED.to_owned()),
        error => error.into(),
    })?;
    services.wake.alerts.notify_one();
    Ok(page::see_other(&format!("/credentials/{id}"), "limit"))
}
