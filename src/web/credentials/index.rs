//! The table: searched, filtered, sorted, a page at a time. The address holds all of it, so it can be sent to somebody.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use super::query::{self, PATH, SORTS, STATES};
use super::row::RowView;
use crate::credentials::KINDS;
use crate::models::cloud_keys::Count;
use crate::models::credential_limits::Limits;
use crate::models::credential_query::{PAGE, Page, Query, Row, Searched, Sort};
use crate::models::credential_summary::{self, Summary};
use crate::models::labels::{self, Of};
use crate::models::views::{self, List};
use crate::models::{Conn, DbError, credential_list};
use crate::services::Services;
use crate::web::error::Error;
use crate::web::htmx;
use crate::web::integrations::shown::grouped;
use crate::web::page::{self, Shell};
use crate::web::pager::{Pager, Read};
use crate::web::params::Params;
use crate::web::session::{As, Auditor};
use crate::web::table::{Column, Pick, Sorting};
use crate::web::views::Bar;

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
        let (tags, owners) = (labels::tags_of(conn, Of::Credentials)?, labels::owners_of(conn, Of::Credentials)?);
        Ok(Self { summary, tags, owners })
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
    views: Bar,
    sorting: Sorting,
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
    let user = visitor.user_id;
    let read = move |conn: &mut Conn| {
        let views = views::of(conn, user, Some(List::Credentials))?;
        Ok::<_, DbError>((credential_list::page(conn, &asked)?, Facets::read(conn, &asked.limits)?, views))
    };
    let (page, facets, views) = services.db.run(read).await?;
    let mut shell = Shell::new(&request, &visitor, "credentials");
    shell.totals.credentials = Some(Count { number: facets.summary.total(), more: false });
    let views = Bar::new(List::Credentials, &params, views, &visitor.principal());
    let index = Index { views, ..shown(shell, &params, &query, (page, facets)) };
    if htmx::asked(&request) { page::html(&index.as_results()) } else { page::html(&index) }
}

/// The whole page of a query that has been answered; the benchmark's bare handler shows it too.
pub fn render(shell: Shell, query: &Query, page: Page, facets: Facets) -> Result<String, Error> {
    Ok(shown(shell, &Params::default(), query, (page, facets)).render()?)
}

fn shown(shell: Shell, params: &Params, query: &Query, (page, facets): (Page, Facets)) -> Index {
    let pager = pager(params, query, &page, facets.summary.total());
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
        views: Bar::default(),
        sorting: Sorting::new(PATH, params, SORTS.iter().map(|(word, _, label)| (*word, *label)), query.descending),
        columns: columns(params, (query::word(sort), query.descending)),
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

fn columns(params: &Params, sorted: (&str, bool)) -> Vec<Column> {
    let column = |(of, label, class): &(Option<Sort>, &'static str, &'static str)| {
        Column::new((label, class, of.map(query::word)), (PATH, params), sorted)
    };
    COLUMNS.iter().map(column).collect()
}

fn pager(params: &Params, query: &Query, page: &Page, all: i64) -> Pager {
    // What a search chose by itself, its next page has to be told.
    let sort = if query.search.trim().is_empty() { "" } else { query::word(page.sort) };
    let (previous, next) = (page.previous.as_ref(), page.next.as_ref());
    let read = Read { rows: page.rows.len(), size: PAGE, total: page.total, previous, next, sort };
    Pager::new(params, (PATH, "credential"), &read, all)
}

fn picks(query: &Query, facets: &Facets) -> Vec<Pick> {
    let kind = |slug: &str, label: &str| (slug.to_owned(), label.to_owned(), slug == query.kind);
    let kinds = KINDS.iter().map(|known| kind(known.slug, known.label)).collect();
    let kinds = Pick { name: "kind", label: "Type", options: kinds };
    let tags = Pick::of_values("tag", "Tag", &facets.tags, &query.tag);
    let owners = Pick::of_values("owner", "Owner", &facets.owners, &query.owner);
    [Some(kinds), tags, owners].into_iter().flatten().collect()
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
