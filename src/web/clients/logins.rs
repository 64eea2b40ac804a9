//! The logins of a client: added and rotated. What answers with a secret is in `secret`, ending one in `ending`.

use actix_web::http::StatusCode;
use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use super::{page_of, secret};
use crate::form::{self, Errors, FieldView, Values};
use crate::integrations::identities::kubernetes;
use crate::models::client_logins::Method;
use crate::models::{ClientId, ClientLoginId, DbError, clients as stored, credential_choices};
use crate::services::Services;
use crate::usecases::Refusal;
use crate::usecases::clients::logins::{self, EXPIRES, FOREVER, KUBECONFIGS, OVERLAP};
use crate::web::error::Error;
use crate::web::page::{self, Shell};
use crate::web::params::Params;
use crate::web::posted::Posted;
use crate::web::session::{As, Operator};
use crate::web::step_up::{self, Ask};
use crate::web::{clients::SECTION, htmx};

#[derive(Template)]
#[template(path = "clients/login.html", blocks = ["fields"])]
struct New {
    shell: Shell,
    client: ClientId,
    name: String,
    address: String,
    method: Method,
    fields: Vec<FieldView>,
    password: Option<Ask>,
}

impl New {
    async fn draw(
        services: &Services,
        shell: Shell,
        client: ClientId,
        posted: Option<&Values>,
        errors: &Errors,
    ) -> Result<Self, Error> {
        let vault = services.vault.clone();
        let read = move |conn: &mut _| {
            let row = stored::find(conn, &vault, client)?;
            Ok::<_, DbError>((row, credential_choices::choices(conn, KUBECONFIGS, None)?))
        };
        let (seen, choices) = services.db.run(read).await?;
        let method = logins::chosen(posted.map_or("", |posted| posted.get("method")));
        let picks = |field: &str| match field {
            kubernetes::CREDENTIAL => {
                let label = |one: &credential_choices::Choice| format!("{} — {}", one.name, one.identity);
                choices.iter().map(|one| (one.id.to_string(), label(one))).collect()
            }
            _ => Method::ALL.iter().map(|one| (one.word().to_owned(), one.label().to_owned())).collect(),
        };
        let mut fields = form::view(&logins::fields(method), posted, None, errors, &picks);
        for view in fields.iter_mut().filter(|view| view.name == "method") {
            // Each has fields of its own.
            view.switches = true;
        }
        let name = seen.trust()?.name.clone();
        let address = format!("{}/logins/new", page_of(client));
        Ok(Self { shell, client, name, address, method, fields, password: None })
    }
}

/// The choices that the address makes, beside the defaults of the others; typed text never travels in it.
fn chosen(params: &Params) -> Option<Values> {
    let method = params.get("method");
    if method.is_empty() {
        return None;
    }
    let mut values = Values::from_iter([("method", method)]);
    for field in logins::fields(logins::chosen(method)) {
        let given = params.get(field.name);
        let value = if given.is_empty() { field.default } else { given };
        if field.name != "method" && !value.is_empty() {
            values.set(field.name, value);
        }
    }
    Some(values)
}

pub async fn new(
    services: Data<Services>,
    request: HttpRequest,
    visitor: As<Operator>,
    id: Path<ClientId>,
    params: Params,
) -> Result<HttpResponse, Error> {
    let shell = Shell::new(&request, &visitor, SECTION);
    let page = New::draw(&services, shell, *id, chosen(&params).as_ref(), &Errors::default()).await?;
    if htmx::asked(&request) { page::html(&page.as_fields()) } else { page::html(&page) }
}

fn only(posted: &Posted) -> Result<(), Error> {
    let files = ["jwks.file", "accounts.file", "conditions.file"];
    posted.only(logins::field_names().into_iter().chain([step_up::FIELD, "redraw"]).chain(files))
}

