//! Reading the audit trail by offset, as programs of the API do. Its page reads it by place, in `event_list`.

use chrono::{DateTime, Utc};
use diesel::pg::Pg;
use diesel::prelude::*;

use super::events::Event;
use super::schema::events;
use super::{Conn, DbError};

/// No more are counted, and none beyond is read.
pub const MOST: i64 = 100_000;

/// Which events are asked for.
#[derive(Clone, Debug, Default)]
pub struct Asked {
    /// Names of actions; `None` for all.
    pub actions: Option<Vec<&'static str>>,
    pub actor: String,
    pub from: Option<DateTime<Utc>>,
    pub until: Option<DateTime<Utc>>,
    pub oldest_first: bool,
}

fn wanted(asked: &Asked) -> events::BoxedQuery<'_, Pg> {
    let mut rows = events::table.into_boxed();
    if let Some(actions) = &asked.actions {
        rows = rows.filter(events::action.eq_any(actions));
    }
    if !asked.actor.is_empty() {
        rows = rows.filter(events::actor.eq(&asked.actor));
    }
    if let Some(from) = asked.from {
        rows = rows.filter(events::at.ge(from));
    }
    if let Some(until) = asked.until {
        rows = rows.filter(events::at.lt(until));
    }
    rows
}

/// So many from a place in the order that is asked for.
pub fn page(conn: &mut Conn, asked: &Asked, (offset, limit): (i64, i64)) -> Result<Vec<Event>, DbError> {
    let rows = wanted(asked).offset(offset.min(MOST)).limit(limit);
    let rows = match asked.oldest_first {
        true => rows.order((events::at, events::lane.desc(), events::seq.desc())),
        false => rows.order((events::at.desc(), events::lane, events::seq)),
    };
    Ok(rows.select(Event::as_select()).load(conn)?)
}

/// How many there are, up to [`MOST`].
pub fn count(conn: &mut Conn, asked: &Asked) -> Result<i64, DbError> {
    let some: Vec<i64> = wanted(asked).select(events::seq).limit(MOST).load(conn)?;
    Ok(i64::try_from(some.len()).unwrap_or(MOST))
}
