//! The table of integrations: searched as one types, a page at a time, the state in the address.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use super::shown;
use crate::integrations::Family;
use crate::models::integration_list::{self, Line};
use crate::models::{self, CredentialId, DbError, IntegrationId};
use crate::services::Services;
use crate::web::error::Error;
use crate::web::htmx;
use crate::web::page::{self, Shell, When};
use crate::web::params::Params;
use crate::web::session::{As, Auditor};

const PAGE: i64 = 50;

#[derive(Template)]
#[template(path = "integrations/index.html", blocks = ["results"])]
struct Index {
    shell: Shell,
    search: String,
    rows: Vec<Row>,
    /// There is none at all, whatever is searched for.
    empty: bool,
    summary: String,
    previous: Option<String>,
    next: Option<String>,
}

struct Row {
    id: IntegrationId,
    name: String,
    host: String,
    kind: String,
    credential: Option<(CredentialId, String)>,
    tone: &'static str,
    state: &'static str,
    last: Option<When>,
    next: Option<When>,
}

impl Row {
    fn new(line: Line, now: chrono::DateTime<chrono::Utc>) -> Self {
        let (tone, state) = match (&line.last_state, line.active) {
            (Some(state), _) if matches!(state.as_str(), "queued" | "running") => shown::state(state),
            (_, false) => ("off", "Switched off"),
            (Some(state), true) => shown::state(state),
            (None, true) if line.family == Family::AlertProfile.slug() => ("neutral", "Nothing sent yet"),
            (None, true) => ("neutral", "Never run"),
        };
        Self {
            id: line.id,
            kind: shown::kind(&line.family, &line.version),
            name: line.name,
            host: line.host,
            credential: line.credential_id.zip(line.credential_name),
            tone,
            state,
            last: line.last_at.map(|at| page::when(at, now)),
            next: line.next_run_at.filter(|_| line.active).map(|at| shown::until(at, now)),
        }
    }
}

pub async fn index(
    services: Data<Services>,
    request: HttpRequest,
    visitor: As<Auditor>,
    params: Params,
) -> Result<HttpResponse, Error> {
    let (search, after, before) = (params.get("q").to_owned(), params.get("after"), params.get("before"));
    let from = match (before, after) {
        ("", "") => None,
        ("", after) => Some((after.to_owned(), false)),
        (before, _) => Some((before.to_owned(), true)),
    };
    let wanted = search.clone();
    let (found, now) = services
        .db
        .run(move |conn| {
            let from = from.as_ref().map(|(key, back)| (key.as_str(), *back));
            Ok::<_, DbError>((integration_list::list(conn, &wanted, from, PAGE)?, models::clock(conn)?))
        })
        .await?;
    let turn = |row: Option<&Line>, name: &str, there: bool| {
        let key = row.filter(|_| there)?.name_key.as_str();
        Some(params.link("/integrations", &[("after", ""), ("before", ""), (name, key)]))
    };
    let page = Index {
        shell: Shell::new(&request, &visitor, "integrations"),
        empty: found.rows.is_empty() && params.link("", &[]).is_empty(),
        summary: format!("{} on this page", shown::counted(found.rows.len() as i64, "integration")),
        previous: turn(found.rows.first(), "before", found.before),
        next: turn(found.rows.last(), "after", found.after),
        search,
        rows: found.rows.into_iter().map(|line| Row::new(line, now)).collect(),
    };
    match htmx::asked(&request) {
        true => page::html(&page.as_results()),
        false => page::html(&page),
    }
}
