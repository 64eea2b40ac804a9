//! The page of one user: what they may do, how they log in, where they are logged in.

use actix_web::http::StatusCode;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use super::super::device::SessionLine;
use super::super::error::Error;
use super::super::integrations::shown;
use super::super::page::{self, Shell, When, when};
use super::super::params;
use super::super::session::{Administrator, As};
use super::super::step_up::Ask;
use crate::accounts::Role;
use crate::form::Errors;
use crate::models::trust::Doubt;
use crate::models::users::{self, User};
use crate::models::{self, DbError, account_letters, sessions};
use crate::services::Services;

#[derive(Template)]
#[template(path = "users/show.html")]
pub struct Show {
    shell: Shell,
    user: User,
    role: &'static str,
    roles: Vec<(&'static str, &'static str, bool)>,
    two_step: (&'static str, &'static str),
    created: When,
    last_login: Option<When>,
    password_set: When,
    sessions: Vec<SessionLine>,
    yourself: bool,
    doubt: Option<&'static str>,
    problem: Option<&'static str>,
    errors: Errors,
    /// Asked before the role is changed.
    password: Option<Ask>,
    /// As it stands in the form.
    email: String,
    /// Asked before the address is changed.
    email_password: Option<Ask>,
    /// Whether mail can be sent to users.
    offered: bool,
    /// Until when an invitation can be followed, and whether that is over.
    invited: Option<(When, bool)>,
    deleted: Option<When>,
}

pub async fn show(
    services: Data<Services>,
    request: HttpRequest,
    visitor: As<Administrator>,
) -> Result<HttpResponse, Error> {
    render(&services, &request, &visitor, StatusCode::OK, None, Errors::default()).await
}

/// The page again, with what is wrong.
pub async fn render(
    services: &Services,
    request: &HttpRequest,
    visitor: &As<Administrator>,
    status: StatusCode,
    problem: Option<&'static str>,
    errors: Errors,
) -> Result<HttpResponse, Error> {
    page::html_with(status, &Show { problem, errors, ..load(services, request, visitor).await? })
}

/// The page with the role that was chosen, and with the question for the visitor's password.
pub async fn asking(
    services: &Services,
    request: &HttpRequest,
    visitor: &As<Administrator>,
    role: &str,
    ask: &Ask,
) -> Result<Show, Error> {
    Ok(Show { roles: roles(role), password: Some(ask.clone()), ..load(services, request, visitor).await? })
}

/// The page with the address that was entered, and with the question for the visitor's password or what is wrong.
pub async fn with_email(
    services: &Services,
    request: &HttpRequest,
    visitor: &As<Administrator>,
    email: &str,
    why: Result<&Ask, Errors>,
) -> Result<Show, Error> {
    let page = load(services, request, visitor).await?;
    let email = if email.is_empty() { page.email.clone() } else { email.to_owned() };
    Ok(match why {
        Ok(ask) => Show { email, email_password: Some(ask.clone()), ..page },
        Err(errors) => Show { email, errors, ..page },
    })
}

/// Slug, label, whether chosen.
fn roles(chosen: &str) -> Vec<(&'static str, &'static str, bool)> {
    Role::ALL.iter().rev().map(|role| (role.slug(), role.label(), role.slug() == chosen)).collect()
}

async fn load(services: &Services, request: &HttpRequest, visitor: &As<Administrator>) -> Result<Show, Error> {
    let (id, limits, vault) = (params::id(request)?, services.session_limits(), services.vault.clone());
    let (seen, found, (offered, invited), now) = services
        .db
        .run(move |conn| {
            let offered = account_letters::channel(conn, &vault)?.is_some();
            let mail = (offered, account_letters::invited_until(conn, &[id])?.get(&id).copied());
            let (user, sessions) = (users::find(conn, &vault, id)?, sessions::of(conn, id, limits)?);
            Ok::<_, DbError>((user, sessions, mail, models::clock(conn)?))
        })
        .await?;
    let (doubt, user) = (seen.doubt(), seen.into_shown());
    Ok(Show {
        shell: Shell::new(request, visitor, "users"),
        role: super::role_label(&user),
        roles: roles(&user.role),
        two_step: super::two_step(&user),
        created: when(user.created_at, now),
        last_login: user.last_login_at.map(|at| when(at, now)),
        password_set: when(user.password_set_at, now),
        sessions: found.iter().map(|session| SessionLine::new(session, visitor.session_id, now)).collect(),
        yourself: user.id == visitor.user_id,
        doubt: doubt.map(doubt_sentence),
        email: user.email.clone().unwrap_or_default(),
        email_password: None,
        offered,
        invited: invited.map(|until| (shown::until(until, now), until <= now)),
        deleted: user.deleted_at.map(|at| when(at, now)),
        user,
        problem: None,
        errors: Errors::default(),
        password: None,
    })
}

fn doubt_sentence(doubt: Doubt) -> &'static str {
    match doubt {
        Doubt::Tampered | Doubt::NotAsked => {
            "Integrity error: the stored record of this user was tampered with outside Strongroom. They cannot log in. \
             Disable it in the database, and add the user again."
        }
        Doubt::PutBack => {
            "Integrity error: an older record of this user was put back outside Strongroom. They cannot log in. Check what it \
             says, and give the role again."
        }
        Doubt::LaterRelease => "A later release of Strongroom saved this user. Upgrade this console.",
    }
}
