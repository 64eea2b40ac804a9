//! Deleting a credential: refused by the database while an integration refers to it, and confirmed by typing its name
//! otherwise. The refusal lists the usages.

use actix_web::http::StatusCode;
use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;
use uuid::Uuid;

use super::edit::SHIPPED;
use super::view::{MOST_USAGES, Usage};
use crate::models::credentials::Credential;
use crate::models::{self, DbError, integration_list};
use crate::names;
use crate::services::Services;
use crate::web::error::Error;
use crate::web::page::{self, Shell};
use crate::web::posted::Posted;
use crate::web::session::{As, Operator};

#[derive(Template)]
#[template(path = "credentials/delete.html")]
struct Delete {
    shell: Shell,
    row: Credential,
    /// What stands in the way.
    usages: Vec<Usage>,
    typed: String,
    problem: Option<&'static str>,
}

struct Found {
    row: Credential,
    usages: Vec<Usage>,
}

async fn load(services: &Services, id: Uuid) -> Result<Found, Error> {
    let vault = services.vault.clone();
    let found = services.db.run(move |conn| {
        let row = models::credentials::find(conn, &vault, id)?.into_shown();
        let usages = integration_list::usages(conn, id, MOST_USAGES)?;
        let now = models::clock(conn)?;
        Ok::<_, DbError>(Found { row, usages: Usage::list(usages, now) })
    });
    match found.await? {
        Found { row, .. } if row.shipped => Err(Error::Conflict(SHIPPED.to_owned())),
        found => Ok(found),
    }
}

pub async fn confirm(
    services: Data<Services>,
    request: HttpRequest,
    visitor: As<Operator>,
    path: Path<String>,
) -> Result<HttpResponse, Error> {
    let Found { row, usages } = load(&services, super::id(&path)?).await?;
    let shell = Shell::new(&request, &visitor, "credentials");
    page::html(&Delete { shell, row, usages, typed: String::new(), problem: None })
}

pub async fn destroy(
    services: Data<Services>,
    request: HttpRequest,
    visitor: As<Operator>,
    path: Path<String>,
    posted: Posted,
) -> Result<HttpResponse, Error> {
    posted.only(["name", "row_version"])?;
    let id = super::id(&path)?;
    let found = load(&services, id).await?;
    if !found.usages.is_empty() {
        return refuse(&services, &request, &visitor, found).await;
    }
    if names::label(posted.get("name"), 200).as_deref() != Ok(&*found.row.name) {
        let page = Delete {
            shell: Shell::new(&request, &visitor, "credentials"),
            row: found.row,
            usages: Vec::new(),
            typed: posted.get("name").to_owned(),
            problem: Some("That is not its name. Nothing was deleted."),
        };
        return page::html_with(StatusCode::UNPROCESSABLE_ENTITY, &page);
    }
    let (vault, actor, seen) = (services.vault.clone(), visitor.actor(), posted.seen_version());
    let deleted = services.db.transaction(move |conn| {
        let row = models::credentials::find(conn, &vault, id)?.into_shown();
        if seen.is_some_and(|seen| seen != row.row_version) {
            return Err(DbError::Stale);
        }
        models::credentials::delete(conn, &vault, &actor, id)
    });
    let deleted = deleted.await;
    match deleted {
        Ok(()) => {
            services.aws.forget(id);
            services.tokens.forget(id);
            Ok(page::see_other("/credentials", "deleted"))
        }
        Err(DbError::Stale) => {
            let page = Delete {
                shell: Shell::new(&request, &visitor, "credentials"),
                row: load(&services, id).await?.row,
                usages: Vec::new(),
                typed: String::new(),
                problem: Some(
                    "It was changed after you opened this page. Nothing was deleted. Look at it again first.",
                ),
            };
            page::html_with(StatusCode::CONFLICT, &page)
        }
        // An integration began to use it a moment ago: the foreign key has the last word.
        Err(DbError::Reference(_)) => refuse(&services, &request, &visitor, load(&services, id).await?).await,
        Err(error) => Err(error.into()),
    }
}

async fn refuse(
    services: &Services,
    request: &HttpRequest,
    visitor: &As<Operator>,
    found: Found,
) -> Result<HttpResponse, Error> {
    let (vault, actor, row) = (services.vault.clone(), visitor.actor(), found.row.clone());
    let why = match found.row.usage_count {
        1 => "used by 1 integration".to_owned(),
        count => format!("used by {count} integrations"),
    };
    services
        .db
        .transaction(move |conn| models::credentials::record_refused_deletion(conn, &vault, &actor, &row, why.clone()))
        .await?;
    let shell = Shell::new(request, visitor, "credentials");
    let page = Delete { shell, row: found.row, usages: found.usages, typed: String::new(), problem: None };
    page::html_with(StatusCode::CONFLICT, &page)
}
