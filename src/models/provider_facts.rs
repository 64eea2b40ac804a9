//! What providers tell of the keys themselves: when one was made, when it was last used, whose it is. Written by tests
//! and by scans of whole accounts. A key is as old as its provider says: [`date`] is the one place where that becomes
//! its age. It can make a key older than its stay here and never younger, so no row check lies over it. When a test is
//! made lives in `checkups`.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Array, Integer, Nullable, Text, Timestamptz, Uuid as SqlUuid};

use super::schema::{credentials, provider_facts};
use super::times::MaybeTime;
use super::{Conn, CredentialId, DbError};

/// `None` where the provider does not tell, or not this key.
#[derive(Clone, Debug, Default, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = provider_facts)]
pub struct Told {
    #[diesel(deserialize_as = MaybeTime)]
    pub made_at: Option<DateTime<Utc>>,
    /// By anybody, as far as the provider knows.
    #[diesel(deserialize_as = MaybeTime)]
    pub used_at: Option<DateTime<Utc>>,
    /// An ARN, as of an AWS key.
    pub identity: Option<String>,
}

impl Told {
    /// From when on the age of a key counts that was stored at a moment.
    pub fn aged_from(&self, stored: DateTime<Utc>) -> DateTime<Utc> {
        self.made_at.map_or(stored, |made| made.min(stored))
    }
}

/// Keeps what was told of one version of a secret.
pub(super) fn keep(conn: &mut Conn, id: CredentialId, secret_version: i32, told: &Told) -> Result<(), DbError> {
    if *told == Told::default() {
        return Ok(());
    }
    diesel::sql_query(format!("{KEEP} VALUES ($1, $2, $3, $4, $5) {OVER}"))
        .bind::<SqlUuid, _>(id)
        .bind::<Integer, _>(secret_version)
        .bind::<Nullable<Timestamptz>, _>(told.made_at)
        .bind::<Nullable<Timestamptz>, _>(told.used_at)
        .bind::<Nullable<Text>, _>(&told.identity)
        .execute(conn)?;
    date(conn, &[id])
}

/// A row for each key that is told of.
pub(super) const KEEP: &str =
    "INSERT INTO provider_facts AS known (credential_id, secret_version, made_at, used_at, identity)";
/// What is not told of the same version this time was perhaps told before.
pub(super) const OVER: &str = "ON CONFLICT (credential_id) DO UPDATE SET secret_version = excluded.secret_version,
    made_at = coalesce(excluded.made_at,
        CASE WHEN known.secret_version = excluded.secret_version THEN known.made_at END),
    used_at = coalesce(excluded.used_at,
        CASE WHEN known.secret_version = excluded.secret_version THEN known.used_at END),
    identity = coalesce(excluded.identity,
        CASE WHEN known.secret_version = excluded.secret_version THEN known.identity END)";

/// Lets the age of these credentials count from when their keys were made, as far as that was told of the secrets that
/// they have now.
pub(super) fn date(conn: &mut Conn, ids: &[CredentialId]) -> Result<(), DbError> {
    diesel::sql_query(
        "UPDATE credentials c SET made_at = told.made_at FROM provider_facts told
         WHERE told.credential_id = c.id AND told.secret_version = c.secret_version AND told.made_at IS NOT NULL
             AND c.made_at IS DISTINCT FROM told.made_at AND c.id = ANY($1)",
    )
    .bind::<Array<SqlUuid>, _>(ids)
    .execute(conn)?;
    Ok(())
}

/// Other values are saved as this version. What was told of a key that they replace says nothing of the next; around
/// the same key it still holds.
pub(super) fn after_edit(
    conn: &mut Conn,
    id: CredentialId,
    secret_version: i32,
    replaced: bool,
) -> Result<(), DbError> {
    if replaced {
        let unknown = credentials::made_at.eq(None::<DateTime<Utc>>);
        diesel::update(credentials::table.find(id)).set(unknown).execute(conn)?;
        return Ok(());
    }
    let before = provider_facts::table.find(id).filter(provider_facts::secret_version.eq(secret_version - 1));
    diesel::update(before).set(provider_facts::secret_version.eq(secret_version)).execute(conn)?;
    Ok(())
}

/// Of this version of the secret.
pub fn of(conn: &mut Conn, id: CredentialId, secret_version: i32) -> Result<Told, DbError> {
    let current = provider_facts::table.find(id).filter(provider_facts::secret_version.eq(secret_version));
    Ok(current.select(Told::as_select()).first(conn).optional()?.unwrap_or_default())
}
