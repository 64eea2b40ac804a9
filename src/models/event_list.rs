//! Reading the audit trail for its page, newest first, by filters.

use chrono::{DateTime, Utc};
use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Text};
use uuid::Uuid;

use super::events::Event;
use super::schema::events;
use super::{Conn, DbError};

/// The filters of the Audit page; empty means any.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Any of these, see [`actors`].
    pub actors: Option<Vec<String>>,
    pub action: String,
    pub subject_id: Option<Uuid>,
    /// Leaves out the uses of secrets by scheduled runs and alerts.
    pub without_uses: bool,
    pub from: Option<DateTime<Utc>>,
    pub until: Option<DateTime<Utc>>,
    /// Events strictly older than this place, for the next page.
    pub before: Option<Place>,
}

/// Who may be meant by what was typed: those of this name, large and small letters alike, else those whose name begins
/// so. Steps from name to name in the index, so that it costs a look-up a name and not one an event.
pub fn actors(connection: &mut Conn, typed: &str) -> Result<Vec<String>, DbError> {
    /// Names that are looked through at most. People and addresses that follow a mail's link have one each.
    const MOST: i64 = 1_000;
    let found: Vec<Name> = diesel::sql_query(
        "WITH RECURSIVE names AS (
            (SELECT actor FROM events ORDER BY actor LIMIT 1)
            UNION ALL
            SELECT (SELECT e.actor FROM events e WHERE e.actor > n.actor ORDER BY e.actor LIMIT 1)
            FROM names n WHERE n.actor IS NOT NULL
         ) SELECT actor FROM names WHERE actor IS NOT NULL LIMIT $1",
    )
    .bind::<BigInt, _>(MOST)
    .load(connection)?;
    let typed = typed.to_lowercase();
    let names = || found.iter().map(|name| &name.actor);
    let same: Vec<String> = names().filter(|name| name.to_lowercase() == typed).cloned().collect();
    let begin = names().filter(|name| name.to_lowercase().starts_with(&typed)).cloned();
    Ok(if same.is_empty() { begin.collect() } else { same })
}

#[derive(QueryableByName)]
struct Name {
    #[diesel(sql_type = Text)]
    actor: String,
}

/// Where an event stands in the order of the page: time, lane, number in the lane.
pub type Place = (DateTime<Utc>, i16, i64);

/// Newest first.
pub fn list(connection: &mut Conn, filter: &Filter, limit: i64) -> Result<Vec<Event>, DbError> {
    let mut query = events::table.select(Event::as_select()).into_boxed();
    if let Some(actors) = &filter.actors {
        query = query.filter(events::actor.eq_any(actors));
    }
    if !filter.action.is_empty() {
        query = query.filter(events::action.eq(&filter.action));
    }
    if let Some(id) = filter.subject_id {
        query = query.filter(events::subject_id.eq(id));
    }
    if filter.without_uses {
        // As the index events_without_uses has it.
        query = query.filter(sql::<Bool>("NOT (action = 'credential.opened' AND actor = 'Strongroom')"));
    }
    if let Some(from) = filter.from {
        query = query.filter(events::at.ge(from));
    }
    if let Some(until) = filter.until {
        query = query.filter(events::at.lt(until));
    }
    if let Some((at, lane, seq)) = filter.before {
        let later_lane = events::lane.gt(lane).or(events::lane.eq(lane).and(events::seq.gt(seq)));
        // The bound that stands alone lets the index start there, however deep the page.
        query = query.filter(events::at.le(at)).filter(events::at.lt(at).or(later_lane));
    }
    Ok(query.order((events::at.desc(), events::lane, events::seq)).limit(limit).load(connection)?)
}

/// The newest events about any of these.
pub fn of_subjects(connection: &mut Conn, subjects: &[Uuid], limit: i64) -> Result<Vec<Event>, DbError> {
    let rows = events::table.filter(events::subject_id.eq_any(subjects.to_vec()));
    let newest = (events::at.desc(), events::lane.desc(), events::seq.desc());
    Ok(rows.order(newest).limit(limit).select(Event::as_select()).load(connection)?)
}
