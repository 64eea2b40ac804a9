//! The users as pages list them: those that are not deleted, by name.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::{Array, Bool, Text};

use super::paging::Page;
use super::schema::users;
use super::trust::{Seen, latest_version};
use super::users::User;
use super::{Conn, DbError, UserId, account_letters};
use crate::vault::Vault;

/// Words of a search that are looked at.
const MOST_WORDS: usize = 10;

/// What a visitor asks for.
#[derive(Clone, Debug, Default)]
pub struct Query {
    /// Each word has to be somewhere in name or address.
    pub search: String,
    /// The name key that the page starts after, or, with `true`, ends before.
    pub from: Option<(String, bool)>,
}

/// A line of the list.
pub struct Listed {
    pub user: Seen<User>,
    /// The end of an invitation that was not followed yet, be it over.
    pub invited_until: Option<DateTime<Utc>>,
}

/// How many there are, and how many of them the search leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counts {
    pub total: i64,
    pub matching: i64,
}

impl Query {
    /// One pattern a word.
    fn patterns(&self) -> Vec<String> {
        let words = self.search.split_whitespace().take(MOST_WORDS);
        words.map(|word| format!("%{}%", super::escape_like(&word.to_lowercase()))).collect()
    }
}

/// Whether a row has every word of a search. With none, every row does.
macro_rules! found_by {
    ($query:expr) => {
        sql::<Bool>("lower(concat_ws(' ', users.name, users.email)) LIKE ALL (")
            .bind::<Array<Text>, _>($query.patterns())
            .sql(")")
    };
}

/// A page of users.
pub fn list(conn: &mut Conn, vault: &Vault, query: &Query, size: i64) -> Result<Page<Listed>, DbError> {
    let rows = users::table.select((User::as_select(), latest_version!(users::id)));
    let mut rows = rows.filter(users::deleted_at.is_null().and(found_by!(query))).limit(size + 1).into_boxed();
    rows = match &query.from {
        Some((key, true)) => rows.filter(users::name_key.lt(key)).order(users::name_key.desc()),
        Some((key, false)) => rows.filter(users::name_key.gt(key)).order(users::name_key),
        None => rows.order(users::name_key),
    };
    let found: Vec<(User, Option<i64>)> = rows.load(conn)?;
    let Page { rows, before, after } = Page::cut(found, size, query.from.as_ref().map(|(_, back)| *back));
    let ids: Vec<UserId> = rows.iter().map(|(user, _)| user.id).collect();
    let invited: HashMap<UserId, DateTime<Utc>> = account_letters::invited_until(conn, &ids)?;
    let listed = |row: (User, Option<i64>)| Listed {
        invited_until: invited.get(&row.0.id).copied(),
        user: Seen::new(vault, row, |_| true),
    };
    Ok(Page { rows: rows.into_iter().map(listed).collect(), before, after })
}

pub fn counts(conn: &mut Conn, query: &Query) -> Result<Counts, DbError> {
    let all = users::table.filter(users::deleted_at.is_null());
    let total = all.count().get_result(conn)?;
    let matching =
        if query.search.is_empty() { total } else { all.filter(found_by!(query)).count().get_result(conn)? };
    Ok(Counts { total, matching })
}

/// Everybody's name, also of those who are deleted: the audit trail knows them.
pub fn names(conn: &mut Conn) -> Result<Vec<String>, DbError> {
    Ok(users::table.order(users::name_key).select(users::name).load(conn)?)
}
