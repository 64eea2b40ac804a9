//! Deleting a credential: refused while an integration or a client refers to it, with a list of the usages, and confirmed by typing
//! its name otherwise.

use actix_web::http::StatusCode;
use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use super::view::{MOST_USAGES, Usage, Used};
use crate::models::credentials::Credential;
use crate::models::{self, CredentialId, DbError};
use crate::services::Services;
use crate::usecases::{Refusal, credentials};
use crate::web::error::Error;
use crate::web::numbers::counted;
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
    /// `3 usages`
    count: String,
    /// Whether integrations and clients are among them.
    integrations: bool,
    clients: bool,
    typed: String,
    problem: Option<&'static str>,
}

impl Delete {
    async fn load(services: &Services, shell: Shell, id: CredentialId) -> Result<Self, Error> {
        let vault = services.vault.clone();
        let found = services.db.run(move |conn| {
            let row = models::credentials::find(conn, &vault, id)?.into_shown();
            let used = Used::read(conn, id, MOST_USAGES)?;
            Ok::<_, DbError>((row, used, models::clock(conn)?))
        });
        let (row, used, now) = found.await?;
        credentials::unless_shipped(&row)?;
        let (integrations, clients) = (!used.lines.is_empty(), !used.clients.is_empty());
        let usages = used.list(now);
        let count = counted(i64::from(row.usage_count), "usage");
        Ok(Self { shell, row, usages, count, integrations, clients, typed: String::new(), problem: None })
    }
}

pub async fn confirm(
    services: Data<Services>,
    request: HttpRequest,
    visitor: As<Operator>,
    path: Path<String>,
) -> Result<HttpResponse, Error> {
    let shell = Shell::new(&request, &visitor, "credentials");
    page::html(&Delete::load(&services, shell, super::id(&path)?).await?)
}

pub async fn destroy(
    services: Data<Services>,
    request: HttpRequest,
    visitor: As<Operator>,
    path: Path<String>,
    posted: Posted,
) -> Result<HttpResponse, Error> {
    posted.only(["name", "row_version"])?;
    let (id, name, seen) = (super::id(&path)?, posted.get("name"), posted.seen_version());
    match credentials::delete(&services, &visitor.principal(), id, name, seen).await {
        Ok(()) => Ok(page::see_other("/credentials", "deleted")),
        Err(refusal) => {
            let shell = Shell::new(&request, &visitor, "credentials");
            again(&services, shell, id, name, refusal).await
        }
    }
}

/// The question again, with what stands in the way.
async fn again(
    services: &Services,
    shell: Shell,
    id: CredentialId,
    typed: &str,
    refusal: Refusal,
) -> Result<HttpResponse, Error> {
    let changed = "It was changed after you opened this page. Nothing was deleted. Look at it again first.";
    let (status, problem, typed) = match refusal {
        Refusal::InUse => (StatusCode::CONFLICT, None, ""),
        Refusal::Overtaken => (StatusCode::CONFLICT, Some(changed), ""),
        Refusal::Unacceptable(problem) => (StatusCode::UNPROCESSABLE_ENTITY, Some(problem), typed),
        refusal => return Err(refusal.into()),
    };
    let page = Delete::load(services, shell, id).await?;
    page::html_with(status, &Delete { typed: typed.to_owned(), problem, ..page })
}
