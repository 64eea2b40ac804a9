//! A row of the table, with its usages unfolded under it or folded again. Only htmx asks for it; the link that does
//! leads to the credential's page otherwise.

use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use super::row::RowView;
use super::view::{MOST_USAGES, Used};
use crate::accounts::Role;
use crate::models::{DbError, credential_list};
use crate::services::Services;
use crate::web::error::Error;
use crate::web::params::Params;
use crate::web::session::{As, Auditor};
use crate::web::{htmx, page};

#[derive(Template)]
#[template(path = "credentials/_row.html")]
struct Unfolded {
    row: RowView,
}

pub async fn index(
    services: Data<Services>,
    request: HttpRequest,
    visitor: As<Auditor>,
    path: Path<String>,
    params: Params,
) -> Result<HttpResponse, Error> {
    let id = super::id(&path)?;
    if !htmx::asked(&request) {
        return Ok(page::see_other(&format!("/credentials/{id}#usages"), ""));
    }
    let folded = params.get("folded") == "yes";
    let (row, now, used) = services
        .db
        .run(move |conn| {
            let (row, now) = credential_list::find(conn, id)?;
            let used = if folded { None } else { Some(Used::read(conn, id, MOST_USAGES)?) };
            Ok::<_, DbError>((row, now, used))
        })
        .await?;
    let mut row = RowView::new(row, now, &services.limits());
    let number = params.get("row").parse().ok().filter(|_| visitor.may(Role::Operator));
    row.number = number.unwrap_or_default();
    row.unfolded = used.map(|used| used.list(now));
    page::html(&Unfolded { row })
}
