//! A new user: name, role, and a password that is typed twice or made here and shown once.

use actix_web::http::StatusCode;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use super::super::error::Error;
use super::super::page::{self, Shell};
use super::super::posted::Posted;
use super::super::session::{Administrator, As};
use super::super::step_up::{self, Ask};
use crate::accounts::Role;
use crate::form::{Errors, name_shown_again};
use crate::services::Services;
use crate::usecases::Refusal;
use crate::usecases::users::{self, NewUser};

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
    posted.only(["username", "role", "password", "password_again", step_up::OTHER_FIELD, "redraw"])?;
    if posted.0.contains("redraw") {
        let shell = Shell::new(&request, &visitor, "users");
        let (username, roles) = (name_shown_again(&posted.0, "username"), roles(posted.get("role")));
        return page::html(&New { shell, username, roles, errors: Errors::default(), password: None });
    }
    let (name, role) = (posted.get("username"), posted.get("role"));
    let new = NewUser { name, role, password: posted.typed_password() };
    let confirmation = step_up::typed(step_up::OTHER_FIELD, &services, &request, &posted);
    match users::create(&services, &visitor.principal(), &new, &confirmation).await {
        Ok(invited) => super::invited(&request, &visitor, &invited, "saved"),
        Err(refusal) => again(Shell::new(&request, &visitor, "users"), &posted, refusal),
    }
}

/// The form as it was filled in, with what is wrong or with the question for the password.
fn again(shell: Shell, posted: &Posted, refusal: Refusal) -> Result<HttpResponse, Error> {
    let (username, roles) = (name_shown_again(&posted.0, "username"), roles(posted.get("role")));
    match refusal {
        Refusal::Invalid(errors) => {
            let form = New { shell, username, roles, errors, password: None };
            page::html_with(StatusCode::UNPROCESSABLE_ENTITY, &form)
        }
        Refusal::Unconfirmed(why) => {
            let ask = Ask::new(step_up::OTHER_FIELD, why);
            ask.answer(&New { shell, username, roles, errors: Errors::default(), password: Some(ask.clone()) })
        }
        refusal => Err(refusal.into()),
    }
}

/// Slug, label, whether chosen.
fn roles(chosen: &str) -> Vec<(&'static str, &'static str, bool)> {
    Role::ALL.iter().map(|role| (role.slug(), role.label(), role.slug() == chosen)).collect()
}
