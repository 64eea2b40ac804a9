//! Where a page of a table stands among all that match: `51–100 of 86 (307 in all)`, and the pages beside it.

use serde::Serialize;

use super::numbers::{counted, grouped};
use super::params::Params;
use super::place;
use super::table;
use crate::models::paging::{MOST_COUNTED, Place, Total};

/// The line below the table.
pub struct Pager {
    pub summary: String,
    pub previous: Option<String>,
    pub next: Option<String>,
    /// How many match: `86`, `1,000+`; empty where nobody counted.
    pub matching: String,
}

/// A page as it was read.
pub struct Read<'a, Id> {
    pub rows: usize,
    /// Rows that a full page has.
    pub size: usize,
    pub total: Total,
    pub previous: Option<&'a Place<Id>>,
    pub next: Option<&'a Place<Id>>,
    /// The word of its order, which the next page has to be told; empty where the address says it.
    pub sort: &'a str,
}

impl Pager {
    /// How many match, where they are on more than one page.
    pub fn others(&self) -> &str {
        if self.previous.is_some() || self.next.is_some() { &self.matching } else { "" }
    }

    /// `path` is the table's, `noun` what it has rows of, and `all` how many of these there are.
    pub fn new<Id: Serialize + Clone>(
        params: &Params,
        (path, noun): (&str, &str),
        page: &Read<'_, Id>,
        all: i64,
    ) -> Self {
        let (first, count) = (table::position(params), page.rows as i64);
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
            (Total::All, _) if !paged => counted(all, noun),
            (_, matching) => format!("{rows} of {matching}"),
        };
        if page.total != Total::All {
            summary.push_str(&format!(" ({} in all)", grouped(all)));
        }
        let sort = if page.sort.is_empty() { params.get("sort") } else { page.sort };
        let turn = |name, other, at: i64, place: &Place<Id>| {
            let at = if first > 0 && at > 0 { at.to_string() } else { String::new() };
            let place = place::write(place.clone());
            params.link(path, &[("sort", sort), (other, ""), (name, &place), ("at", &at)])
        };
        Self {
            summary,
            previous: page.previous.map(|place| turn("before", "after", first - page.size as i64, place)),
            next: page.next.map(|place| turn("after", "before", first + count, place)),
            matching,
        }
    }
}
