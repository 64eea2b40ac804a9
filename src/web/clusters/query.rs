//! Parses the address of the table of clusters. Anyone can write an address, so its values are checked before they are
//! used in a query.

use crate::integrations::Family;
use crate::models::deployment_list::{Query, Sort, Standing, is_of};
use crate::models::paging::Key;
use crate::web::error::Error;
use crate::web::params::Params;
use crate::web::{place, table};

pub const PATH: &str = "/clusters";
/// Longest search, in characters.
const LONGEST_SEARCH: usize = 200;

/// (word in the address, sort order, heading)
pub const SORTS: [(&str, Sort, &str); 6] = [
    ("name", Sort::Name, "Deployment"),
    ("state", Sort::State, "State"),
    ("ready", Sort::Ready, "Ready"),
    ("version", Sort::Version, "Kubernetes"),
    ("image", Sort::Image, "Image"),
    ("seen", Sort::Seen, "Last seen"),
];

/// The word of a state in the address.
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

/// The word of a sort order in the address.
pub fn word(sort: Sort) -> &'static str {
    SORTS.iter().find(|(_, known, _)| *known == sort).map_or("name", |(word, ..)| word)
}

/// Parses the address.
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

/// The address of the first page, with these parameters changed.
pub fn first_page(params: &Params, changes: &[(&str, &str)]) -> String {
    table::first_page(PATH, params, changes)
}
