//! Owner and tags of credentials and integrations: who answers for a row, and how people group rows. They are columns of
//! the row and under its signature, so that nobody passes a key off as another team's; which owners and tags exist is
//! read from indexes. How they are changed is in `relabel`.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};

use super::trust::Parts;
use super::{Conn, DbError};

/// Most tags of a row.
pub const MOST_TAGS: usize = 10;
/// What [`DbError::Check`] names where another tag would be one too many.
pub const FULL: &str = "tags_few";
/// Most owners or tags that a list offers.
pub const MOST_LISTED: i64 = 200;

/// What is changed; `None` stays as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    Both { owner: Option<String>, tags: Option<Vec<String>> },
    AddTag(String),
    RemoveTag(String),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Labels {
    pub owner: String,
    pub tags: Vec<String>,
}

impl Change {
    /// Whether it leaves a new row as it is.
    pub fn is_blank(&self) -> bool {
        let Self::Both { owner, tags } = self else { return false };
        owner.as_deref().unwrap_or_default().is_empty() && tags.as_deref().unwrap_or_default().is_empty()
    }

    pub(super) fn of(&self, before: &Labels) -> Result<Labels, DbError> {
        let Labels { mut owner, mut tags } = before.clone();
        match self {
            Self::Both { owner: new_owner, tags: new_tags } => {
                owner = new_owner.clone().unwrap_or(owner);
                tags = new_tags.clone().unwrap_or(tags);
            }
            Self::AddTag(tag) if !tags.contains(tag) => tags.push(tag.clone()),
            Self::AddTag(_) => {}
            Self::RemoveTag(tag) => tags.retain(|known| known != tag),
        }
        if tags.len() > MOST_TAGS { Err(DbError::Check(FULL.to_owned())) } else { Ok(Labels { owner, tags }) }
    }
}

/// Appended to what the signature of a row covers. Nothing where there are none, as it was before there were any.
pub(super) fn sign(parts: Parts, owner: &str, tags: &[String]) -> Parts {
    if owner.is_empty() && tags.is_empty() {
        return parts;
    }
    // One part, which no other part that may stand here is like.
    parts.text(&serde_json::json!([owner, tags]).to_string())
}

/// `owner Platform instead of none, tags prod, ci instead of prod`.
pub(super) fn words(before: &Labels, after: &Labels) -> String {
    let said = |text: &str| if text.is_empty() { "none".to_owned() } else { text.to_owned() };
    let pair = |what: &str, before: &str, after: &str| {
        (before != after).then(|| format!("{what} {} instead of {}", said(after), said(before)))
    };
    let owner = pair("owner", &before.owner, &after.owner);
    let tags = pair("tags", &before.tags.join(", "), &after.tags.join(", "));
    owner.into_iter().chain(tags).collect::<Vec<_>>().join("; ")
}

/// From each value of an index to the next, so that the cost is that of the values and not of the rows.
fn distinct(table: &str, column: &str, among: &str) -> String {
    format!(
        "WITH RECURSIVE found AS (
             (SELECT {column} AS value, 1 AS number FROM {table} WHERE {among} {column} > '' ORDER BY {column} LIMIT 1)
             UNION ALL
             SELECT next.value, number + 1 FROM found, LATERAL (SELECT {column} AS value FROM {table}
                 WHERE {among} {column} > found.value ORDER BY {column} LIMIT 1) next WHERE number < $1)
         SELECT value FROM found"
    )
}

#[derive(QueryableByName)]
struct Value {
    #[diesel(sql_type = Text)]
    value: String,
}

/// The owners in use, of credentials and integrations, by name; at most [`MOST_LISTED`] of each.
pub fn owners(conn: &mut Conn) -> Result<Vec<String>, DbError> {
    let of = |table: &str| distinct(table, "owner", "");
    let query = format!(
        "SELECT value FROM ({}) c UNION SELECT value FROM ({}) i ORDER BY value",
        of("credentials"),
        of("integrations")
    );
    let found: Vec<Value> = diesel::sql_query(query).bind::<BigInt, _>(MOST_LISTED).load(conn)?;
    Ok(found.into_iter().map(|row| row.value).collect())
}

/// How much names somebody as its owner.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Owned {
    pub credentials: i64,
    pub integrations: i64,
}

pub fn owned_by(conn: &mut Conn, owner: &str) -> Result<Owned, DbError> {
    use super::schema::{credentials, integrations};
    let credentials = credentials::table.filter(credentials::owner.eq(owner)).count().get_result(conn)?;
    let integrations = integrations::table.filter(integrations::owner.eq(owner)).count().get_result(conn)?;
    Ok(Owned { credentials, integrations })
}

/// What has owners and tags.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Of {
    Credentials,
    Integrations,
}

impl Of {
    fn table(self) -> &'static str {
        match self {
            Self::Credentials => "credentials",
            Self::Integrations => "integrations",
        }
    }

    /// As the table of tags calls it.
    fn kind(self) -> &'static str {
        match self {
            Self::Credentials => "credential",
            Self::Integrations => "integration",
        }
    }
}

/// The owners that these have, by name; at most [`MOST_LISTED`].
pub fn owners_of(conn: &mut Conn, of: Of) -> Result<Vec<String>, DbError> {
    let found: Vec<Value> =
        diesel::sql_query(distinct(of.table(), "owner", "")).bind::<BigInt, _>(MOST_LISTED).load(conn)?;
    Ok(found.into_iter().map(|row| row.value).collect())
}

/// The tags that these have, by name; at most [`MOST_LISTED`].
pub fn tags_of(conn: &mut Conn, of: Of) -> Result<Vec<String>, DbError> {
    let query = distinct("tags", "tag", &format!("subject_kind = '{}' AND", of.kind()));
    let found: Vec<Value> = diesel::sql_query(query).bind::<BigInt, _>(MOST_LISTED).load(conn)?;
    Ok(found.into_iter().map(|row| row.value).collect())
}
