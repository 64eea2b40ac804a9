//! The rules of a client: added and edited. Deleting one is in `ending`.

use actix_web::http::StatusCode;
use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use super::choices::{self, Choices, Chosen};
use super::page_of;
use crate::form::{self, Errors, FieldView, Values};
use crate::integrations::issue::ENTRY;
use crate::models::client_rules::ClientRule;
use crate::models::{self, ClientId, ClientRuleId, CredentialId, DbError, account_letters, credentials};
use crate::services::Services;
use crate::usecases::Refusal;
use crate::usecases::clients::entered::{self, RELEASED};
use crate::usecases::clients::rules::{self, Answer};
use crate::web::clients::SECTION;
use crate::web::error::Error;
use crate::web::htmx;
use crate::web::page::{self, Shell};
use crate::web::params::Params;
use crate::web::posted::Posted;
use crate::web::session::{As, Operator};
use crate::web::step_up::{self, Ask};

/// Asked before a stored value may leave.
struct Release {
    credential: String,
    typed: String,
    error: Option<String>,
    /// How many administrators get a mail about it.
    told: usize,
}

#[derive(Template)]
#[template(path = "clients/rule.html", blocks = ["fields"])]
struct Page {
    shell: Shell,
    client: ClientId,
    name: String,
    title: String,
    address: String,
    /// What a client gets by the form.
    help: &'static str,
    is_stored_value: bool,
    fields: Vec<FieldView>,
    row_version: Option<i64>,
    overtaken: bool,
    release: Option<Release>,
    password: Option<Ask>,
}

/// What is shown of the form: what was posted, or what is saved.
struct Shown<'a> {
    posted: Option<&'a Values>,
    edited: Option<&'a ClientRule>,
    errors: &'a Errors,
}

impl Page {
    async fn draw(
        services: &Services,
        (shell, visitor): (Shell, &As<Operator>),
        client: ClientId,
        shown: Shown<'_>,
    ) -> Result<Self, Error> {
        let Shown { posted, edited, errors } = shown;
        let saved = edited.map(entered::stored);
        let slug = posted.or(saved.as_ref()).map_or("", |values| values.get("form"));
        let chosen = posted.or(saved.as_ref()).map(Chosen::of).unwrap_or_default();
        let mut offered = entered::offered(services, &visitor.principal());
        let form = entered::chosen(slug);
        if edited.is_some_and(|row| row.form == form.slug) && !offered.iter().any(|one| one.slug == form.slug) {
            offered.push(form);
        }
        let Choices { name, from, entries } = choices::read(services, client, form, chosen).await?;
        let picks = |field: &str| match field {
            "form" => offered.iter().map(|form| (form.slug.to_owned(), form.label.to_owned())).collect(),
            _ => from.clone(),
        };
        let mut fields = form::view(&entered::fields(form), posted, saved.as_ref(), errors, &picks);
        form::suggest(&mut fields, "entry", entries);
        for view in fields.iter_mut().filter(|view| ["form", "store"].contains(&view.name)) {
            // Each has fields, credentials or entries of its own.
            view.switches = true;
        }
        let (title, address) = place(client, edited);
        Ok(Self {
            shell,
            client,
            name,
            title,
            address,
            help: form.help,
            is_stored_value: form.is_stored_value(),
            fields,
            row_version: edited.map(|row| row.row_version),
            overtaken: false,
            release: None,
            password: None,
        })
    }
}

/// What the form is called, and where it is posted to.
fn place(client: ClientId, edited: Option<&ClientRule>) -> (String, String) {
    let page = page_of(client);
    match edited {
        None => ("Add rule".to_owned(), format!("{page}/rules/new")),
        Some(row) => (format!("Edit rule “{}”", row.name), format!("{page}/rules/{}/edit", row.id)),
    }
}

fn only(posted: &Posted) -> Result<(), Error> {
    posted.only(entered::field_names().into_iter().chain([step_up::FIELD, "row_version", "redraw"]))
}

fn answer<'a>(services: &Services, request: &HttpRequest, posted: &'a Posted) -> Answer<'a> {
    let released = posted.0.contains(RELEASED).then(|| posted.get(RELEASED));
    Answer { released, confirmation: step_up::typed(step_up::FIELD, services, request, posted) }
}

/// The choices that the address makes, beside the defaults of the others.
fn chosen(params: &Params, edited: Option<&ClientRule>) -> Option<Values> {
    let (slug, credential, store) = (params.get("form"), params.get("credential"), params.get("store"));
    if slug.is_empty() && credential.is_empty() && store.is_empty() {
        return None;
    }
    let form = entered::chosen(if store.is_empty() { slug } else { ENTRY });
    let mut values = edited.map(entered::stored).unwrap_or_default();
    for field in form.fields.iter().filter(|field| !field.default.is_empty()) {
        values.set(field.name, field.default);
    }
    values.set("form", form.slug);
    values.set("credential", credential);
    values.set("store", store);
    values.set("entry", params.get("entry"));
    Some(values)
}

