//! Parses the address of the table of clients. Anyone can write an address, so its values are checked before they are
//! used in a query.

use crate::models::client_list::{Query, Sort, State, is_of};
use crate::models::client_logins::Method;
use crate::models::paging::Key;
use crate::web::error::Error;
use crate::web::params::Params;
use crate::web::{place, table};

pub const PATH: &str = "/clients";
/// Longest search, in characters.
const LONGEST_SEARCH: usize = 200;

/// (word in the address, sort order, heading)
pub const SORTS: [(&str, Sort, &str); 5] = [
    ("name", Sort::Name, "Client"),
    ("rules", Sort::Rules, "Rules"),
    ("used", Sort::Used, "Last fetch"),
    ("ends", Sort::Ends, "Expires"),
    ("created", Sort::Created, "Added"),
];

/// Word in the address and label of a state.
pub fn state(state: State) -> (&'static str, &'static str) {
    match state {
        State::Active => ("active", "Active"),
        State::Ending => ("ending", "Expiring"),
        State::Unused => ("unused", "Never used"),
        State::Disabled => ("disabled", "Disabled"),
    }
}

/// The word of a sort order in the address.
pub fn word(sort: Sort) -> &'static str {
    SORTS.iter().find(|(_, known, _)| *known == sort).map_or("name", |(word, ..)| word)
}

/// Parses the address.
pub fn read(params: &Params) -> Result<Query, Error> {
    let unknown = || Error::Unacceptable("The address asks for something that this table does not have.".to_owned());
    let wanted = match params.get("state") {
        "" => None,
        word => Some(State::ALL.into_iter().find(|one| state(*one).0 == word).ok_or_else(unknown)?),
    };
    let method = match params.get("method") {
        "" => "",
        word => Method::ALL.iter().map(|method| method.word()).find(|known| *known == word).ok_or_else(unknown)?,
    };
    let sort = match params.get("sort") {
        "" => Sort::Name,
        word => SORTS.iter().find(|(known, ..)| *known == word).ok_or_else(unknown)?.1,
    };
    let descending = match params.get("dir") {
        "" | "asc" => false,
        "desc" => true,
        _ => return Err(unknown()),
    };
    let fits = |key: &Key| is_of(sort, key);
    let from = match (params.get("after"), params.get("before")) {
        ("", "") => None,
        (after, "") => Some(place::read(after, fits, false).ok_or_else(unknown)?),
        ("", before) => Some(place::read(before, fits, true).ok_or_else(unknown)?),
        _ => return Err(unknown()),
    };
    let search = params.get("q").chars().take(LONGEST_SEARCH).collect();
    Ok(Query { search, state: wanted, method: method.to_owned(), sort, descending, from })
}

/// The address of the first page, with these parameters changed.
pub fn first_page(params: &Params, changes: &[(&str, &str)]) -> String {
    table::first_page(PATH, params, changes)
}
