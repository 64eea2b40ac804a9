//! The webhook of an integration: its part of the integration's page, and the page that shows its address this once.

use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;
use chrono::{DateTime, Utc};

use crate::integrations::registries::hooks::Hook;
use crate::models::integrations::Integration;
use crate::models::{Conn, DbError, IntegrationId, hooks as stored};
use crate::services::Services;
use crate::usecases::hooks::{self, Made};
use crate::vault::Vault;
use crate::web::error::Error;
use crate::web::page::{self, Shell, When};
use crate::web::posted::Posted;
use crate::web::session::{As, Operator};
use crate::web::step_up;

/// What the integration's page says of its webhook.
pub struct Webhook {
    /// Who made the address and when; `None` without one.
    pub made: Option<(String, When)>,
    /// The row is not what Strongroom saved, so that calls are refused.
    pub is_refused: bool,
}

impl Webhook {
    /// `None` for an integration that nothing calls.
    pub fn read(
        conn: &mut Conn,
        vault: &Vault,
        row: &Integration,
        now: DateTime<Utc>,
    ) -> Result<Option<Self>, DbError> {
        if Hook::of(&row.version).is_none() {
            return Ok(None);
        }
        let found = stored::of(conn, vault, row.id)?;
        let is_refused = found.as_ref().is_some_and(|seen| seen.doubt().is_some());
        let made = found.map(|seen| {
            let row = seen.into_shown();
            (row.made_by, page::when(row.made_at, now))
        });
        Ok(Some(Self { made, is_refused }))
    }
}

#[derive(Template)]
#[template(path = "integrations/webhook.html")]
struct Shown {
    shell: Shell,
    page: String,
    made: Made,
}

fn address(id: IntegrationId) -> String {
    format!("/integrations/{id}")
}

pub async fn create(
    services: Data<Services>,
    request: HttpRequest,
    visitor: As<Operator>,
    id: Path<IntegrationId>,
    posted: Posted,
) -> Result<HttpResponse, Error> {
    posted.only([])?;
    let made = hooks::make(&services, &visitor.principal(), *id).await;
    let made = made.map_err(step_up::on_its_page(&request, &address(*id)))?;
    page::html(&Shown { shell: Shell::new(&request, &visitor, "integrations"), page: address(*id), made })
}

pub async fn destroy(
    services: Data<Services>,
    visitor: As<Operator>,
    id: Path<IntegrationId>,
    posted: Posted,
) -> Result<HttpResponse, Error> {
    posted.only([])?;
    hooks::remove(&services, &visitor.principal(), *id).await?;
    Ok(page::see_other(&address(*id), "webhook-off"))
}
