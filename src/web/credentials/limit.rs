//! From when on the secret of one credential counts as old: what its page shows of that, and the form that changes it.
//! Alerts follow at the next look at the clock.

use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};

use super::show;
use crate::models::credential_limits::Limits;
use crate::models::credentials::Credential;
use crate::services::Services;
use crate::usecases::{Refusal, credentials};
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
    let (id, days) = (super::id(&path)?, posted.get("days"));
    let confirmation = step_up::typed(step_up::FIELD, &services, &request, &posted);
    let refusal = match credentials::set_limit(&services, &visitor.principal(), id, days, &confirmation).await {
        Ok(()) => return Ok(page::see_other(&format!("/credentials/{id}"), "limit")),
        Err(refusal) => refusal,
    };
    let shown = async || show::load(&services, Shell::new(&request, &visitor, "credentials"), id).await;
    match refusal {
        Refusal::Invalid(errors) => shown().await?.with_limit(days, &errors),
        Refusal::Unconfirmed(why) => shown().await?.with_password(days, Ask::new(step_up::FIELD, why)),
        refusal => Err(refusal.into()),
    }
}
