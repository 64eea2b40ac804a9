//! How the pieces of an exported inventory are written, one family like another.

use actix_web::web::Bytes;
use chrono::{DateTime, Utc};
use serde_json::{Map, Value, json};

use crate::integrations::inventory::{Cell, Inventory};
use crate::integrations::registries::references::References;
use crate::models::items::Item;
use crate::web::csv::lines;
use crate::web::page;

/// What kind of file it is.
pub enum Form {
    Csv,
    Json,
    /// `names` is `None` where clients have none for the items.
    References {
        names: Option<References>,
        by_digest: bool,
    },
}

/// Writes one file.
pub struct Writer {
    pub form: Form,
    pub inventory: &'static Inventory,
    pub now: DateTime<Utc>,
}

impl Writer {
    /// The next items, with what stands before the first and after the last ones.
    pub fn piece(&self, items: &[Item], is_first: bool, is_last: bool) -> Bytes {
        match &self.form {
            Form::Csv => {
                let head = is_first.then(|| self.names());
                lines(head.into_iter().chain(items.iter().map(|item| self.cells(item))))
            }
            Form::Json => self.objects(items, is_first, is_last).into(),
            Form::References { names, by_digest } => {
                let Some(names) = names else { return Bytes::new() };
                let name = |item: &Item| match by_digest {
                    true => names.by_digest(&item.place, &item.fingerprint, &item.facts),
                    false => names.by_tag(&item.place, &item.name, &item.facts),
                };
                items.iter().filter_map(name).map(|name| name + "\n").collect::<String>().into()
            }
        }
    }

    /// The columns of the table, and the members of an object. `found_by` is `last scan`, or `earlier scan` where the last
    /// one could not read the item.
    fn names(&self) -> Vec<String> {
        let own = self.inventory.heads().into_iter().map(str::to_lowercase);
        let facts = self.inventory.exported.iter().map(|name| (*name).to_owned());
        own.chain(facts).chain(["found_by".to_owned()]).collect()
    }

    fn cells(&self, item: &Item) -> Vec<String> {
        let known = (self.inventory.cells)(&item.facts, self.now);
        let facts = self.inventory.exported.iter().map(|name| self.inventory.fact(&known, name));
        let facts = facts.map(|cell| cell.map(text).unwrap_or_default());
        self.own(item).map(str::to_owned).chain(facts).chain([found_by(item).to_owned()]).collect()
    }

    /// What an item has beside its facts.
    fn own<'a>(&self, item: &'a Item) -> impl Iterator<Item = &'a str> {
        let fingerprint = self.inventory.fingerprint.map(|_| item.fingerprint.as_str());
        [item.place.as_str(), item.name.as_str()].into_iter().chain(fingerprint)
    }

    /// One object a line.
    fn objects(&self, items: &[Item], is_first: bool, is_last: bool) -> String {
        let names = self.names();
        let mut text = String::from(if is_first { "[" } else { "" });
        for (number, item) in items.iter().enumerate() {
            text += if is_first && number == 0 { "\n" } else { ",\n" };
            let known = (self.inventory.cells)(&item.facts, self.now);
            let facts = self.inventory.exported.iter().map(|name| self.inventory.fact(&known, name));
            let facts = facts.map(|cell| cell.map_or(Value::Null, value));
            let values = self.own(item).map(Value::from).chain(facts).chain([Value::from(found_by(item))]);
            text += &Value::Object(names.iter().cloned().zip(values).collect::<Map<_, _>>()).to_string();
        }
        text + if is_last { "\n]\n" } else { "" }
    }
}

fn found_by(item: &Item) -> &'static str {
    if item.kept { "earlier scan" } else { "last scan" }
}

fn text(cell: &Cell) -> String {
    match cell {
        Cell::Text(text) | Cell::Mark(_, text) => text.clone(),
        Cell::List(entries) => entries.join(" "),
        Cell::Size(bytes) => bytes.map(|bytes| bytes.to_string()).unwrap_or_default(),
        Cell::At(at) => at.map(page::iso).unwrap_or_default(),
    }
}

fn value(cell: &Cell) -> Value {
    match cell {
        Cell::Text(text) | Cell::Mark(_, text) => json!(text),
        Cell::List(entries) => json!(entries),
        Cell::Size(bytes) => json!(bytes),
        Cell::At(at) => json!(at.map(page::iso)),
    }
}
