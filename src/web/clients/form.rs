//! Adding a client, and editing one.

use actix_web::http::StatusCode;
use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use super::page_of;
use crate::form::{self, Errors, FieldView, Values};
use crate::models::clients::Client;
use crate::models::{ClientId, clients as stored};
use crate::services::Services;
use crate::usecases::Refusal;
use crate::usecases::clients::{self, FIELDS};
use crate::web::error::Error;
use crate::web::page::{self, Shell};
use crate::web::posted::Posted;
use crate::web::session::{As, Operator};
use crate::web::step_up::{self, Ask};

#[derive(Template)]
#[template(path = "clients/form.html")]
struct Form {
    shell: Shell,
    title: String,
    /// The page to go back to, its name, and where the form is posted to.
    back: (String, String),
    address: String,
    fields: Vec<FieldView>,
    /// Of the row that is edited.
    row_version: Option<i64>,
    overtaken_by: Option<String>,
    password: Option<Ask>,
}

fn views(posted: Option<&Values>, stored: Option<&Values>, errors: &Errors) -> Vec<FieldView> {
    form::view(&FIELDS, posted, stored, errors, &|_| Vec::new())
}

impl Form {
    fn new(shell: Shell, posted: Option<&Values>, errors: &Errors) -> Self {
        Self {
            shell,
            title: "Add client".to_owned(),
            back: ("/clients".to_owned(), "Clients".to_owned()),
            address: "/clients".to_owned(),
            fields: views(posted, None, errors),
            row_version: None,
            overtaken_by: None,
            password: None,
        }
    }

    fn of(shell: Shell, row: &Client, posted: Option<&Values>, errors: &Errors) -> Self {
        Self {
            title: "Edit client".to_owned(),
            back: (page_of(row.id), row.name.clone()),
            address: format!("/clients/{}/edit", row.id),
            fields: views(posted, Some(&clients::stored(row)), errors),
            row_version: Some(row.row_version),
            ..Self::new(shell, None, &Errors::default())
        }
    }
}

fn only(posted: &Posted) -> Result<(), Error> {
    posted.only(FIELDS.iter().map(|field| field.name).chain([step_up::FIELD, "row_version"]))
}

pub async fn new(request: HttpRequest, visitor: As<Operator>) -> Result<HttpResponse, Error> {
    page::html(&Form::new(Shell::new(&request, &visitor, super::SECTION), None, &Errors::default()))
}

pub async fn create(
    services: Data<Services>,
    request: HttpRequest,
    visitor: As<Operator>,
    posted: Posted,
) -> Result<HttpResponse, Error> {
    only(&posted)?;
    match clients::create(&services, &visitor.principal(), &posted.0).await {
        Ok(id) => Ok(page::see_other(&page_of(id), "client-added")),
        Err(Refusal::Invalid(errors)) => {
            let form = Form::new(Shell::new(&request, &visitor, super::SECTION), Some(&posted.0), &errors);
            page::html_with(StatusCode::UNPROCESSABLE_ENTITY, &form)
        }
        Err(refusal) => Err(refusal.into()),
    }
}

async fn row(services: &Services, id: ClientId) -> Result<Client, Error> {
    let vault = services.vault.clone();
    let seen = services.db.run(move |conn| stored::find(conn, &vault, id)).await?;
    Ok(Client::clone(&*seen.trust()?))
}

pub async fn edit(
    services: Data<Services>,
    request: HttpRequest,
    visitor: As<Operator>,
    id: Path<ClientId>,
) -> Result<HttpResponse, Error> {
    let row = row(&services, *id).await?;
    page::html(&Form::of(Shell::new(&request, &visitor, super::SECTION), &row, None, &Errors::default()))
}

pub async fn update(
    services: Data<Services>,
    request: HttpRequest,
    visitor: As<Operator>,
    id: Path<ClientId>,
    posted: Posted,
) -> Result<HttpResponse, Error> {
    only(&posted)?;
    let seen = posted.seen_version().ok_or(Error::Malformed)?;
    let confirmation = step_up::typed(step_up::FIELD, &services, &request, &posted);
    let refusal = match clients::update(&services, &visitor.principal(), (*id, seen), &posted.0, &confirmation).await {
        Ok(()) => return Ok(page::see_other(&page_of(*id), "saved")),
        Err(refusal) => refusal,
    };
    let row = row(&services, *id).await?;
    let form =
        |errors: &Errors| Form::of(Shell::new(&request, &visitor, super::SECTION), &row, Some(&posted.0), errors);
    match refusal {
        Refusal::Invalid(errors) => page::html_with(StatusCode::UNPROCESSABLE_ENTITY, &form(&errors)),
        Refusal::Overtaken => {
            let form = Form { overtaken_by: Some(row.edited_by.clone()), ..form(&Errors::default()) };
            page::html_with(StatusCode::CONFLICT, &form)
        }
        Refusal::Unconfirmed(why) => {
            let ask = Ask::new(step_up::FIELD, why);
            ask.answer(&Form { password: Some(ask.clone()), row_version: Some(seen), ..form(&Errors::default()) })
        }
        refusal => Err(refusal.into()),
    }
}

pub async fn activation(
    services: Data<Services>,
    request: HttpRequest,
    visitor: As<Operator>,
    id: Path<ClientId>,
    posted: Posted,
) -> Result<HttpResponse, Error> {
    posted.only(["active"])?;
    let (active, word) = match posted.get("active") {
        "on" => (true, "client-enabled"),
        "" => (false, "client-disabled"),
        _ => return Err(Error::Malformed),
    };
    let done = clients::set_active(&services, &visitor.principal(), *id, active).await;
    done.map_err(step_up::on_its_page(&request, &page_of(*id)))?;
    Ok(page::see_other(&page_of(*id), word))
}
