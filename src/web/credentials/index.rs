//! The table: searched, filtered, sorted, a page at a time. The address holds all of it, so it can be sent to somebody.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use super::pager::Pager;
use super::query::{self, PATH, SORTS, STATES};
use super::row::RowView;
use crate::credentials::KINDS;
use crate::models::cloud_keys::Count;
use crate::models::credential_limits::Limits;
use crate::models::credential_query::{Page, Query, Row, Searched, Sort};
use crate::models::credential_summary::{self, Summary};
use crate::models::{Conn, DbError, credential_list, labels};
use crate::services::Services;
use crate::web::error::Error;
use crate::web::htmx;
use crate::web::integrations::shown::grouped;
use crate::web::page::{self, Shell};
use crate::web::params::Params;
use crate::web::session::{As, Auditor};

/// (order, what is written above it, class); a column without an order does not sort.
const COLUMNS: &[(Option<Sort>, &str, &str)] = &[
    (Some(Sort::Name), "Name", "is-name"),
    (Some(Sort::Kind), "Type", ""),
    (Some(Sort::Identity), "Identity", "is-identity"),
    (None, "Tags", "is-tags"),
    (Some(Sort::Owner), "Owner", "is-owner"),
    (Some(Sort::Age), "Age", ""),
    (Some(Sort::Usages), "Usages", "is-number"),
    (Some(Sort::Used), "Used", "is-used"),
    (None, "State", ""),
];

struct Column {
    label: &'static str,
    class: &'static str,
    /// Empty for the columns that do not sort.
    href: String,
    /// As aria-sort has it.
    current: &'static str,
}

/// A filter that is chosen from a list: what it is called, and (value, label, chosen).
struct Pick {
    name: &'static str,
    label: &'static str,
    options: Vec<(String, String, bool)>,
}

/// A filter of one click.
struct Chip {
    value: &'static str,
    label: &'static str,
    count: String,
    tone: &'static str,
    chosen: bool,
}

/// What the filters offer: how many there are of each state, the tags and the owners in use.
#[derive(Clone, Debug, Default)]
pub struct Facets {
    pub summary: Summary,
    pub tags: Vec<String>,
    pub owners: Vec<String>,
}

impl Facets {
    pub fn read(conn: &mut Conn, limits: &Limits) -> Result<Self, DbError> {
        let summary = credential_summary::summary(conn, limits)?;
        Ok(Self { summary, tags: labels::of_credentials(conn)?, owners: labels::owners_of_credentials(conn)? })
    }
}

#[derive(Template)]
#[template(path = "credentials/index.html", blocks = ["results"])]
struct Index {
    shell: Shell,
    search: String,
    picks: Vec<Pick>,
    chips: Vec<Chip>,
    any_state: bool,
    /// (word, label, chosen) of the orders; none is chosen where the address names none.
    sorts: Vec<(&'static str, &'static str, bool)>,
    descending: bool,
    columns: Vec<Column>,
    caption: String,
    rows: Vec<RowView>,
    filtered: bool,
    /// Nothing of the organisation's own is here yet.
    fresh: bool,
    pager: Pager,
    /// Where a search that looked at beginnings alone looks everywhere.
    within: Option<String>,
    too_many: bool,
    csv: String,
    /// The filters as an address has them, for what is done with all that match.
    filters: String,
}

pub async fn index(
    services: Data<Services>,
    request: HttpRequest,
    visitor: As<Auditor>,
    params: Params,
) -> Result<HttpResponse, Error> {
    let query = query::read(&params, services.limits())?;
    let asked = query.clone();
    let read = move |conn: &mut Conn| {
        Ok::<_, DbError>((credential_list::page(conn, &asked)?, Facets::read(conn, &asked.limits)?))
    };
    let (page, facets) = services.db.run(read).await?;
    let mut shell = Shell::new(&request, &visitor, "credentials");
    shell.totals.credentials = Some(Count { number: facets.summary.total(), more: false });
    let index = shown(shell, &params, &query, (page, facets));
    if htmx::asked(&request) { page::html(&index.as_results()) } else { page::html(&index) }
}

/// The whole page of a query that has been answered; the benchmark's bare handler shows it too.
pub fn render(shell: Shell, query: &Query, page: Page, facets: Facets) -> Result<String, Error> {
    Ok(shown(shell, &Params::default(), query, (page, facets)).render()?)
}

