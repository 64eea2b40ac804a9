//! The address of the table of integrations: what it asks for. Anybody can write an address, so what it holds is checked
//! before it meets the database.

use crate::integrations::Family;
use crate::models::integration_query::{Condition, Query, Sort, is_of};
use crate::models::paging::Key;
use crate::web::error::Error;
use crate::web::params::Params;
use crate::web::{place, table};

pub const PATH: &str = "/integrations";
/// Longest search, in characters.
const LONGEST_SEARCH: usize = 200;

/// (word in the address, order, what people call it)
pub const SORTS: [(&str, Sort, &str); 6] = [
    ("name", Sort::Name, "Name"),
    ("kind", Sort::Kind, "Type"),
    ("credential", Sort::Credential, "Credential"),
    ("state", Sort::State, "State"),
    ("last", Sort::Last, "Last run"),
    ("next", Sort::Next, "Next run"),
];

/// (word in the address, condition, label, tone)
pub const CONDITIONS: [(&str, Condition, &str, &str); 3] = [
    ("failing", Condition::Failing, "Failing", "bad"),
    ("partly", Condition::Partly, "Partly read", "warn"),
    ("off", Condition::Off, "Off", ""),
];

/// The word of an order.
pub fn word(sort: Sort) -> &'static str {
    SORTS.iter().find(|(_, known, _)| *known == sort).map_or("name", |(word, ..)| word)
}

/// What the address asks for.
pub fn read(params: &Params) -> Result<Query, Error> {
    let unknown = || Error::Unacceptable("The address asks for something that this table does not have.".to_owned());
    let condition = match params.get("state") {
        "" => None,
        word => Some(CONDITIONS.iter().find(|(known, ..)| *known == word).ok_or_else(unknown)?.1),
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
    let family = params.get("family");
    if !family.is_empty() && Family::find(family).is_none() {
        return Err(unknown());
    }
    let fits = |key: &Key| is_of(sort, key);
    let from = match (params.get("after"), params.get("before")) {
        ("", "") => None,
        (after, "") => Some(place::read(after, fits, false).ok_or_else(unknown)?),
        ("", before) => Some(place::read(before, fits, true).ok_or_else(unknown)?),
        _ => return Err(unknown()),
    };
    let search = params.get("q").chars().take(LONGEST_SEARCH).collect();
    let [family, tag, owner] = [family, params.get("tag"), params.get("owner")].map(str::to_owned);
    Ok(Query { search, family, tag, owner, condition, sort, descending, from })
}

/// The same table from its start, with these parameters.
pub fn first_page(params: &Params, changes: &[(&str, &str)]) -> String {
    table::first_page(PATH, params, changes)
}
