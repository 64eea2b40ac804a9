//! What the table of credentials is asked for and what it answers: filters, sorts, places, a page. The answer is found in
//! `credential_list`, with a search by `credential_search`.

use chrono::{DateTime, Utc};
use diesel::dsl::sql;
use diesel::expression::{BoxableExpression, SqlLiteral};
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::sql_types::{Array, Bool, Integer, Text, Uuid as SqlUuid};

use super::CredentialId;
use super::credential_limits::Limits;
pub use super::paging::{Key, MOST_COUNTED, Total};
use super::schema::credentials;
use super::times::{MaybeTime, Time};

pub const PAGE: usize = 50;
/// Days ahead that count as *expiring*.
pub const EXPIRING_DAYS: i32 = 30;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sort {
    #[default]
    Name,
    Kind,
    Identity,
    Age,
    Usages,
    Used,
    Expires,
    Editor,
    Owner,
    /// The best order at hand: for a search without one of its own.
    Match,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    Stale,
    Unused,
    Expiring,
    TestFailed,
    Untested,
    Tampered,
}

/// As many words as the longest search has.
const MOST_WORDS: usize = 100;

/// What the visitor asked for; the URL holds it.
#[derive(Clone, Debug, Default)]
pub struct Query {
    pub search: String,
    pub kind: String,
    pub tag: String,
    pub owner: String,
    pub state: Option<State>,
    /// Search also within words, where that is not done anyway.
    pub inside: bool,
    pub sort: Sort,
    pub descending: bool,
    pub from: Option<Place>,
    /// When a secret is stale.
    pub limits: Limits,
}

impl Query {
    /// The words that are searched for, as the searched column has them: each must be somewhere.
    pub(super) fn words(&self) -> Vec<String> {
        let mut words: Vec<String> = Vec::new();
        for word in self.search.to_lowercase().split_whitespace().take(MOST_WORDS) {
            if !words.iter().any(|known| known == word) {
                words.push(word.to_owned());
            }
        }
        words
    }

    /// Whether it asks for less than all credentials.
    pub fn filters(&self) -> bool {
        let texts = [&self.search, &self.kind, &self.tag, &self.owner];
        self.state.is_some() || texts.iter().any(|text| !text.trim().is_empty())
    }
}

/// The credential that a page starts after, or, going back, ends before.
pub type Place = super::paging::Place<CredentialId>;

#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = credentials)]
pub struct Row {
    pub id: CredentialId,
    pub kind: String,
    pub name: String,
    pub name_key: String,
    pub identity: String,
    pub ages: bool,
    pub stale_after_days: Option<i32>,
    #[diesel(deserialize_as = MaybeTime)]
    pub expires_at: Option<DateTime<Utc>>,
    pub shipped: bool,
    pub secret_version: i32,
    /// When the secret was stored.
    #[diesel(deserialize_as = Time)]
    pub secret_set_at: DateTime<Utc>,
    /// When it was made, as far as that is known: from then on its age counts.
    #[diesel(deserialize_as = Time)]
    pub aged_from: DateTime<Utc>,
    pub usage_count: i32,
    #[diesel(deserialize_as = Time)]
    pub last_used_at: DateTime<Utc>,
    #[diesel(deserialize_as = MaybeTime)]
    pub integrity_failed_at: Option<DateTime<Utc>>,
    #[diesel(deserialize_as = Time)]
    pub edited_at: DateTime<Utc>,
    pub edited_by: String,
    #[diesel(deserialize_as = MaybeTime)]
    pub tested_at: Option<DateTime<Utc>>,
    pub test_verdict: Option<String>,
    pub test_failed: bool,
    pub owner: String,
    pub tags: Vec<String>,
}

