//! How each channel is doing: refusals and misses in a row, and until when everything for it waits. A row appears with
//! the first failure, and is signed. The messages themselves are in `deliveries`.

use chrono::{DateTime, TimeDelta, Utc};
use diesel::prelude::*;
use uuid::Uuid;

use super::schema::channels;
use super::times::{MaybeTime, Time};
use super::trust::{self, Doubt, Parts, Seen, Signed, signed_columns};
use super::{Conn, DbError, IntegrationId};
use crate::vault::Vault;

/// How a channel is doing.
#[derive(Clone, Debug, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = channels, treat_none_as_null = true)]
pub struct Health {
    pub integration_id: IntegrationId,
    pub refusals: i32,
    pub misses: i32,
    /// Since when nothing has got through.
    #[diesel(deserialize_as = MaybeTime)]
    pub failing_since: Option<DateTime<Utc>>,
    #[diesel(deserialize_as = Time)]
    pub not_before: DateTime<Utc>,
    pub row_mac: Vec<u8>,
}

impl Signed for Health {
    const TABLE: &'static str = "channels";

    fn subject(&self) -> Uuid {
        self.integration_id.0
    }

    signed_columns!(unversioned);

    fn parts(&self) -> Parts {
        let parts = Parts::default().id(Some(self.integration_id)).number(i64::from(self.refusals));
        parts.number(i64::from(self.misses)).time(self.failing_since).time(self.not_before)
    }
}

impl Health {
    /// Nothing was ever wrong with a channel that has no row.
    fn of_new(integration_id: IntegrationId) -> Self {
        let not_before = DateTime::UNIX_EPOCH;
        Self { integration_id, refusals: 0, misses: 0, failing_since: None, not_before, row_mac: Vec::new() }
    }

    fn reached(&mut self) {
        (self.misses, self.failing_since) = (0, None);
    }
}

/// How a channel is doing. A row that was tampered with counts as none: nobody can silence a channel by SQL.
pub fn health(conn: &mut Conn, vault: &Vault, integration: IntegrationId) -> Result<Health, DbError> {
    let row = channels::table.find(integration).select(Health::as_select()).first(conn).optional()?;
    Ok(judged(vault, integration, row))
}

fn judged(vault: &Vault, integration: IntegrationId, row: Option<Health>) -> Health {
    let seen = row.map(|row| Seen::new(vault, (row, None), |row: &Health| row.integration_id == integration));
    let trusted = seen.and_then(|seen| seen.judged().ok());
    trusted.map_or_else(|| Health::of_new(integration), trust::Trusted::into_row)
}

/// How the channels stand that have a row.
#[derive(Debug, Default)]
pub struct Paused {
    /// Those that everything waits for at this moment.
    pub waiting: Vec<IntegrationId>,
    /// Those whose rows do not count, and why.
    pub doubted: Vec<(IntegrationId, Doubt)>,
}

pub fn paused(conn: &mut Conn, vault: &Vault) -> Result<Paused, DbError> {
    let now = super::clock(conn)?;
    let rows: Vec<Health> = channels::table.select(Health::as_select()).load(conn)?;
    let mut paused = Paused::default();
    for row in rows {
        match Seen::new(vault, (row, None), |_| true).judged() {
            Ok(row) if row.not_before > now => paused.waiting.push(row.integration_id),
            Ok(_) => {}
            Err((row, doubt)) => paused.doubted.push((row.integration_id, doubt)),
        }
    }
    Ok(paused)
}

/// The next rows, for walking through all of them.
pub fn page(conn: &mut Conn, vault: &Vault, after: Uuid, limit: i64) -> Result<Vec<Seen<Health>>, DbError> {
    let rows = channels::table.filter(channels::integration_id.gt(after)).order(channels::integration_id).limit(limit);
    let found: Vec<Health> = rows.select(Health::as_select()).load(conn)?;
    Ok(found.into_iter().map(|row| Seen::new(vault, (row, None), |_| true)).collect())
}

/// Applies a change to the row, made if there is none, under a lock; returns it as it is then.
fn change(
    conn: &mut Conn,
    vault: &Vault,
    channel: IntegrationId,
    change: impl FnOnce(&mut Health, DateTime<Utc>),
) -> Result<Health, DbError> {
    let fresh = trust::sign(vault, Health::of_new(channel));
    diesel::insert_into(channels::table).values(&*fresh).on_conflict_do_nothing().execute(conn)?;
    let rows = channels::table.find(channel).select(Health::as_select());
    let row = rows.for_no_key_update().first(conn).optional()?;
    let mut health = judged(vault, channel, row);
    change(&mut health, super::clock(conn)?);
    let health = trust::sign(vault, health);
    diesel::update(channels::table.find(channel)).set(&*health).execute(conn)?;
    Ok(health.into_row())
}

/// Counts a refusal by the peer; returns how many there were in a row. Call inside a transaction, as the others here.
pub fn count_refusal(conn: &mut Conn, vault: &Vault, channel: IntegrationId) -> Result<i32, DbError> {
    let health = change(conn, vault, channel, |health, _| {
        health.refusals += 1;
        health.reached();
    })?;
    Ok(health.refusals)
}

/// The peer answers, whatever it said of this one message.
pub fn note_answer(conn: &mut Conn, vault: &Vault, channel: IntegrationId) -> Result<(), DbError> {
    change(conn, vault, channel, |health, _| health.reached()).map(drop)
}

/// The peer has taken a message. Costs a read where nothing was wrong.
pub(super) fn note_success(conn: &mut Conn, vault: &Vault, channel: IntegrationId) -> Result<(), DbError> {
    let health = health(conn, vault, channel)?;
    if health.refusals == 0 && health.misses == 0 && health.failing_since.is_none() {
        return Ok(());
    }
    // Recorded outside of a transaction; the row is locked, changed and signed in one of its own.
    conn.transaction(|conn| {
        change(conn, vault, channel, |health, _| {
            health.refusals = 0;
            health.reached();
        })
        .map(drop)
    })
}

/// Counts that a message did not get through, and lets everything for the channel wait `seconds`, if any; returns how
/// often in a row.
pub fn count_miss(
    conn: &mut Conn,
    vault: &Vault,
    channel: IntegrationId,
    seconds: Option<i32>,
) -> Result<i32, DbError> {
    let health = change(conn, vault, channel, |health, now| {
        let until = now + TimeDelta::seconds(i64::from(seconds.unwrap_or(0)));
        health.misses += 1;
        health.not_before = health.not_before.max(until);
        health.failing_since.get_or_insert(now);
    })?;
    Ok(health.misses)
}

/// Somebody wants what waits to be tried now.
pub(super) fn wait_no_longer(conn: &mut Conn, vault: &Vault, channel: IntegrationId) -> Result<(), DbError> {
    if health(conn, vault, channel)?.not_before <= super::clock(conn)? {
        return Ok(());
    }
    change(conn, vault, channel, |health, now| health.not_before = now).map(drop)
}

/// Forgets what was wrong with a channel: it was switched on or changed, or a test arrived.
pub fn start_anew(conn: &mut Conn, vault: &Vault, channel: IntegrationId) -> Result<(), DbError> {
    let there = diesel::dsl::exists(channels::table.find(channel));
    if !diesel::select(there).get_result::<bool>(conn)? {
        return Ok(());
    }
    change(conn, vault, channel, |health, now| *health = Health { not_before: now, ..Health::of_new(channel) })
        .map(drop)
}
