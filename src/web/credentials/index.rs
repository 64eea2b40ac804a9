//! The table: searched, filtered, sorted, a page at a time. The address holds all of it, so it can be sent to somebody.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use super::place;
use super::view::RowView;
use crate::credentials::{self, KINDS};
use crate::models::credential_limits::Limits;
use crate::models::credential_list;
use crate::models::credential_query::{Page, Query, Row, Sort, State};
use crate::services::Services;
use crate::web::error::Error;
use crate::web::htmx;
use crate::web::page::{self, Shell};
use crate::web::params::Params;
use crate::web::session::{As, Auditor};

const PATH: &str = "/credentials";
/// Longest search, in characters: a name has no more.
const LONGEST_SEARCH: usize = 200;

/// The word in the address of the order that a search has by itself.
const MATCH: &str = "match";

/// (word in the address, column, class of its header)
const COLUMNS: &[(&str, Sort, &str, &str)] = &[
    ("name", Sort::Name, "Name", ""),
    ("kind", Sort::Kind, "Type", ""),
    ("identity", Sort::Identity, "Identifying value", ""),
    ("age", Sort::Age, "Age", ""),
    ("usages", Sort::Usages, "Usages", "is-number"),
    ("used", Sort::Used, "Last used", ""),
    ("expires", Sort::Expires, "Expires", "is-optional"),
    ("editor", Sort::Editor, "Last edited by", "is-optional"),
];

const STATES: &[(&str, State, &str)] =
    &[("stale", State::Stale, "Stale"), ("unused", State::Unused, "Unused"), ("expiring", State::Expiring, "Expiring")];

struct Column {
    label: &'static str,
    class: &'static str,
    href: String,
    /// As aria-sort has it; empty for the columns that do not sort.
    current: &'static str,
}

/// (value, label, chosen)
type Choice = (&'static str, &'static str, bool);

#[derive(Template)]
#[template(path = "credentials/index.html", blocks = ["results"])]
struct Index {
    shell: Shell,
    search: String,
    kinds: Vec<Choice>,
    states: Vec<Choice>,
    /// Kept by the search form.
    sort: String,
    direction: String,
    columns: Vec<Column>,
    caption: String,
    rows: Vec<RowView>,
    filtered: bool,
    /// Nothing of the organisation's own is here yet.
    fresh: bool,
    summary: String,
    previous: Option<String>,
    next: Option<String>,
    /// Where a search that looked at beginnings alone looks everywhere.
    inside: Option<String>,
}

pub async fn index(
    services: Data<Services>,
    request: HttpRequest,
    visitor: As<Auditor>,
    params: Params,
) -> Result<HttpResponse, Error> {
    let query = query(&params, services.limits())?;
    let asked = query.clone();
    let page = services.db.run(move |conn| credential_list::page(conn, &asked)).await?;
    let index = shown(Shell::new(&request, &visitor, "credentials"), &params, &query, page);
    if htmx::asked(&request) { page::html(&index.as_results()) } else { page::html(&index) }
}

/// The whole page of a query that has been answered; the benchmark's bare handler shows it too.
pub fn render(shell: Shell, query: &Query, page: Page) -> Result<String, Error> {
    Ok(shown(shell, &Params::default(), query, page).render()?)
}

fn query(params: &Params, limits: Limits) -> Result<Query, Error> {
    let unknown = || Error::Unacceptable("The address asks for something that this table does not have.".to_owned());
    let search: String = params.get("q").chars().take(LONGEST_SEARCH).collect();
    let searched = !search.trim().is_empty();
    let sort = match params.get("sort") {
        MATCH if searched => Sort::Match,
        // Pages beyond the first name their order.
        "" if searched && ["after", "before", "dir"].iter().all(|name| params.get(name).is_empty()) => Sort::Match,
        "" | MATCH => Sort::Name,
        word => COLUMNS.iter().find(|(known, ..)| *known == word).ok_or_else(unknown)?.1,
    };
    let state = match params.get("state") {
        "" => None,
        word => Some(STATES.iter().find(|(known, ..)| *known == word).ok_or_else(unknown)?.1),
    };
    let kind = params.get("kind");
    let descending = match params.get("dir") {
        "" | "asc" => false,
        "desc" => sort != Sort::Match,
        _ => return Err(unknown()),
    };
    if !kind.is_empty() && credentials::find(kind).is_none() {
        return Err(unknown());
    }
    let from = match (params.get("after"), params.get("before")) {
        ("", "") => None,
        (after, "") => Some(place::read(after, sort, false).ok_or_else(unknown)?),
        ("", before) => Some(place::read(before, sort, true).ok_or_else(unknown)?),
        _ => return Err(unknown()),
    };
    Ok(Query { search, kind: kind.to_owned(), state, sort, descending, from, limits })
}

fn shown(shell: Shell, params: &Params, query: &Query, page: Page) -> Index {
    let Page { rows, previous, next, now, sort, beginnings } = page;
    let searched = !query.search.trim().is_empty();
    let filtered = searched || !query.kind.is_empty() || query.state.is_some();
    let fresh = !filtered && query.from.is_none() && rows.iter().all(|row| row.shipped);
    let view = |row: Row| RowView::new(row, now, &query.limits);
    let sorted = COLUMNS.iter().find(|(_, of, ..)| *of == sort);
    let order = if query.descending { "descending" } else { "ascending" };
    let caption = match sorted {
        Some((_, _, label, _)) => format!("Credentials, sorted by {}, {order}", crate::form::in_sentence(label)),
        None => "Credentials, sorted by what follows the text".to_owned(),
    };
    // What a search chose by itself, its next page has to be told.
    let chosen = if searched { sorted.map_or(MATCH, |(word, ..)| word) } else { params.get("sort") };
    let turn = |name, other, place| params.link(PATH, &[("sort", chosen), (other, ""), (name, &place::write(place))]);
    let paged = previous.is_some() || next.is_some();
    let counted = match rows.len() {
        1 => "1 credential".to_owned(),
        count => format!("{count} credentials"),
    };
    Index {
        shell,
        search: query.search.clone(),
        kinds: KINDS.iter().map(|kind| (kind.slug, kind.label, kind.slug == query.kind)).collect(),
        states: STATES.iter().map(|(word, state, label)| (*word, *label, query.state == Some(*state))).collect(),
        sort: Some(params.get("sort")).filter(|word| *word != MATCH).unwrap_or_default().to_owned(),
        direction: params.get("dir").to_owned(),
        columns: COLUMNS.iter().map(|column| header(column, params, query, sort)).collect(),
        caption,
        summary: if paged { format!("{counted} on this page") } else { counted },
        previous: previous.map(|place| turn("before", "after", place)),
        next: next.map(|place| turn("after", "before", place)),
        inside: beginnings.then(|| params.link(PATH, &[("sort", "name"), ("after", ""), ("before", "")])),
        rows: rows.into_iter().map(view).collect(),
        filtered,
        fresh,
    }
}

fn header(
    (word, sort, label, class): &(&'static str, Sort, &'static str, &'static str),
    params: &Params,
    query: &Query,
    current: Sort,
) -> Column {
    let sorted = *sort == current;
    let direction = if sorted && !query.descending { "desc" } else { "" };
    let current = match (sorted, query.descending) {
        (true, true) => "descending",
        (true, false) => "ascending",
        _ => "",
    };
    let href = params.link(PATH, &[("sort", word), ("dir", direction), ("after", ""), ("before", "")]);
    Column { label, class, href, current }
}
