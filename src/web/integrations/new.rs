//! Adding an integration: the form, drawn anew when another version is chosen, and *Add and scan*.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use super::clusters::{self, Listed};
use super::detour;
use super::form::{self, Pressed, Reply};
use super::trial::Shown;
use crate::form::{FieldView, Values};
use crate::integrations::{Family, Spec};
use crate::services::Services;
use crate::usecases::Question;
use crate::usecases::integrations::draft::{self, Purpose};
use crate::usecases::integrations::{self, Added};
use crate::usecases::labels;
use crate::web::error::Error;
use crate::web::page::{self, Shell};
use crate::web::params::Params;
use crate::web::posted::Posted;
use crate::web::session::{As, Operator};
use crate::web::{htmx, login, step_up};

#[derive(Template)]
#[template(path = "integrations/new.html", blocks = ["fields"])]
struct New {
    shell: Shell,
    fields: Vec<FieldView>,
    warning: Option<&'static str>,
    way_out: Option<String>,
    ask: Option<Question>,
    alerts: bool,
    /// Adding it starts no run.
    waits: bool,
    /// What came of a test alert.
    tried: Option<Shown>,
    /// The connection does not work: it may be added all the same.
    not_connected: bool,
    /// The result of *List clusters*.
    clusters: Option<Listed>,
    provider: &'static Spec,
    summary: String,
    /// Asked before a channel tells somebody of alerts.
    password: Option<step_up::Ask>,
}

/// What there is to choose from, by family.
#[derive(Template)]
#[template(path = "integrations/kinds.html")]
struct Kinds {
    shell: Shell,
    families: Vec<(Family, &'static [&'static Spec])>,
}

impl New {
    async fn draw(services: &Services, shell: Shell, shown: Option<&Values>, reply: Reply) -> Result<Self, Error> {
        let empty = Values::default();
        let values = shown.unwrap_or(&empty);
        let version = draft::chosen(values.get("version"));
        let choices = form::choices(services, version, values).await?;
        let mut fields = form::views(version, shown, None, &reply.errors, &choices);
        crate::form::suggest(&mut fields, "owner", labels::owners(services).await?);
        let family = version.family();
        Ok(Self {
            shell,
            fields,
            warning: form::warning(version, values),
            way_out: form::way_out(&services.egress, version, values),
            ask: reply.ask,
            alerts: family == Family::AlertProfile,
            waits: matches!(family, Family::AlertProfile | Family::DaemonSet | Family::SecretSync),
            tried: reply.tried,
            not_connected: reply.not_connected,
            clusters: reply.clusters,
            provider: version,
            summary: format!("{}: {}", family.label(), family.summary()),
            password: reply.password,
        })
    }
}

/// The fields that the address fills in, beside the defaults of the others; `None` where it fills in none.
fn filled_in(params: &Params) -> Option<Values> {
    if let Some(whole) = detour::whole(params) {
        return Some(whole);
    }
    let given = |name: &&'static str| !params.get(name).is_empty();
    let mut values: Values =
        draft::field_names().into_iter().filter(given).map(|name| (name, params.get(name))).collect();
    values.names().next()?;
    for field in draft::fields(draft::chosen(values.get("version")), Purpose::New) {
        if !values.contains(field.name) {
            values.set(field.name, field.default);
        }
    }
    Some(values)
}

/// `GET /integrations/new`, and with `?version=docker_v2` the form. Any field may be given in the query, so that other pages can offer a form
/// that is filled in.
pub async fn new(
    services: Data<Services>,
    request: HttpRequest,
    visitor: As<Operator>,
    params: Params,
) -> Result<HttpResponse, Error> {
    let shell = Shell::new(&request, &visitor, "integrations");
    if params.link("", &[]).is_empty() && !htmx::asked(&request) {
        let families = Family::ALL.iter().map(|family| (*family, family.providers())).collect();
        return page::html(&Kinds { shell, families });
    }
    let page = New::draw(&services, shell, filled_in(&params).as_ref(), Reply::default()).await?;
    if htmx::asked(&request) { page::html(&page.as_fields()) } else { page::html(&page) }
}

pub async fn create(
    services: Data<Services>,
    request: HttpRequest,
    visitor: As<Operator>,
    posted: Posted,
) -> Result<HttpResponse, Error> {
    form::only(&posted, &[])?;
    let posted = clusters::picked(posted)?;
    let (principal, entered) = (visitor.principal(), form::entered(&services, &request, &posted));
    let done = match form::pressed(&posted)? {
        Pressed::Redraw => Ok(Reply::default()),
        Pressed::Try(what) => {
            integrations::try_out(&services, &principal, None, &entered, what).await.map(Reply::tried)
        }
        Pressed::ListClusters => integrations::clusters(&services, &principal, &entered).await.map(Reply::listed),
        Pressed::AddCredential => match detour::leave("/integrations/new", &posted) {
            Ok(away) => return Ok(away),
            Err(errors) => Ok(Reply { errors, ..Reply::default() }),
        },
        Pressed::Save => match integrations::create(&services, &principal, &entered).await {
            Ok(added) => return Ok(leave(&added)),
            Err(refusal) => Err(refusal),
        },
    };
    let shell = Shell::new(&request, &visitor, "integrations");
    again(&services, shell, &posted, done.or_else(Reply::refused)?).await
}

fn leave(added: &Added) -> HttpResponse {
    page::see_other(&format!("/integrations/{}", added.id), if added.queued { "queued" } else { "saved" })
}

async fn again(services: &Services, shell: Shell, posted: &Posted, reply: Reply) -> Result<HttpResponse, Error> {
    let (status, wait) = (reply.status, reply.wait);
    let page = New::draw(services, shell, Some(&posted.0), reply).await?;
    login::with_wait(page::html_with(status, &page)?, wait)
}
