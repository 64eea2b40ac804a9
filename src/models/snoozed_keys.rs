//! Old keys of cloud accounts that a person wants to hear nothing of for a while: one key, or all keys of an owner. A row
//! that has ended silences nothing; a job takes it away.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Bool, Integer, Text, Uuid as SqlUuid};

use super::cloud_key::{IS_KEY, OWNER};
use super::events::{self, Action, Actor, NewEvent};
use super::schema::{integrations, snoozed_keys};
use super::times::Time;
use super::{Conn, DbError, IntegrationId, ItemId, SnoozeId};
use crate::vault::Vault;

/// A snooze.
#[derive(Clone, Debug, Queryable, Selectable, QueryableByName)]
#[diesel(table_name = snoozed_keys)]
pub struct SnoozedKey {
    pub id: SnoozeId,
    pub integration_id: IntegrationId,
    /// `AKIAIOSFODNN7EXAMPLE of ada`, `all keys of ada`
    pub title: String,
    #[diesel(deserialize_as = Time)]
    pub until: DateTime<Utc>,
    pub snoozed_by: String,
}

impl SnoozedKey {
    fn event(&self, action: Action, detail: String) -> NewEvent<'_> {
        let (kind, id) = ("cloud_key", Some(self.integration_id.0));
        NewEvent { action, subject_kind: kind, subject_id: id, subject_name: &self.title, detail }
    }
}

/// Until the transaction ends nobody else decides which keys of an integration its alert is about: a scan and a snooze at
/// the same moment would each count without the other.
pub fn lock(conn: &mut Conn, integration: IntegrationId) -> Result<(), DbError> {
    diesel::sql_query("SELECT pg_advisory_xact_lock(hashtextextended('old keys of ' || $1::text, 0))")
        .bind::<SqlUuid, _>(integration)
        .execute(conn)?;
    Ok(())
}

/// The name of the integration that scans an account.
pub fn account(conn: &mut Conn, integration: IntegrationId) -> Result<String, DbError> {
    Ok(integrations::table.find(integration).select(integrations::name).first(conn)?)
}

const RETURNING: &str = "RETURNING id, integration_id, title, until, snoozed_by";

/// Snoozes a key, or all keys of its owner in its account, from now on for so many days. [`DbError::NotFound`] when no
/// scan finds the key any more. Call inside a transaction.
pub fn snooze(
    conn: &mut Conn,
    vault: &Vault,
    actor: &Actor,
    (key, by_owner): (ItemId, bool),
    days: i32,
) -> Result<IntegrationId, DbError> {
    let mut ledger = events::open(conn)?;

    let snoozed: Option<SnoozedKey> = diesel::sql_query(format!(
        "INSERT INTO snoozed_keys (id, integration_id, place, by_owner, what, title, until, snoozed_by)
         SELECT gen_random_uuid(), i.integration_id, i.place, $2, CASE WHEN $2 THEN {OWNER} ELSE i.name END,
             CASE WHEN $2 THEN 'all keys of ' ELSE i.name || ' of ' END || coalesce(i.facts->>'owner', ''),
             now() + make_interval(days => $3), $4
         FROM items i WHERE i.id = $1 AND {IS_KEY}
         ON CONFLICT (integration_id, place, by_owner, what) DO UPDATE
             SET until = excluded.until, snoozed_by = excluded.snoozed_by, title = excluded.title {RETURNING}"
    ))
    .bind::<SqlUuid, _>(key)
    .bind::<Bool, _>(by_owner)
    .bind::<Integer, _>(days)
    .bind::<Text, _>(&actor.name)
    .get_result(conn)
    .optional()?;
    let snoozed = snoozed.ok_or(DbError::NotFound)?;
    let event = snoozed.event(Action::CloudKeySnoozed, format!("for {days} days"));
    ledger.record(conn, vault, actor, &event)?;
    Ok(snoozed.integration_id)
}

/// Ends a snooze; [`DbError::NotFound`] when it has ended. Call inside a transaction.
pub fn stop(conn: &mut Conn, vault: &Vault, actor: &Actor, id: SnoozeId) -> Result<IntegrationId, DbError> {
    let mut ledger = events::open(conn)?;
    let gone = diesel::delete(snoozed_keys::table.find(id)).returning(SnoozedKey::as_returning());
    let snoozed: SnoozedKey = gone.get_result(conn).optional()?.ok_or(DbError::NotFound)?;
    ledger.record(conn, vault, actor, &snoozed.event(Action::CloudKeySnoozeStopped, String::new()))?;
    Ok(snoozed.integration_id)
}

/// Those of an integration that have not ended, the first to end first.
pub fn of(conn: &mut Conn, integration: IntegrationId, most: i64) -> Result<Vec<SnoozedKey>, DbError> {
    let lasting = snoozed_keys::integration_id.eq(integration).and(snoozed_keys::until.gt(diesel::dsl::now));
    let rows = snoozed_keys::table.filter(lasting).order((snoozed_keys::until, snoozed_keys::id)).limit(most);
    Ok(rows.select(SnoozedKey::as_select()).load(conn)?)
}

/// Takes away those that have ended; the integrations whose keys they silenced. Call inside a transaction.
pub fn end(conn: &mut Conn) -> Result<Vec<IntegrationId>, DbError> {
    let ended = snoozed_keys::table.filter(snoozed_keys::until.le(diesel::dsl::now));
    let mut of: Vec<IntegrationId> = diesel::delete(ended).returning(snoozed_keys::integration_id).get_results(conn)?;
    of.sort_unstable();
    of.dedup();
    Ok(of)
}
