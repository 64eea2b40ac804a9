//! The address of the table of credentials: what it asks for, and the addresses that ask for something near it. Anybody
//! can write an address, so what it holds is checked before it meets the database.

use crate::credentials;
use crate::models::credential_limits::Limits;
use crate::models::credential_query::{Key, Query, Sort, State};
use crate::web::error::Error;
use crate::web::params::Params;
use crate::web::{place, table};

pub const PATH: &str = "/credentials";
/// Longest search, in characters: a name has no more.
const LONGEST_SEARCH: usize = 200;
/// The word in the address of the order that a search has by itself.
pub const MATCH: &str = "match";

/// (word in the address, order, what people call it)
pub const SORTS: &[(&str, Sort, &str)] = &[
    ("name", Sort::Name, "Name"),
    ("kind", Sort::Kind, "Type"),
    ("identity", Sort::Identity, "Identity"),
    ("owner", Sort::Owner, "Owner"),
    ("age", Sort::Age, "Age"),
    ("usages", Sort::Usages, "Usages"),
    ("used", Sort::Used, "Used"),
    ("expires", Sort::Expires, "Expires"),
    ("editor", Sort::Editor, "Last edited by"),
];

/// (word in the address, state)
pub const STATES: &[(&str, State)] = &[
    ("stale", State::Stale),
    ("expiring", State::Expiring),
    ("failed", State::TestFailed),
    ("untested", State::Untested),
    ("unused", State::Unused),
    ("tampered", State::Tampered),
];

/// The word of an order.
pub fn word(sort: Sort) -> &'static str {
    SORTS.iter().find(|(_, known, _)| *known == sort).map_or(MATCH, |(word, ..)| word)
}

/// What the address asks for.
pub fn read(params: &Params, limits: Limits) -> Result<Query, Error> {
    let unknown = || Error::Unacceptable("The address asks for something that this table does not have.".to_owned());
    let search: String = params.get("q").chars().take(LONGEST_SEARCH).collect();
    let searched = !search.trim().is_empty();
    let sort = match params.get("sort") {
        MATCH if searched => Sort::Match,
        // Pages beyond the first name their order.
        "" if searched && ["after", "before", "dir"].iter().all(|name| params.get(name).is_empty()) => Sort::Match,
        "" | MATCH => Sort::Name,
        word => SORTS.iter().find(|(known, ..)| *known == word).ok_or_else(unknown)?.1,
    };
    let state = match params.get("state") {
        "" => None,
        word => Some(STATES.iter().find(|(known, _)| *known == word).ok_or_else(unknown)?.1),
    };
    let kind = params.get("kind");
    let descending = match params.get("dir") {
        "" | "asc" => false,
        "desc" => sort != Sort::Match,
        _ => return Err(unknown()),
    };
    if !kind.is_empty() && credentials::find(kind).is_none() {
        return Err(unknown());
    }
    let fits = |key: &Key| is_of(sort, key);
    let from = match (params.get("after"), params.get("before")) {
        ("", "") => None,
        (after, "") => Some(place::read(after, fits, false).ok_or_else(unknown)?),
        ("", before) => Some(place::read(before, fits, true).ok_or_else(unknown)?),
        _ => return Err(unknown()),
    };
    let (tag, owner, inside) = (params.get("tag").to_owned(), params.get("owner").to_owned(), params.get("within"));
    let (kind, inside) = (kind.to_owned(), inside == "words");
    Ok(Query { search, kind, tag, owner, state, inside, sort, descending, from, limits })
}

/// Whether a row can stand there in that sort.
fn is_of(sort: Sort, key: &Key) -> bool {
    match key {
        Key::Text(_) => matches!(sort, Sort::Name | Sort::Identity | Sort::Editor | Sort::Match),
        Key::Pair(..) => matches!(sort, Sort::Kind | Sort::Owner),
        Key::Number(_) => sort == Sort::Usages,
        Key::Time(_) => matches!(sort, Sort::Age | Sort::Used | Sort::Expires),
        Key::Never => sort == Sort::Expires,
    }
}

/// The same table from its start, with these parameters.
pub fn first_page(params: &Params, changes: &[(&str, &str)]) -> String {
    table::first_page(PATH, params, changes)
}
