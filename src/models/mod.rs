//! What is stored: the only Diesel. One noun a file, its rows, inserts and queries together; [`Db`] is the one bridge
//! between async code and blocking connections. Nothing here decrypts and nothing here renders.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use diesel::connection::SimpleConnection;
use diesel::pg::PgConnection;
use diesel::r2d2::{ConnectionManager, CustomizeConnection, Pool};
use diesel::{Connection, IntoSql, RunQueryDsl};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};
use tokio::sync::Semaphore;

mod actions;
pub mod alert_settings;
pub mod alerts;
pub mod altered;
pub mod attention;
pub mod backlog;
pub mod chain;
pub mod channels;
pub mod credential_limits;
pub mod credential_list;
mod credential_search;
pub mod credential_summary;
pub mod credential_tests;
pub mod credentials;
pub mod deliveries;
pub mod delivery_lines;
pub mod delivery_list;
pub mod deployment;
pub mod digests;
pub mod due_alerts;
mod error;
pub mod events;
pub mod images;
pub mod integrations;
pub mod keks;
pub mod logins;
pub mod notices;
pub mod provider_facts;
pub mod recipients;
pub mod recovery_codes;
pub mod runs;
pub mod schema;
pub mod sealed;
mod server_messages;
pub mod sessions;
pub mod usages;
mod user_changes;
pub mod users;

pub use error::DbError;

pub type Conn = PgConnection;

pub const MIGRATIONS: EmbeddedMigrations = embed_migrations!("migrations");

/// Longest a request waits for the database before it is told to come back.
const DEADLINE: Duration = Duration::from_secs(5);
/// Held while one replica migrates and the others wait.
const MIGRATION_LOCK: i64 = 0x5354_524f_4e47;

/// The connection pool and the way to it from async code.
#[derive(Clone)]
pub struct Db {
    pool: Pool<ConnectionManager<Conn>>,
    /// As many blocking threads as connections plus a short queue: a frozen database must not pile up threads.
    threads: Arc<Semaphore>,
}

#[derive(Debug)]
struct Limits;

impl CustomizeConnection<Conn, diesel::r2d2::Error> for Limits {
    fn on_acquire(&self, connection: &mut Conn) -> Result<(), diesel::r2d2::Error> {
        // libpq has no client-side limit for a query, so the server must have one.
        let limits = "SET statement_timeout = '5s'; SET lock_timeout = '2s';
             SET idle_in_transaction_session_timeout = '10s'; SET timezone = 'UTC'";
        connection.batch_execute(limits).map_err(diesel::r2d2::Error::QueryError)
    }
}

impl Db {
    /// A pool of up to `size` connections; opens them as they are needed, so it succeeds while the server is down.
    pub fn new(url: &str, size: u32) -> Self {
        let pool = Pool::builder()
            .max_size(size)
            .min_idle(Some(1))
            .test_on_check_out(false)
            .connection_timeout(Duration::from_secs(2))
            .error_handler(Box::new(QuietPool))
            .connection_customizer(Box::new(Limits))
            .build_unchecked(ConnectionManager::new(with_timeouts(url)));
        Self { pool, threads: Arc::new(Semaphore::new(size as usize * 2)) }
    }

    /// Runs `f` with a connection on a blocking thread. Never call a provider inside: the connection is held.
    pub async fn run<T, E, F>(&self, f: F) -> Result<T, E>
    where
        F: FnOnce(&mut Conn) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<DbError> + Send + 'static,
    {
        self.within(DEADLINE, f).await
    }

    async fn within<T, E, F>(&self, deadline: Duration, f: F) -> Result<T, E>
    where
        F: FnOnce(&mut Conn) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<DbError> + Send + 'static,
    {
        let work = async {
            let permit = self.threads.clone().acquire_owned().await.map_err(|_| DbError::Unavailable)?;
            let pool = self.pool.clone();
            #[expect(clippy::disallowed_methods, reason = "this is the one bridge to blocking code")]
            let handle = tokio::task::spawn_blocking(move || {
                let _permit = permit;
                let mut connection = pool.get().map_err(|_| DbError::Unavailable)?;
                f(&mut connection)
            });
            handle.await.unwrap_or_else(|_| Err(DbError::Other.into()))
        };
        tokio::time::timeout(deadline, work).await.unwrap_or_else(|_| Err(DbError::Unavailable.into()))
    }

    /// Like [`Db::transaction`], for a job that may take minutes. Never for a request.
    pub async fn patiently<T, E, F>(&self, f: F) -> Result<T, E>
    where
        F: Fn(&mut Conn) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<DbError> + From<diesel::result::Error> + AsDb + Send + 'static,
    {
        self.within(PATIENT, move |connection| transaction(connection, &f)).await
    }

    /// Like [`Db::run`], in one transaction that is tried again, up to three times, when Postgres asks for it.
    pub async fn transaction<T, E, F>(&self, f: F) -> Result<T, E>
    where
        F: Fn(&mut Conn) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<DbError> + From<diesel::result::Error> + AsDb + Send + 'static,
    {
        self.run(move |connection| transaction(connection, &f)).await
    }
}

