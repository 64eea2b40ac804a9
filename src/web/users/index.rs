//! The table of users, searched as one types and a page at a time. The address holds all of it.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;
use chrono::{DateTime, Utc};

use super::super::error::Error;
use super::super::integrations::shown::{counted, grouped};
use super::super::page::{self, Shell, When, when};
use super::super::params::Params;
use super::super::session::{Administrator, As};
use super::super::{htmx, users};
use crate::models::user_list::{self, Counts, Listed, Query};
use crate::models::{self, DbError, UserId};
use crate::services::Services;

const PATH: &str = "/users";
const PAGE: i64 = 50;
/// Longest search, in characters.
const LONGEST_SEARCH: usize = 200;
/// With fewer, everybody is in sight.
const WORTH_A_SEARCH: i64 = 15;

#[derive(Template)]
#[template(path = "users/index.html", blocks = ["results"])]
struct Index {
    shell: Shell,
    search: String,
    searched: bool,
    rows: Vec<Row>,
    summary: String,
    csv: String,
    previous: Option<String>,
    next: Option<String>,
}

struct Row {
    id: UserId,
    name: String,
    email: String,
    role: &'static str,
    two_step: (&'static str, &'static str),
    last_login: Option<When>,
    state: (&'static str, &'static str),
    yourself: bool,
}

impl Row {
    fn new(listed: &Listed, yourself: UserId, now: DateTime<Utc>) -> Self {
        let user = listed.user.shown();
        Self {
            id: user.id,
            name: user.name.clone(),
            email: user.email.clone().unwrap_or_default(),
            role: users::role_label(user),
            two_step: users::two_step(user),
            last_login: user.last_login_at.map(|at| when(at, now)),
            yourself: user.id == yourself,
            state: state(listed, now),
        }
    }
}

/// Tone and word of a user's account.
pub fn state(listed: &Listed, now: DateTime<Utc>) -> (&'static str, &'static str) {
    let user = listed.user.shown();
    match (listed.user.doubt().is_some(), user.disabled, listed.invited_until) {
        (true, ..) => ("bad", "Tampered with"),
        (_, true, _) => ("off", "Disabled"),
        (_, _, Some(until)) if until > now => ("info", "Invited"),
        (_, _, Some(_)) => ("warn", "Invitation expired"),
        _ if user.password_temporary => ("warn", "First login pending"),
        _ => ("good", "Active"),
    }
}

pub async fn index(
    services: Data<Services>,
    request: HttpRequest,
    visitor: As<Administrator>,
    params: Params,
) -> Result<HttpResponse, Error> {
    let (query, vault) = (query(&params), services.vault.clone());
    let asked = query.clone();
    let (found, counts, now) = services
        .db
        .run(move |conn| {
            let found = user_list::list(conn, &vault, &asked, PAGE)?;
            Ok::<_, DbError>((found, user_list::counts(conn, &asked)?, models::clock(conn)?))
        })
        .await?;
    let turn = |listed: Option<&Listed>, name: &str, there: bool| {
        let key = listed.filter(|_| there)?.user.shown().name_key.as_str();
        Some(params.link(PATH, &[("after", ""), ("before", ""), (name, key)]))
    };
    let page = Index {
        shell: Shell::new(&request, &visitor, "users"),
        searched: counts.total > WORTH_A_SEARCH || !query.search.is_empty(),
        csv: params.link("/users.csv", &[("after", ""), ("before", "")]),
        summary: summary(found.rows.len(), counts),
        previous: turn(found.rows.first(), "before", found.before),
        next: turn(found.rows.last(), "after", found.after),
        rows: found.rows.iter().map(|listed| Row::new(listed, visitor.user_id, now)).collect(),
        search: query.search,
    };
    match htmx::asked(&request) {
        true => page::html(&page.as_results()),
        false => page::html(&page),
    }
}

pub fn query(params: &Params) -> Query {
    let from = match (params.get("before"), params.get("after")) {
        ("", "") => None,
        ("", after) => Some((after.to_owned(), false)),
        (before, _) => Some((before.to_owned(), true)),
    };
    Query { search: params.get("q").chars().take(LONGEST_SEARCH).collect(), from }
}

/// `12 of 40 users`, `50 on this page · 73 users`
fn summary(on_page: usize, Counts { total, matching }: Counts) -> String {
    let matched = match matching == total {
        true => counted(total, "user"),
        false => format!("{} of {}", grouped(matching), counted(total, "user")),
    };
    if matching > on_page as i64 { format!("{on_page} on this page · {matched}") } else { matched }
}