impl Row {
    /// Where this row stands in a sort.
    pub fn place(&self, sort: Sort, back: bool) -> Place {
        let key = match sort {
            // A match's own place is its word, which `credential_search` knows.
            Sort::Name | Sort::Match => Key::Text(self.name_key.clone()),
            Sort::Kind => Key::Pair(self.kind.clone(), self.name_key.clone()),
            Sort::Identity => Key::Text(self.identity.clone()),
            Sort::Age => Key::Time(self.aged_from.timestamp_micros()),
            Sort::Usages => Key::Number(self.usage_count),
            Sort::Used => Key::Time(self.last_used_at.timestamp_micros()),
            Sort::Expires => self.expires_at.map_or(Key::Never, |at| Key::Time(at.timestamp_micros())),
            Sort::Editor => Key::Text(self.edited_by.clone()),
            Sort::Owner => Key::Pair(self.owner.clone(), self.name_key.clone()),
        };
        Place { key, id: self.id, back }
    }
}

/// How far a search went.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Searched {
    #[default]
    Everywhere,
    /// One of the words was looked for only where words begin.
    Beginnings,
    /// Looking within words took too long and was given up.
    TooMany,
}

/// One page, and where those before and after it are.
#[derive(Clone, Debug)]
pub struct Page {
    pub rows: Vec<Row>,
    pub previous: Option<Place>,
    pub next: Option<Place>,
    /// The order that it came in.
    pub sort: Sort,
    pub total: Total,
    pub searched: Searched,
    /// The database's clock, for ages.
    pub now: DateTime<Utc>,
}

/// A condition on the credentials, in whatever they are joined to.
pub(super) type On<'a, Source> = Box<dyn BoxableExpression<Source, Pg, SqlType = Bool> + 'a>;

/// What the filters ask for.
pub(super) fn conditions<'a, Source: 'a>(query: &'a Query) -> Vec<On<'a, Source>>
where
    SqlLiteral<Bool>: BoxableExpression<Source, Pg, SqlType = Bool>,
{
    let mut conditions: Vec<On<'a, Source>> = Vec::new();
    if !query.kind.is_empty() {
        conditions.push(Box::new(sql::<Bool>("kind = ").bind::<Text, _>(&query.kind)));
    }
    if !query.owner.is_empty() {
        conditions.push(Box::new(sql::<Bool>("owner = ").bind::<Text, _>(&query.owner)));
    }
    if !query.tag.is_empty() {
        let tagged = "id IN (SELECT subject_id FROM tags WHERE subject_kind = 'credential' AND tag = ";
        conditions.push(Box::new(sql::<Bool>(tagged).bind::<Text, _>(&query.tag).sql(")")));
    }
    match query.state {
        None => {}
        Some(State::Unused) => conditions.push(Box::new(sql::<Bool>("usage_count = 0 AND NOT shipped"))),
        Some(State::Stale) => conditions.push(Box::new(sql::<Bool>(&query.limits.passed()))),
        Some(State::TestFailed) => conditions.push(Box::new(sql::<Bool>("test_failed"))),
        Some(State::Untested) => conditions.push(Box::new(sql::<Bool>("tested_at IS NULL AND NOT shipped"))),
        Some(State::Tampered) => conditions.push(Box::new(sql::<Bool>("integrity_failed_at IS NOT NULL"))),
        Some(State::Expiring) => {
            let bound = sql::<Bool>("expires_at < now() + make_interval(days => ");
            conditions.push(Box::new(bound.bind::<Integer, _>(EXPIRING_DAYS).sql(")")));
        }
    }
    conditions
}

/// That each of the words is somewhere.
pub(super) fn holds<'a, Source: 'a>(words: &[String]) -> Vec<On<'a, Source>>
where
    SqlLiteral<Bool>: BoxableExpression<Source, Pg, SqlType = Bool>,
{
    let pattern = |word: &String| format!("%{}%", super::escape_like(word));
    let holds = |word| Box::new(sql::<Bool>("search LIKE ").bind::<Text, _>(pattern(word))) as On<'a, Source>;
    words.iter().map(holds).collect()
}

/// That it is one of these.
pub(super) fn is_of<'a, Source: 'a>(ids: Vec<CredentialId>) -> On<'a, Source>
where
    SqlLiteral<Bool>: BoxableExpression<Source, Pg, SqlType = Bool>,
{
    Box::new(sql::<Bool>("id = ANY (").bind::<Array<SqlUuid>, _>(ids).sql(")"))
}
