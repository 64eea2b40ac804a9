//! A new user: name, address, role, and how they get in: by an invitation, or by a password that is typed twice or made
//! here and shown once.

use actix_web::http::StatusCode;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use super::super::error::Error;
use super::super::login;
use super::super::page::{self, Shell};
use super::super::posted::Posted;
use super::super::session::{Administrator, As};
use super::super::step_up::{self, Ask};
use crate::accounts::Role;
use crate::accounts::limiter::TooOften;
use crate::form::{Errors, name_shown_again};
use crate::services::Services;
use crate::usecases::users::{self, First, NewUser};
use crate::usecases::{Refusal, user_mail};

const PAGE: &str = "/users/new";
const INVITE: &str = "invitation";

#[derive(Template)]
#[template(path = "users/new.html")]
struct New {
    shell: Shell,
    username: String,
    email: String,
    roles: Vec<(&'static str, &'static str, bool)>,
    /// Whether an invitation can be sent, and whether it is chosen.
    offered: bool,
    invites: bool,
    errors: Errors,
    password: Option<Ask>,
}

pub async fn new(
    services: Data<Services>,
    request: HttpRequest,
    visitor: As<Administrator>,
) -> Result<HttpResponse, Error> {
    // Asked before the form is filled in, so that nothing typed is lost.
    visitor.require_fresh(&request, PAGE)?;
    let offered = user_mail::is_offered(&services).await?;
    page::html(&New {
        shell: Shell::new(&request, &visitor, "users"),
        username: String::new(),
        email: String::new(),
        roles: roles(Role::Auditor.slug()),
        offered,
        invites: offered,
        errors: Errors::default(),
        password: None,
    })
}

pub async fn create(
    services: Data<Services>,
    request: HttpRequest,
    visitor: As<Administrator>,
    posted: Posted,
) -> Result<HttpResponse, Error> {
    let own = ["username", "email", "role", "first", "password", "password_again"];
    posted.only(own.into_iter().chain([step_up::OTHER_FIELD, "redraw"]))?;
    let first = match posted.get("first") {
        "" | "password" => First::Password(posted.typed_password()),
        INVITE => First::Invitation,
        _ => return Err(Error::Malformed),
    };
    let form = async || {
        let offered = user_mail::is_offered(&services).await?;
        Ok::<_, Error>(filled(Shell::new(&request, &visitor, "users"), &posted, offered))
    };
    if posted.0.contains("redraw") {
        return page::html(&form().await?);
    }
    let (name, role, email) = (posted.get("username"), posted.get("role"), posted.get("email"));
    let confirmation = step_up::typed(step_up::OTHER_FIELD, &services, &request, &posted);
    let new = NewUser { name, role, email, first };
    match users::create(&services, &visitor.principal(), &new, &confirmation).await {
        Ok(invited) => {
            let word = if matches!(first, First::Invitation) { "user-invited" } else { "saved" };
            super::invited(&request, &visitor, &invited, word)
        }
        Err(refusal) => again(form().await?, refusal),
    }
}

/// The form as it was filled in.
fn filled(shell: Shell, posted: &Posted, offered: bool) -> New {
    New {
        shell,
        username: name_shown_again(&posted.0, "username"),
        email: name_shown_again(&posted.0, "email"),
        roles: roles(posted.get("role")),
        offered,
        invites: posted.get("first") == INVITE,
        errors: Errors::default(),
        password: None,
    }
}

/// The same with what is wrong or with the question for the password.
fn again(form: New, refusal: Refusal) -> Result<HttpResponse, Error> {
    match refusal {
        Refusal::Invalid(errors) => page::html_with(StatusCode::UNPROCESSABLE_ENTITY, &New { errors, ..form }),
        Refusal::Unconfirmed(why) => {
            let ask = Ask::new(step_up::OTHER_FIELD, why);
            ask.answer(&New { password: Some(ask.clone()), ..form })
        }
        Refusal::TooOften(TooOften { text, seconds }) => {
            let form = New { errors: Errors::one("email", text), ..form };
            login::with_wait(page::html_with(StatusCode::TOO_MANY_REQUESTS, &form)?, Some(seconds))
        }
        refusal => Err(refusal.into()),
    }
}

/// Slug, label, whether chosen.
fn roles(chosen: &str) -> Vec<(&'static str, &'static str, bool)> {
    Role::ALL.iter().map(|role| (role.slug(), role.label(), role.slug() == chosen)).collect()
}
