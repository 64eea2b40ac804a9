//! Adding a credential: first the type, then its form. Nothing is stored before every check has passed.

use actix_web::http::StatusCode;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use super::form::{self, FormPage, Setting};
use crate::credentials::{KINDS, Kind, find};
use crate::form::Errors;
use crate::services::Services;
use crate::usecases::{Refusal, credentials, labels};
use crate::web::error::Error;
use crate::web::integrations::detour::{self, BACK};
use crate::web::page::{self, Shell};
use crate::web::params::Params;
use crate::web::posted::Posted;
use crate::web::session::{As, Operator};

#[derive(Template)]
#[template(path = "credentials/kinds.html")]
struct Kinds {
    shell: Shell,
    /// (type, address of its form)
    kinds: Vec<(&'static Kind, String)>,
    /// The form of an integration that waits for the credential.
    waiting: Option<String>,
}

pub async fn new(
    services: Data<Services>,
    request: HttpRequest,
    visitor: As<Operator>,
    params: Params,
) -> Result<HttpResponse, Error> {
    let shell = Shell::new(&request, &visitor, "credentials");
    let waiting = detour::back(params.get(BACK));
    if params.get("kind").is_empty() {
        let fitting = waiting.map(detour::kinds).unwrap_or_default();
        let fits = |kind: &&&Kind| fitting.is_empty() || fitting.contains(&kind.slug);
        let tile = |kind: &&'static Kind| (*kind, address(kind, waiting));
        let kinds = KINDS.iter().filter(fits).map(tile).collect();
        return page::html(&Kinds { shell, kinds, waiting: waiting.map(str::to_owned) });
    }
    let kind = find(params.get("kind")).ok_or(Error::NotFound)?;
    let chosen = form::proposed(kind, &params);
    let owners = labels::owners(&services).await?;
    let page = FormPage::new(shell, kind, setting(kind, waiting, owners), chosen.as_ref(), None, &Errors::default());
    page.answer(&request, StatusCode::OK, chosen.is_some())
}

pub async fn create(
    services: Data<Services>,
    request: HttpRequest,
    visitor: As<Operator>,
    posted: Posted,
) -> Result<HttpResponse, Error> {
    let kind = credentials::kind(posted.get("kind"))?;
    form::only(kind, &posted, &[])?;
    let shown = async || {
        let shell = Shell::new(&request, &visitor, "credentials");
        Ok::<_, Error>((shell, labels::owners(&services).await?))
    };
    if posted.0.contains("redraw") {
        return form_of(kind, shown().await?, &posted, &Errors::default()).answer(&request, StatusCode::OK, false);
    }
    match credentials::create(&services, &visitor.principal(), kind, &posted.0).await {
        Ok(id) => {
            let to = detour::back(posted.get(BACK))
                .map_or_else(|| format!("/credentials/{id}"), |waiting| detour::with(waiting, id));
            Ok(super::leave(&request, &to, "saved"))
        }
        Err(Refusal::Invalid(errors)) => form_of(kind, shown().await?, &posted, &errors).refused(&request),
        Err(refusal) => Err(refusal.into()),
    }
}

/// The form as it was filled in. `owners` are suggested.
pub fn form_of(
    kind: &'static Kind,
    (shell, owners): (Shell, Vec<String>),
    posted: &Posted,
    errors: &Errors,
) -> FormPage {
    let setting = setting(kind, detour::back(posted.get(BACK)), owners);
    FormPage::new(shell, kind, setting, Some(&posted.0), None, errors)
}

fn address(kind: &Kind, waiting: Option<&str>) -> String {
    Params::default().link("/credentials/new", &[("kind", kind.slug), (BACK, waiting.unwrap_or_default())])
}

fn setting(kind: &Kind, waiting: Option<&str>, owners: Vec<String>) -> Setting {
    Setting {
        title: "Add credential".to_owned(),
        lead: format!("{}: {}", kind.label, kind.summary),
        back: match waiting {
            Some(form) => (form.to_owned(), "Integration".to_owned()),
            None => ("/credentials/new".to_owned(), "Types".to_owned()),
        },
        waiting: waiting.map(str::to_owned),
        action: "/credentials".to_owned(),
        test: "/credentials/test".to_owned(),
        url: address(kind, waiting),
        row_version: None,
        notice: None,
        owners,
    }
}
