//! The inventory on the page of its integration, the same for every family: its table, its pager, and what the last scan
//! found different. What a family's items are called and which facts they have is in `integrations::inventory`.

use chrono::{DateTime, Utc};

use super::shown;
use crate::integrations::Family;
use crate::integrations::inventory::{self, Cell, Column, Inventory};
use crate::models::items::{Change, Item, Page, Start};
use crate::models::runs::Run;
use crate::web::page::{self, When};
use crate::web::params::Params;
use crate::{form, providers};

/// The inventory of a family; a plain one for a family that this release does not know.
pub fn of(family: &str) -> &'static Inventory {
    Family::find(family).and_then(Family::inventory).unwrap_or(&inventory::UNKNOWN)
}

/// The table of items.
pub struct Listed {
    pub total: i64,
    /// `1,204 images`
    pub title: String,
    pub words: Words,
    /// Those of which a row on this page has something to say.
    pub columns: Vec<&'static Column>,
    pub rows: Vec<Row>,
    /// `50 of 1,204 images on this page`
    pub summary: String,
    pub previous: Option<String>,
    pub next: Option<String>,
}

/// What the page calls the items and their columns.
pub struct Words {
    pub noun: &'static str,
    /// `images`, and at the beginning of a line `Images`.
    pub plural: String,
    pub title: String,
    /// The heads of the columns before the facts, and the same in a sentence.
    pub heads: Vec<&'static str>,
    pub place: String,
    pub name: String,
    pub fingerprint: Option<String>,
    /// `repository, tag or digest`
    pub searched: String,
    /// Where to look when a scan found nothing.
    pub hint: &'static str,
    pub note: &'static str,
}

pub struct Row {
    pub place: String,
    pub name: String,
    /// `team/app:1.0`
    pub title: String,
    pub fingerprint: String,
    pub short: String,
    pub facts: Vec<Fact>,
    pub kept: bool,
}

/// A cell of the table.
pub struct Fact {
    pub class: &'static str,
    pub text: String,
    pub at: Option<When>,
    /// The tone of a mark.
    pub tone: Option<&'static str>,
}

/// What the last scan that read anything found different.
pub struct Changed {
    pub at: When,
    pub summary: String,
    /// There was no inventory to compare with.
    pub first: bool,
    /// Tone, word and item.
    pub lines: Vec<(&'static str, &'static str, String)>,
    pub more: i64,
}

impl Words {
    fn new(inventory: &'static Inventory) -> Self {
        let plural = inventory.plural();
        Self {
            noun: inventory.noun,
            title: providers::capital(&plural),
            plural,
            heads: inventory.heads(),
            place: form::in_sentence(inventory.place),
            name: form::in_sentence(inventory.name),
            fingerprint: inventory.fingerprint.map(form::in_sentence),
            searched: one_of(&inventory.heads()),
            hint: inventory.hint,
            note: inventory.note,
        }
    }
}

