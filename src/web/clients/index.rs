//! The page *Clients*: every program that fetches from this console. Search, filters, sort order and position are all in
//! the address.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;
use chrono::{DateTime, Utc};

use super::query::{self, PATH, SORTS};
use super::row::Row;
use crate::models::client_list::{self, Found, Line, PAGE, Query, Sort, State};
use crate::models::client_logins::Method;
use crate::models::paging::Total;
use crate::models::{self, Conn, DbError};
use crate::services::Services;
use crate::web::chip::Chip;
use crate::web::error::Error;
use crate::web::htmx;
use crate::web::numbers::grouped;
use crate::web::page::{self, Shell};
use crate::web::pager::{Pager, Read};
use crate::web::params::Params;
use crate::web::session::{As, Auditor};
use crate::web::table::{Column, Pick, Sorting};

/// (sort order, heading, class)
const COLUMNS: [(Option<Sort>, &str, &str); 7] = [
    (Some(Sort::Name), "Client", "is-name"),
    (None, "State", ""),
    (None, "Logins", "folds-2"),
    (Some(Sort::Rules), "Rules", ""),
    (Some(Sort::Used), "Last fetch", ""),
    (Some(Sort::Ends), "Expires", ""),
    (None, "Description", "folds-1"),
];

#[derive(Template)]
#[template(path = "clients/index.html", blocks = ["results"])]
struct Index {
    shell: Shell,
    search: String,
    picks: Vec<Pick>,
    /// The state filter, which the search form keeps.
    state: String,
    chips: Vec<Chip>,
    sorting: Sorting,
    columns: Vec<Column>,
    caption: String,
    rows: Vec<Row>,
    /// There is no client at all.
    empty: bool,
    pager: Pager,
    csv: String,
}

/// The data of the page.
struct Asked {
    found: Found,
    all: i64,
    counts: [i64; 4],
    now: DateTime<Utc>,
}

impl Asked {
    fn read(conn: &mut Conn, query: &Query) -> Result<Self, DbError> {
        let (all, counts) = client_list::counts(conn)?;
        Ok(Self { found: client_list::page(conn, query)?, all, counts, now: models::clock(conn)? })
    }
}

pub async fn index(
    services: Data<Services>,
    request: HttpRequest,
    visitor: As<Auditor>,
    params: Params,
) -> Result<HttpResponse, Error> {
    let query = query::read(&params)?;
    let asked = query.clone();
    let read = services.db.run(move |conn: &mut Conn| Asked::read(conn, &asked)).await?;
    let page = Index::new(Shell::new(&request, &visitor, super::SECTION), &params, &query, read);
    if htmx::asked(&request) { page::html(&page.as_results()) } else { page::html(&page) }
}

impl Index {
    fn new(shell: Shell, params: &Params, query: &Query, read: Asked) -> Self {
        let Asked { found, all, counts, now } = read;
        let order = if query.descending { "descending" } else { "ascending" };
        let label = SORTS.iter().find(|(_, of, _)| *of == query.sort).map_or("client", |(.., label)| label);
        let sorted = (query::word(query.sort), query.descending);
        let heads =
            COLUMNS.map(|(of, label, class)| Column::new((label, class, of.map(query::word)), (PATH, params), sorted));
        Self {
            shell,
            empty: all == 0,
            picks: vec![methods(&query.method)],
            pager: pager(params, query, &found, all),
            state: params.get("state").to_owned(),
            chips: chips(params, all, counts),
            sorting: Sorting::new(PATH, params, SORTS.map(|(word, _, label)| (word, label)), query.descending),
            columns: heads.into(),
            caption: format!("Clients, sorted by {}, {order}", crate::form::in_sentence(label)),
            search: query.search.clone(),
            csv: query::first_page(params, &[]).replacen(PATH, "/clients.csv", 1),
            rows: found.page.rows.into_iter().map(|line| Row::new(line, now)).collect(),
        }
    }
}

fn methods(chosen: &str) -> Pick {
    let option = |method: &Method| (method.word().to_owned(), method.label().to_owned(), method.word() == chosen);
    Pick { name: "method", label: "Login", options: Method::ALL.iter().map(option).collect() }
}

fn pager(params: &Params, query: &Query, found: &Found, all: i64) -> Pager {
    let page = &found.page;
    let place = |line: Option<&Line>, back| line.map(|line| line.place(query.sort, back));
    let previous = place(page.rows.first().filter(|_| page.before), true);
    let next = place(page.rows.last().filter(|_| page.after), false);
    let total = if query.filters() { Total::Exactly(found.total) } else { Total::All };
    let size = usize::try_from(PAGE).unwrap_or_default();
    let read = Read { rows: page.rows.len(), size, total, previous: previous.as_ref(), next: next.as_ref(), sort: "" };
    Pager::new(params, (PATH, "client"), &read, all)
}

fn chips(params: &Params, all: i64, counts: [i64; 4]) -> Vec<Chip> {
    let chosen = params.get("state");
    let whole = Chip::new("All", grouped(all), query::first_page(params, &[("state", "")]), chosen.is_empty());
    let chip = |(state, count): (State, i64)| {
        let (word, label) = query::state(state);
        let href = query::first_page(params, &[("state", if chosen == word { "" } else { word })]);
        let tone = if state == State::Ending { "warn" } else { "" };
        (count > 0 || chosen == word).then(|| Chip { tone, ..Chip::new(label, grouped(count), href, chosen == word) })
    };
    std::iter::once(whole).chain(State::ALL.into_iter().zip(counts).filter_map(chip)).collect()
}
