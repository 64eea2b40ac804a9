//! Usages: which credentials an integration works with, by role, and where each is sent. They are a part of the
//! integration's row, as its signature is: read in the statement that reads the row, written by `integrations` with it.
//! Which integrations use a credential is in `using`.

use diesel::deserialize::{self, FromSql, FromSqlRow};
use diesel::pg::{Pg, PgValue};
use diesel::prelude::*;
use diesel::sql_types::{Jsonb, Nullable, Text, Uuid as SqlUuid};
use diesel::upsert::excluded;
use serde::{Deserialize, Serialize};

use super::of_row::column;
use super::schema::usages;
use super::trust::Parts;
pub use super::using::{known_destination, of};
use super::{Conn, CredentialId, DbError, IntegrationId};

/// The role of the credential that an integration itself logs in with.
pub const MAIN: &str = "main";

/// A credential in another role than [`MAIN`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    pub role: String,
    #[serde(rename = "credential_id")]
    pub credential: CredentialId,
    /// The host that gets it, as `host:port`.
    pub host: String,
}

/// The usages of a row beside that of role [`MAIN`], in the order of their roles.
#[derive(Clone, Debug, Default, PartialEq, Eq, FromSqlRow)]
pub struct Further(Vec<Usage>);

impl From<&[Usage]> for Further {
    fn from(usages: &[Usage]) -> Self {
        let mut usages = usages.to_vec();
        usages.sort_by(|a, b| a.role.cmp(&b.role));
        Self(usages)
    }
}

impl std::ops::Deref for Further {
    type Target = [Usage];

    fn deref(&self) -> &[Usage] {
        &self.0
    }
}

impl FromSql<Jsonb, Pg> for Further {
    fn from_sql(bytes: PgValue<'_>) -> deserialize::Result<Self> {
        let usages: Vec<Usage> = serde_json::from_value(FromSql::<Jsonb, Pg>::from_sql(bytes)?)?;
        Ok(Self::from(usages.as_slice()))
    }
}

impl Further {
    /// Appended to what the signature of the row covers. Nothing where there are none, as it was before there were roles.
    pub(super) fn sign(&self, parts: Parts) -> Parts {
        self.iter().fold(parts, |parts, usage| parts.text(&usage.role).id(Some(usage.credential)).text(&usage.host))
    }
}

column! {
    /// The credential of role [`MAIN`].
    MainCredential: Nullable<SqlUuid>,
    "(SELECT usages.credential_id FROM usages WHERE integration_id = integrations.id AND role = 'main')"
}
column! {
    /// Its host.
    MainHost: Text,
    "coalesce((SELECT usages.host FROM usages WHERE integration_id = integrations.id AND role = 'main'), '')"
}
column! {
    /// All others.
    OtherUsages: Jsonb,
    "(SELECT coalesce(jsonb_agg(to_jsonb(usages) - 'integration_id'), '[]') FROM usages
        WHERE integration_id = integrations.id AND role <> 'main')"
}

/// Writes the usages of an integration; `main` are the credential and the host of role [`MAIN`]. Call in the transaction
/// that writes the row.
pub(super) fn save(
    conn: &mut Conn,
    id: IntegrationId,
    main: (Option<CredentialId>, &str),
    further: &[Usage],
) -> Result<(), DbError> {
    let others = further.iter().map(|usage| (usage.role.as_str(), Some(usage.credential), usage.host.as_str()));
    let all: Vec<_> = [(MAIN, main.0, main.1)].into_iter().chain(others).collect();
    let roles: Vec<&str> = all.iter().map(|(role, ..)| *role).collect();
    let mine = usages::table.filter(usages::integration_id.eq(id));
    diesel::delete(mine.filter(usages::role.ne_all(roles))).execute(conn)?;
    let rows: Vec<_> = all
        .into_iter()
        .map(|(role, credential, host)| {
            (
                usages::integration_id.eq(id),
                usages::role.eq(role),
                usages::credential_id.eq(credential),
                usages::host.eq(host),
            )
        })
        .collect();
    diesel::insert_into(usages::table)
        .values(rows)
        .on_conflict((usages::integration_id, usages::role))
        .do_update()
        .set((usages::credential_id.eq(excluded(usages::credential_id)), usages::host.eq(excluded(usages::host))))
        .execute(conn)?;
    Ok(())
}
