//! What was said of an alert, for its page. A notice is written with the change that it tells of, by `alerts` and
//! `due_alerts`, and given to everybody who is to be told by `digests`; nothing is changed here.

use chrono::{DateTime, Utc};
use diesel::prelude::*;

use super::schema::notices;
use super::times::Time;
use super::{AlertId, Conn, DbError};

#[derive(Clone, Debug, Queryable, Selectable)]
pub struct Notice {
    pub event: String,
    pub days: i32,
    pub of_days: i32,
    pub words: String,
    #[diesel(deserialize_as = Time)]
    pub at: DateTime<Utc>,
}

/// Of one alert, newest first.
pub fn of(conn: &mut Conn, alert: AlertId, limit: i64) -> Result<Vec<Notice>, DbError> {
    let rows = notices::table.filter(notices::alert_id.eq(alert)).order(notices::number.desc()).limit(limit);
    Ok(rows.select(Notice::as_select()).load(conn)?)
}
