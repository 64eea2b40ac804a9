//! What is stored: the only Diesel. One noun a file, its rows, inserts and queries together; [`Db`] is the one bridge
//! between async code and blocking connections. Nothing here decrypts and nothing here renders.
//!
//! Names in SQL mean the tables of `public` and the operators of `pg_catalog`, whatever `search_path` the database or
//! the role has: each direct connection sets its own, and each transaction sets it again, since behind a pooler nothing
//! lasts longer. So there is no advisory lock, prepared statement, temporary table or setting that outlives a
//! transaction, but what is only for speed on a direct connection; see [`connecting`].

use chrono::{DateTime, Utc};
use diesel::connection::{AnsiTransactionManager, SimpleConnection, TransactionManager};
use diesel::pg::PgConnection;
use diesel::{IntoSql, OptionalExtension, RunQueryDsl};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};
use uuid::Uuid;

pub mod account_letters;
pub mod account_links;
mod actions;
mod alert;
pub mod alert_acts;
mod alert_line;
pub mod alert_list;
pub mod alert_settings;
pub mod alerts;
pub mod altered;
pub mod anchors;
pub mod announcements;
pub mod api_tokens;
pub mod attention;
pub mod backlog;
pub mod chain;
pub mod channels;
pub mod checkups;
pub mod client_list;
pub mod client_logins;
pub mod client_rules;
pub mod client_usages;
pub mod client_uses;
pub mod clients;
mod cloud_key;
pub mod cloud_keys;
mod connecting;
pub mod counts;
pub mod coverage;
pub mod credential_choices;
pub mod credential_limits;
pub mod credential_list;
pub mod credential_names;
pub mod credential_query;
mod credential_row;
mod credential_search;
pub mod credential_summary;
pub mod credentials;
pub mod daily_figures;
mod db;
pub mod deliveries;
pub mod delivery_lines;
pub mod delivery_list;
pub mod deployment;
pub mod deployment_list;
pub mod deployments;
pub mod digests;
pub mod discovery;
mod doubt;
pub mod due_alerts;
mod due_deliveries;
mod due_runs;
mod error;
mod event_list;
pub mod event_pages;
pub mod events;
pub mod exported;
pub mod family_rows;
pub mod first_steps;
pub mod follow;
mod head;
pub mod hooks;
mod ids;
pub mod integration_list;
pub mod integration_query;
pub mod integrations;
mod integrity_alerts;
pub mod item_alerts;
pub mod items;
pub mod keks;
pub mod labels;
mod lane;
mod lease;
pub mod logins;
mod manager;
pub mod missing;
mod noted;
pub mod notices;
mod of_row;
pub mod old_keys;
mod ordinary;
pub mod paging;
pub mod provider_facts;
mod readable;
pub mod recipients;
pub mod relabel;
pub mod replacing;
mod replicas;
pub mod resign;
pub mod rollouts;
pub mod run_ends;
pub mod runs;
pub mod sample;
pub mod schema;
pub mod sealed;
mod sealing;
pub mod secrets;
mod server_messages;
mod session_ends;
pub mod sessions;
pub mod snoozed_keys;
pub mod spent_tokens;
pub mod store_health;
pub mod stores;
pub mod sync_entries;
mod tagged;
mod text_enum;
pub mod times;
mod together;
pub mod totals;
pub mod trust;
pub mod unwell;
pub mod usages;
mod user_changes;
pub mod user_list;
pub mod users;
mod using;
pub mod views;

pub use connecting::{ConnectError, Parameters, Route, UrlError, connect, connect_by, route};
pub use db::{AsDb, Db, read, transaction};
pub use error::DbError;
pub use ids::{
    AlertId, ApiTokenId, ClientId, ClientLoginId, ClientRuleId, CredentialId, DeliveryId, HookId, IntegrationId,
    ItemId, LetterId, RecipientId, ReplicaId, RolloutId, RunId, SessionId, SnoozeId, UserId, ViewId,
};

pub type Conn = PgConnection;

pub const MIGRATIONS: EmbeddedMigrations = embed_migrations!("migrations");

/// What every direct connection starts with. PostgreSQL looks into `pg_catalog` before the schemas of a search path, and
/// creates tables in the first of them. `pg_temp` is named, and last, because a temporary table would otherwise hide
/// the table of the same name. Messages are in English where the server allows to ask for that: see `server_messages`.
const SESSION: &str = "SET search_path = public, pg_temp;
    SELECT set_config('lc_messages', 'C', false) WHERE has_parameter_privilege('lc_messages', 'SET')";
/// Held while one replica migrates and the others wait.
const MIGRATION_LOCK: i64 = 0x5354_524f_4e47;

