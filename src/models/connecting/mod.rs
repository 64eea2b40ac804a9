//! From DATABASE_URL to a connection: what the URL says, what libpq is given, why a connection fails, and whether a
//! pooler is between.
//!
//! A pooler such as PgBouncer in transaction mode runs each transaction on another connection of the server. What a
//! connection remembers is then lost, or somebody else's: settings, prepared statements, locks, LISTEN. Whether that
//! is so is not guessed. A connection is direct if it proves it, by a setting that came with its own start; whatever
//! cannot prove that is used as if a pooler were between, which works everywhere.

use diesel::connection::{CacheSize, SimpleConnection};
use diesel::sql_types::{Bool, Integer};
use diesel::{Connection, ConnectionError, RunQueryDsl};

use super::{Conn, SESSION};

mod failure;
mod parameters;

pub use failure::ConnectError;
pub use parameters::{Parameters, UrlError};

/// How the server is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Route {
    /// A connection is one of the server: what is set on it lasts.
    Direct,
    /// Through a pooler: nothing lasts longer than a transaction.
    Pooled,
}

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

    /// One connection, with these settings where it keeps them.
    pub(super) fn establish(&self, route: Route, settings: &str) -> Result<Conn, ConnectionError> {
        let mut conn = Conn::establish(&self.conninfo())?;
        match route {
            Route::Direct => conn.batch_execute(settings).map_err(ConnectionError::CouldntSetupConfiguration)?,
            Route::Pooled => conn.set_prepared_statement_cache_size(CacheSize::Disabled),
        }
        Ok(conn)
    }

    /// One connection, and whether it has proved to be direct.
    fn open(&self) -> Result<(Conn, Route), ConnectError> {
        let failed = |error| ConnectError::new(&error, self);
        let mark = format!("m{}", hex::encode(crate::vault::random::<8>()));
        let marked = self.with_option(&format!("-c strongroom.mark={mark}"));
        let mut conn = match marked.establish(Route::Pooled, "").map_err(failed) {
            Ok(conn) => conn,
            // PgBouncer: "unsupported startup parameter"; others say it in other words.
            Err(error) if error.may_be_about_an_option() => {
                return Ok((self.establish(Route::Pooled, "").map_err(failed)?, Route::Pooled));
            }
            Err(error) => return Err(error),
        };
        let kept = format!("coalesce(current_setting('strongroom.mark', true), '') = '{mark}'");
        let asked = diesel::select(diesel::dsl::sql::<Bool>(&kept)).get_result(&mut conn);
        let direct: bool = asked.map_err(|error| failed(ConnectionError::CouldntSetupConfiguration(error)))?;
        if direct {
            conn.set_prepared_statement_cache_size(CacheSize::Unbounded);
        }
        Ok((conn, if direct { Route::Direct } else { Route::Pooled }))
    }
}

/// Connects outside the pool, for what happens once: migrations, commands. Everything on it is done by
/// [`super::transaction`] or [`super::read`], since a pooler may be between.
pub fn connect(url: &str) -> Result<Conn, ConnectError> {
    connect_by(url).map(|(conn, _)| conn)
}

/// The same, and how the server was reached.
pub fn connect_by(url: &str) -> Result<(Conn, Route), ConnectError> {
    let parameters = Parameters::with_limits(url)?;
    let (mut conn, route) = parameters.open()?;
    if route == Route::Direct {
        let set = conn.batch_execute(SESSION).map_err(ConnectionError::CouldntSetupConfiguration);
        set.map_err(|error| ConnectError::new(&error, &parameters))?;
    }
    Ok((conn, route))
}

/// How the server is reached. Two connections at once must be two of the server: a pooler may hand on the settings of
/// a connection's start.
pub fn route(url: &str) -> Result<Route, ConnectError> {
    let parameters = Parameters::with_limits(url)?;
    let ((mut one, first), (mut other, second)) = (parameters.open()?, parameters.open()?);
    let process = |conn: &mut Conn| {
        let asked = diesel::select(diesel::dsl::sql::<Integer>("pg_backend_pid()")).get_result::<i32>(conn);
        asked.map_err(|error| ConnectError::new(&ConnectionError::CouldntSetupConfiguration(error), &parameters))
    };
    let two = process(&mut one)? != process(&mut other)?;
    Ok(if two && (first, second) == (Route::Direct, Route::Direct) { Route::Direct } else { Route::Pooled })
}
