//! Deleting a client, after a question that says what ends with it.

use actix_web::http::StatusCode;
use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use super::lines::{self, Login, Rule};
use super::page_of;
use crate::models::ClientId;
use crate::models::clients::Client;
use crate::services::Services;
use crate::usecases::{Refusal, clients};
use crate::web::error::Error;
use crate::web::page::{self, Shell, When};
use crate::web::posted::Posted;
use crate::web::session::{As, Operator};
use crate::web::step_up;

#[derive(Template)]
#[template(path = "clients/delete.html")]
struct Delete {
    shell: Shell,
    row: Client,
    logins: Vec<Login>,
    rules: Vec<Rule>,
    used: Option<When>,
    typed: String,
    problem: Option<&'static str>,
}

impl Delete {
    async fn load(services: &Services, shell: Shell, id: ClientId) -> Result<Self, Error> {
        let read = lines::read(services, id).await?;
        let row = read.client.shown().clone();
        let (logins, rules, used) = (read.logins(), read.rules(), read.used());
        Ok(Self { shell, row, logins, rules, used, typed: String::new(), problem: None })
    }
}

fn address(id: ClientId) -> String {
    format!("{}/delete", page_of(id))
}

pub async fn confirm(
    services: Data<Services>,
    request: HttpRequest,
    visitor: As<Operator>,
    id: Path<ClientId>,
) -> Result<HttpResponse, Error> {
    clients::may_delete(&services, &visitor.principal(), *id).await?;
    visitor.require_fresh(&request, &address(*id))?;
    page::html(&Delete::load(&services, Shell::new(&request, &visitor, super::SECTION), *id).await?)
}

pub async fn destroy(
    services: Data<Services>,
    request: HttpRequest,
    visitor: As<Operator>,
    id: Path<ClientId>,
    posted: Posted,
) -> Result<HttpResponse, Error> {
    posted.only(["name", "row_version"])?;
    let (name, seen) = (posted.get("name"), posted.seen_version());
    let changed = "It was changed after you opened this page. Nothing was deleted. Look at it again first.";
    let (status, problem) = match clients::delete(&services, &visitor.principal(), (*id, seen), name).await {
        Ok(()) => return Ok(page::see_other("/clients", "deleted")),
        Err(Refusal::Overtaken) => (StatusCode::CONFLICT, changed),
        Err(Refusal::Unacceptable(problem)) => (StatusCode::UNPROCESSABLE_ENTITY, problem),
        Err(refusal) => return Err(step_up::on_its_page(&request, &address(*id))(refusal)),
    };
    let page = Delete::load(&services, Shell::new(&request, &visitor, super::SECTION), *id).await?;
    page::html_with(status, &Delete { typed: name.to_owned(), problem: Some(problem), ..page })
}
