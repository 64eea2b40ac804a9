//! *Cloud keys*: every long-term key that scans found in cloud accounts, the oldest first, and which of them is stored
//! here. The address holds filter, search and page, so it can be sent to somebody.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;
use chrono::{DateTime, Utc};

pub mod export;
pub mod snooze;
pub mod view;

use crate::integrations::Family;
use crate::models::cloud_keys::{self, Count, Filter, Page, Place, Query};
use crate::models::{self, DbError};
use crate::runs::alarms;
use crate::services::Services;
use crate::web::chip::Chip;
use crate::web::error::Error;
use crate::web::htmx;
use crate::web::integrations::shown::{bounded, counted};
use crate::web::page::{self, Shell};
use crate::web::params::Params;
use crate::web::session::{As, Auditor};
use view::KeyView;

const PATH: &str = "/cloud-keys";
const PAGE: i64 = 50;
/// Longest search, in characters: a user's name has 64, a key id 128.
const LONGEST_SEARCH: usize = 200;

/// (word in the address, filter, label)
const FILTERS: [(&str, Filter, &str); 6] = [
    ("", Filter::All, "All"),
    ("old", Filter::Old, "Old"),
    ("never-used", Filter::NeverUsed, "Never used"),
    ("unused", Filter::Unused, "Unused for 90 days"),
    ("not-stored", Filter::NotStored, "Not stored"),
    ("without-expiry", Filter::WithoutExpiry, "Without expiry"),
];

#[derive(Template)]
#[template(path = "cloud_keys/index.html", blocks = ["results"])]
struct Index {
    shell: Shell,
    search: String,
    /// The word of the filter, kept by the search form.
    show: &'static str,
    chips: Vec<Chip>,
    keys: Vec<KeyView>,
    /// An integration scans an account.
    scanned: bool,
    /// No scan has found a key.
    empty: bool,
    /// Days after which a key counts as old; `None`: never.
    limit: Option<i32>,
    /// `Cloud keys, the oldest first`
    caption: &'static str,
    summary: String,
    previous: Option<String>,
    next: Option<String>,
    csv: String,
}

/// Everything that the page is made of.
struct Read {
    page: Page,
    /// Of the [`FILTERS`].
    counts: [Count; 6],
    scanned: bool,
    now: DateTime<Utc>,
}

pub async fn index(
    services: Data<Services>,
    request: HttpRequest,
    visitor: As<Auditor>,
    params: Params,
) -> Result<HttpResponse, Error> {
    let limit = alarms::limit_days(&services);
    let query = query(&params, limit, PAGE)?;
    let asked = query.clone();
    let read = services
        .db
        .run(move |conn| {
            Ok::<_, DbError>(Read {
                page: cloud_keys::page(conn, &asked)?,
                counts: cloud_keys::counts(conn, FILTERS.map(|(_, filter, _)| filter), asked.limit_days)?,
                scanned: cloud_keys::is_scanned(conn, Family::CloudScan.slug())?,
                now: models::clock(conn)?,
            })
        })
        .await?;
    let index = Index::new(Shell::new(&request, &visitor, "cloud-keys"), &params, &query, limit, read);
    if htmx::asked(&request) { page::html(&index.as_results()) } else { page::html(&index) }
}

/// What the address asks for.
fn query(params: &Params, limit: Option<i32>, size: i64) -> Result<Query, Error> {
    let unknown = || Error::Unacceptable("The address asks for something that this table does not have.".to_owned());
    let (_, filter, _) = FILTERS.iter().find(|(word, ..)| *word == params.get("show")).ok_or_else(unknown)?;
    let from = match (params.get("after"), params.get("before")) {
        ("", "") => None,
        (after, "") => Some(place(after, false).ok_or_else(unknown)?),
        ("", before) => Some(place(before, true).ok_or_else(unknown)?),
        _ => return Err(unknown()),
    };
    let search = params.get("q").chars().take(LONGEST_SEARCH).collect();
    Ok(Query { filter: *filter, search, limit_days: limit.unwrap_or(0), from, size })
}

/// Where a page begins: seconds and id.
fn place(text: &str, back: bool) -> Option<Place> {
    let (at, id) = text.split_once('.')?;
    Some(Place { at: at.parse().ok()?, id: id.parse().ok()?, back })
}

fn written(place: Place) -> String {
    format!("{}.{}", place.at, place.id)
}

impl Index {
    fn new(shell: Shell, params: &Params, query: &Query, limit: Option<i32>, read: Read) -> Self {
        let Read { page, counts, scanned, now } = read;
        let number = i64::try_from(page.lines.len()).unwrap_or(i64::MAX);
        let turn = |name, place| params.link(PATH, &[("after", ""), ("before", ""), (name, &written(place))]);
        let previous = page.lines.first().filter(|_| page.before).map(|line| turn("before", line.start(true)));
        let next = page.lines.last().filter(|_| page.after).map(|line| turn("after", line.start(false)));
        let paged = previous.is_some() || next.is_some();
        let show = FILTERS.iter().find(|(_, filter, _)| *filter == query.filter).map_or("", |(word, ..)| word);
        Self {
            chips: chips(params, query.filter, counts),
            scanned,
            empty: counts[0].number == 0,
            limit,
            caption: match query.filter {
                Filter::Unused => "Cloud keys, the longest unused first",
                _ => "Cloud keys, the oldest first",
            },
            summary: format!("{}{}", counted(number, "key"), if paged { " on this page" } else { "" }),
            previous,
            next,
            csv: params.link("/cloud-keys.csv", &[("after", ""), ("before", "")]),
            keys: page.lines.into_iter().map(|line| KeyView::new(line, limit, shell.may_edit, now)).collect(),
            search: query.search.clone(),
            show,
            shell,
        }
    }
}

fn chips(params: &Params, chosen: Filter, counts: [Count; 6]) -> Vec<Chip> {
    let chip = |((word, filter, label), count): ((&str, Filter, &'static str), Count)| {
        let href = params.link(PATH, &[("show", word), ("after", ""), ("before", "")]);
        Chip::new(label, bounded(count), href, filter == chosen)
    };
    FILTERS.into_iter().zip(counts).map(chip).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::models::ItemId;

    #[test]
    fn the_place_of_a_page_survives_the_address_and_nothing_else_is_one() {
        let there = Place { at: 1_551_434_400, id: ItemId(uuid::Uuid::from_u128(7)), back: true };
        assert_eq!(place(&written(there), true), Some(there));
        for bad in ["", "1", "x.00000000-0000-0000-0000-000000000007", "1.7", "99999999999999999999.7"] {
            assert_eq!(place(bad, false), None, "{bad}");
        }
    }
}
