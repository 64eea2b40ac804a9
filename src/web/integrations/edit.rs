//! Editing an integration. A stored secret goes to another host, or another secret to this one, only after the visitor
//! has said so and given their password.

use std::sync::Arc;

use actix_web::http::StatusCode;
use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;
use uuid::Uuid;

use super::destination::{self, Ask};
use super::draft::{self, Draft};
use super::trial::{self, Tried};
use crate::form::{Errors, FieldView, Values};
use crate::integrations::{Family, Spec};
use crate::models::events::Action;
use crate::models::integrations::{self, Integration};
use crate::models::{DbError, credentials, events};
use crate::services::Services;
use crate::web::error::Error;
use crate::web::htmx;
use crate::web::page::{self, Shell};
use crate::web::params::Params;
use crate::web::posted::Posted;
use crate::web::session::{As, Operator};
use crate::web::step_up;

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
    ask: Option<Ask>,
    alerts: bool,
    /// What came of a test alert.
    tried: Option<Tried>,
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
        posted: Option<&Values>,
        errors: &Errors,
        ask: Option<Ask>,
    ) -> Result<Self, Error> {
        let stored = draft::stored(row);
        let values = posted.unwrap_or(&stored);
        let version = draft::chosen(values.get("version"));
        let mut choices = draft::choices(services, version).await?;
        if let Some(id) = row.credential_id.filter(|id| !choices.iter().any(|(known, _)| known == id)) {
            // Beyond the end of a long list: the one in use must not get lost.
            let vault = services.vault.clone();
            let found = services.db.run(move |conn| credentials::find(conn, &vault, id)).await?;
            choices.push((id, found.into_shown().name));
        }
        let fields = draft::views(version, posted, Some(&stored), errors, &choices);
        Ok(Self {
            shell,
            page: format!("/integrations/{}", row.id),
            address: format!("/integrations/{}/edit", row.id),
            name: row.name.clone(),
            row_version: row.row_version,
            fields,
            warning: draft::warning(version, values),
            way_out: draft::way_out(&services.egress, version, values),
            ask,
            alerts: version.family() == Family::AlertProfile,
            tried: None,
            overtaken_by: None,
            password: None,
        })
    }
}

/// A row that was put back may be edited: a whole form replaces everything that decides. One that was changed may not.
async fn load(services: &Services, id: Uuid) -> Result<Integration, Error> {
    let vault = services.vault.clone();
    let row = services.db.run(move |conn| integrations::find(conn, &vault, id)).await?.into_replaceable()?;
    match Spec::find(&row.version) {
        Some(_) => Ok(row),
        None => Err(Error::Conflict("This release of Strongroom does not know this kind of integration.".to_owned())),
    }
}

/// A scan may speak to its registry in another way. A channel has recipients and messages that were meant for it.
fn stays(row: &Integration, version: &str) -> Result<(), Errors> {
    let family = Spec::find(version).map(Spec::family);
    if family.map(Family::slug) != Some(row.family.as_str()) {
        return Err(Errors::one("version", "This cannot become something else. Add another integration for that."));
    }
    if family == Some(Family::AlertProfile) && version != row.version {
        let text =
            "A channel stays what it is: its recipients and waiting messages are its own. Add another one for that.";
        return Err(Errors::one("version", text));
    }
    Ok(())
}

/// Whether more than the name of a channel changes: then it may send fewer alerts, or send them to somebody else.
fn redirects_alerts(row: &Integration, draft: &Draft) -> bool {
    let same = draft.settings() == row.settings && draft.credential == row.credential_id && draft.host == row.host;
    draft.provider.family() == Family::AlertProfile && !same
}

