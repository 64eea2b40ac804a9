//! The page *Clusters*: every deployment with the result of its last check. Search, filters, sort order and position
//! are all in the address.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;
use chrono::{DateTime, Utc};

pub mod export;
mod query;
mod row;

use crate::models::deployment_list::{self, Found, Line, PAGE, Query, Sort, Standing};
use crate::models::paging::Total;
use crate::models::rollouts::{self, Listed};
use crate::models::{self, Conn, DbError, RolloutId};
use crate::services::Services;
use crate::web;
use crate::web::chip::Chip;
use crate::web::error::Error;
use crate::web::htmx;
use crate::web::integrations::deployment::standing;
use crate::web::numbers::grouped;
use crate::web::page::{self, Shell};
use crate::web::pager::{Pager, Read};
use crate::web::params::Params;
use crate::web::session::{As, Auditor};
use crate::web::table::{Column, Pick, Sorting};
use query::{PATH, SORTS};
use row::Row;

/// Most upgrades that are listed above the table.
const UPGRADES: i64 = 5;

/// (sort order, heading, class)
const COLUMNS: [(Option<Sort>, &str, &str); 8] = [
    (Some(Sort::Name), "Deployment", "is-name"),
    (None, "Cluster", ""),
    (Some(Sort::State), "State", ""),
    (Some(Sort::Ready), "Ready", ""),
    (Some(Sort::Version), "Kubernetes", "folds-3"),
    (Some(Sort::Image), "Image", ""),
    (None, "Drift", "folds-2"),
    (Some(Sort::Seen), "Last seen", "folds-1"),
];

#[derive(Template)]
#[template(path = "clusters/index.html", blocks = ["results"])]
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
    /// There is no deployment at all.
    empty: bool,
    pager: Pager,
    csv: String,
    rollouts: Vec<Upgrade>,
}

/// An upgrade that is running or started recently.
struct Upgrade {
    id: RolloutId,
    image: String,
    tone: &'static str,
    word: &'static str,
    done: i64,
    all: i64,
}

/// The data of the page.
struct Asked {
    found: Found,
    counts: [i64; 7],
    versions: Vec<String>,
    images: Vec<String>,
    rollouts: Vec<Listed>,
    now: DateTime<Utc>,
}

impl Asked {
    fn read(conn: &mut Conn, query: &Query) -> Result<Self, DbError> {
        let (versions, images) = deployment_list::values(conn)?;
        Ok(Self {
            found: deployment_list::page(conn, query)?,
            counts: deployment_list::counts(conn, query.family)?,
            versions,
            images,
            rollouts: rollouts::recent(conn, UPGRADES)?,
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
    let asked = query.clone();
    let read = services.db.run(move |conn: &mut Conn| Asked::read(conn, &asked)).await?;
    let page = Index::new(Shell::new(&request, &visitor, "clusters"), &params, &query, read);
    if htmx::asked(&request) { page::html(&page.as_results()) } else { page::html(&page) }
}

impl Index {
    fn new(shell: Shell, params: &Params, query: &Query, read: Asked) -> Self {
        let Asked { found, counts, versions, images, rollouts, now } = read;
        let order = if query.descending { "descending" } else { "ascending" };
        let label = SORTS.iter().find(|(_, of, _)| *of == query.sort).map_or("deployment", |(.., label)| label);
        let picks = [
            Pick::of_values("version", "Kubernetes", &versions, &query.version),
            Pick::of_values("image", "Image", &images, &query.image),
        ];
        let sorted = (query::word(query.sort), query.descending);
        let heads =
            COLUMNS.map(|(of, label, class)| Column::new((label, class, of.map(query::word)), (PATH, params), sorted));
        let may_edit = shell.may_edit;
        let number = |at: usize| if may_edit { at + 1 } else { 0 };
        Self {
            shell,
            rollouts: rollouts.into_iter().map(Upgrade::new).collect(),
            empty: counts.iter().sum::<i64>() == 0,
            picks: picks.into_iter().flatten().collect(),
            pager: pager(params, query, &found, counts.iter().sum()),
            state: params.get("state").to_owned(),
            chips: chips(params, counts),
            sorting: Sorting::new(PATH, params, SORTS.map(|(word, _, label)| (word, label)), query.descending),
            columns: heads.into(),
            caption: format!("Clusters, sorted by {}, {order}", crate::form::in_sentence(label)),
            search: query.search.clone(),
            csv: query::first_page(params, &[]).replacen(PATH, "/clusters.csv", 1),
            rows: found.page.rows.into_iter().enumerate().map(|(at, line)| Row::new(line, now, number(at))).collect(),
        }
    }
}

impl Upgrade {
    fn new(listed: Listed) -> Self {
        let (tone, word) = web::rollouts::state(listed.state);
        let tone = if tone == "off" { "info" } else { tone };
        let Listed { id, image, done, all, .. } = listed;
        Self { id, image, tone, word, done, all }
    }
}

fn pager(params: &Params, query: &Query, found: &Found, all: i64) -> Pager {
    let page = &found.page;
    let place = |line: Option<&Line>, back| line.map(|line| line.place(query.sort, back));
    let previous = place(page.rows.first().filter(|_| page.before), true);
    let next = place(page.rows.last().filter(|_| page.after), false);
    let total = if query.filters() { Total::Exactly(found.total) } else { Total::All };
    let size = usize::try_from(PAGE).unwrap_or_default();
    let read = Read { rows: page.rows.len(), size, total, previous: previous.as_ref(), next: next.as_ref(), sort: "" };
    Pager::new(params, (PATH, "deployment"), &read, all)
}

fn chips(params: &Params, counts: [i64; 7]) -> Vec<Chip> {
    let chosen = params.get("state");
    let all =
        Chip::new("All", grouped(counts.iter().sum()), query::first_page(params, &[("state", "")]), chosen.is_empty());
    let chip = |(standing, count): (Standing, i64)| {
        let (word, (tone, label)) = (query::state(standing), standing::told(standing));
        let href = query::first_page(params, &[("state", if chosen == word { "" } else { word })]);
        let tone = if matches!(tone, "bad" | "warn") { tone } else { "" };
        (count > 0 || chosen == word).then(|| Chip { tone, ..Chip::new(label, grouped(count), href, chosen == word) })
    };
    std::iter::once(all).chain(Standing::ALL.into_iter().zip(counts).filter_map(chip)).collect()
}
