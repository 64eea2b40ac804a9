//! Editing an integration. A stored secret goes to another host, or another secret to this one, only after the visitor
//! has said so and given their password.

use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use super::clusters::{self, Listed};
use super::detour;
use super::form::{self, Pressed, Reply};
use super::trial::Shown;
use crate::form::{FieldView, Values};
use crate::integrations::Family;
use crate::models::IntegrationId;
use crate::models::integrations::Integration;
use crate::services::Services;
use crate::usecases::Question;
use crate::usecases::integrations::{self, draft};
use crate::usecases::labels;
use crate::web::error::Error;
use crate::web::page::{self, Shell};
use crate::web::params::Params;
use crate::web::posted::Posted;
use crate::web::session::{As, Operator};
use crate::web::{htmx, login, step_up};

#[derive(Template)]
#[template(path = "integrations/edit.html", blocks = ["fields"])]
struct Edit {
    shell: Shell,
    /// Of the integration, and of this form.
    page: String,
    address: String,
    name: String,
    row_version: i64,
    fields: Vec<FieldView>,
    warning: Option<&'static str>,
    way_out: Option<String>,
    ask: Option<Question>,
    alerts: bool,
    /// Slug of the provider, whose help is linked.
    provider: &'static str,
    /// What came of a test alert.
    tried: Option<Shown>,
    /// The result of *List clusters*.
    clusters: Option<Listed>,
    /// Who saved meanwhile.
    overtaken_by: Option<String>,
    /// Asked before a channel sends something else, or elsewhere.
    password: Option<step_up::Ask>,
}

impl Edit {
    async fn draw(
        services: &Services,
        shell: Shell,
        row: &Integration,
        values: &Values,
        reply: Reply,
    ) -> Result<Self, Error> {
        let version = draft::chosen(values.get("version"));
        let choices = form::choices(services, version, values).await?;
        let mut fields = form::views(version, Some(values), Some(&form::stored(row)), &reply.errors, &choices);
        crate::form::suggest(&mut fields, "owner", labels::owners(services).await?);
        Ok(Self {
            shell,
            page: format!("/integrations/{}", row.id),
            address: format!("/integrations/{}/edit", row.id),
            name: row.name.clone(),
            row_version: row.row_version,
            fields,
            warning: form::warning(version, values),
            way_out: form::way_out(&services.egress, version, values),
            ask: reply.ask,
            provider: version.slug,
            alerts: version.family() == Family::AlertProfile,
            tried: reply.tried,
            clusters: reply.clusters,
            overtaken_by: reply.overtaken.then(|| row.edited_by.clone()),
            password: reply.password,
        })
    }
}

/// What is saved. Drawn anew for another version: what was chosen stays, typed text never leaves the browser for this.
/// Who comes back from adding a credential finds the whole form as it was.
fn filled_in(row: &Integration, params: &Params) -> Values {
    if let Some(whole) = detour::whole(params) {
        return whole;
    }
    let mut shown = form::stored(row);
    if !params.get("version").is_empty() && integrations::stays(row, params.get("version")).is_ok() {
        for field in ["version", "credential", "schedule"] {
            shown.set(field, params.get(field));
        }
    }
    shown
}

pub async fn edit(
    services: Data<Services>,
    request: HttpRequest,
    visitor: As<Operator>,
    id: Path<IntegrationId>,
    params: Params,
) -> Result<HttpResponse, Error> {
    let row = integrations::editable(&services, *id).await?;
    let shell = Shell::new(&request, &visitor, "integrations");
    let page = Edit::draw(&services, shell, &row, &filled_in(&row, &params), Reply::default()).await?;
    if htmx::asked(&request) { page::html(&page.as_fields()) } else { page::html(&page) }
}

pub async fn update(
    services: Data<Services>,
    request: HttpRequest,
    visitor: As<Operator>,
    id: Path<IntegrationId>,
    posted: Posted,
) -> Result<HttpResponse, Error> {
    form::only(&posted, &["row_version"])?;
    let at = (*id, posted.get("row_version").parse().map_err(|_| Error::Malformed)?);
    let posted = clusters::picked(posted)?;
    let (principal, entered) = (visitor.principal(), form::entered(&services, &request, &posted));
    let done = match form::pressed(&posted)? {
        Pressed::Redraw => Ok(Reply::default()),
        Pressed::Try(what) => {
            integrations::try_out(&services, &principal, Some(at), &entered, what).await.map(Reply::tried)
        }
        Pressed::ListClusters => integrations::clusters(&services, &principal, &entered).await.map(Reply::listed),
        Pressed::AddCredential => match detour::leave(&format!("/integrations/{id}/edit"), &posted) {
            Ok(away) => return Ok(away),
            Err(errors) => Ok(Reply { errors, ..Reply::default() }),
        },
        Pressed::Save => match integrations::update(&services, &principal, at, &entered).await {
            Ok(()) => return Ok(page::see_other(&format!("/integrations/{id}"), "saved")),
            Err(refusal) => Err(refusal),
        },
    };
    let shell = Shell::new(&request, &visitor, "integrations");
    again(&services, shell, at, &posted, done.or_else(Reply::refused)?).await
}

/// The form of the integration as it was filled in, over the version that it showed. Who was overtaken may save over
/// the version that is there now.
async fn again(
    services: &Services,
    shell: Shell,
    (id, seen): (IntegrationId, i64),
    posted: &Posted,
    reply: Reply,
) -> Result<HttpResponse, Error> {
    let (status, wait) = (reply.status, reply.wait);
    let row = integrations::editable(services, id).await?;
    let mut page = Edit::draw(services, shell, &row, &posted.0, reply).await?;
    if page.overtaken_by.is_none() {
        page.row_version = seen;
    }
    login::with_wait(page::html_with(status, &page)?, wait)
}
