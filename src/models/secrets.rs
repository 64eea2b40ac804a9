//! The secrets of credentials, in versions: each sealed, each in a state, one of them active. Which there are is a part of
//! the credential's row, as its signature is; what is retired holds no value any more and is kept as history. Values are
//! sealed by `credentials` and opened nowhere in `models`.

use chrono::{DateTime, Utc};
use diesel::deserialize::{self, FromSql, FromSqlRow};
use diesel::pg::{Pg, PgValue};
use diesel::prelude::*;
use diesel::sql_types::Jsonb;
use serde::Deserialize;

use super::of_row::column;
use super::schema::secrets;
use super::text_enum::text_enum;
use super::trust::Parts;
use super::{Conn, CredentialId, DbError};
use crate::vault::Sealed;

text_enum! {
    /// Where a secret is between being made and being gone.
    pub enum SecretState {
        /// Made at the provider, and not used yet.
        Pending => "pending",
        /// What integrations work with.
        Active => "active",
        /// Replaced, and still valid at the provider.
        Draining => "draining",
        /// Its value is wiped.
        Retired => "retired",
    }
}

/// A secret that has a value.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
struct Version {
    version: i32,
    /// The word of a [`SecretState`].
    state: String,
    /// What its provider calls it; may be empty.
    key_id: String,
}

/// The secrets of a credential that have a value, by version.
#[derive(Clone, Debug, PartialEq, Eq, FromSqlRow)]
pub struct Versions(Vec<Version>);

impl Versions {
    /// Nothing but one active secret without a name at its provider.
    pub(super) fn only(version: i32) -> Self {
        Self(vec![Version { version, state: SecretState::Active.word().to_owned(), key_id: String::new() }])
    }

    /// Appended to what the signature of the credential covers. Nothing for one active secret of the row's own version:
    /// so it was before there were several.
    pub(super) fn sign(&self, parts: Parts, own: i32) -> Parts {
        if *self == Self::only(own) {
            return parts;
        }
        let parts = parts.number(self.0.len() as i64);
        self.0.iter().fold(parts, |parts, secret| {
            parts.number(i64::from(secret.version)).text(&secret.state).text(&secret.key_id)
        })
    }

    /// Another active secret in place of the one before.
    pub(super) fn replace_active(&mut self, version: i32) {
        self.0.retain(|secret| secret.state != SecretState::Active.word());
        self.0.extend(Self::only(version).0);
        self.0.sort_by_key(|secret| secret.version);
    }
}

impl FromSql<Jsonb, Pg> for Versions {
    fn from_sql(bytes: PgValue<'_>) -> deserialize::Result<Self> {
        let mut versions: Vec<Version> = serde_json::from_value(FromSql::<Jsonb, Pg>::from_sql(bytes)?)?;
        versions.sort_by_key(|secret| secret.version);
        Ok(Self(versions))
    }
}

column! {
    /// [`Versions`] of a credential.
    OfCredential: Jsonb,
    "(SELECT coalesce(jsonb_agg(jsonb_build_object('version', version, 'state', state, 'key_id', key_id)), '[]')
        FROM secrets WHERE credential_id = credentials.id AND state <> 'retired')"
}

/// A row with a value. Diesel prepares an INSERT anew each time where a column may be left to its default.
#[derive(Clone, Copy, Insertable, AsChangeset)]
#[diesel(table_name = secrets, primary_key(credential_id, version), treat_none_as_default_value = false)]
pub(super) struct NewSecret<'a> {
    credential_id: CredentialId,
    version: i32,
    state: SecretState,
    kek_id: i32,
    wrapped_dek: &'a [u8],
    payload: &'a [u8],
    made_at: DateTime<Utc>,
}

impl<'a> NewSecret<'a> {
    /// The active secret of that version.
    pub fn active(credential: CredentialId, version: i32, sealed: &'a Sealed, made_at: DateTime<Utc>) -> Self {
        let (wrapped_dek, payload) = (&*sealed.wrapped_dek, &*sealed.payload);
        let state = SecretState::Active;
        Self { credential_id: credential, version, state, kek_id: sealed.kek_id, wrapped_dek, payload, made_at }
    }

    /// A row that has the version already was put there by SQL, beside a credential that was put back: it is replaced.
    pub fn replace(&self, conn: &mut Conn) -> Result<(), DbError> {
        let key = (secrets::credential_id, secrets::version);
        diesel::insert_into(secrets::table).values(self).on_conflict(key).do_update().set(self).execute(conn)?;
        Ok(())
    }
}

/// Wipes the active secret; its row stays.
pub(super) fn retire_active(conn: &mut Conn, credential: CredentialId) -> Result<(), DbError> {
    let active = secrets::credential_id.eq(credential).and(secrets::state.eq(SecretState::Active));
    diesel::update(secrets::table.filter(active))
        .set((
            secrets::state.eq(SecretState::Retired),
            secrets::kek_id.eq(None::<i32>),
            secrets::wrapped_dek.eq(None::<Vec<u8>>),
            secrets::payload.eq(None::<Vec<u8>>),
        ))
        .execute(conn)?;
    Ok(())
}
