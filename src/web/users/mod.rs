//! Users, for administrators: the list (`index`), the form for a new one (`new`), the page of one (`show`) and what is
//! done there (`edit`, `mail`, `delete`). What users do for themselves is in `web::account`.

use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use super::error::Error;
use super::page::{self, Shell};
use super::session::{Administrator, As};
use crate::accounts::Role;
use crate::models::UserId;
use crate::models::users::User;
use crate::usecases::users::Invited;

pub mod delete;
pub mod edit;
pub mod export;
pub mod index;
pub mod mail;
pub mod new;
pub mod show;

fn role_label(user: &User) -> &'static str {
    Role::find(&user.role).map_or("Unknown", Role::label)
}

/// Tone and word of a user's second factor.
fn two_step(user: &User) -> (&'static str, &'static str) {
    match (user.totp_confirmed, user.totp_required) {
        (true, _) => ("good", "On"),
        (false, true) => ("warn", "Required, not set up yet"),
        (false, false) => ("off", "Off"),
    }
}

#[derive(Template)]
#[template(path = "users/password.html")]
struct Generated<'a> {
    shell: Shell,
    id: UserId,
    name: &'a str,
    password: &'a str,
    created: bool,
}

/// On to the page of a user whose password was set; a password that was made here is shown, this once.
fn invited(
    request: &HttpRequest,
    visitor: &As<Administrator>,
    invited: &Invited,
    word: &'static str,
) -> Result<HttpResponse, Error> {
    let Invited { id, name, generated } = invited;
    match generated {
        None => Ok(page::see_other(&format!("/users/{id}"), word)),
        Some(password) => {
            let shell = Shell::new(request, visitor, "users");
            page::html(&Generated { shell, id: *id, name, password, created: word == "saved" })
        }
    }
}