/// `repository, tag or digest`
fn one_of(heads: &[&'static str]) -> String {
    let mut words: Vec<String> = heads.iter().map(|head| form::in_sentence(head)).collect();
    let last = words.pop().unwrap_or_default();
    format!("{} or {last}", words.join(", "))
}

impl Listed {
    /// `path`: the page's own address.
    pub fn new(
        inventory: &'static Inventory,
        page: Page,
        total: i64,
        path: &str,
        params: &Params,
        now: DateTime<Utc>,
    ) -> Self {
        let turn = |item: Option<&Item>, name: &str, there: bool| {
            let item = item.filter(|_| there)?;
            let at = address(&item.place, &item.name);
            Some(params.link(path, &[("part", ""), ("after", ""), ("before", ""), (name, &at)]))
        };
        let title = shown::counted(total, inventory.noun);
        let (previous, next) =
            (turn(page.rows.first(), "before", page.before), turn(page.rows.last(), "after", page.after));
        let summary = format!("{} of {title} on this page", shown::grouped(page.rows.len() as i64));
        let mut rows: Vec<Row> = page.rows.into_iter().map(|item| Row::new(inventory, item, now)).collect();
        let columns = without_blank(inventory, &mut rows);
        Self { total, words: Words::new(inventory), columns, summary, title, previous, next, rows }
    }
}

/// The columns of the table. One in which every cell is blank goes, since not every vendor tells every fact.
fn without_blank(inventory: &'static Inventory, rows: &mut [Row]) -> Vec<&'static Column> {
    let shown = inventory.columns.iter().take(inventory.shown).enumerate();
    let told = |number: usize| rows.iter().any(|row| row.facts.get(number).is_some_and(|fact| !fact.is_blank()));
    let (kept, columns): (Vec<usize>, Vec<&Column>) = shown.filter(|(number, _)| told(*number)).unzip();
    for row in rows {
        let facts = std::mem::take(&mut row.facts).into_iter().enumerate();
        row.facts = facts.filter(|(number, _)| kept.contains(number)).map(|(_, fact)| fact).collect();
    }
    columns
}

impl Row {
    fn new(inventory: &Inventory, item: Item, now: DateTime<Utc>) -> Self {
        let facts = (inventory.cells)(&item.facts, now).into_iter();
        Self {
            title: inventory.title(&item.place, &item.name),
            short: shown::short_fingerprint(&item.fingerprint).to_owned(),
            facts: facts.take(inventory.shown).map(|cell| Fact::new(cell, now)).collect(),
            place: item.place,
            name: item.name,
            fingerprint: item.fingerprint,
            kept: item.kept,
        }
    }
}

impl Fact {
    fn new(cell: Cell, now: DateTime<Utc>) -> Self {
        let fact = |class, text| Self { class, text, at: None, tone: None };
        match cell {
            Cell::Text(text) => fact("nowrap", text),
            Cell::List(entries) => fact("nowrap", entries.join(", ")),
            Cell::Size(bytes) => fact("is-number nowrap", bytes.map(shown::size).unwrap_or_default()),
            Cell::At(None) => fact("is-soft nowrap", String::new()),
            Cell::At(Some(at)) => Self { at: Some(page::when(at, now)), ..fact("is-soft nowrap", String::new()) },
            Cell::Mark(tone, word) => Self { tone: Some(tone), ..fact("nowrap", word) },
        }
    }

    fn is_blank(&self) -> bool {
        self.text.is_empty() && self.at.is_none()
    }
}

impl Changed {
    pub fn new(inventory: &Inventory, run: &Run, changes: Vec<Change>, now: DateTime<Utc>) -> Self {
        let total = i64::from(run.added) + i64::from(run.changed) + i64::from(run.removed);
        let first = run.places.is_none() && run.found > 0 && run.added == run.found && total == i64::from(run.found);
        let more = total - changes.len() as i64;
        let lines = changes.into_iter().map(|change| {
            let (tone, word) = match change.change.as_str() {
                "added" => ("good", "New"),
                "removed" => ("neutral", "Gone"),
                _ => ("warn", "Changed"),
            };
            (tone, word, inventory.title(&change.place, &change.name))
        });
        let summary = match shown::difference(run).strip_prefix(": ") {
            Some(_) if first => "First scan".to_owned(),
            Some(text) => text.to_owned(),
            None => "Nothing changed".to_owned(),
        };
        Self {
            at: page::when(run.ended_at.unwrap_or(run.queued_at), now),
            summary,
            first,
            lines: lines.collect(),
            more,
        }
    }
}

/// An item in the address of a page: place and name with a colon between. In either of them a colon is `%3A`.
pub fn address(place: &str, name: &str) -> String {
    let part = |text: &str| text.replace('%', "%25").replace(':', "%3A");
    format!("{}:{}", part(place), part(name))
}

/// Where the page that an address asks for begins: `after=team/app:1.0`.
pub fn start(params: &Params) -> Option<Start> {
    let (at, back) = match (params.get("before"), params.get("after")) {
        ("", "") => return None,
        ("", after) => (after, false),
        (before, _) => (before, true),
    };
    let (place, name) = named(at)?;
    Some(Start { place, name, back })
}

/// Place and name of an item that [`address`] wrote.
fn named(at: &str) -> Option<(String, String)> {
    let part = |text: &str| text.replace("%3A", ":").replace("%25", "%");
    let (place, name) = at.split_once(':')?;
    Some((part(place), part(name)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::models::ItemId;

    #[test]
    fn a_column_that_is_blank_in_every_row_is_not_in_the_table() {
        let inventory = Family::ServerlessScan.inventory().unwrap();
        let now = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        let listed = |facts: &[serde_json::Value]| {
            let item = |facts: &serde_json::Value| Item {
                id: ItemId::default(),
                place: "eu".to_owned(),
                name: "pay".to_owned(),
                fingerprint: String::new(),
                facts: facts.clone(),
                kept: false,
            };
            let page = Page { rows: facts.iter().map(item).collect(), before: false, after: false };
            let listed = Listed::new(inventory, page, 2, "/", &Params::default(), now);
            assert!(listed.rows.iter().all(|row| row.facts.len() == listed.columns.len()));
            listed.columns.iter().map(|column| column.csv).collect::<Vec<_>>()
        };
        let plain = serde_json::json!({ "runtime": "go1.x", "size": null, "role": "pay" });
        assert_eq!(listed(std::slice::from_ref(&plain)), ["runtime", "runtime_support", "role"]);
        let known = serde_json::json!({ "size": 0, "state": "Running" });
        assert_eq!(listed(&[plain, known]), ["runtime", "runtime_support", "code_size_bytes", "role", "state"]);
    }

    #[test]
    fn a_page_begins_after_any_item_whatever_its_name() {
        for (place, name) in [("team/app", "1.0"), ("eu:west", "a:b:c"), ("100%3A", "%253A"), ("", "x")] {
            assert_eq!(named(&address(place, name)), Some((place.to_owned(), name.to_owned())));
        }
    }
}
