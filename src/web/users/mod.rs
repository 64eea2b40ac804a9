//! Users, for administrators: the list, the form for a new one (`new`), the page of one (`show`) and what is done there
//! (`edit`). What users do for themselves is in `web::account`.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use super::error::Error;
use super::page::{self, Shell, When, when};
use super::session::{Administrator, As};
use crate::accounts::Role;
use crate::models::users::{self, User};
use crate::models::{self, DbError, UserId};
use crate::services::Services;
use crate::usecases::users::Invited;

pub mod edit;
pub mod new;
pub mod show;

#[derive(Template)]
#[template(path = "users/index.html")]
struct Index {
    shell: Shell,
    users: Vec<Row>,
}

struct Row {
    id: UserId,
    name: String,
    role: &'static str,
    disabled: bool,
    two_step: (&'static str, &'static str),
    last_login: Option<When>,
    yourself: bool,
}

pub async fn index(
    services: Data<Services>,
    request: HttpRequest,
    visitor: As<Administrator>,
) -> Result<HttpResponse, Error> {
    let vault = services.vault.clone();
    let found = services.db.run(move |conn| Ok::<_, DbError>((users::list(conn, &vault)?, models::clock(conn)?)));
    let (found, now) = found.await?;
    let row = |user: &User| Row {
        id: user.id,
        name: user.name.clone(),
        role: role_label(user),
        disabled: user.disabled,
        two_step: two_step(user),
        last_login: user.last_login_at.map(|at| when(at, now)),
        yourself: user.id == visitor.user_id,
    };
    let users = found.iter().map(|seen| row(seen.shown())).collect();
    page::html(&Index { shell: Shell::new(&request, &visitor, "users"), users })
}

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
