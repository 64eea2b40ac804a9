//! Adding a credential: first the type, then its form. Nothing is stored before every check has passed.

use actix_web::http::StatusCode;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use super::form::{self, FormPage, Setting};
use crate::credentials::{self, KINDS, Kind};
use crate::draft::{Draft, may_be_sent};
use crate::form::{Errors, Values};
use crate::models;
use crate::services::Services;
use crate::web::error::Error;
use crate::web::page::{self, Shell};
use crate::web::params::Params;
use crate::web::posted::Posted;
use crate::web::session::{As, Operator};

#[derive(Template)]
#[template(path = "credentials/kinds.html")]
struct Kinds {
    shell: Shell,
    /// (icon, type)
    kinds: Vec<(&'static str, &'static Kind)>,
}

pub async fn new(request: HttpRequest, visitor: As<Operator>, params: Params) -> Result<HttpResponse, Error> {
    let shell = Shell::new(&request, &visitor, "credentials");
    if params.get("kind").is_empty() {
        return page::html(&Kinds { shell, kinds: KINDS.iter().map(|kind| (icon(kind.slug), *kind)).collect() });
    }
    let kind = credentials::find(params.get("kind")).ok_or(Error::NotFound)?;
    let chosen = form::chosen(kind, &params, None);
    let page = FormPage::new(shell, kind, setting(kind), chosen.as_ref(), None, &Errors::default());
    page.answer(&request, StatusCode::OK, chosen.is_some())
}

pub async fn create(
    services: Data<Services>,
    request: HttpRequest,
    visitor: As<Operator>,
    posted: Posted,
) -> Result<HttpResponse, Error> {
    let kind = kind(&posted)?;
    form::only(kind, &posted)?;
    let shown = |status, errors: &Errors| {
        let shell = Shell::new(&request, &visitor, "credentials");
        FormPage::new(shell, kind, setting(kind), Some(&posted.0), None, errors).answer(&request, status, false)
    };
    if posted.0.contains("redraw") {
        return shown(StatusCode::OK, &Errors::default());
    }
    let draft = match draft(&services, kind, &posted.0) {
        Ok(draft) => draft,
        Err(errors) => return shown(StatusCode::UNPROCESSABLE_ENTITY, &errors),
    };
    let (vault, actor) = (services.vault.clone(), visitor.actor());
    let created =
        services.db.transaction(move |conn| models::credentials::create(conn, &vault, &actor, &draft.row())).await;
    match created {
        Ok(id) => Ok(super::leave(&request, &format!("/credentials/{id}"), "saved")),
        Err(error) => shown(StatusCode::UNPROCESSABLE_ENTITY, &form::refused(error)?),
    }
}

/// The type that a form for a new credential is of.
pub fn kind(posted: &Posted) -> Result<&'static Kind, Error> {
    let unknown = || Error::Unacceptable("There is no such type of credential. Choose one of the list.".to_owned());
    credentials::find(posted.get("kind")).ok_or_else(unknown)
}

fn draft(services: &Services, kind: &'static Kind, posted: &Values) -> Result<Draft, Errors> {
    let entered = form::check(kind, posted, None)?;
    may_be_sent(&services.egress, kind, &entered.values)?;
    Draft::new(kind, entered.name, entered.note, &entered.values)
}

pub fn setting(kind: &Kind) -> Setting {
    Setting {
        title: "Add credential".to_owned(),
        lead: format!("{}: {}", kind.label, kind.summary),
        back: ("/credentials/new".to_owned(), "Types".to_owned()),
        action: "/credentials".to_owned(),
        test: "/credentials/test".to_owned(),
        url: format!("/credentials/new?kind={}", kind.slug),
        row_version: None,
        notice: None,
    }
}

fn icon(slug: &str) -> &'static str {
    match slug {
        "kubeconfig" => "ship",
        "basic" => "user",
        "api_token" => "key",
        "webhook" => "link",
        "certificate" => "certificate",
        "github_token" | "gitlab_token" => "branch",
        _ => "cloud",
    }
}
