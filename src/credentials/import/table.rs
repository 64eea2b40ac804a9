//! A CSV of any credentials: a first line that names the columns, `type` and `name` among them, the others named as the
//! fields of the types' forms are: `username`, `password`, `token`.

use std::collections::BTreeSet;

use super::contents::{Candidate, Contents};
use crate::credentials::{KINDS, Kind};
use crate::form::{Control, Values};

/// Columns that every type has.
const COMMON: [&str; 5] = ["type", "name", "description", "owner", "tags"];
const UNKNOWN: &str = "This is no file that can be imported. Choose accessKeys.csv, an AWS credentials file, a \
                       kubeconfig, Docker's config.json, or a CSV whose first line names the columns type and name.";

pub fn rows(text: &str) -> Result<Contents, String> {
    let separator = text.lines().next().filter(|line| line.contains(';') && !line.contains(',')).map_or(b',', |_| b';');
    let mut reader = csv::ReaderBuilder::new().delimiter(separator).flexible(true).from_reader(text.as_bytes());
    let heading = reader.headers().map_err(|_| UNKNOWN.to_owned())?;
    let columns: Vec<String> = heading
        .iter()
        .map(|name| name.trim().to_lowercase().replace([' ', '-'], "_").replace("kind", "type"))
        .collect();
    if !["type", "name"].iter().all(|wanted| columns.iter().any(|column| column == wanted)) {
        return Err(UNKNOWN.to_owned());
    }
    let known = |column: &str| COMMON.contains(&column) || fields().any(|field| field == column);
    if let Some(at) = columns.iter().position(|column| !known(column)) {
        let known = listed(COMMON.into_iter().chain(fields()));
        return Err(format!("No type has a field named like column {} of the CSV. Known are: {known}.", at + 1));
    }
    let mut contents = Contents::new("CSV of credentials");
    for (number, row) in reader.records().enumerate() {
        let place = format!("line {}", number + 2);
        match row.map_err(|_| "The line cannot be read.".to_owned()).and_then(|row| candidate(&columns, &row, &place)) {
            Ok(candidate) => contents.candidates.push(candidate),
            Err(reason) => contents.skip(place, reason),
        }
    }
    Ok(contents)
}

/// Each word once, in order.
fn listed(words: impl Iterator<Item = &'static str>) -> String {
    words.collect::<BTreeSet<_>>().into_iter().collect::<Vec<_>>().join(", ")
}

fn fields() -> impl Iterator<Item = &'static str> {
    KINDS.iter().flat_map(|kind| kind.fields).map(|field| field.name)
}

fn candidate(columns: &[String], row: &csv::StringRecord, place: &str) -> Result<Candidate, String> {
    let cell = |wanted: &str| {
        let at = columns.iter().position(|column| column == wanted);
        at.and_then(|at| row.get(at)).unwrap_or_default().trim()
    };
    let word = cell("type").to_lowercase();
    let kind: &'static Kind = KINDS
        .iter()
        .find(|kind| kind.slug == word || kind.label.to_lowercase() == word)
        .ok_or_else(|| format!("There is no such type. Known are: {}.", listed(KINDS.iter().map(|kind| kind.slug))))?;
    let own = kind.fields.iter().map(|field| field.name);
    let filled = own.chain(["description", "owner", "tags"]).map(|name| (name, cell(name)));
    let mut values: Values = filled.filter(|(_, value)| !value.is_empty()).collect();
    // A type with subtypes has a first one, as its form does.
    for field in kind.fields {
        if let Control::Choice([(first, _), ..]) = field.control
            && values.get(field.name).is_empty()
            && field.active(kind.fields, &values)
        {
            values.set(field.name, *first);
        }
    }
    Ok(Candidate { kind, name: cell("name").to_owned(), place: place.to_owned(), values })
}
