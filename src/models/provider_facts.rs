//! What providers tell of the keys themselves: when one was made, when it was last used, whose it is. Written by tests,
//! shown beside our own ages; it steers nothing, so no row check lies over it. When a test is made lives in
//! `checkups`.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Integer, Nullable, Text, Timestamptz, Uuid as SqlUuid};

use super::schema::provider_facts;
use super::times::{MaybeTime, Time};
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

/// Keeps what was told of one version of a secret; what is not told this time was perhaps told before.
pub(super) fn keep(conn: &mut Conn, id: CredentialId, secret_version: i32, told: &Told) -> Result<(), DbError> {
    if *told == Told::default() {
        return Ok(());
    }
    diesel::sql_query(
        "INSERT INTO provider_facts AS known (credential_id, secret_version, made_at, used_at, identity)
         VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (credential_id) DO UPDATE SET secret_version = excluded.secret_version,
             made_at = coalesce(excluded.made_at, CASE WHEN known.secret_version = $2 THEN known.made_at END),
             used_at = coalesce(excluded.used_at, CASE WHEN known.secret_version = $2 THEN known.used_at END),
             identity = coalesce(excluded.identity, CASE WHEN known.secret_version = $2 THEN known.identity END)",
    )
    .bind::<SqlUuid, _>(id)
    .bind::<Integer, _>(secret_version)
    .bind::<Nullable<Timestamptz>, _>(told.made_at)
    .bind::<Nullable<Timestamptz>, _>(told.used_at)
    .bind::<Nullable<Text>, _>(&told.identity)
    .execute(conn)?;
    Ok(())
}

/// Of this version of the secret.
pub fn of(conn: &mut Conn, id: CredentialId, secret_version: i32) -> Result<Told, DbError> {
    let current = provider_facts::table.find(id).filter(provider_facts::secret_version.eq(secret_version));
    Ok(current.select(Told::as_select()).first(conn).optional()?.unwrap_or_default())
}

/// When the keys of one page of the table were made, by credential and version of its secret.
pub fn made(conn: &mut Conn, ids: &[CredentialId]) -> Result<HashMap<(CredentialId, i32), DateTime<Utc>>, DbError> {
    let columns =
        (provider_facts::credential_id, provider_facts::secret_version, provider_facts::made_at.assume_not_null());
    let known = provider_facts::table.filter(provider_facts::credential_id.eq_any(ids));
    let rows: Vec<(CredentialId, i32, Time)> =
        known.filter(provider_facts::made_at.is_not_null()).select(columns).load(conn)?;
    Ok(rows.into_iter().map(|(id, version, at)| ((id, version), at.into())).collect())
}
