//! What waits, in numbers, for whoever watches the console from outside. Each number is read from a partial index.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Double};

use super::{Conn, DbError};

#[derive(Clone, Copy, Debug, QueryableByName)]
pub struct Backlog {
    /// Messages that are ready or on their way, of channels that are switched on.
    #[diesel(sql_type = BigInt)]
    pub messages_waiting: i64,
    /// Seconds since the oldest of them was written; 0 without any.
    #[diesel(sql_type = Double)]
    pub oldest_message_seconds: f64,
    /// Messages that wait for a person.
    #[diesel(sql_type = BigInt)]
    pub messages_parked: i64,
    #[diesel(sql_type = BigInt)]
    pub runs_queued: i64,
    #[diesel(sql_type = BigInt)]
    pub runs_running: i64,
    #[diesel(sql_type = BigInt)]
    pub alerts_open: i64,
}

pub fn look(conn: &mut Conn) -> Result<Backlog, DbError> {
    Ok(diesel::sql_query(
        "WITH waiting AS (SELECT count(*) AS messages,
                min(d.created_at) FILTER (WHERE isfinite(d.created_at)) AS oldest
            FROM deliveries d JOIN integrations i ON i.id = d.integration_id AND i.active
            WHERE d.state = 'ready' OR d.state = 'sending')
         SELECT messages AS messages_waiting,
            coalesce(greatest(extract(epoch FROM now() - oldest), 0), 0)::double precision AS oldest_message_seconds,
            (SELECT count(*) FROM deliveries WHERE state = 'parked') AS messages_parked,
            (SELECT count(*) FROM runs WHERE state = 'queued') AS runs_queued,
            (SELECT count(*) FROM runs WHERE state = 'running') AS runs_running,
            (SELECT count(*) FROM alerts WHERE closed_at IS NULL AND stage >= 3) AS alerts_open
         FROM waiting",
    )
    .get_result(conn)?)
}
