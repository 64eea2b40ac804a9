//! Whether the tables that everything rests on are tables. A view, or a rule on a table, lets whoever made it choose what
//! the database answers, also one answer for the console that runs and another for one that starts.

use diesel::prelude::*;
use diesel::sql_types::{Array, Text};

use super::{Conn, DbError};

/// The audit trail, and the tables whose rows are signed.
const TABLES: [&str; 14] = [
    "events",
    "audit_lanes",
    "alert_settings",
    "alerts",
    "channels",
    "credentials",
    "deployment",
    "integrations",
    "keks",
    "recipients",
    "runs",
    "sessions",
    "setup_links",
    "users",
];

#[derive(QueryableByName)]
struct Strange {
    #[diesel(sql_type = Text)]
    name: String,
}

const STRANGE: &str = "SELECT t.name FROM unnest($1) AS t (name)
    LEFT JOIN pg_catalog.pg_class c ON c.oid = pg_catalog.to_regclass(t.name)
    WHERE c.oid IS NULL OR c.relkind <> 'r' OR c.relrowsecurity
        OR EXISTS (SELECT FROM pg_catalog.pg_rewrite r WHERE r.ev_class = c.oid)";

/// Those that are no tables, are gone, have rules, or have rows that are hidden from some. From the catalog, so cheap.
pub(super) fn strange(conn: &mut Conn) -> Result<Vec<String>, DbError> {
    let found: Vec<Strange> = diesel::sql_query(STRANGE).bind::<Array<Text>, _>(TABLES.to_vec()).load(conn)?;
    Ok(found.into_iter().map(|table| table.name).collect())
}