pub async fn edit(
    services: Data<Services>,
    request: HttpRequest,
    visitor: As<Operator>,
    id: Path<Uuid>,
    params: Params,
) -> Result<HttpResponse, Error> {
    let row = load(&services, *id).await?;
    let shell = Shell::new(&request, &visitor, "integrations");
    let mut shown = draft::stored(&row);
    if !params.get("version").is_empty() && stays(&row, params.get("version")).is_ok() {
        // Drawn anew for another version: what was chosen stays, typed text never leaves the browser for this.
        for field in ["version", "credential", "schedule"] {
            shown.set(field, params.get(field));
        }
    }
    let page = Edit::draw(&services, shell, &row, Some(&shown), &Errors::default(), None).await?;
    match htmx::asked(&request) {
        true => page::html(&page.as_fields()),
        false => page::html(&page),
    }
}

pub async fn update(
    services: Data<Services>,
    request: HttpRequest,
    visitor: As<Operator>,
    id: Path<Uuid>,
    posted: Posted,
) -> Result<HttpResponse, Error> {
    let more = ["redraw", "row_version", "try"];
    posted.only(draft::field_names().into_iter().chain(destination::FIELDS).chain(more))?;
    let row_version: i64 = posted.get("row_version").parse().map_err(|_| Error::Malformed)?;
    let row = Arc::new(load(&services, *id).await?);
    let shell = || Shell::new(&request, &visitor, "integrations");
    let again = async |status, errors: Errors, ask| {
        let mut page = Edit::draw(&services, shell(), &row, Some(&posted.0), &errors, ask).await?;
        match status {
            StatusCode::CONFLICT => page.overtaken_by = Some(row.edited_by.clone()),
            _ => page.row_version = row_version,
        }
        page::html_with(status, &page)
    };
    if posted.0.contains("redraw") {
        return again(StatusCode::OK, Errors::default(), None).await;
    }
    let unacceptable = StatusCode::UNPROCESSABLE_ENTITY;
    if row.row_version != row_version {
        return again(StatusCode::CONFLICT, Errors::default(), None).await;
    }
    if let Err(errors) = stays(&row, posted.get("version")) {
        return again(unacceptable, errors, None).await;
    }
    let draft = match Draft::check(&services, &posted.0) {
        Ok(draft) => Arc::new(draft),
        Err(errors) => return again(unacceptable, errors, None).await,
    };
    let (vault, looked, saved) = (services.vault.clone(), draft.clone(), row.clone());
    let found = services.db.run(move |conn| destination::find(conn, &vault, &looked, Some(&saved))).await?;
    let destination = match found {
        Ok(destination) => destination,
        Err(errors) => return again(unacceptable, errors, None).await,
    };
    if let Some(destination) = &destination
        && let Err(ask) = destination.confirm(&services, &request, &visitor, &posted, &row.name).await?
    {
        return again(unacceptable, Errors::default(), Some(ask)).await;
    }
    if posted.0.contains("try") {
        let tried = trial::on_form(&services, &visitor, &draft, destination, posted.get("try")).await?;
        let mut page = Edit::draw(&services, shell(), &row, Some(&posted.0), &Errors::default(), None).await?;
        page.tried = Some(tried);
        return page::html(&page);
    }
    if destination.is_none()
        && redirects_alerts(&row, &draft)
        && let Err(ask) = step_up::confirm(&services, &request, &visitor, &posted).await?
    {
        let page = Edit::draw(&services, shell(), &row, Some(&posted.0), &Errors::default(), None).await?;
        return ask.answer(&Edit { password: Some(ask.clone()), ..page });
    }
    let (vault, actor, at) = (services.vault.clone(), visitor.actor(), (row.id, row_version));
    let updated = services.db.transaction(move |conn| {
        integrations::update(conn, &vault, &actor, at, &draft.row())?;
        if let Some(destination) = &destination {
            let event = destination.event(Action::IntegrationDestinationAllowed, &draft.name);
            events::record(conn, &vault, &actor, &event)?;
        }
        Ok::<_, DbError>(())
    });
    match updated.await {
        Ok(()) => Ok(page::see_other(&format!("/integrations/{id}"), "saved")),
        Err(DbError::Stale) => {
            Err(Error::Conflict("Somebody else has saved it at this moment. Go back and try again.".to_owned()))
        }
        Err(error) => again(unacceptable, draft::refused_by_database(error)?, None).await,
    }
}
