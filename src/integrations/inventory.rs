//! How the items of a family read: the heads of their table, and what is said of each item. Pages, search, CSV and the
//! dashboard's line are made from this for all families alike. A family of inventories has a struct of facts that
//! implements [`Facts`], and an [`Inventory`] that [`Family::inventory`] returns.
//!
//! [`Family::inventory`]: super::Family::inventory

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::alerts::message::Trigger;
use crate::names;

/// What a family knows of an item beside its place, name and fingerprint; stored as JSON.
pub trait Facts: Serialize + DeserializeOwned + Default {
    /// One cell a column, in the order of [`Inventory::columns`]. `now`, for what depends on the day.
    fn cells(self, now: DateTime<Utc>) -> Vec<Cell>;
}

/// A fact, to be shown or exported.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cell {
    Text(String),
    List(Vec<String>),
    /// Bytes.
    Size(Option<i64>),
    At(Option<DateTime<Utc>>),
    /// A dot of that tone and a word.
    Mark(&'static str, String),
}

/// A column of facts.
#[derive(Clone, Copy, Debug)]
pub struct Column {
    pub head: &'static str,
    /// Its name in the CSV file.
    pub csv: &'static str,
    pub is_number: bool,
}

/// What of a family's items needs attention by itself: an alert of that trigger is open about each such item.
#[derive(Clone, Copy, Debug)]
pub struct Alarm {
    pub trigger: Trigger,
    /// Why an item of this name and these facts needs attention today, as a sentence; `None` where all is well.
    pub why: fn(&str, &Value, DateTime<Utc>) -> Option<String>,
    /// Why the alert about an item of which all is well is closed; ends a sentence.
    pub over: &'static str,
}

/// A family's inventory in words.
#[derive(Clone, Copy, Debug)]
pub struct Inventory {
    /// One item: `image`.
    pub noun: &'static str,
    /// What is scanned: `registry`.
    pub source: &'static str,
    /// What a scan reads one by one: `repository`, `region`.
    pub part: &'static str,
    /// The heads of an item's own columns; in small letters their names in the CSV file. Without a head, the fingerprint
    /// has no column.
    pub place: &'static str,
    pub name: &'static str,
    pub fingerprint: Option<&'static str>,
    /// Between place and name, where an item is named in one line.
    pub separator: &'static str,
    pub columns: &'static [Column],
    /// So many of the columns, from the first, are in the table; all are in the CSV file.
    pub shown: usize,
    /// The CSV's names of all columns of facts, in the file's order.
    pub exported: &'static [&'static str],
    /// Where to look when a scan found nothing: a sentence.
    pub hint: &'static str,
    /// What has to be known to read the table, as a sentence; may be blank.
    pub note: &'static str,
    /// [`cells`] of the family's facts.
    pub cells: fn(&Value, DateTime<Utc>) -> Vec<Cell>,
    /// Which items raise an alert, if any can.
    pub alarm: Option<Alarm>,
}

/// How items read of which this release does not know the family.
pub static UNKNOWN: Inventory = Inventory {
    noun: "item",
    source: "service",
    part: "part",
    place: "Place",
    name: "Name",
    fingerprint: Some("Fingerprint"),
    separator: " ",
    columns: &[],
    shown: 0,
    exported: &[],
    hint: "",
    note: "",
    cells: |_, _| Vec::new(),
    alarm: None,
};

/// The cells of stored facts; those of the default where a later release wrote others.
pub fn cells<F: Facts>(facts: &Value, now: DateTime<Utc>) -> Vec<Cell> {
    F::deserialize(facts).unwrap_or_default().cells(now)
}

impl Inventory {
    /// `images`
    pub fn plural(&self) -> String {
        names::plural(self.noun)
    }

    /// `team/app:1.0`
    pub fn title(&self, place: &str, name: &str) -> String {
        format!("{place}{}{name}", self.separator)
    }

    /// The heads of an item's own columns.
    pub fn heads(&self) -> Vec<&'static str> {
        [self.place, self.name].into_iter().chain(self.fingerprint).collect()
    }

    /// The fact of that name in the CSV file.
    pub fn fact<'a>(&self, cells: &'a [Cell], csv: &str) -> Option<&'a Cell> {
        cells.get(self.columns.iter().position(|column| column.csv == csv)?)
    }
}
