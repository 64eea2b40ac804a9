//! Whether the tables that everything rests on are tables. A view, a rule on a table or a child of it lets whoever made it
//! choose what the database answers, also one answer for the console that runs and another for one that starts. So does
//! an operator or a function of theirs that fits the types of a statement better than the one that is built in.
//!
//! Out of sight: built-in functions that the superuser replaces in their place. The database then answers this question
//! by them as well. Against that stand the checks of the rows, which are made after reading.

use diesel::prelude::*;
use diesel::sql_types::{Array, Oid, Text};

use super::{Conn, DbError};

/// The audit trail, and the tables whose rows are signed.
const TABLES: [&str; 19] = [
    "events",
    "audit_lanes",
    "alert_settings",
    "alerts",
    "api_tokens",
    "channels",
    "client_logins",
    "client_rules",
    "clients",
    "credentials",
    "deployment",
    "hooks",
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
    LEFT JOIN pg_catalog.pg_class c ON c.oid = pg_catalog.to_regclass('public.' || t.name)
    WHERE c.oid IS NULL OR c.relkind <> 'r' OR c.relpersistence <> 'p' OR c.relrowsecurity
        OR EXISTS (SELECT FROM pg_catalog.pg_rewrite r WHERE r.ev_class = c.oid)
        OR EXISTS (SELECT FROM pg_catalog.pg_inherits i WHERE c.oid IN (i.inhparent, i.inhrelid))
    UNION ALL
    SELECT 'the operator ' || o.oprname FROM pg_catalog.pg_operator o
    WHERE o.oid >= $2 AND o.oprnamespace IN ('public'::regnamespace, 'pg_catalog'::regnamespace)
        AND o.oprleft < $2 AND o.oprright < $2 AND o.oprname IN ('=', '<>', '<', '>', '<=', '>=')
        AND NOT EXISTS (SELECT FROM pg_catalog.pg_operator b WHERE b.oid < $2 AND b.oprname = o.oprname
            AND b.oprleft = o.oprleft AND b.oprright = o.oprright)
        AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d WHERE d.classid = 'pg_catalog.pg_operator'::regclass
            AND d.objid = o.oid AND d.deptype = 'e')
    UNION ALL
    SELECT 'the function ' || f.proname FROM pg_catalog.pg_proc f
    WHERE f.oid >= $2 AND f.pronamespace IN ('public'::regnamespace, 'pg_catalog'::regnamespace)
        AND NOT EXISTS (SELECT FROM unnest(f.proargtypes) AS a (type) WHERE a.type >= $2)
        AND EXISTS (SELECT FROM pg_catalog.pg_proc b WHERE b.proname = f.proname AND b.oid < $2)
        AND NOT EXISTS (SELECT FROM pg_catalog.pg_proc b WHERE b.proname = f.proname AND b.oid < $2
            AND b.proargtypes = f.proargtypes)
        AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d WHERE d.classid = 'pg_catalog.pg_proc'::regclass
            AND d.objid = f.oid AND d.deptype = 'e')";

/// What is built in has a smaller object identifier (FirstNormalObjectId of Postgres).
const FIRST_NOT_BUILT_IN: u32 = 16_384;

/// Tables that are none, are gone, would be empty after a crash, have rules, parents or children, or have rows that are
/// hidden from some; operators and functions that would be chosen before built-in ones. One that takes exactly what a
/// built-in one takes never is, and those of extensions are their users' own choice. From the catalog, so cheap.
pub(super) fn strange(conn: &mut Conn) -> Result<Vec<String>, DbError> {
    let asked = diesel::sql_query(STRANGE).bind::<Array<Text>, _>(TABLES.to_vec());
    let found: Vec<Strange> = asked.bind::<Oid, _>(FIRST_NOT_BUILT_IN).load(conn)?;
    Ok(found.into_iter().map(|found| found.name).collect())
}
