//! Where a page of the table stands among all that match: `51–100 of 86 (307 in all)`, and the pages beside it.

use super::place;
use super::query::{self, PATH};
use crate::models::credential_query::{MOST_COUNTED, PAGE, Page, Place, Query, Total};
use crate::web::integrations::shown::grouped;
use crate::web::params::Params;

/// The line below the table.
pub struct Pager {
    pub summary: String,
    pub previous: Option<String>,
    pub next: Option<String>,
    /// How many match: `86`, `1,000+`; empty where nobody counted.
    pub matching: String,
}

impl Pager {
    /// How many match, where they are on more than one page.
    pub fn others(&self) -> &str {
        if self.previous.is_some() || self.next.is_some() { &self.matching } else { "" }
    }

    /// `all`: how many credentials there are.
    pub fn new(params: &Params, query: &Query, page: &Page, all: i64) -> Self {
        let (first, count) = (query::position(params), page.rows.len() as i64);
        let paged = page.previous.is_some() || page.next.is_some();
        let matching = match page.total {
            Total::All => grouped(all),
            Total::Exactly(count) => grouped(count),
            Total::More => format!("{}+", grouped(MOST_COUNTED)),
            Total::Unknown => String::new(),
        };
        let rows = match (paged, first, count) {
            (_, _, 0) => "0".to_owned(),
            (true, 1.., _) => format!("{}–{}", grouped(first), grouped(first + count - 1)),
            _ => grouped(count),
        };
        let mut summary = match (page.total, matching.as_str()) {
            (_, "") => rows,
            (Total::All, _) if !paged && all == 1 => "1 credential".to_owned(),
            (Total::All, _) if !paged => format!("{matching} credentials"),
            (_, matching) => format!("{rows} of {matching}"),
        };
        if page.total != Total::All {
            summary.push_str(&format!(" ({} in all)", grouped(all)));
        }
        // What a search chose by itself, its next page has to be told.
        let searched = !query.search.trim().is_empty();
        let chosen = if searched { query::word(page.sort) } else { params.get("sort") };
        let turn = |name, other, at: i64, place: &Place| {
            let at = if first > 0 && at > 0 { at.to_string() } else { String::new() };
            let place = place::write(place.clone());
            params.link(PATH, &[("sort", chosen), (other, ""), (name, &place), ("at", &at)])
        };
        Self {
            summary,
            previous: page.previous.as_ref().map(|place| turn("before", "after", first - PAGE as i64, place)),
            next: page.next.as_ref().map(|place| turn("after", "before", first + count, place)),
            matching,
        }
    }
}
