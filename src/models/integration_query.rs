//! What the table of integrations is asked for: filters, sorts and places. The answer is found in `integration_list`; what
//! is sorted and filtered by is kept by triggers in the table `integration_lines`.

use super::IntegrationId;
use super::paging::{self, Key};

pub const PAGE: usize = 50;
/// Words of a search that are looked at.
const MOST_WORDS: usize = 10;

/// The integration that a page starts after, or, going back, ends before.
pub type Place = paging::Place<IntegrationId>;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sort {
    #[default]
    Name,
    Kind,
    /// By the name of the credential of role `main`.
    Credential,
    /// What fails first.
    State,
    /// The last run or message.
    Last,
    Next,
}

impl Sort {
    /// The column that comes before the name, over `integration_lines l` and `integrations i`, and its type.
    fn column(self) -> Option<(&'static str, &'static str)> {
        match self {
            Self::Name => None,
            Self::Kind => Some(("i.version", "text")),
            Self::Credential => Some(("l.credential_key", "text")),
            Self::State => Some(("l.rank", "smallint")),
            Self::Last => Some(("l.last_at", "timestamptz")),
            Self::Next => Some(("coalesce(i.next_run_at, 'infinity')", "timestamptz")),
        }
    }

    /// The name, in the table that has the index of the sort.
    fn name(self) -> &'static str {
        if matches!(self, Self::Kind | Self::Next) { "i.name_key" } else { "l.name_key" }
    }

    /// What stands behind `ORDER BY`.
    pub(super) fn order(self, up: bool) -> String {
        let (name, down) = (self.name(), if up { "" } else { " DESC" });
        self.column().map_or(format!("{name}{down}"), |(column, _)| format!("{column}{down}, {name}{down}"))
    }

    /// What comes after the place of `$6` and `$7`: a row comparison, which walks the index from exactly there.
    pub(super) fn beyond(self, up: bool) -> String {
        let (name, sign) = (self.name(), if up { '>' } else { '<' });
        match self.column() {
            None => format!("{name} {sign} $7"),
            Some((column, kind)) => format!("({column}, {name}) {sign} ($6::{kind}, $7)"),
        }
    }
}

/// How an integration does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Condition {
    /// The last scan or delivery failed.
    Failing,
    /// The last scan left gaps, or a message waits to be tried again.
    Partly,
    Off,
}

impl Condition {
    /// As `integration_lines` has it.
    pub fn rank(self) -> i16 {
        match self {
            Self::Failing => 0,
            Self::Partly => 1,
            Self::Off => 5,
        }
    }
}

/// What a visitor asks for.
#[derive(Clone, Debug, Default)]
pub struct Query {
    /// Each word has to be somewhere in name, host, provider, owner, tags or the credential's name.
    pub search: String,
    /// The slug of a family; empty for all.
    pub family: String,
    pub tag: String,
    pub owner: String,
    pub condition: Option<Condition>,
    pub sort: Sort,
    pub descending: bool,
    pub from: Option<Place>,
}

impl Query {
    /// One pattern a word.
    pub(super) fn patterns(&self) -> Vec<String> {
        let words = self.search.split_whitespace().take(MOST_WORDS);
        words.map(|word| format!("%{}%", super::escape_like(&word.to_lowercase()))).collect()
    }

    /// Whether it asks for less than all integrations.
    pub fn filters(&self) -> bool {
        let texts = [&self.search, &self.family, &self.tag, &self.owner];
        self.condition.is_some() || texts.iter().any(|text| !text.trim().is_empty())
    }

    /// The filters as SQL; `$2` to `$5` are patterns, family, tag and owner.
    pub(super) fn conditions(&self) -> String {
        let mut conditions = vec!["true".to_owned()];
        if !self.search.trim().is_empty() {
            conditions.push("l.searched LIKE ALL ($2)".to_owned());
        }
        if !self.family.is_empty() {
            conditions.push("l.family = $3".to_owned());
        }
        if !self.tag.is_empty() {
            conditions.push(
                "l.integration_id IN (SELECT subject_id FROM tags WHERE subject_kind = 'integration' AND tag = $4)"
                    .to_owned(),
            );
        }
        if !self.owner.is_empty() {
            conditions.push("i.owner = $5".to_owned());
        }
        if let Some(condition) = self.condition {
            conditions.push(format!("l.rank = {}", condition.rank()));
        }
        conditions.join(" AND ")
    }

    /// Whether the rows are read upwards.
    pub(super) fn up(&self) -> bool {
        self.descending == self.from.as_ref().is_some_and(|place| place.back)
    }

    /// The two values of the place, as text that Postgres reads.
    pub(super) fn start(&self) -> (String, String) {
        match self.from.as_ref().map(|place| &place.key) {
            Some(Key::Text(name)) => (String::new(), name.clone()),
            Some(Key::Pair(first, name)) => (first.clone(), name.clone()),
            _ => (String::new(), String::new()),
        }
    }
}

/// After every time, as Postgres has it.
pub const NEVER: &str = "infinity";

/// Whether a place of an address is one of the sort: anybody can write one.
pub fn is_of(sort: Sort, key: &Key) -> bool {
    let is_time = |text: &str| chrono::DateTime::parse_from_rfc3339(text).is_ok();
    match (sort, key) {
        (Sort::Name, Key::Text(_)) | (Sort::Kind | Sort::Credential, Key::Pair(..)) => true,
        (Sort::State, Key::Pair(rank, _)) => rank.parse::<i16>().is_ok(),
        (Sort::Last, Key::Pair(at, _)) => is_time(at),
        (Sort::Next, Key::Pair(at, _)) => at == NEVER || is_time(at),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_of_another_sort_or_of_no_value_is_none() {
        let pair = |first: &str| Key::Pair(first.to_owned(), "a".to_owned());
        assert!(is_of(Sort::State, &pair("3")) && !is_of(Sort::State, &pair("3; DROP")));
        assert!(is_of(Sort::Last, &pair("2026-11-27T10:00:00.5+00:00")) && !is_of(Sort::Last, &pair(NEVER)));
        assert!(is_of(Sort::Next, &pair(NEVER)) && !is_of(Sort::Next, &Key::Text("a".to_owned())));
        assert!(!is_of(Sort::Name, &pair("a")));
    }
}