pub async fn new(
    services: Data<Services>,
    request: HttpRequest,
    visitor: As<Operator>,
    id: Path<ClientId>,
    params: Params,
) -> Result<HttpResponse, Error> {
    let (shell, chosen) = (Shell::new(&request, &visitor, SECTION), chosen(&params, None));
    let shown = Shown { posted: chosen.as_ref(), edited: None, errors: &Errors::default() };
    let page = Page::draw(&services, (shell, &visitor), *id, shown).await?;
    if htmx::asked(&request) { page::html(&page.as_fields()) } else { page::html(&page) }
}

pub async fn create(
    services: Data<Services>,
    request: HttpRequest,
    visitor: As<Operator>,
    id: Path<ClientId>,
    posted: Posted,
) -> Result<HttpResponse, Error> {
    only(&posted)?;
    if posted.0.contains("redraw") {
        return again(&services, (&request, &visitor), *id, (&posted, None), None).await;
    }
    let answer = answer(&services, &request, &posted);
    match rules::create(&services, &visitor.principal(), *id, &posted.0, &answer).await {
        Ok(_) => Ok(page::see_other(&page_of(*id), "saved")),
        Err(refusal) => again(&services, (&request, &visitor), *id, (&posted, None), Some(refusal)).await,
    }
}

type Ids = Path<(ClientId, ClientRuleId)>;

pub async fn edit(
    services: Data<Services>,
    request: HttpRequest,
    visitor: As<Operator>,
    ids: Ids,
    params: Params,
) -> Result<HttpResponse, Error> {
    let (client, id) = ids.into_inner();
    let row = rules::of_client(&services, client, id).await?;
    let (shell, chosen) = (Shell::new(&request, &visitor, SECTION), chosen(&params, Some(&row)));
    let shown = Shown { posted: chosen.as_ref(), edited: Some(&row), errors: &Errors::default() };
    let page = Page::draw(&services, (shell, &visitor), client, shown).await?;
    if htmx::asked(&request) { page::html(&page.as_fields()) } else { page::html(&page) }
}

pub async fn update(
    services: Data<Services>,
    request: HttpRequest,
    visitor: As<Operator>,
    ids: Ids,
    posted: Posted,
) -> Result<HttpResponse, Error> {
    only(&posted)?;
    let (client, id) = ids.into_inner();
    let refusal = if posted.0.contains("redraw") {
        None
    } else {
        let seen = posted.seen_version().ok_or(Error::Malformed)?;
        let answer = answer(&services, &request, &posted);
        match rules::update(&services, &visitor.principal(), (client, id, seen), &posted.0, &answer).await {
            Ok(()) => return Ok(page::see_other(&page_of(client), "saved")),
            Err(refusal) => Some(refusal),
        }
    };
    let row = rules::of_client(&services, client, id).await?;
    again(&services, (&request, &visitor), client, (&posted, Some(&row)), refusal).await
}

/// The form as it was filled in, with what is wrong or with what is asked.
async fn again(
    services: &Services,
    (request, visitor): (&HttpRequest, &As<Operator>),
    client: ClientId,
    (posted, edited): (&Posted, Option<&ClientRule>),
    refusal: Option<Refusal>,
) -> Result<HttpResponse, Error> {
    let shell = Shell::new(request, visitor, SECTION);
    let errors = match &refusal {
        Some(Refusal::Invalid(errors)) => errors.clone(),
        _ => Errors::default(),
    };
    let shown = Shown { posted: Some(&posted.0), edited, errors: &errors };
    let mut page = Page::draw(services, (shell, visitor), client, shown).await?;
    page.row_version = page.row_version.map(|current| match &refusal {
        // What is saved over is the row as it is shown now.
        Some(Refusal::Overtaken) => current,
        _ => posted.seen_version().unwrap_or(current),
    });
    let asks = matches!(&refusal, Some(Refusal::Unconfirmed(_))) || errors.of(RELEASED).is_some();
    if page.is_stored_value && asks {
        let error = errors.of(RELEASED).filter(|_| posted.0.contains(RELEASED)).map(str::to_owned);
        let (credential, told) = released(services, posted.get("credential")).await?;
        page.release = Some(Release { credential, typed: posted.get(RELEASED).to_owned(), error, told });
        page.password = Some(Ask::new(step_up::FIELD, crate::usecases::Unconfirmed::default()));
    }
    match refusal {
        None => page::html(&page),
        Some(Refusal::Invalid(_)) => page::html_with(StatusCode::UNPROCESSABLE_ENTITY, &page),
        Some(Refusal::Overtaken) => page::html_with(StatusCode::CONFLICT, &Page { overtaken: true, ..page }),
        Some(Refusal::Unconfirmed(why)) => {
            let ask = Ask::new(step_up::FIELD, why);
            ask.answer(&Page { password: Some(ask.clone()), ..page })
        }
        Some(refusal) => Err(refusal.into()),
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
