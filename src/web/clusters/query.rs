//! The address of the table of clusters: what it asks for. Anybody can write an address, so what it holds is checked
//! before it meets the database.

use crate::integrations::Family;
use crate::models::deployment_list::{Query, Sort, Standing, is_of};
use crate::models::paging::Key;
use crate::web::error::Error;
use crate::web::params::Params;
use crate::web::{place, table};

pub const PATH: &str = "/clusters";
/// Longest search, in characters.
const LONGEST_SEARCH: usize = 200;

/// (word in the address, order, what people call it)
pub const SORTS: [(&str, Sort, &str); 6] = [
    ("name", Sort::Name, "Deployment"),
    ("state", Sort::State, "State"),
    ("ready", Sort::Ready, "Ready"),
    ("version", Sort::Version, "Kubernetes"),
    ("image", Sort::Image, "Image"),
    ("seen", Sort::Seen, "Last seen"),
];

/// As the address has it.
pub fn state(standing: Standing) -> &'static str {
    match standing {
        Standing::NotReady => "not-ready",
        Standing::Drifted => "drifted",
        Standing::RollingOut => "rolling-out",
        Standing::NotSeen => "not-seen",
        Standing::Ready => "ready",
        Standing::NotDeployed => "not-deployed",
        Standing::Removed => "removed",
    }
}

/// The word of an order.
pub fn word(sort: Sort) -> &'static str {
    SORTS.iter().find(|(_, known, _)| *known == sort).map_or("name", |(word, ..)| word)
}

/// What the address asks for.
pub fn read(params: &Params) -> Result<Query, Error> {
    let unknown = || Error::Unacceptable("The address asks for something that this table does not have.".to_owned());
    let standing = match params.get("state") {
        "" => None,
        word => Some(Standing::ALL.into_iter().find(|one| state(*one) == word).ok_or_else(unknown)?),
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
    let [version, image] = ["version", "image"].map(|name| params.get(name).to_owned());
    let search = params.get("q").chars().take(LONGEST_SEARCH).collect();
    Ok(Query { family: Family::DaemonSet.slug(), search, standing, version, image, sort, descending, from })
}

/// The same table from its start, with these parameters.
pub fn first_page(params: &Params, changes: &[(&str, &str)]) -> String {
    table::first_page(PATH, params, changes)
}
