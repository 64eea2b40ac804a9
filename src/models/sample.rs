//! Sample data: which rows were loaded as such, how many there are, and which somebody uses for something of their own by
//! now. A row is sample data while it is listed here and has the tag [`TAG`], which its signature covers: neither a tag
//! nor a line in the database alone lets a row be deleted or its alerts be told to nobody.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Text, Uuid as SqlUuid};
use uuid::Uuid;

use super::events::{Action, Actor, NewEvent};
use super::provider_facts::{self, Told};
use super::schema::sample_rows;
use super::{Conn, CredentialId, DbError, IntegrationId, events};
use crate::vault::Vault;

/// The tag of every row.
pub const TAG: &str = "sample";

/// A condition on an alert `a` in SQL: it is about sample data. What was removed still is; what lost its tag is not. A
/// record that was tampered with is told of whatever it is.
pub(super) const OF_SAMPLE: &str = "(a.trigger <> 'integrity'
    AND EXISTS (SELECT FROM sample_rows s WHERE s.subject_id = a.subject_id)
    AND NOT EXISTS (SELECT FROM credentials c WHERE c.id = a.subject_id AND NOT 'sample' = ANY (c.tags))
    AND NOT EXISTS (SELECT FROM integrations i WHERE i.id = a.subject_id AND NOT 'sample' = ANY (i.tags)))";

/// A condition on a credential `c` in SQL: it has the secret with which it was loaded, of which no provider knows.
pub(super) const IS_MADE_UP: &str = "(c.secret_version = 1
    AND EXISTS (SELECT FROM sample_rows s WHERE s.subject_id = c.id AND NOT s.removed))";

/// How many rows there are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, QueryableByName)]
pub struct Loaded {
    #[diesel(sql_type = BigInt)]
    pub credentials: i64,
    #[diesel(sql_type = BigInt)]
    pub integrations: i64,
}

impl Loaded {
    pub fn any(self) -> bool {
        self.credentials + self.integrations > 0
    }
}

/// What of the sample data is there.
pub fn loaded(conn: &mut Conn) -> Result<Loaded, DbError> {
    Ok(diesel::sql_query(
        "SELECT count(*) FILTER (WHERE subject_kind = 'credential') AS credentials,
            count(*) FILTER (WHERE subject_kind = 'integration') AS integrations
         FROM sample_rows s WHERE NOT removed AND (EXISTS (SELECT FROM credentials WHERE id = s.subject_id)
            OR EXISTS (SELECT FROM integrations WHERE id = s.subject_id))",
    )
    .get_result(conn)?)
}

#[derive(QueryableByName)]
struct Flag {
    #[diesel(sql_type = Bool)]
    flag: bool,
}

/// Whether the console has nothing but what it ships with.
pub fn is_console_empty(conn: &mut Conn) -> Result<bool, DbError> {
    let empty = "SELECT NOT EXISTS (SELECT FROM credentials WHERE NOT shipped)
        AND NOT EXISTS (SELECT FROM integrations) AS flag";
    Ok(diesel::sql_query(empty).get_result::<Flag>(conn)?.flag)
}

/// Lists rows as sample data. Call inside the transaction that makes them.
pub fn list(conn: &mut Conn, credentials: &[CredentialId], integrations: &[IntegrationId]) -> Result<(), DbError> {
    let of = |kind: &'static str, id: Uuid| (sample_rows::subject_id.eq(id), sample_rows::subject_kind.eq(kind));
    let keys = credentials.iter().map(|id| of("credential", id.0));
    let users = integrations.iter().map(|id| of("integration", id.0));
    diesel::insert_into(sample_rows::table).values(keys.chain(users).collect::<Vec<_>>()).execute(conn)?;
    Ok(())
}

/// Lets the age of a fresh credential count from an earlier day, as if its provider had told that day.
pub fn date(conn: &mut Conn, id: CredentialId, made_at: DateTime<Utc>) -> Result<(), DbError> {
    provider_facts::keep(conn, id, 1, &Told { made_at: Some(made_at), ..Told::default() })
}

/// A row of the sample data.
#[derive(Clone, Debug, PartialEq, Eq, QueryableByName)]
pub struct Row {
    #[diesel(sql_type = SqlUuid)]
    pub id: Uuid,
    #[diesel(sql_type = Text)]
    pub kind: String,
    #[diesel(sql_type = Text)]
    pub name: String,
    /// Somebody uses it for something of their own: it has lost its tag or has another secret, works with or for what is
    /// no sample data, or was switched on.
    #[diesel(sql_type = Bool)]
    pub in_use: bool,
}

/// All rows, integrations first: they have to go before what they use.
pub fn rows(conn: &mut Conn) -> Result<Vec<Row>, DbError> {
    Ok(diesel::sql_query(
        "WITH listed AS (SELECT subject_id AS id FROM sample_rows WHERE NOT removed),
         users AS (SELECT i.id, i.name, i.active OR NOT $1 = ANY (i.tags) OR EXISTS (SELECT FROM usages u
                 WHERE u.integration_id = i.id AND u.credential_id IS NOT NULL
                     AND u.credential_id NOT IN (SELECT id FROM listed)) AS in_use
             FROM integrations i JOIN listed USING (id)),
         keys AS (SELECT c.id, c.name, c.secret_version > 1 OR NOT $1 = ANY (c.tags) OR EXISTS (SELECT FROM usages u
                 WHERE u.credential_id = c.id
                     AND u.integration_id NOT IN (SELECT id FROM users WHERE NOT in_use)) AS in_use
             FROM credentials c JOIN listed USING (id))
         SELECT 'integration' AS kind, * FROM users UNION ALL SELECT 'credential', * FROM keys
         ORDER BY kind DESC, name",
    )
    .bind::<Text, _>(TAG)
    .load(conn)?)
}

/// After the others were deleted: those that are in use are no sample data any more, the others are gone. Call inside
/// that transaction.
pub fn unlist(conn: &mut Conn, kept: &[Uuid]) -> Result<(), DbError> {
    diesel::delete(sample_rows::table.filter(sample_rows::subject_id.eq_any(kept))).execute(conn)?;
    diesel::update(sample_rows::table).set(sample_rows::removed.eq(true)).execute(conn)?;
    Ok(())
}

/// Whether a row is sample data now.
pub fn has(conn: &mut Conn, id: Uuid) -> Result<bool, DbError> {
    let listed = sample_rows::table.find(id).filter(sample_rows::removed.eq(false));
    Ok(diesel::select(diesel::dsl::exists(listed)).get_result(conn)?)
}

/// Writes down that all of it was loaded or removed, after the event of each row.
pub fn record(conn: &mut Conn, vault: &Vault, actor: &Actor, action: Action, detail: String) -> Result<(), DbError> {
    let event = NewEvent { action, subject_kind: "settings", subject_id: None, subject_name: "sample data", detail };
    events::record(conn, vault, actor, &event)
}
