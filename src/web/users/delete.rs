//! Deleting a user, confirmed by typing the name. What of theirs stays is said before.

use actix_web::http::StatusCode;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use super::super::error::{Error, LAST_ADMINISTRATOR};
use super::super::page::{self, Shell};
use super::super::posted::Posted;
use super::super::session::{Administrator, As};
use super::super::{params, step_up};
use crate::models::labels::Owned;
use crate::models::users::User;
use crate::models::{self, DbError, UserId};
use crate::services::Services;
use crate::usecases::{Refusal, users};

#[derive(Template)]
#[template(path = "users/delete.html")]
struct Delete {
    shell: Shell,
    user: User,
    /// What names them as its owner.
    owned: Owned,
    typed: String,
    problem: Option<&'static str>,
}

impl Delete {
    async fn load(services: &Services, shell: Shell, id: UserId) -> Result<Self, Error> {
        let vault = services.vault.clone();
        let found = services.db.run(move |conn| {
            let user = models::users::find(conn, &vault, id)?.into_shown();
            let owned = models::labels::owned_by(conn, &user.name)?;
            Ok::<_, DbError>((user, owned))
        });
        let (user, owned) = found.await?;
        if user.deleted_at.is_some() {
            return Err(Error::NotFound);
        }
        Ok(Self { shell, user, owned, typed: String::new(), problem: None })
    }
}

pub async fn confirm(
    services: Data<Services>,
    request: HttpRequest,
    visitor: As<Administrator>,
) -> Result<HttpResponse, Error> {
    let id: UserId = params::id(&request)?;
    let page = Delete::load(&services, Shell::new(&request, &visitor, "users"), id).await?;
    // Asked before the name is typed.
    visitor.require_fresh(&request, &format!("/users/{id}/delete"))?;
    page::html(&page)
}

pub async fn destroy(
    services: Data<Services>,
    request: HttpRequest,
    visitor: As<Administrator>,
    posted: Posted,
) -> Result<HttpResponse, Error> {
    posted.only(["name"])?;
    let (id, name): (UserId, _) = (params::id(&request)?, posted.get("name"));
    let problem = match users::delete(&services, &visitor.principal(), id, name).await {
        Ok(()) => return Ok(page::see_other("/users", "deleted")),
        Err(Refusal::Unacceptable(problem)) => problem,
        Err(Refusal::LastAdministrator) => LAST_ADMINISTRATOR,
        Err(refusal) => return Err(step_up::on_its_page(&request, &format!("/users/{id}/delete"))(refusal)),
    };
    let page = Delete::load(&services, Shell::new(&request, &visitor, "users"), id).await?;
    let page = Delete { typed: name.to_owned(), problem: Some(problem), ..page };
    page::html_with(StatusCode::UNPROCESSABLE_ENTITY, &page)
}
