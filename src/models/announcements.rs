//! Changes of sessions and users, as triggers in the database announce them to every console that listens.

use diesel::connection::SimpleConnection;

use super::{Conn, DbError, Route, connect_by};

/// Its connection has nothing to say for hours.
const LISTEN: &str = "SET idle_session_timeout = 0; LISTEN strongroom_sessions";

/// A connection that listens. `None` while the server is away, and through a pooler, where LISTEN succeeds and nothing
/// is ever heard.
pub fn listen(url: &str) -> Option<Conn> {
    let Ok((mut conn, Route::Direct)) = connect_by(url) else { return None };
    conn.batch_execute(LISTEN).ok()?;
    Some(conn)
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
