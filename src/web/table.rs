//! What tables have in common whose address holds filters, a sort and a place: heads that sort, filters that are picked from
//! a list, and addresses near the present one.

use super::params::Params;

/// A head: what is written above a column.
pub struct Column {
    pub label: &'static str,
    pub class: &'static str,
    /// Empty for the columns that do not sort.
    pub href: String,
    /// As aria-sort has it.
    pub current: &'static str,
}

impl Column {
    /// `word` is the order's in the address; `None` for a column that does not sort. `sorted` is the present order and
    /// whether it descends.
    pub fn new(
        (label, class, word): (&'static str, &'static str, Option<&str>),
        (path, params): (&str, &Params),
        (sorted, descending): (&str, bool),
    ) -> Self {
        let Some(word) = word else { return Self { label, class, href: String::new(), current: "" } };
        let is_current = word == sorted;
        let direction = if is_current && !descending { "desc" } else { "" };
        let current = match (is_current, descending) {
            (true, true) => "descending",
            (true, false) => "ascending",
            _ => "",
        };
        Self { label, class, href: first_page(path, params, &[("sort", word), ("dir", direction)]), current }
    }
}

/// A filter that is chosen from a list: what it is called, and (value, label, chosen).
pub struct Pick {
    pub name: &'static str,
    pub label: &'static str,
    pub options: Vec<(String, String, bool)>,
}

impl Pick {
    /// Of values that are their own labels, with the chosen one, which may be gone. `None` where there is nothing to choose.
    pub fn of_values(name: &'static str, label: &'static str, values: &[String], chosen: &str) -> Option<Self> {
        let mut values = values.to_vec();
        if !chosen.is_empty() && !values.iter().any(|value| value == chosen) {
            values.push(chosen.to_owned());
        }
        let options: Vec<_> = values.into_iter().map(|value| (value.clone(), value.clone(), value == chosen)).collect();
        (!options.is_empty()).then_some(Self { name, label, options })
    }
}

/// *Sort by* of phones, which show no heads: (word, label, chosen), none chosen where the address names none.
pub struct Sorting {
    pub path: &'static str,
    pub sorts: Vec<(&'static str, &'static str, bool)>,
    pub descending: bool,
}

impl Sorting {
    /// `sorts` are the words of the orders in the address, and what people call them.
    pub fn new(
        path: &'static str,
        params: &Params,
        sorts: impl IntoIterator<Item = (&'static str, &'static str)>,
        descending: bool,
    ) -> Self {
        let chosen = params.get("sort");
        let sorts = sorts.into_iter().map(|(word, label)| (word, label, word == chosen)).collect();
        Self { path, sorts, descending }
    }
}

/// The number of the first row of the page that the address names; 0 where it does not say.
pub fn position(params: &Params) -> i64 {
    match (params.get("after"), params.get("before")) {
        ("", "") => 1,
        _ => params.get("at").parse().ok().filter(|at| (1..=1_000_000_000).contains(at)).unwrap_or(0),
    }
}

/// The same table from its start, with these parameters.
pub fn first_page(path: &str, params: &Params, changes: &[(&str, &str)]) -> String {
    let start = [("after", ""), ("before", ""), ("at", "")];
    params.link(path, &[&start[..], changes].concat())
}
