//! Adding an integration: the form, drawn anew when another version is chosen, and *Add and scan*.

use actix_web::http::StatusCode;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use super::destination::{self, Ask};
use super::draft::{self, Draft};
use super::trial::{self, Tried};
use crate::form::{Errors, FieldView, Values};
use crate::integrations::Family;
use crate::models::events::Action;
use crate::models::{DbError, events, integrations, runs};
use crate::services::Services;
use crate::web::error::Error;
use crate::web::htmx;
use crate::web::page::{self, Shell};
use crate::web::params::Params;
use crate::web::posted::Posted;
use crate::web::session::{As, Operator};
use crate::web::step_up;

#[derive(Template)]
#[template(path = "integrations/new.html", blocks = ["fields"])]
struct New {
    shell: Shell,
    fields: Vec<FieldView>,
    warning: Option<&'static str>,
    way_out: Option<String>,
    ask: Option<Ask>,
    alerts: bool,
    /// What came of a test alert.
    tried: Option<Tried>,
    families: Vec<(&'static str, &'static str, bool)>,
    summary: String,
    /// Asked before a channel tells somebody of alerts.
    password: Option<step_up::Ask>,
}

impl New {
    async fn draw(
        services: &Services,
        shell: Shell,
        shown: Option<&Values>,
        errors: &Errors,
        ask: Option<Ask>,
    ) -> Result<Self, Error> {
        let empty = Values::default();
        let values = shown.unwrap_or(&empty);
        let version = draft::chosen(values.get("version"));
        let choices = draft::choices(services, version).await?;
        let fields = draft::views(version, shown, None, errors, &choices);
        let family = version.family();
        let first = |family: Family| family.providers().first().map_or("", |spec| spec.slug);
        let families = Family::ALL.iter().map(|other| (first(*other), other.label(), *other == family));
        Ok(Self {
            shell,
            fields,
            warning: draft::warning(version, values),
            way_out: draft::way_out(&services.egress, version, values),
            ask,
            alerts: family == Family::AlertProfile,
            tried: None,
            families: families.collect(),
            summary: format!("{}: {}", family.label(), family.summary()),
            password: None,
        })
    }
}

/// `GET /integrations/new?version=docker_v2`. Any field may be given in the query, so that other pages can offer a form
/// that is filled in.
pub async fn new(
    services: Data<Services>,
    request: HttpRequest,
    visitor: As<Operator>,
    params: Params,
) -> Result<HttpResponse, Error> {
    let shell = Shell::new(&request, &visitor, "integrations");
    let given = |name: &&'static str| !params.get(name).is_empty();
    let values: Values = draft::field_names().into_iter().filter(given).map(|name| (name, params.get(name))).collect();
    let shown = values.names().next().is_some().then(|| {
        let mut shown = values.clone();
        let fields = draft::fields(draft::chosen(values.get("version")));
        for field in fields.iter().filter(|field| !values.contains(field.name)) {
            shown.set(field.name, field.default);
        }
        shown
    });
    let page = New::draw(&services, shell, shown.as_ref(), &Errors::default(), None).await?;
    match htmx::asked(&request) {
        true => page::html(&page.as_fields()),
        false => page::html(&page),
    }
}

pub async fn create(
    services: Data<Services>,
    request: HttpRequest,
    visitor: As<Operator>,
    posted: Posted,
) -> Result<HttpResponse, Error> {
    posted.only(draft::field_names().into_iter().chain(destination::FIELDS).chain(["redraw", "try"]))?;
    let shell = || Shell::new(&request, &visitor, "integrations");
    let again = async |errors: Errors, ask| {
        let page = New::draw(&services, shell(), Some(&posted.0), &errors, ask).await?;
        page::html_with(StatusCode::UNPROCESSABLE_ENTITY, &page)
    };
    if posted.0.contains("redraw") {
        return page::html(&New::draw(&services, shell(), Some(&posted.0), &Errors::default(), None).await?);
    }
    let draft = match Draft::check(&services, &posted.0) {
        Ok(draft) => std::sync::Arc::new(draft),
        Err(errors) => return again(errors, None).await,
    };
    let (vault, looked) = (services.vault.clone(), draft.clone());
    let found = services.db.run(move |conn| destination::find(conn, &vault, &looked, None)).await?;
    let destination = match found {
        Ok(destination) => destination,
        Err(errors) => return again(errors, None).await,
    };
    if let Some(destination) = &destination
        && let Err(ask) = destination.confirm(&services, &request, &visitor, &posted, &draft.name).await?
    {
        return again(Errors::default(), Some(ask)).await;
    }
    if posted.0.contains("try") {
        let tried = trial::on_form(&services, &visitor, &draft, destination, posted.get("try")).await?;
        let mut page = New::draw(&services, shell(), Some(&posted.0), &Errors::default(), None).await?;
        page.tried = Some(tried);
        return page::html(&page);
    }
    let scans = draft.provider.family() == Family::RegistryScan;
    if !scans
        && destination.is_none()
        && let Err(ask) = step_up::confirm(&services, &request, &visitor, &posted).await?
    {
        let page = New::draw(&services, shell(), Some(&posted.0), &Errors::default(), None).await?;
        return ask.answer(&New { password: Some(ask.clone()), ..page });
    }
    let (vault, actor) = (services.vault.clone(), visitor.actor());
    let created = services.db.transaction(move |conn| {
        let id = integrations::create(conn, &vault, &actor, &draft.row())?;
        if let Some(destination) = &destination {
            let mut event = destination.event(Action::IntegrationDestinationAllowed, &draft.name);
            event.subject_id = Some(id);
            events::record(conn, &vault, &actor, &event)?;
        }
        if scans {
            runs::queue(conn, &vault, id, "added", &actor.name)?;
        }
        Ok::<_, DbError>(id)
    });
    match created.await {
        Ok(id) => {
            services.wake.runs.notify_one();
            Ok(page::see_other(&format!("/integrations/{id}"), if scans { "queued" } else { "saved" }))
        }
        Err(error) => again(draft::refused_by_database(error)?, None).await,
    }
}
