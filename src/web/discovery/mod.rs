//! *Discovery*: every registry, the functions of every region and every cluster that scans found in cloud accounts, and
//! which of them an integration scans. The address holds filter, search and page, so it can be sent to somebody.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;
use chrono::{DateTime, Utc};

mod deployment;
pub mod export;
pub mod view;

use crate::integrations::Family;
use crate::models::discovery::{self, Counts, Found, Named, Query, Sort};
use crate::models::items::Start;
use crate::models::{self, DbError, cloud_keys};
use crate::services::Services;
use crate::web::chip::Chip;
use crate::web::error::Error;
use crate::web::htmx;
use crate::web::integrations::inventory;
use crate::web::integrations::shown::{counted, grouped};
use crate::web::page::{self, Shell};
use crate::web::params::Params;
use crate::web::session::{As, Auditor};
use view::ThingView;

const PATH: &str = "/discovery";
const PAGE: i64 = 50;
/// Scans that left something unread, named on the page.
const UNREAD: i64 = 5;
/// Longest search, in characters: a registry's host has 80, an endpoint 90.
const LONGEST_SEARCH: usize = 200;

/// (word in the address, sort, label)
const SORTS: [(&str, Sort, &str); 4] = [
    ("", Sort::All, "All"),
    ("registries", Sort::Registries, "Registries"),
    ("functions", Sort::Functions, "Functions"),
    ("clusters", Sort::Clusters, "Clusters"),
];

/// The word of the address for what no integration covers.
const NO: &str = "no";

#[derive(Template)]
#[template(path = "discovery/index.html", blocks = ["results"])]
struct Index {
    shell: Shell,
    search: String,
    /// The words of the filters, kept by the search form.
    kept: Vec<(&'static str, &'static str)>,
    chips: Vec<Chip>,
    things: Vec<ThingView>,
    /// An integration scans an account.
    scanned: bool,
    /// Scans of accounts that could not read all they look for.
    unread: Vec<Named>,
    /// No scan has found anything.
    empty: bool,
    /// Nothing of these filters and this search is left out.
    all_covered: bool,
    summary: String,
    previous: Option<String>,
    next: Option<String>,
    csv: String,
}

/// Everything that the page is made of.
struct Read {
    found: Found,
    counts: Counts,
    scanned: bool,
    unread: Vec<Named>,
    now: DateTime<Utc>,
}

pub async fn index(
    services: Data<Services>,
    request: HttpRequest,
    visitor: As<Auditor>,
    params: Params,
) -> Result<HttpResponse, Error> {
    let query = query(&params, PAGE)?;
    let asked = query.clone();
    let read = services
        .db
        .run(move |conn| {
            Ok::<_, DbError>(Read {
                found: discovery::page(conn, &asked)?,
                counts: discovery::counts(conn)?,
                scanned: cloud_keys::is_scanned(conn, Family::CloudScan.slug())?,
                unread: discovery::unread(conn, Family::CloudScan.slug(), UNREAD)?,
                now: models::clock(conn)?,
            })
        })
        .await?;
    let index = Index::new(Shell::new(&request, &visitor, "discovery"), &params, &query, read);
    if htmx::asked(&request) { page::html(&index.as_results()) } else { page::html(&index) }
}

/// What the address asks for.
fn query(params: &Params, size: i64) -> Result<Query, Error> {
    let unknown = || Error::Unacceptable("The address asks for something that this table does not have.".to_owned());
    let (_, sort, _) = SORTS.iter().find(|(word, ..)| *word == params.get("kind")).ok_or_else(unknown)?;
    let not_covered = match params.get("covered") {
        "" => false,
        NO => true,
        _ => return Err(unknown()),
    };
    let from = match (params.get("after"), params.get("before")) {
        ("", "") => None,
        (_, "") | ("", _) => Some(inventory::start(params).ok_or_else(unknown)?),
        _ => return Err(unknown()),
    };
    let search = params.get("q").chars().take(LONGEST_SEARCH).collect();
    Ok(Query { sort: *sort, not_covered, search, from, size })
}

impl Index {
    fn new(shell: Shell, params: &Params, query: &Query, read: Read) -> Self {
        let Read { found, counts, scanned, unread, now } = read;
        let turn = |start: Start| {
            let (name, at) =
                (if start.back { "before" } else { "after" }, inventory::address(&start.place, &start.name));
            params.link(PATH, &[("after", ""), ("before", ""), (name, &at)])
        };
        let number = i64::try_from(found.lines.len()).unwrap_or(i64::MAX);
        let (previous, next) = (found.previous.map(turn), found.next.map(turn));
        let paged = previous.is_some() || next.is_some();
        let word = SORTS.iter().find(|(_, sort, _)| *sort == query.sort).map_or("", |(word, ..)| word);
        let kept = [("kind", word), ("covered", if query.not_covered { NO } else { "" })];
        let all = of(counts, Sort::All);
        Self {
            chips: chips(params, query, counts),
            scanned,
            unread,
            empty: all.0 == 0,
            all_covered: query.not_covered && query.search.trim().is_empty() && next.is_none(),
            summary: format!("{}{}", counted(number, "item"), if paged { " on this page" } else { "" }),
            previous,
            next,
            csv: params.link("/discovery.csv", &[("after", ""), ("before", "")]),
            things: found.lines.into_iter().map(|line| ThingView::new(line, shell.may_edit, now)).collect(),
            search: query.search.clone(),
            kept: kept.into_iter().filter(|(_, word)| !word.is_empty()).collect(),
            shell,
        }
    }
}

/// How many there are of a sort, and how many of them are not covered.
fn of(counts: Counts, sort: Sort) -> (i64, i64) {
    let Counts { registries, functions, clusters, open_registries, open_functions, .. } = counts;
    match sort {
        Sort::All => (registries + functions + clusters, open_registries + open_functions),
        Sort::Registries => (registries, open_registries),
        Sort::Functions => (functions, open_functions),
        Sort::Clusters => (clusters, 0),
    }
}

fn chips(params: &Params, query: &Query, counts: Counts) -> Vec<Chip> {
    let link =
        |kind, covered| params.link(PATH, &[("kind", kind), ("covered", covered), ("after", ""), ("before", "")]);
    let count = |number: i64| format!("{}{}", grouped(number), if counts.more { "+" } else { "" });
    let sorts = SORTS.into_iter().map(|(word, sort, label)| {
        let chosen = sort == query.sort && !(query.not_covered && sort == Sort::All);
        Chip::new(label, count(of(counts, sort).0), link(word, ""), chosen)
    });
    let word = SORTS.iter().find(|(_, sort, _)| *sort == query.sort).map_or("", |(word, ..)| word);
    // Chosen again, it shows the rest, too.
    let turned = link(word, if query.not_covered { "" } else { NO });
    let open = Chip::new("Not covered", count(of(counts, query.sort).1), turned, query.not_covered);
    sorts.chain([open]).collect()
}