fn shown(shell: Shell, params: &Params, query: &Query, (page, facets): (Page, Facets)) -> Index {
    let pager = Pager::new(params, query, &page, facets.summary.total());
    let Page { rows, now, sort, searched, .. } = page;
    let filtered = query.filters();
    let fresh = !filtered && query.from.is_none() && rows.iter().all(|row| row.shipped);
    let order = if query.descending { "descending" } else { "ascending" };
    let caption = match SORTS.iter().find(|(_, of, _)| *of == sort) {
        Some((_, _, label)) => format!("Credentials, sorted by {}, {order}", crate::form::in_sentence(label)),
        None => "Credentials, sorted by what follows the text".to_owned(),
    };
    let within = (searched == Searched::Beginnings && !rows.is_empty())
        .then(|| query::first_page(params, &[("within", "words"), ("sort", "")]));
    let may_edit = shell.may_edit;
    let view = |(at, row): (usize, Row)| RowView {
        number: if may_edit { at + 1 } else { 0 },
        ..RowView::new(row, now, &query.limits)
    };
    Index {
        shell,
        search: query.search.clone(),
        picks: picks(query, &facets),
        chips: chips(query, &facets.summary),
        any_state: query.state.is_none(),
        sorts: SORTS.iter().map(|(word, _, label)| (*word, *label, params.get("sort") == *word)).collect(),
        descending: query.descending,
        columns: COLUMNS.iter().map(|column| header(column, params, query, sort)).collect(),
        caption,
        rows: rows.into_iter().enumerate().map(view).collect(),
        filtered,
        fresh,
        pager,
        within,
        too_many: searched == Searched::TooMany,
        csv: query::first_page(params, &[]).replacen(PATH, "/credentials.csv", 1),
        filters: query::first_page(params, &[("sort", ""), ("dir", "")]),
    }
}

fn picks(query: &Query, facets: &Facets) -> Vec<Pick> {
    let listed = |values: &[String], chosen: &str| {
        let mut values = values.to_vec();
        if !chosen.is_empty() && !values.iter().any(|value| value == chosen) {
            values.push(chosen.to_owned());
        }
        values.into_iter().map(|value| (value.clone(), value.clone(), value == chosen)).collect()
    };
    let kind = |slug: &str, label: &str| (slug.to_owned(), label.to_owned(), slug == query.kind);
    let mut picks = vec![Pick {
        name: "kind",
        label: "Type",
        options: KINDS.iter().map(|known| kind(known.slug, known.label)).collect(),
    }];
    if !facets.tags.is_empty() || !query.tag.is_empty() {
        picks.push(Pick { name: "tag", label: "Tag", options: listed(&facets.tags, &query.tag) });
    }
    if !facets.owners.is_empty() || !query.owner.is_empty() {
        picks.push(Pick { name: "owner", label: "Owner", options: listed(&facets.owners, &query.owner) });
    }
    picks
}

/// A state that no credential has is not offered, unless it is chosen.
fn chips(query: &Query, summary: &Summary) -> Vec<Chip> {
    let chips = [
        ("tampered", "Tampered", summary.failed_integrity, "bad"),
        ("stale", "Rotate", summary.stale, "bad"),
        ("expiring", "Expiring", summary.expiring, "warn"),
        ("failed", "Test failed", summary.failed_tests, "bad"),
        ("untested", "Not tested", summary.untested, ""),
        ("unused", "Not used", summary.unused, ""),
    ];
    let chosen = STATES.iter().find(|(_, state)| query.state == Some(*state)).map_or("", |(word, _)| word);
    let offered = chips.into_iter().filter(|(value, _, count, _)| *count > 0 || *value == chosen);
    let chip =
        |(value, label, count, tone)| Chip { value, label, count: grouped(count), tone, chosen: value == chosen };
    offered.map(chip).collect()
}

fn header(
    (sort, label, class): &(Option<Sort>, &'static str, &'static str),
    params: &Params,
    query: &Query,
    current: Sort,
) -> Column {
    let Some(sort) = sort else { return Column { label, class, href: String::new(), current: "" } };
    let sorted = *sort == current;
    let direction = if sorted && !query.descending { "desc" } else { "" };
    let current = match (sorted, query.descending) {
        (true, true) => "descending",
        (true, false) => "ascending",
        _ => "",
    };
    let href = query::first_page(params, &[("sort", query::word(*sort)), ("dir", direction)]);
    Column { label, class, href, current }
}
