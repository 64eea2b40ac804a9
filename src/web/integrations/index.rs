//! The table of integrations: searched as one types, filtered, a page at a time. The address holds all of it.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use super::shown;
use crate::integrations::Family;
use crate::models::integration_list::{self, Condition, Counts, Line, Query};
use crate::models::{self, CredentialId, DbError, IntegrationId};
use crate::services::Services;
use crate::web::chip::Chip;
use crate::web::error::Error;
use crate::web::htmx;
use crate::web::page::{self, Shell, When};
use crate::web::params::Params;
use crate::web::session::{As, Auditor};

const PATH: &str = "/integrations";
const PAGE: i64 = 50;
/// Longest search, in characters.
const LONGEST_SEARCH: usize = 200;

/// (word in the address, condition, label, tone)
const CONDITIONS: [(&str, Condition, &str, &str); 3] = [
    ("failing", Condition::Failing, "Failing", "bad"),
    ("partly", Condition::Partly, "Partly read", "warn"),
    ("off", Condition::Off, "Off", ""),
];

#[derive(Template)]
#[template(path = "integrations/index.html", blocks = ["results"])]
struct Index {
    shell: Shell,
    search: String,
    /// Kept by the search form: (name, value)
    kept: Vec<(&'static str, String)>,
    families: Vec<Chip>,
    conditions: Vec<Chip>,
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
    /// The slug of the provider, for its mark.
    version: String,
    provider: String,
    credential: Option<(CredentialId, String)>,
    tone: &'static str,
    state: &'static str,
    /// What the last scan or delivery failed with, without what to do about it: that is on the integration's page.
    error: String,
    last: Option<When>,
    next: Option<When>,
}

impl Row {
    fn new(line: Line, now: chrono::DateTime<chrono::Utc>) -> Self {
        let (tone, state) = match (&line.last_state, line.active) {
            (Some(state), _) if matches!(state.as_str(), "queued" | "running") => shown::state(state),
            (_, false) => ("off", "Off"),
            (Some(state), true) => shown::state(state),
            (None, true) if line.family == Family::AlertProfile.slug() => ("neutral", "Nothing sent yet"),
            (None, true) => ("neutral", "Never run"),
        };
        Self {
            id: line.id,
            provider: shown::version(&line.version),
            version: line.version,
            name: line.name,
            host: line.host,
            credential: line.credential_id.zip(line.credential_name),
            error: line
                .last_error
                .filter(|_| matches!(tone, "bad" | "warn"))
                .map(|text| fault(&text))
                .unwrap_or_default(),
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
    let query = query(&params)?;
    let asked = query.clone();
    let (found, counts, now) = services
        .db
        .run(move |conn| {
            let counts = integration_list::counts(conn, &asked)?;
            Ok::<_, DbError>((integration_list::list(conn, &asked, PAGE)?, counts, models::clock(conn)?))
        })
        .await?;
    let turn = |row: Option<&Line>, name: &str, there: bool| {
        let key = row.filter(|_| there)?.name_key.as_str();
        Some(params.link(PATH, &[("after", ""), ("before", ""), (name, key)]))
    };
    let total: i64 = counts.iter().map(|counts| counts.total).sum();
    let page = Index {
        shell: Shell::new(&request, &visitor, "integrations"),
        empty: total == 0,
        summary: summary(found.rows.len(), counts.iter().map(|counts| counts.matching).sum(), total),
        previous: turn(found.rows.first(), "before", found.before),
        next: turn(found.rows.last(), "after", found.after),
        kept: ["family", "state"].map(|name| (name, params.get(name).to_owned())).into_iter().collect(),
        families: families(&params, &counts),
        conditions: conditions(&params, &counts),
        search: query.search,
        rows: found.rows.into_iter().map(|line| Row::new(line, now)).collect(),
    };
    match htmx::asked(&request) {
        true => page::html(&page.as_results()),
        false => page::html(&page),
    }
}

/// The first sentence.
fn fault(text: &str) -> String {
    text.split_once(". ").map_or_else(|| text.to_owned(), |(first, _)| format!("{first}."))
}

fn query(params: &Params) -> Result<Query, Error> {
    let unknown = || Error::Unacceptable("The address asks for something that this table does not have.".to_owned());
    let condition = match params.get("state") {
        "" => None,
        word => Some(CONDITIONS.iter().find(|(known, ..)| *known == word).ok_or_else(unknown)?.1),
    };
    let family = params.get("family");
    if !family.is_empty() && Family::find(family).is_none() {
        return Err(unknown());
    }
    let from = match (params.get("before"), params.get("after")) {
        ("", "") => None,
        ("", after) => Some((after.to_owned(), false)),
        (before, _) => Some((before.to_owned(), true)),
    };
    let search = params.get("q").chars().take(LONGEST_SEARCH).collect();
    Ok(Query { search, family: family.to_owned(), condition, from })
}

/// `12 of 40 integrations`, `50 on this page, 73 in all`
fn summary(on_page: usize, matching: i64, total: i64) -> String {
    let matched = match matching == total {
        true => shown::counted(total, "integration"),
        false => format!("{} of {}", shown::grouped(matching), shown::counted(total, "integration")),
    };
    if matching > on_page as i64 { format!("{on_page} on this page · {matched}") } else { matched }
}

fn families(params: &Params, counts: &[Counts]) -> Vec<Chip> {
    let chip = |label, word: &str, count: i64| {
        let href = params.link(PATH, &[("family", word), ("after", ""), ("before", "")]);
        Chip::new(label, shown::grouped(count), href, params.get("family") == word)
    };
    let all = chip("All", "", counts.iter().map(|counts| counts.total).sum());
    let of = |family: &&'static Family| {
        let counts = counts.iter().find(|counts| counts.family == family.slug())?;
        Some(chip(family.plural(), family.slug(), counts.total))
    };
    std::iter::once(all).chain(Family::ALL.iter().filter_map(|family| of(&family))).collect()
}

/// Of the chosen family, so that the numbers are those of the rows that a click shows.
fn conditions(params: &Params, counts: &[Counts]) -> Vec<Chip> {
    let family = params.get("family");
    let mine = || counts.iter().filter(|counts| family.is_empty() || counts.family == family);
    let chip = |(word, condition, label, tone): &(&'static str, Condition, &'static str, &'static str)| {
        let count: i64 = mine()
            .map(|counts| match condition {
                Condition::Failing => counts.failing,
                Condition::Partly => counts.partly,
                Condition::Off => counts.off,
            })
            .sum();
        let chosen = params.get("state") == *word;
        let there = if chosen { "" } else { word };
        (count > 0 || chosen).then(|| {
            let href = params.link(PATH, &[("state", there), ("after", ""), ("before", "")]);
            Chip { tone, ..Chip::new(label, shown::grouped(count), href, chosen) }
        })
    };
    CONDITIONS.iter().filter_map(chip).collect()
}
