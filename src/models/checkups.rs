//! The last test of each credential: its outcome, and which ones are due. What a test is and does lives elsewhere; the
//! columns here lie outside the row check, since they steer nothing and a test may fall into somebody's edit.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Text, Uuid as SqlUuid};

use super::alerts::{self, Subject};
use super::events::{self, Action, Actor};
use super::provider_facts::{self, Told};
use super::schema::credentials;
use super::trust;
use super::{Conn, CredentialId, DbError, sample};
use crate::vault::Vault;

/// What a test found, as it is kept. No secret is in any of it.
#[derive(Clone, Debug)]
pub struct Outcome {
    pub verdict: &'static str,
    pub sentence: String,
    /// For the trail.
    pub detail: String,
    pub failed: bool,
    /// Where the provider tells.
    pub expires_at: Option<DateTime<Utc>>,
    pub told: Told,
    /// The id of the key, where the provider tells it and its values do not.
    pub key_id: Option<String>,
}

/// As it was recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LastTest {
    pub at: DateTime<Utc>,
    pub verdict: String,
    pub sentence: String,
    pub by: String,
}

/// `None` when these values have not been tested yet.
pub fn last(conn: &mut Conn, id: CredentialId) -> Result<Option<LastTest>, DbError> {
    type Columns = (Option<DateTime<Utc>>, Option<String>, Option<String>, Option<String>);
    let columns =
        (credentials::tested_at, credentials::test_verdict, credentials::test_sentence, credentials::tested_by);
    let found: Columns = credentials::table.find(id).select(columns).first(conn)?;
    Ok(match found {
        (Some(at), Some(verdict), Some(sentence), Some(by)) => Some(LastTest { at, verdict, sentence, by }),
        _ => None,
    })
}

/// Records a test of the values as of `secret_version`, and writes it into the trail. When other values have been saved
/// meanwhile, only the trail tells. Call inside a transaction.
///
/// An expiry that the provider told goes into the row's own column, where the table, the alerts and the row check know
/// of it: the row is checked, changed and sealed with a new check while it is locked. Its version stays, so that
/// whoever edits it meanwhile is not turned away by a test.
pub fn record(
    conn: &mut Conn,
    vault: &Vault,
    actor: &Actor,
    (id, secret_version): (CredentialId, i32),
    outcome: &Outcome,
) -> Result<(), DbError> {
    let mut ledger = events::open(conn)?;
    let seen = super::credentials::lock(conn, vault, id)?;
    let (trusted, row) = (seen.doubt().is_none(), seen.shown().clone());
    if row.secret_version == secret_version {
        diesel::update(credentials::table.find(id))
            .set((
                credentials::tested_at.eq(ledger.now),
                credentials::test_verdict.eq(outcome.verdict),
                credentials::test_sentence.eq(&outcome.sentence),
                credentials::tested_by.eq(&actor.name),
                credentials::test_failed.eq(outcome.failed),
                outcome.key_id.as_ref().map(|id| credentials::key_id.eq(id)),
            ))
            .execute(conn)?;
        provider_facts::keep(conn, id, secret_version, &outcome.told)?;
        let subject = Subject { kind: "credential", id: id.0, name: &row.name };
        match outcome.failed {
            true => alerts::raise(conn, "failed_test", subject, &outcome.sentence)?,
            false => alerts::close(conn, &["failed_test"], id.0, "a later test went well")?,
        }
        // The database keeps microseconds, and the row check is over those.
        let told = outcome.expires_at.and_then(|at| DateTime::from_timestamp_micros(at.timestamp_micros()));
        if told.is_some() && told != row.expires_at && trusted {
            let mut row = seen.trust()?.into_row();
            row.expires_at = told;
            let row = trust::sign(vault, row);
            diesel::update(credentials::table.find(id))
                .set((credentials::expires_at.eq(row.expires_at), credentials::row_mac.eq(&row.row_mac)))
                .execute(conn)?;
        }
    }
    ledger.record(conn, vault, actor, &row.event(Action::CredentialTested, outcome.detail.clone()))
}

#[derive(QueryableByName)]
struct Due {
    #[diesel(sql_type = SqlUuid)]
    id: CredentialId,
}

/// Takes credentials of these kinds whose daily test is due: whoever else asks gets others. Each is due again a day
/// later at its own moment, also when a console was away for days. The shipped role counts once something uses it;
/// no provider is asked about sample data.
pub fn take_due(conn: &mut Conn, kinds: &[&str], limit: i64) -> Result<Vec<CredentialId>, DbError> {
    let taken: Vec<Due> = diesel::sql_query(format!(
        "UPDATE credentials AS c
         SET next_test_at = CASE WHEN isfinite(c.next_test_at) THEN c.next_test_at + interval '1 day'
             * (1 + floor(extract(epoch FROM now() - c.next_test_at) / 86400)) ELSE now() + interval '1 day' END
         FROM (SELECT id FROM credentials c
               WHERE kind = ANY($1) AND next_test_at <= now() AND integrity_failed_at IS NULL
                   AND (usage_count > 0 OR NOT shipped) AND NOT {}
               ORDER BY next_test_at LIMIT $2 FOR NO KEY UPDATE SKIP LOCKED) AS due
         WHERE c.id = due.id RETURNING c.id",
        sample::IS_MADE_UP
    ))
    .bind::<Array<Text>, _>(kinds)
    .bind::<BigInt, _>(limit)
    .load(conn)?;
    Ok(taken.into_iter().map(|due| due.id).collect())
}
