//! Ending a login and deleting a rule, each after a question: a program may depend on it. And having a rule's value read
//! anew.

use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use super::{SECTION, page_of};
use crate::models::{ClientId, ClientLoginId, ClientRuleId, clients as stored};
use crate::services::Services;
use crate::usecases::clients::{logins, rules};
use crate::web::error::Error;
use crate::web::page::{self, Shell};
use crate::web::posted::Posted;
use crate::web::session::{As, Operator};

#[derive(Template)]
#[template(path = "clients/end.html")]
struct Question {
    shell: Shell,
    client: ClientId,
    /// Of the client.
    name: String,
    title: String,
    text: String,
    address: String,
    button: &'static str,
}

pub async fn of_login(
    services: Data<Services>,
    request: HttpRequest,
    visitor: As<Operator>,
    ids: Path<(ClientId, ClientLoginId)>,
) -> Result<HttpResponse, Error> {
    let (client, id) = ids.into_inner();
    let (login, name) = logins::of_client(&services, client, id).await?;
    page::html(&Question {
        shell: Shell::new(&request, &visitor, SECTION),
        client,
        name,
        title: format!("End “{}”?", login.title()),
        text: "It stops working at once, and so do the session tokens that it was given.".to_owned(),
        address: format!("{}/logins/{id}/end", page_of(client)),
        button: "End login",
    })
}

pub async fn end_login(
    services: Data<Services>,
    visitor: As<Operator>,
    ids: Path<(ClientId, ClientLoginId)>,
    posted: Posted,
) -> Result<HttpResponse, Error> {
    posted.only([])?;
    let ids = ids.into_inner();
    logins::end(&services, &visitor.principal(), ids).await?;
    Ok(page::see_other(&page_of(ids.0), "client-login-ended"))
}

pub async fn of_rule(
    services: Data<Services>,
    request: HttpRequest,
    visitor: As<Operator>,
    ids: Path<(ClientId, ClientRuleId)>,
) -> Result<HttpResponse, Error> {
    let (client, id) = ids.into_inner();
    let row = rules::of_client(&services, client, id).await?;
    let vault = services.vault.clone();
    let name = services.db.run(move |conn| stored::find(conn, &vault, client)).await?.shown().name.clone();
    page::html(&Question {
        shell: Shell::new(&request, &visitor, SECTION),
        client,
        title: format!("Delete rule “{}”?", row.name),
        text: format!("{name} fetches nothing by it any more, at once. What it fetched before works until it ends."),
        name,
        address: format!("{}/rules/{id}/delete", page_of(client)),
        button: "Delete rule",
    })
}

pub async fn delete_rule(
    services: Data<Services>,
    visitor: As<Operator>,
    ids: Path<(ClientId, ClientRuleId)>,
    posted: Posted,
) -> Result<HttpResponse, Error> {
    posted.only([])?;
    let ids = ids.into_inner();
    rules::delete(&services, &visitor.principal(), ids).await?;
    Ok(page::see_other(&page_of(ids.0), "deleted"))
}

pub async fn refresh_rule(
    services: Data<Services>,
    visitor: As<Operator>,
    ids: Path<(ClientId, ClientRuleId)>,
    posted: Posted,
) -> Result<HttpResponse, Error> {
    posted.only([])?;
    let ids = ids.into_inner();
    rules::refresh(&services, &visitor.principal(), ids).await?;
    Ok(page::see_other(&page_of(ids.0), "client-rule-refreshed"))
}
