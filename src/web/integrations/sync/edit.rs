//! The form of a Secret that a sync keeps: added and edited. Its value leaves Strongroom, so it asks for the credential's
//! name and for the password.

use actix_web::http::StatusCode;
use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use crate::form::{self, Errors, FieldView, Values};
use crate::integrations::deployments::syncs::Item;
use crate::models::{self, CredentialId, DbError, IntegrationId, account_letters, credential_choices, credentials};
use crate::services::Services;
use crate::usecases::clients::rules::RELEASED;
use crate::usecases::integrations::syncs::{self, Answer, Kept};
use crate::usecases::{Refusal, Unconfirmed};
use crate::web::error::Error;
use crate::web::integrations::shown;
use crate::web::page::{self, Shell};
use crate::web::posted::Posted;
use crate::web::session::{As, Operator};
use crate::web::step_up::{self, Ask};

/// Asked before a stored value leaves.
struct Release {
    credential: String,
    typed: String,
    error: Option<String>,
    /// How many administrators get a mail about it.
    told: usize,
}

#[derive(Template)]
#[template(path = "syncs/edit.html")]
struct Page {
    shell: Shell,
    page: String,
    name: String,
    title: String,
    address: String,
    is_new: bool,
    fields: Vec<FieldView>,
    row_version: i64,
    overtaken: bool,
    release: Option<Release>,
    password: Option<Ask>,
}

impl Page {
    async fn draw(
        services: &Services,
        shell: Shell,
        (kept, item): (&Kept, Option<&Item>),
        (posted, errors): (Option<&Values>, &Errors),
    ) -> Result<Self, Error> {
        let saved = item.map(|item| kept.stored(item));
        let chosen = posted.or(saved.as_ref()).and_then(|values| values.get("credential").parse().ok());
        let choices = choices(services, chosen).await?;
        let fields = form::view(&syncs::fields(), posted, saved.as_ref(), errors, &|_| choices.clone());
        let page = format!("/integrations/{}", kept.row.id);
        let (title, address) = match item {
            None => ("Add Secret".to_owned(), format!("{page}/secrets/new")),
            Some(item) => (format!("Edit Secret “{}”", item.secret), format!("{page}/secrets/{}/edit", item.id)),
        };
        Ok(Self {
            shell,
            page,
            name: kept.row.name.clone(),
            title,
            address,
            is_new: item.is_none(),
            fields,
            row_version: kept.row.row_version,
            overtaken: false,
            release: None,
            password: None,
        })
    }
}

/// The credentials to choose from: id, and `prod — AKIA… · 120 days`.
async fn choices(services: &Services, chosen: Option<CredentialId>) -> Result<Vec<(String, String)>, Error> {
    let read = move |conn: &mut _| {
        let kinds: Vec<&'static str> = crate::credentials::KINDS.iter().map(|kind| kind.slug).collect();
        Ok::<_, DbError>((credential_choices::choices(conn, &kinds, chosen)?, models::clock(conn)?))
    };
    let (found, now) = services.db.run(read).await?;
    let label = |one: credential_choices::Choice| {
        let age = shown::counted((now - one.aged_from).num_days().max(0), "day");
        let whose = if one.identity.is_empty() { String::new() } else { format!("{} · ", one.identity) };
        (one.id.to_string(), format!("{} — {whose}{age}", one.name))
    };
    Ok(found.into_iter().map(label).collect())
}

pub async fn new(
    services: Data<Services>,
    request: HttpRequest,
    visitor: As<Operator>,
    id: Path<IntegrationId>,
) -> Result<HttpResponse, Error> {
    let kept = syncs::find(&services, *id).await?;
    let shell = Shell::new(&request, &visitor, "integrations");
    page::html(&Page::draw(&services, shell, (&kept, None), (None, &Errors::default())).await?)
}

pub async fn edit(
    services: Data<Services>,
    request: HttpRequest,
    visitor: As<Operator>,
    ids: Path<(IntegrationId, String)>,
) -> Result<HttpResponse, Error> {
    let (id, item) = ids.into_inner();
    let kept = syncs::find(&services, id).await?;
    let shell = Shell::new(&request, &visitor, "integrations");
    page::html(&Page::draw(&services, shell, (&kept, Some(kept.item(&item)?)), (None, &Errors::default())).await?)
}

