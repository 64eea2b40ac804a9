//! From DATABASE_URL to a connection: what the URL says, what libpq is given, and why a connection fails.

use diesel::connection::SimpleConnection;
use diesel::{Connection, ConnectionError};

use super::{Conn, SESSION};

mod failure;
mod parameters;

pub use failure::ConnectError;
pub use parameters::{Parameters, UrlError};

impl Parameters {
    /// A URL with Strongroom's own limits where the operator has set none.
    pub(super) fn with_limits(url: &str) -> Result<Self, UrlError> {
        let limits = [
            ("connect_timeout", "3"),
            ("tcp_user_timeout", "5000"),
            ("keepalives_idle", "5"),
            ("keepalives_interval", "2"),
            ("keepalives_count", "3"),
            ("application_name", "strongroom"),
        ];
        let mut parameters = Self::parse(url)?;
        for (name, value) in limits {
            parameters.set_default(name, value);
        }
        Ok(parameters)
    }

    /// One connection, set up by `setup`.
    pub(super) fn establish(&self, setup: &str) -> Result<Conn, ConnectionError> {
        let mut conn = Conn::establish(&self.conninfo())?;
        conn.batch_execute(setup).map_err(ConnectionError::CouldntSetupConfiguration)?;
        Ok(conn)
    }
}

/// Connects outside the pool, for what happens once: migrations, commands.
pub fn connect(url: &str) -> Result<Conn, ConnectError> {
    let parameters = Parameters::with_limits(url)?;
    parameters.establish(SESSION).map_err(|error| ConnectError::new(&error, &parameters))
}
