//! What everybody has: their own password, second factor, sessions and looks. One section of the page a file; what
//! administrators do to others is in `web::users`.

use actix_web::http::StatusCode;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use super::device::SessionLine;
use super::error::Error;
use super::page::{self, Shell};
use super::session::{As, Auditor};
use super::step_up::Ask;
use crate::accounts::visitor::Visitor;
use crate::form::Errors;
use crate::models::{self, DbError, api_tokens, sessions, users};
use crate::services::Services;
use crate::usecases::account::THEMES;

pub mod confirm;
pub mod email;
pub mod password;
pub mod preferences;
pub mod sessions_list;
pub mod tokens;
pub mod two_step;

#[derive(Template)]
#[template(path = "account/show.html")]
struct Show {
    shell: Shell,
    errors: Errors,
    two_step: bool,
    codes_left: usize,
    sessions: Vec<SessionLine>,
    tokens: Vec<tokens::Line>,
    themes: Vec<(&'static str, &'static str, bool)>,
    /// As it stands in the form.
    email: String,
    /// Asked before the address is changed.
    password: Option<Ask>,
}

pub async fn show(services: Data<Services>, request: HttpRequest, visitor: As<Auditor>) -> Result<HttpResponse, Error> {
    render(&services, &request, &visitor, StatusCode::OK, Errors::default()).await
}

async fn render(
    services: &Services,
    request: &HttpRequest,
    visitor: &Visitor,
    status: StatusCode,
    errors: Errors,
) -> Result<HttpResponse, Error> {
    page::html_with(status, &load(services, request, visitor, errors).await?)
}

async fn load(services: &Services, request: &HttpRequest, visitor: &Visitor, errors: Errors) -> Result<Show, Error> {
    let (id, limits, vault) = (visitor.user_id, services.session_limits(), services.vault.clone());
    let (found, mine, user, now) = services
        .db
        .run(move |conn| {
            let found = sessions::of(conn, id, limits)?;
            let user = users::find(conn, &vault, id)?.trust()?;
            Ok::<_, DbError>((found, api_tokens::of(conn, &vault, id)?, user, models::clock(conn)?))
        })
        .await?;
    let sessions = found.iter().map(|session| SessionLine::new(session, visitor.session_id, now)).collect();
    let tokens = mine.iter().map(|token| tokens::Line::new(token, now)).collect();
    let shell = Shell::new(request, visitor, "account");
    let themes = THEMES.iter().map(|(slug, label)| (*slug, *label, *slug == visitor.theme)).collect();
    let (codes_left, email) = (user.recovery_codes.len(), user.email.clone().unwrap_or_default());
    let two_step = visitor.two_step;
    Ok(Show { shell, errors, two_step, codes_left, sessions, tokens, themes, email, password: None })
}