pub async fn create(
    services: Data<Services>,
    request: HttpRequest,
    visitor: As<Operator>,
    id: Path<IntegrationId>,
    posted: Posted,
) -> Result<HttpResponse, Error> {
    put(&services, (&request, &visitor), (*id, None), &posted).await
}

pub async fn update(
    services: Data<Services>,
    request: HttpRequest,
    visitor: As<Operator>,
    ids: Path<(IntegrationId, String)>,
    posted: Posted,
) -> Result<HttpResponse, Error> {
    let (id, item) = ids.into_inner();
    put(&services, (&request, &visitor), (id, Some(&item)), &posted).await
}

async fn put(
    services: &Services,
    (request, visitor): (&HttpRequest, &As<Operator>),
    (id, item): (IntegrationId, Option<&str>),
    posted: &Posted,
) -> Result<HttpResponse, Error> {
    posted.only(syncs::field_names().into_iter().chain([step_up::FIELD, "row_version"]))?;
    let seen = posted.seen_version().ok_or(Error::Malformed)?;
    let released = posted.0.contains(RELEASED).then(|| posted.get(RELEASED));
    let answer = Answer { released, confirmation: step_up::typed(step_up::FIELD, services, request, posted) };
    match syncs::put(services, &visitor.principal(), ((id, seen), item), &posted.0, &answer).await {
        Ok(()) => Ok(page::see_other(&format!("/integrations/{id}"), "secret-kept")),
        Err(refusal) => again(services, (request, visitor), (id, item), posted, refusal).await,
    }
}

/// The form as it was filled in, with what is wrong or with what is asked.
async fn again(
    services: &Services,
    (request, visitor): (&HttpRequest, &As<Operator>),
    (id, item): (IntegrationId, Option<&str>),
    posted: &Posted,
    refusal: Refusal,
) -> Result<HttpResponse, Error> {
    let kept = syncs::find(services, id).await?;
    let item = item.map(|item| kept.item(item)).transpose()?;
    let errors = match &refusal {
        Refusal::Invalid(errors) => errors.clone(),
        _ => Errors::default(),
    };
    let shell = Shell::new(request, visitor, "integrations");
    let mut page = Page::draw(services, shell, (&kept, item), (Some(&posted.0), &errors)).await?;
    if !matches!(refusal, Refusal::Overtaken) {
        page.row_version = posted.seen_version().unwrap_or(page.row_version);
    }
    if matches!(refusal, Refusal::Unconfirmed(_)) || errors.of(RELEASED).is_some() {
        let error = errors.of(RELEASED).filter(|_| posted.0.contains(RELEASED)).map(str::to_owned);
        let (credential, told) = released(services, posted.get("credential")).await?;
        page.release = Some(Release { credential, typed: posted.get(RELEASED).to_owned(), error, told });
        page.password = Some(Ask::new(step_up::FIELD, Unconfirmed::default()));
    }
    match refusal {
        Refusal::Invalid(_) => page::html_with(StatusCode::UNPROCESSABLE_ENTITY, &page),
        Refusal::Overtaken => page::html_with(StatusCode::CONFLICT, &Page { overtaken: true, ..page }),
        Refusal::Unconfirmed(why) => {
            let ask = Ask::new(step_up::FIELD, why);
            ask.answer(&Page { password: Some(ask.clone()), ..page })
        }
        refusal => Err(refusal.into()),
    }
}

/// The name of the credential, and how many administrators get a mail about its release.
async fn released(services: &Services, chosen: &str) -> Result<(String, usize), Error> {
    let Ok(id) = chosen.parse::<CredentialId>() else { return Ok((String::new(), 0)) };
    let vault = services.vault.clone();
    let find = move |conn: &mut models::Conn| {
        let row = credentials::find(conn, &vault, id)?.into_shown();
        Ok::<_, DbError>((row.name, account_letters::administrators_told(conn, &vault)?))
    };
    Ok(services.db.run(find).await?)
}
