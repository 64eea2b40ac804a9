//! Changes of sessions and users, and of clients and what they fetch, as triggers in the database announce them to every
//! console that listens.

use diesel::RunQueryDsl;
use diesel::connection::SimpleConnection;

use super::{Conn, DbError, Route, connect_by};

/// What is listened to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Topic {
    /// Changes of sessions and users.
    Sessions,
    /// Changes of clients, their logins and rules, of the credentials that they fetch, and session tokens that were
    /// revoked.
    Clients,
}

impl Topic {
    const fn channel(self) -> &'static str {
        match self {
            Self::Sessions => "strongroom_sessions",
            Self::Clients => "strongroom_clients",
        }
    }
}

/// A connection that listens. `None` while the server is away, and through a pooler, where LISTEN succeeds and nothing
/// is ever heard.
pub fn listen(url: &str, topic: Topic) -> Option<Conn> {
    let Ok((mut conn, Route::Direct)) = connect_by(url) else { return None };
    // Its connection has nothing to say for hours.
    conn.batch_execute(&format!("SET idle_session_timeout = 0; LISTEN {}", topic.channel())).ok()?;
    Some(conn)
}

/// Announces a change that no trigger sees, once the transaction commits.
pub(super) fn announce(conn: &mut Conn, topic: Topic) -> Result<(), DbError> {
    diesel::sql_query(format!("SELECT pg_notify('{}', '')", topic.channel())).execute(conn)?;
    Ok(())
}

/// Whether anything was announced since the last call. Never waits. An error when the connection is gone.
pub fn heard(conn: &mut Conn) -> Result<bool, DbError> {
    let mut heard = false;
    for announcement in conn.notifications_iter() {
        announcement?;
        heard = true;
    }
    Ok(heard)
}