pub async fn create(
    services: Data<Services>,
    request: HttpRequest,
    visitor: As<Operator>,
    id: Path<ClientId>,
    posted: Posted,
) -> Result<HttpResponse, Error> {
    only(&posted)?;
    let shell = Shell::new(&request, &visitor, SECTION);
    if posted.0.contains("redraw") {
        return page::html(&New::draw(&services, shell, *id, Some(&posted.0), &Errors::default()).await?);
    }
    let confirmation = step_up::typed(step_up::FIELD, &services, &request, &posted);
    match logins::create(&services, &visitor.principal(), *id, &posted.0, &confirmation).await {
        Ok(made) => secret::answer(&services, shell, *id, made).await,
        Err(Refusal::Invalid(errors)) => {
            let page = New::draw(&services, shell, *id, Some(&posted.0), &errors).await?;
            page::html_with(StatusCode::UNPROCESSABLE_ENTITY, &page)
        }
        Err(Refusal::Unconfirmed(why)) => {
            let page = New::draw(&services, shell, *id, Some(&posted.0), &Errors::default()).await?;
            let ask = Ask::new(step_up::FIELD, why);
            ask.answer(&New { password: Some(ask.clone()), ..page })
        }
        Err(refusal) => Err(refusal.into()),
    }
}

#[derive(Template)]
#[template(path = "clients/rotate.html", blocks = ["fields"])]
struct Rotate {
    shell: Shell,
    client: ClientId,
    name: String,
    /// `Token …9ca1f0`
    login: String,
    address: String,
    fields: Vec<FieldView>,
    password: Option<Ask>,
}

type Ids = Path<(ClientId, ClientLoginId)>;

impl Rotate {
    async fn draw(
        services: &Services,
        shell: Shell,
        (client, id): (ClientId, ClientLoginId),
        posted: Option<&Values>,
        errors: &Errors,
    ) -> Result<Self, Error> {
        let (login, name) = logins::of_client(services, client, id).await?;
        if !login.method.has_secret() {
            return Err(Error::NotFound);
        }
        let fields = form::view(&[OVERLAP, EXPIRES, FOREVER], posted, None, errors, &|_| Vec::new());
        let address = format!("{}/logins/{id}/rotate", page_of(client));
        Ok(Self { shell, client, name, login: login.title(), address, fields, password: None })
    }
}

pub async fn rotate(
    services: Data<Services>,
    request: HttpRequest,
    visitor: As<Operator>,
    ids: Ids,
    params: Params,
) -> Result<HttpResponse, Error> {
    let shell = Shell::new(&request, &visitor, SECTION);
    let pairs = ["overlap", "expires"].map(|name| (name, params.get(name)));
    let chosen = pairs.iter().any(|(_, value)| !value.is_empty()).then(|| Values::from_iter(pairs));
    let page = Rotate::draw(&services, shell, ids.into_inner(), chosen.as_ref(), &Errors::default()).await?;
    if htmx::asked(&request) { page::html(&page.as_fields()) } else { page::html(&page) }
}

pub async fn create_rotated(
    services: Data<Services>,
    request: HttpRequest,
    visitor: As<Operator>,
    ids: Ids,
    posted: Posted,
) -> Result<HttpResponse, Error> {
    posted.only(["expires", "forever", "overlap", step_up::FIELD, "redraw"])?;
    let (ids, shell) = (ids.into_inner(), Shell::new(&request, &visitor, SECTION));
    if posted.0.contains("redraw") {
        return page::html(&Rotate::draw(&services, shell, ids, Some(&posted.0), &Errors::default()).await?);
    }
    let confirmation = step_up::typed(step_up::FIELD, &services, &request, &posted);
    match logins::rotate(&services, &visitor.principal(), ids, &posted.0, &confirmation).await {
        Ok(made) => secret::answer(&services, shell, ids.0, made).await,
        Err(Refusal::Invalid(errors)) => {
            let page = Rotate::draw(&services, shell, ids, Some(&posted.0), &errors).await?;
            page::html_with(StatusCode::UNPROCESSABLE_ENTITY, &page)
        }
        Err(Refusal::Unconfirmed(why)) => {
            let page = Rotate::draw(&services, shell, ids, Some(&posted.0), &Errors::default()).await?;
            let ask = Ask::new(step_up::FIELD, why);
            ask.answer(&Rotate { password: Some(ask.clone()), ..page })
        }
        Err(refusal) => Err(refusal.into()),
    }
}
