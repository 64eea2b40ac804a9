//! Whose tags count where alerts are given by tags. Tags decide who hears of an alert, so a row that was tampered with is
//! treated as if it had all of them: nobody hides an alert by changing tags in the database.

use diesel::prelude::*;
use diesel::sql_types::Uuid as SqlUuid;
use uuid::Uuid;

use super::credentials::Credential;
use super::integrations::Integration;
use super::schema::{credentials, integrations};
use super::trust::{Seen, latest_version};
use super::{Conn, DbError};
use crate::vault::Vault;

/// Rows whose checks are done at once.
const CHUNK: usize = 500;

/// What the notices of a digest are about: credentials, integrations, and the integrations of items.
const SUBJECTS: &str = "SELECT DISTINCT coalesce(t.integration_id, a.subject_id) AS id
    FROM notices n JOIN alerts a ON a.id = n.alert_id LEFT JOIN items t ON a.subject_kind = 'item' AND t.id = a.subject_id
    WHERE n.digest_id = $1 AND a.subject_kind IN ('credential', 'integration', 'item')";

#[derive(QueryableByName)]
struct Subject {
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
}

/// The credentials and integrations that a digest is about and that are not what Strongroom saved.
pub(super) fn doubted(conn: &mut Conn, vault: &Vault, digest: Uuid) -> Result<Vec<Uuid>, DbError> {
    let subjects: Vec<Subject> = diesel::sql_query(SUBJECTS).bind::<SqlUuid, _>(digest).load(conn)?;
    let ids: Vec<Uuid> = subjects.into_iter().map(|subject| subject.id).collect();
    let mut doubted = Vec::new();
    for ids in ids.chunks(CHUNK) {
        let rows = credentials::table.filter(credentials::id.eq_any(ids));
        let found: Vec<(Credential, Option<i64>)> =
            rows.select((Credential::as_select(), latest_version!(credentials::id))).load(conn)?;
        let seen = found.into_iter().map(|row| Seen::new(vault, row, |_| true));
        doubted.extend(seen.filter(|seen| seen.doubt().is_some()).map(|seen| seen.shown().id.0));
        let rows = integrations::table.filter(integrations::id.eq_any(ids));
        let found: Vec<(Integration, Option<i64>)> =
            rows.select((Integration::as_select(), latest_version!(integrations::id))).load(conn)?;
        let seen = found.into_iter().map(|row| Seen::new(vault, row, |_| true));
        doubted.extend(seen.filter(|seen| seen.doubt().is_some()).map(|seen| seen.shown().id.0));
    }
    Ok(doubted)
}
