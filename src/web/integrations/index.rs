//! The table of integrations: searched as one types, filtered, sorted, a page at a time. The address holds all of it.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;
use chrono::{DateTime, Utc};

use super::query::{self, CONDITIONS, PATH, SORTS};
use super::row::Row;
use crate::integrations::Family;
use crate::models::cloud_keys::Count;
use crate::models::counts::{self, OfFamily};
use crate::models::integration_list::{self, Found};
use crate::models::integration_query::{Condition, PAGE, Query, Sort};
use crate::models::labels::{self, Of};
use crate::models::views::{self, List, View};
use crate::models::{self, Conn, DbError, UserId};
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
use crate::web::views::Bar;

/// (order, what is written above it, class); a column without an order does not sort.
const COLUMNS: [(Option<Sort>, &str, &str); 9] = [
    (Some(Sort::Name), "Name", "is-name"),
    (Some(Sort::Kind), "Type", ""),
    (None, "Address", "is-host"),
    (Some(Sort::Credential), "Credential", "is-credential"),
    (None, "Tags", "is-tags"),
    (None, "Owner", "is-owner"),
    (Some(Sort::State), "State", "is-state"),
    (Some(Sort::Last), "Last run", "is-last"),
    (Some(Sort::Next), "Next run", "is-next"),
];

#[derive(Template)]
#[template(path = "integrations/index.html", blocks = ["results"])]
struct Index {
    shell: Shell,
    search: String,
    picks: Vec<Pick>,
    /// Kept by the search form: (name, value)
    kept: Vec<(&'static str, String)>,
    families: Vec<Chip>,
    conditions: Vec<Chip>,
    views: Bar,
    sorting: Sorting,
    columns: Vec<Column>,
    caption: String,
    rows: Vec<Row>,
    /// There is none at all, whatever is searched for.
    empty: bool,
    pager: Pager,
    csv: String,
    /// The filters as an address has them, for what is done with all that match.
    filters: String,
}

/// What the page is made of.
struct Asked {
    found: Found,
    counts: Vec<OfFamily>,
    tags: Vec<String>,
    owners: Vec<String>,
    views: Vec<View>,
    now: DateTime<Utc>,
}

impl Asked {
    fn read(conn: &mut Conn, query: &Query, user: UserId) -> Result<Self, DbError> {
        Ok(Self {
            found: integration_list::page(conn, query)?,
            counts: counts::of_integrations(conn)?,
            tags: labels::tags_of(conn, Of::Integrations)?,
            owners: labels::owners_of(conn, Of::Integrations)?,
            views: views::of(conn, user, Some(List::Integrations))?,
            now: models::clock(conn)?,
        })
    }
}

pub async fn index(
    services: Data<Services>,
    request: HttpRequest,
    visitor: As<Auditor>,
    params: Params,
) -> Result<HttpResponse, Error> {
    let query = query::read(&params)?;
    let (asked, user) = (query.clone(), visitor.user_id);
    let mut read = services.db.run(move |conn: &mut Conn| Asked::read(conn, &asked, user)).await?;
    let views = Bar::new(List::Integrations, &params, std::mem::take(&mut read.views), &visitor.principal());
    let page = shown((Shell::new(&request, &visitor, "integrations"), views), &params, &query, read);
    if htmx::asked(&request) { page::html(&page.as_results()) } else { page::html(&page) }
}

fn shown((mut shell, views): (Shell, Bar), params: &Params, query: &Query, read: Asked) -> Index {
    let Asked { found, counts, tags, owners, now, .. } = read;
    let total: i64 = counts.iter().map(|of| of.number).sum();
    shell.totals.integrations = Some(Count { number: total, more: false });
    let order = if query.descending { "descending" } else { "ascending" };
    let label = SORTS.iter().find(|(_, of, _)| *of == query.sort).map_or("name", |(.., label)| label);
    let may_edit = shell.may_edit;
    let tags = Pick::of_values("tag", "Tag", &tags, &query.tag);
    let picks = [tags, Pick::of_values("owner", "Owner", &owners, &query.owner)];
    let heads = COLUMNS.iter().map(|(of, label, class)| {
        let sorted = (query::word(query.sort), query.descending);
        Column::new((label, class, of.map(query::word)), (PATH, params), sorted)
    });
    Index {
        shell,
        empty: total == 0,
        views,
        picks: picks.into_iter().flatten().collect(),
        pager: pager(params, query, &found, total),
        kept: ["family", "state"].map(|name| (name, params.get(name).to_owned())).into_iter().collect(),
        families: families(params, &counts),
        conditions: conditions(params, &counts),
        sorting: Sorting::new(PATH, params, SORTS.map(|(word, _, label)| (word, label)), query.descending),
        columns: heads.collect(),
        caption: format!("Integrations, sorted by {}, {order}", crate::form::in_sentence(label)),
        search: query.search.clone(),
        rows: found
            .page
            .rows
            .into_iter()
            .enumerate()
            .map(|(at, line)| Row::new(line, now, if may_edit { at + 1 } else { 0 }))
            .collect(),
        csv: query::first_page(params, &[]).replacen(PATH, "/integrations.csv", 1),
        filters: query::first_page(params, &[("sort", ""), ("dir", "")]),
    }
}

fn pager(params: &Params, query: &Query, found: &Found, all: i64) -> Pager {
    let page = &found.page;
    let place = |line: Option<&integration_list::Line>, back| line.map(|line| line.place(query.sort, back));
    let previous = place(page.rows.first().filter(|_| page.before), true);
    let next = place(page.rows.last().filter(|_| page.after), false);
    let (rows, total) = (page.rows.len(), found.total);
    let read = Read { rows, size: PAGE, total, previous: previous.as_ref(), next: next.as_ref(), sort: "" };
    Pager::new(params, (PATH, "integration"), &read, all)
}

fn families(params: &Params, counts: &[OfFamily]) -> Vec<Chip> {
    let of = |family: &str| -> i64 {
        counts.iter().filter(|of| family.is_empty() || of.family == family).map(|of| of.number).sum()
    };
    let chip = |label, word: &str| {
        let href = query::first_page(params, &[("family", word)]);
        Chip::new(label, grouped(of(word)), href, params.get("family") == word)
    };
    let there = Family::ALL.iter().filter(|family| of(family.slug()) > 0);
    std::iter::once(chip("All", "")).chain(there.map(|family| chip(family.plural(), family.slug()))).collect()
}

/// Of the chosen family, so that the numbers are those of the rows that a click shows.
fn conditions(params: &Params, counts: &[OfFamily]) -> Vec<Chip> {
    let family = params.get("family");
    let chip = |(word, condition, label, tone): &(&'static str, Condition, &'static str, &'static str)| {
        let mine = counts.iter().filter(|of| family.is_empty() || of.family == family);
        let count: i64 = mine.filter(|of| of.rank == condition.rank()).map(|of| of.number).sum();
        let chosen = params.get("state") == *word;
        let there = if chosen { "" } else { word };
        (count > 0 || chosen).then(|| {
            let href = query::first_page(params, &[("state", there)]);
            Chip { tone, ..Chip::new(label, grouped(count), href, chosen) }
        })
    };
    CONDITIONS.iter().filter_map(chip).collect()
}
