//! The form of a Secret that a sync keeps: added and edited. Its value leaves Strongroom, so it asks for the credential's
//! name and for the password.

use actix_web::http::StatusCode;
use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use crate::form::{self, Errors, FieldView, Values};
use crate::integrations::Family;
use crate::integrations::deployments::syncs::Item;
use crate::models::{self, CredentialId, DbError, IntegrationId, account_letters, credential_choices, credentials};
use crate::services::Services;
use crate::usecases::clients::entered::RELEASED;
use crate::usecases::integrations::syncs::{self, Answer, Kept, SOURCE_CREDENTIAL};
use crate::usecases::{Refusal, Unconfirmed};
use crate::web::error::Error;
use crate::web::htmx;
use crate::web::integrations::shown;
use crate::web::page::{self, Shell};
use crate::web::params::Params;
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
#[template(path = "syncs/edit.html", blocks = ["fields"])]
struct Page {
    shell: Shell,
    page: String,
    name: String,
    title: String,
    address: String,
    is_new: bool,
    fields: Vec<FieldView>,
    /// The value is passed on from a secret store.
    from_store: bool,
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
        let chosen = posted.or(saved.as_ref()).and_then(|values| values.get(SOURCE_CREDENTIAL).parse().ok());
        let (credentials, stores) = choices(services, chosen).await?;
        let picks = |field: &str| if field == "store" { stores.clone() } else { credentials.clone() };
        let fields = form::view(&syncs::fields(), posted, saved.as_ref(), errors, &picks);
        let from_store = posted.or(saved.as_ref()).is_some_and(|values| values.get("source") == "entry");
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
            from_store,
            row_version: kept.row.row_version,
            overtaken: false,
            release: None,
            password: None,
        })
    }
}

/// Ids and labels to choose from.
type Choices = Vec<(String, String)>;

/// The credentials, as `prod — AKIA… · 120 days`, and the secret stores.
async fn choices(services: &Services, chosen: Option<CredentialId>) -> Result<(Choices, Choices), Error> {
    let vault = services.vault.clone();
    let read = move |conn: &mut _| {
        let kinds: Vec<&'static str> = crate::credentials::KINDS.iter().map(|kind| kind.slug).collect();
        let stores = models::integrations::of_family(conn, &vault, Family::SecretStore.slug())?;
        Ok::<_, DbError>((credential_choices::choices(conn, &kinds, chosen)?, stores, models::clock(conn)?))
    };
    let (found, stores, now) = services.db.run(read).await?;
    let label = |one: credential_choices::Choice| {
        let age = shown::counted((now - one.aged_from).num_days().max(0), "day");
        let whose = if one.identity.is_empty() { String::new() } else { format!("{} · ", one.identity) };
        (one.id.to_string(), format!("{} — {whose}{age}", one.name))
    };
    let mut stores: Choices =
        stores.iter().map(|seen| (seen.shown().id.to_string(), seen.shown().name.clone())).collect();
    stores.sort_by(|a, b| a.1.cmp(&b.1));
    Ok((found.into_iter().map(label).collect(), stores))
}

/// The choices that the address makes, over what is saved.
fn chosen(params: &Params, saved: Option<Values>) -> Option<Values> {
    const CHOICES: [&str; 5] = ["source", "type", SOURCE_CREDENTIAL, "store", "restart"];
    if CHOICES.iter().all(|field| params.get(field).is_empty()) {
        return None;
    }
    let mut values = saved.unwrap_or_default();
    CHOICES.into_iter().for_each(|field| values.set(field, params.get(field)));
    Some(values)
}

pub async fn new(
    services: Data<Services>,
    request: HttpRequest,
    visitor: As<Operator>,
    id: Path<IntegrationId>,
    params: Params,
) -> Result<HttpResponse, Error> {
    let kept = syncs::find(&services, *id).await?;
    let (shell, chosen) = (Shell::new(&request, &visitor, "integrations"), chosen(&params, None));
    let page = Page::draw(&services, shell, (&kept, None), (chosen.as_ref(), &Errors::default())).await?;
    if htmx::asked(&request) { page::html(&page.as_fields()) } else { page::html(&page) }
}

pub async fn edit(
    services: Data<Services>,
    request: HttpRequest,
    visitor: As<Operator>,
    ids: Path<(IntegrationId, String)>,
    params: Params,
) -> Result<HttpResponse, Error> {
    let (id, item) = ids.into_inner();
    let kept = syncs::find(&services, id).await?;
    let item = kept.item(&item)?;
    let (shell, chosen) = (Shell::new(&request, &visitor, "integrations"), chosen(&params, Some(kept.stored(item))));
    let page = Page::draw(&services, shell, (&kept, Some(item)), (chosen.as_ref(), &Errors::default())).await?;
    if htmx::asked(&request) { page::html(&page.as_fields()) } else { page::html(&page) }
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
    posted.only(syncs::field_names().into_iter().chain([step_up::FIELD, "row_version", "redraw"]))?;
    if posted.0.contains("redraw") {
        return again(services, (request, visitor), (id, item), posted, None).await;
    }
    let seen = posted.seen_version().ok_or(Error::Malformed)?;
    let released = posted.0.contains(RELEASED).then(|| posted.get(RELEASED));
    let answer = Answer { released, confirmation: step_up::typed(step_up::FIELD, services, request, posted) };
    match syncs::put(services, &visitor.principal(), ((id, seen), item), &posted.0, &answer).await {
        Ok(()) => Ok(page::see_other(&format!("/integrations/{id}"), "secret-kept")),
        Err(refusal) => again(services, (request, visitor), (id, item), posted, Some(refusal)).await,
    }
}

/// The form as it was filled in, with what is wrong or with what is asked.
async fn again(
    services: &Services,
    (request, visitor): (&HttpRequest, &As<Operator>),
    (id, item): (IntegrationId, Option<&str>),
    posted: &Posted,
    refusal: Option<Refusal>,
) -> Result<HttpResponse, Error> {
    let kept = syncs::find(services, id).await?;
    let item = item.map(|item| kept.item(item)).transpose()?;
    let errors = match &refusal {
        Some(Refusal::Invalid(errors)) => errors.clone(),
        _ => Errors::default(),
    };
    let shell = Shell::new(request, visitor, "integrations");
    let mut page = Page::draw(services, shell, (&kept, item), (Some(&posted.0), &errors)).await?;
    if !matches!(refusal, Some(Refusal::Overtaken)) {
        page.row_version = posted.seen_version().unwrap_or(page.row_version);
    }
    let asks = matches!(refusal, Some(Refusal::Unconfirmed(_))) || errors.of(RELEASED).is_some();
    if asks && !page.from_store {
        let error = errors.of(RELEASED).filter(|_| posted.0.contains(RELEASED)).map(str::to_owned);
        let (credential, told) = released(services, posted.get(SOURCE_CREDENTIAL)).await?;
        page.release = Some(Release { credential, typed: posted.get(RELEASED).to_owned(), error, told });
        page.password = Some(Ask::new(step_up::FIELD, Unconfirmed::default()));
    }
    let Some(refusal) = refusal else { return page::html(&page) };
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