/// How the one transaction of all pending migrations begins.
const MIGRATION: &str = "BEGIN ISOLATION LEVEL READ COMMITTED; SET LOCAL search_path = public, pg_temp;
    SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = 0; SET LOCAL idle_in_transaction_session_timeout = 0";

/// Applies what is pending, all or nothing. Replicas that start together wait for the one that does it.
pub fn migrate(connection: &mut Conn) -> Result<(), DbError> {
    AnsiTransactionManager::begin_transaction_sql(connection, MIGRATION)?;
    // In a statement of its own: the next one sees what the holder before us committed.
    let locked = diesel::sql_query(format!("SELECT pg_advisory_xact_lock({MIGRATION_LOCK})")).execute(connection);
    let result = match locked {
        Ok(_) => connection.run_pending_migrations(MIGRATIONS).map(drop),
        Err(error) => Err(error.into()),
    };
    match result {
        Ok(()) => Ok(AnsiTransactionManager::commit_transaction(connection)?),
        Err(error) => {
            // A migration writes no values of ours, so its error holds none.
            tracing::error!(%error, "a migration failed");
            AnsiTransactionManager::rollback_transaction(connection)?;
            Err(DbError::Other)
        }
    }
}

/// Whether the tables are those of this version.
pub fn is_migrated(connection: &mut Conn) -> Result<bool, DbError> {
    let pending = connection.has_pending_migration(MIGRATIONS);
    pending.map(|pending| !pending).map_err(|_| DbError::Other)
}

#[derive(diesel::QueryableByName)]
struct Key {
    #[diesel(sql_type = diesel::sql_types::Uuid)]
    key: Uuid,
}

/// The key of the row after another one, whatever else the row holds.
pub fn next_key(conn: &mut Conn, table: &'static str, key: &str, after: Uuid) -> Result<Option<Uuid>, DbError> {
    let query = format!("SELECT {key} AS key FROM {table} WHERE {key} > $1 ORDER BY {key} LIMIT 1");
    let found =
        diesel::sql_query(query).bind::<diesel::sql_types::Uuid, _>(after).get_result::<Key>(conn).optional()?;
    Ok(found.map(|row| row.key))
}

/// Whether the server writes the statements of clients into its log, all or slow ones.
pub fn logs_statements(connection: &mut Conn) -> Result<bool, DbError> {
    let all = "current_setting('log_statement') <> 'none'";
    let slow = "current_setting('log_min_duration_statement') <> '-1'";
    Ok(diesel::select(diesel::dsl::sql::<diesel::sql_types::Bool>(&format!("{all} OR {slow}")))
        .get_result(connection)?)
}

/// Lets each statement of this transaction take as long as a large inventory on a slow disk needs. Only for
/// [`Db::patiently`].
pub fn allow_long_statements(conn: &mut Conn) -> Result<(), DbError> {
    Ok(conn.batch_execute("SET LOCAL statement_timeout = '120s'; SET LOCAL lock_timeout = '10s'")?)
}

/// Tells this database on this server from every copy of it: since when the server runs, and which of its databases it is.
pub fn server(conn: &mut Conn) -> Result<String, DbError> {
    let server = "extract(epoch FROM pg_postmaster_start_time())::text || ' '
        || (SELECT oid FROM pg_database WHERE datname = current_database())";
    Ok(diesel::select(diesel::dsl::sql::<diesel::sql_types::Text>(server)).get_result(conn)?)
}

/// An advisory lock, held by a transaction on a connection of its own until this is dropped: behind a pooler, locks of
/// connections are nobody's.
pub struct HeldLock(Conn);

/// Takes an advisory lock; the connection back when somebody else holds it.
pub fn try_lock(mut connection: Conn, lock: i64) -> Result<Result<HeldLock, Conn>, DbError> {
    const BEGIN: &str =
        "BEGIN; SET LOCAL search_path = public, pg_temp; SET LOCAL idle_in_transaction_session_timeout = 0";
    AnsiTransactionManager::begin_transaction_sql(&mut connection, BEGIN)?;
    let locked = diesel::dsl::sql::<diesel::sql_types::Bool>(&format!("SELECT pg_try_advisory_xact_lock({lock})"));
    if locked.get_result(&mut connection)? {
        return Ok(Ok(HeldLock(connection)));
    }
    AnsiTransactionManager::rollback_transaction(&mut connection)?;
    Ok(Err(connection))
}

impl Drop for HeldLock {
    fn drop(&mut self) {
        // A connection that is gone holds no lock.
        let _ = AnsiTransactionManager::rollback_transaction(&mut self.0);
    }
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
