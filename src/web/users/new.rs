//! A new user: name, role, and a password that is typed twice or made here and shown once.

use actix_web::http::StatusCode;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use super::super::account;
use super::super::error::Error;
use super::super::page::{self, Shell};
use super::super::posted::Posted;
use super::super::session::{Administrator, As};
use super::super::step_up::{self, Ask};
use crate::accounts::{self, Role, password};
use crate::form::{Errors, name_shown_again};
use crate::models::{DbError, users};
use crate::services::Services;

const PAGE: &str = "/users/new";

#[derive(Template)]
#[template(path = "users/new.html")]
struct New {
    shell: Shell,
    username: String,
    roles: Vec<(&'static str, &'static str, bool)>,
    errors: Errors,
    password: Option<Ask>,
}

pub async fn new(request: HttpRequest, visitor: As<Administrator>) -> Result<HttpResponse, Error> {
    // Asked before the form is filled in, so that nothing typed is lost.
    visitor.require_fresh(&request, PAGE)?;
    let shell = Shell::new(&request, &visitor, "users");
    let (username, roles) = (String::new(), roles(Role::Auditor.slug()));
    page::html(&New { shell, username, roles, errors: Errors::default(), password: None })
}

pub async fn create(
    services: Data<Services>,
    request: HttpRequest,
    visitor: As<Administrator>,
    posted: Posted,
) -> Result<HttpResponse, Error> {
    posted.only(["username", "role", "password", "password_again", step_up::OTHER_FIELD])?;
    let filled = |errors, password| {
        let shell = Shell::new(&request, &visitor, "users");
        let (username, roles) = (name_shown_again(&posted.0, "username"), roles(posted.get("role")));
        New { shell, username, roles, errors, password }
    };
    let again = |errors| page::html_with(StatusCode::UNPROCESSABLE_ENTITY, &filled(errors, None));
    let mut errors = Errors::default();
    let name = accounts::user_name(posted.get("username")).unwrap_or_else(|problem| {
        errors.add("username", problem);
        String::new()
    });
    let role = Role::find(posted.get("role"));
    if role.is_none() {
        errors.add("role", "Choose one of the roles.");
    }
    let wanted = Wanted::read(&posted, &name);
    errors.extend(wanted.errors);
    let (Some(role), true) = (role, errors.is_empty()) else { return again(errors) };
    if let Err(ask) = step_up::confirm_by(step_up::OTHER_FIELD, &services, &request, &visitor, &posted).await? {
        return ask.answer(&filled(Errors::default(), Some(ask.clone())));
    }
    let hash = services.gate.hasher.hash(&wanted.password).await?;
    let (vault, actor, label) = (services.vault.clone(), visitor.actor(), name.clone());
    let made =
        services.db.transaction(move |conn| users::invite(conn, &vault, &actor, &label, role.slug(), &hash)).await;
    match made {
        Ok(id) if wanted.generated => super::generated(&request, &visitor, id, &name, &wanted.password, true),
        Ok(id) => Ok(page::see_other(&format!("/users/{id}"), "saved")),
        Err(DbError::Duplicate(_)) => again(Errors::one("username", "There is a user of that name already.")),
        Err(error) => Err(error.into()),
    }
}

/// Slug, label, whether chosen.
fn roles(chosen: &str) -> Vec<(&'static str, &'static str, bool)> {
    Role::ALL.iter().map(|role| (role.slug(), role.label(), role.slug() == chosen)).collect()
}

/// The password for somebody else: typed, or made here when both fields are blank.
pub struct Wanted {
    pub password: zeroize::Zeroizing<String>,
    pub generated: bool,
    pub errors: Errors,
}

impl Wanted {
    pub fn read(posted: &Posted, user: &str) -> Self {
        let (typed, again) = (posted.get("password"), posted.get("password_again"));
        if typed.is_empty() && again.is_empty() {
            return Self { password: password::generated().into(), generated: true, errors: Errors::default() };
        }
        let errors = account::password::check(typed, again, user);
        Self { password: typed.to_owned().into(), generated: false, errors }
    }
}