/// For jobs whose one statement walks over a whole table.
const PATIENT: Duration = Duration::from_secs(300);

/// Lets [`transaction`] see whether an error of the caller's own type asks for another try.
pub trait AsDb {
    fn as_db(&self) -> Option<&DbError>;
}

impl AsDb for DbError {
    fn as_db(&self) -> Option<&DbError> {
        Some(self)
    }
}

/// One transaction on a connection at hand, retried on serialisation failures and deadlocks.
pub fn transaction<T, E>(connection: &mut Conn, f: &dyn Fn(&mut Conn) -> Result<T, E>) -> Result<T, E>
where
    E: From<diesel::result::Error> + AsDb,
{
    for _ in 0..3 {
        match connection.transaction(|connection| f(connection)) {
            Err(error) if matches!(error.as_db(), Some(DbError::TryAgain)) => {}
            result => return result,
        }
    }
    connection.transaction(f)
}

/// Pool errors carry the connection string; they are counted, not printed.
#[derive(Debug)]
struct QuietPool;

impl diesel::r2d2::HandleError<diesel::r2d2::Error> for QuietPool {
    fn handle_error(&self, _: diesel::r2d2::Error) {
        metrics::counter!("strongroom_database_errors_total").increment(1);
        tracing::warn!("the database cannot be reached");
    }
}

/// libpq's own limits, where the operator has not set them.
fn with_timeouts(url: &str) -> String {
    let defaults = [
        ("connect_timeout", "3"),
        ("tcp_user_timeout", "5000"),
        ("keepalives_idle", "5"),
        ("keepalives_interval", "2"),
        ("keepalives_count", "3"),
        ("application_name", "strongroom"),
    ];
    let is_url = url.starts_with("postgres://") || url.starts_with("postgresql://");
    let mut url = url.to_owned();
    for (name, value) in defaults.into_iter().filter(|(name, _)| !url.contains(name)).collect::<Vec<_>>() {
        let joint = match (is_url, url.contains('?')) {
            (true, false) => '?',
            (true, true) => '&',
            (false, _) => ' ',
        };
        url.push_str(&format!("{joint}{name}={value}"));
    }
    url
}

/// Connects outside the pool, for what happens once: migrations, commands.
pub fn connect(url: &str) -> Result<Conn, DbError> {
    Conn::establish(&with_timeouts(url)).map_err(|_| DbError::Unavailable)
}

/// Applies what is pending. Replicas that start together wait for the one that does it.
pub fn migrate(connection: &mut Conn) -> Result<(), DbError> {
    let lock = |function: &str| format!("SELECT {function}({MIGRATION_LOCK})");
    connection.batch_execute("SET statement_timeout = 0; SET lock_timeout = 0")?;
    diesel::sql_query(lock("pg_advisory_lock")).execute(connection)?;
    let result = connection.run_pending_migrations(MIGRATIONS).map(drop);
    diesel::sql_query(lock("pg_advisory_unlock")).execute(connection)?;
    result.map_err(|error| {
        // A migration writes no values of ours, so its error holds none.
        tracing::error!(%error, "a migration failed");
        DbError::Other
    })
}

/// Whether the tables are those of this version.
pub fn is_migrated(connection: &mut Conn) -> Result<bool, DbError> {
    let pending = connection.has_pending_migration(MIGRATIONS);
    pending.map(|pending| !pending).map_err(|_| DbError::Other)
}

/// Whether the server writes the statements of clients into its log, all or slow ones.
pub fn logs_statements(connection: &mut Conn) -> Result<bool, DbError> {
    let all = "current_setting('log_statement') <> 'none'";
    let slow = "current_setting('log_min_duration_statement') <> '-1'";
    Ok(diesel::select(diesel::dsl::sql::<diesel::sql_types::Bool>(&format!("{all} OR {slow}")))
        .get_result(connection)?)
}

/// Takes an advisory lock for as long as the connection lives; `false` when somebody else holds it.
pub fn try_lock(connection: &mut Conn, lock: i64) -> Result<bool, DbError> {
    let locked = diesel::dsl::sql::<diesel::sql_types::Bool>(&format!("SELECT pg_try_advisory_lock({lock})"));
    Ok(locked.get_result(connection)?)
}

/// The database's clock: the only one that ages and limits are measured by.
pub fn clock(conn: &mut Conn) -> Result<DateTime<Utc>, DbError> {
    Ok(diesel::select(diesel::dsl::now.into_sql::<diesel::sql_types::Timestamptz>()).get_result(conn)?)
}

/// The database's clock, for columns that may be empty.
fn now() -> diesel::expression::SqlLiteral<diesel::sql_types::Nullable<diesel::sql_types::Timestamptz>> {
    diesel::dsl::sql("now()")
}

/// A search text as a LIKE pattern that finds it literally.
pub fn escape_like(text: &str) -> String {
    text.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_")
}
