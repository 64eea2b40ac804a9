//! Editing a credential. The form is shown from what may be shown; what a POST opens is decided in `usecases`. Two people
//! at once: the second sees both versions and loses nothing.

use actix_web::http::StatusCode;
use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use super::conflict;
use super::form::{self, FormPage, Setting};
use crate::form::{Errors, Values};
use crate::models::DbError;
use crate::models::credentials::Credential;
use crate::models::trust::Doubt;
use crate::services::Services;
use crate::usecases::Refusal;
use crate::usecases::credentials::{self, Edited};
use crate::web::error::Error;
use crate::web::htmx;
use crate::web::page::{self, Shell};
use crate::web::params::Params;
use crate::web::posted::Posted;
use crate::web::session::{As, Operator};
use crate::web::step_up::{self, Ask, OTHER_FIELD};

pub async fn edit(
    services: Data<Services>,
    request: HttpRequest,
    visitor: As<Operator>,
    path: Path<String>,
    params: Params,
) -> Result<HttpResponse, Error> {
    let edited = Edited::load(&services, super::id(&path)?).await?;
    if edited.asks_for_password(&services).await? {
        // Asked before the form is filled in, so that nothing typed is lost.
        visitor.require_fresh(&request, &format!("/credentials/{}/edit", edited.row.id))?;
    }
    let chosen = form::chosen(edited.kind, &params, Some(&edited.stored()));
    let (filled, redrawn) = filled_in(&edited, chosen);
    let shell = Shell::new(&request, &visitor, "credentials");
    form_of(&edited, edited.row.row_version, shell, &filled, &Errors::default()).answer(
        &request,
        StatusCode::OK,
        redrawn,
    )
}

/// What the form starts with, and whether the address has chosen some of it.
fn filled_in(edited: &Edited, chosen: Option<Values>) -> (Values, bool) {
    let redrawn = chosen.is_some();
    let mut filled = chosen.unwrap_or_else(|| edited.stored());
    filled.set("name", &*edited.row.name);
    filled.set("description", &*edited.row.note);
    filled.set("owner", &*edited.row.owner);
    filled.set("tags", edited.row.tags.join(", "));
    (filled, redrawn)
}

pub async fn update(
    services: Data<Services>,
    request: HttpRequest,
    visitor: As<Operator>,
    path: Path<String>,
    posted: Posted,
) -> Result<HttpResponse, Error> {
    let edited = Edited::load(&services, super::id(&path)?).await?;
    form::only(edited.kind, &posted, &[])?;
    let (seen, principal) = (form::version(&posted)?, visitor.principal());
    if posted.0.contains("redraw") {
        let shell = Shell::new(&request, &visitor, "credentials");
        return form_of(&edited, seen, shell, &posted.0, &Errors::default()).answer(&request, StatusCode::OK, false);
    }
    let confirmation = step_up::typed(OTHER_FIELD, &services, &request, &posted);
    match credentials::update(&services, &principal, (&edited, seen), &posted.0, &confirmation).await {
        Ok(()) => Ok(super::leave(&request, &format!("/credentials/{}", edited.row.id), "saved")),
        Err(Refusal::Overtaken) => {
            conflict::show(&services, &request, &visitor, (edited.row.id, "edit"), &posted.0).await
        }
        Err(refusal) => refused(&request, &visitor, &edited, (seen, &posted.0), refusal),
    }
}

/// The form with what is wrong or with the question for the password, or why what is stored cannot be opened.
fn refused(
    request: &HttpRequest,
    visitor: &As<Operator>,
    edited: &Edited,
    (seen, posted): (i64, &Values),
    refusal: Refusal,
) -> Result<HttpResponse, Error> {
    let shell = Shell::new(request, visitor, "credentials");
    match refusal {
        Refusal::Invalid(errors) => form_of(edited, seen, shell, posted, &errors).refused(request),
        Refusal::Unconfirmed(why) => {
            let form = form_of(edited, seen, shell, posted, &Errors::default());
            form.asking(request, &Ask::new(OTHER_FIELD, why))
        }
        Refusal::Db(DbError::Integrity) => opening_failed(request, shell, edited),
        refusal => Err(refusal.into()),
    }
}

/// The form over the version `seen`.
pub fn form_of(edited: &Edited, seen: i64, shell: Shell, filled: &Values, errors: &Errors) -> FormPage {
    FormPage::new(shell, edited.kind, setting(edited, seen), Some(filled), Some(&edited.stored()), errors)
}

fn setting(edited: &Edited, row_version: i64) -> Setting {
    let id = edited.row.id;
    let quarantined = "This credential cannot be opened any more. Enter its secret again to make it usable again.";
    Setting {
        title: format!("Edit {}", edited.row.name),
        lead: format!("{}: {}", edited.kind.label, edited.kind.summary),
        back: (format!("/credentials/{id}"), edited.row.name.clone()),
        waiting: None,
        action: format!("/credentials/{id}/edit"),
        test: format!("/credentials/{id}/test"),
        url: format!("/credentials/{id}/edit"),
        row_version: Some(row_version),
        notice: edited.doubt.map(|_| quarantined),
        owners: edited.owners.clone(),
    }
}

#[derive(Template)]
#[template(path = "credentials/integrity.html", blocks = ["page"])]
struct Integrity<'a> {
    shell: Shell,
    row: &'a Credential,
    /// Whether a new secret heals it: not when the row itself was altered.
    mendable: bool,
}

/// What is stored cannot be opened: 409.
pub fn opening_failed(request: &HttpRequest, shell: Shell, edited: &Edited) -> Result<HttpResponse, Error> {
    let mendable = !matches!(edited.doubt, Some(Doubt::Tampered | Doubt::NotAsked));
    let page = Integrity { shell, row: &edited.row, mendable };
    if htmx::asked(request) {
        return page::html_with(StatusCode::CONFLICT, &page.as_page());
    }
    page::html_with(StatusCode::CONFLICT, &page)
}
