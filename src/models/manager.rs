//! How the pool makes connections, and how it sees, without asking the server, that one has ended while it was idle:
//! the server or a pooler may close it at any time.

use diesel::r2d2::{ConnectionManager, HandleError, ManageConnection};

use super::connecting::{ConnectError, Parameters, Route, UrlError};
use super::{Conn, SESSION};

/// What every direct connection of the pool starts with, beside [`SESSION`]. libpq has no client-side limit for a
/// query, so the server must have one.
const LIMITS: &str = "SET statement_timeout = '5s'; SET lock_timeout = '2s';
    SET idle_in_transaction_session_timeout = '10s'; SET timezone = 'UTC'";

#[derive(Debug)]
pub(super) struct Manager {
    /// The error of a URL that cannot be read is that of every connection.
    parameters: Result<Parameters, UrlError>,
    route: Route,
    inner: ConnectionManager<Conn>,
}

impl Manager {
    pub fn new(url: &str, route: Route) -> Self {
        Self { parameters: Parameters::with_limits(url), route, inner: ConnectionManager::new("") }
    }
}

impl ManageConnection for Manager {
    type Connection = Conn;
    type Error = Failure;

    fn connect(&self) -> Result<Conn, Failure> {
        let parameters = self.parameters.as_ref().map_err(|error| Failure::Connect(ConnectError::Url(*error)))?;
        let connected = parameters.establish(self.route, &format!("{LIMITS}; {SESSION}"));
        connected.map_err(|error| Failure::Connect(ConnectError::new(&error, parameters)))
    }

    /// Two calls to the system: the first reads what the server said last, the second finds the end.
    fn is_valid(&self, conn: &mut Conn) -> Result<(), Failure> {
        for _ in 0..2 {
            if conn.notifications_iter().any(|notification| notification.is_err()) {
                return Err(Failure::Ended);
            }
        }
        Ok(())
    }

    fn has_broken(&self, conn: &mut Conn) -> bool {
        self.inner.has_broken(conn)
    }
}

/// Why the pool has one connection less.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failure {
    #[error(transparent)]
    Connect(ConnectError),
    #[error("an idle connection to the database was closed from outside")]
    Ended,
}

/// The reasons of failed connections go into the log, those of ended ones are nobody's fault.
#[derive(Debug)]
pub(super) struct Log;

impl HandleError<Failure> for Log {
    fn handle_error(&self, failure: Failure) {
        match failure {
            Failure::Connect(error) => {
                metrics::counter!("strongroom_database_errors_total").increment(1);
                tracing::warn!("{error}");
            }
            Failure::Ended => tracing::debug!("{failure}"),
        }
    }
}
