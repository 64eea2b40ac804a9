//! The outbox: messages to be sent, each claimed by one replica under a lease, sent outside of any transaction, and
//! recorded. What is due is never claimed twice at once; what a dead replica had claimed comes back when its lease
//! ends.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Array, Bool, Integer, Text, Uuid as SqlUuid};

pub use super::due_deliveries::{Claimed, UNREADABLE, claim, due};
use super::events::{self, Action, Actor, NewEvent, clock_timestamp};
use super::lease::Lease;
use super::schema::{deliveries, integrations};
use super::text_enum::text_enum;
use super::times::{MaybeTime, Time};
use super::{Conn, DbError, DeliveryId, IntegrationId, LetterId, RecipientId, ReplicaId};
use crate::vault::Vault;

pub(super) const LEASE: Lease = Lease {
    table: "deliveries",
    waiting: DeliveryState::Ready.word(),
    working: DeliveryState::Sending.word(),
    seconds: 20,
};

#[derive(Clone, Debug, Queryable, QueryableByName, Selectable, Identifiable)]
#[diesel(table_name = deliveries)]
pub struct Delivery {
    pub id: DeliveryId,
    pub kind: String,
    pub integration_id: IntegrationId,
    pub recipient_id: Option<RecipientId>,
    pub more: i32,
    pub state: DeliveryState,
    #[diesel(deserialize_as = Time)]
    pub created_at: DateTime<Utc>,
    #[diesel(deserialize_as = Time)]
    pub not_before: DateTime<Utc>,
    pub attempts: i32,
    pub put_offs: i32,
    #[diesel(deserialize_as = MaybeTime)]
    pub ended_at: Option<DateTime<Utc>>,
    pub error: Option<String>,
    pub reference: Option<String>,
    /// The letter, for a mail to a user about their own account; `None` for alerts.
    pub letter_id: Option<LetterId>,
}

text_enum! {
    /// Where a message stands.
    pub enum DeliveryState {
        /// Waits for its time, or for the next try.
        Ready => "ready",
        /// A replica has claimed it.
        Sending => "sending",
        Sent => "sent",
        /// Waits for a person.
        Parked => "parked",
        /// Given up.
        Dropped => "dropped",
    }
}

/// Keeps what this replica has claimed of the channels that it works on.
pub fn renew(conn: &mut Conn, replica: ReplicaId, channels: &[IntegrationId]) -> Result<usize, DbError> {
    let (until, mine) = (LEASE.until(), LEASE.is_mine());
    let renewed = format!("UPDATE deliveries SET lease_until = {until} WHERE {mine} AND integration_id = ANY($2)");
    Ok(diesel::sql_query(renewed).bind::<SqlUuid, _>(replica).bind::<Array<SqlUuid>, _>(channels).execute(conn)?)
}

/// Puts back what this replica had claimed of a channel and lost sight of: its fate could not be recorded. Whether the
/// peer has it is not known, so it counts as a try.
pub fn put_back(conn: &mut Conn, replica: ReplicaId, channel: Option<IntegrationId>) -> Result<usize, DbError> {
    let mine = deliveries::state.eq(DeliveryState::Sending).and(deliveries::replica_id.eq(replica));
    let ready = deliveries::state.eq(DeliveryState::Ready);
    Ok(match channel {
        Some(channel) => {
            let lost = deliveries::table.filter(mine.and(deliveries::integration_id.eq(channel)));
            diesel::update(lost).set(ready).execute(conn)?
        }
        None => diesel::update(deliveries::table.filter(mine)).set(ready).execute(conn)?,
    })
}

/// Puts back what a replica claimed and did not finish before its lease ended.
pub fn reap(conn: &mut Conn) -> Result<usize, DbError> {
    let ended = LEASE.has_ended();
    Ok(diesel::sql_query(format!("UPDATE deliveries SET state = 'ready' WHERE {ended}")).execute(conn)?)
}

/// Puts back what this replica has claimed and did not try.
pub fn give_back(conn: &mut Conn, replica: ReplicaId, ids: &[DeliveryId]) -> Result<usize, DbError> {
    LEASE.give_back(conn, replica, Some(ids))
}

diesel::define_sql_function! {
    /// Sets a parameter, with `true` until the transaction ends, and returns it.
    fn set_config(name: Text, value: Text, is_local: Bool) -> Text;
}

/// The peer has it. `false` when the delivery is no longer this replica's: then another has sent it too.
pub fn sent(
    conn: &mut Conn,
    vault: &Vault,
    id: DeliveryId,
    integration: IntegrationId,
    replica: ReplicaId,
    reference: Option<&str>,
) -> Result<bool, DbError> {
    // Diesel's own expressions, not SQL text: only those are prepared once a connection, and this is done for each
    // mail. The one commit that does not wait for the disk: PostgreSQL has it, so the death of a console loses nothing.
    // Should PostgreSQL itself crash within the next half second, this message is sent once more, under the same id.
    let quick = set_config("synchronous_commit", "off", true).eq("off");
    let ours = deliveries::replica_id.eq(replica).and(deliveries::state.eq(DeliveryState::Sending)).and(quick);
    let recorded = diesel::update(deliveries::table.find(id).filter(ours))
        .set((
            deliveries::state.eq(DeliveryState::Sent),
            deliveries::ended_at.eq(clock_timestamp().nullable()),
            deliveries::error.eq(None::<String>),
            deliveries::reference.eq(reference),
        ))
        .execute(conn)?;
    super::channels::note_success(conn, vault, integration)?;
    Ok(recorded > 0)
}

/// What becomes of a delivery that failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// Ready again in so many seconds: the peer was not reached.
    Again(i32),
    /// The same, since the peer put it off.
    PutOff(i32),
    /// Waits for a person.
    Parked,
    /// Nobody is to be told any more.
    Dropped,
}

/// Records how an attempt ended.
pub fn end_attempt(
    conn: &mut Conn,
    id: DeliveryId,
    replica: ReplicaId,
    error: &str,
    next: Next,
) -> Result<(), DbError> {
    let (state, seconds, put_offs) = match next {
        Next::Again(seconds) => (DeliveryState::Ready, seconds, 0),
        Next::PutOff(seconds) => (DeliveryState::Ready, seconds, 1),
        Next::Parked => (DeliveryState::Parked, 0, 0),
        Next::Dropped => (DeliveryState::Dropped, 0, 0),
    };
    diesel::sql_query(
        "UPDATE deliveries SET state = $3, error = $4, not_before = now() + make_interval(secs => $5),
            put_offs = least(put_offs, 999999) + $6, ended_at = CASE WHEN $3 <> 'ready' THEN clock_timestamp() END
         WHERE id = $1 AND replica_id = $2 AND state = 'sending'",
    )
    .bind::<SqlUuid, _>(id)
    .bind::<SqlUuid, _>(replica)
    .bind::<Text, _>(state)
    .bind::<Text, _>(error)
    .bind::<diesel::sql_types::Double, _>(f64::from(seconds))
    .bind::<Integer, _>(put_offs)
    .execute(conn)?;
    Ok(())
}

/// Puts a message of its own into the outbox: a confirmation, or a test.
pub fn queue(
    conn: &mut Conn,
    kind: &str,
    integration: IntegrationId,
    recipient: Option<RecipientId>,
) -> Result<DeliveryId, DbError> {
    let id = DeliveryId::fresh();
    diesel::insert_into(deliveries::table)
        .values((
            deliveries::id.eq(id),
            deliveries::kind.eq(kind),
            deliveries::integration_id.eq(integration),
            deliveries::recipient_id.eq(recipient),
        ))
        .execute(conn)?;
    Ok(id)
}

/// The same of a mail to a user about their own account.
pub(super) fn queue_letter(
    conn: &mut Conn,
    kind: &str,
    integration: IntegrationId,
    letter: LetterId,
) -> Result<(), DbError> {
    diesel::insert_into(deliveries::table)
        .values((
            deliveries::id.eq(DeliveryId::fresh()),
            deliveries::kind.eq(kind),
            deliveries::integration_id.eq(integration),
            deliveries::letter_id.eq(letter),
        ))
        .execute(conn)?;
    Ok(())
}

/// Gives up what waits for somebody who wants no more.
pub(super) fn drop_for(conn: &mut Conn, recipient: RecipientId) -> Result<(), DbError> {
    let waiting = deliveries::recipient_id
        .eq(recipient)
        .and(deliveries::state.eq_any([DeliveryState::Ready, DeliveryState::Parked]));
    diesel::update(deliveries::table.filter(waiting))
        .set(deliveries::state.eq(DeliveryState::Dropped))
        .execute(conn)?;
    Ok(())
}

/// Keeps what came of a test that was sent at once.
pub fn keep_test(
    conn: &mut Conn,
    vault: &Vault,
    integration: IntegrationId,
    error: Option<&str>,
) -> Result<(), DbError> {
    let state = if error.is_none() { DeliveryState::Sent } else { DeliveryState::Dropped };
    diesel::insert_into(deliveries::table)
        .values((
            deliveries::id.eq(DeliveryId::fresh()),
            deliveries::kind.eq("test"),
            deliveries::integration_id.eq(integration),
            deliveries::state.eq(state),
            deliveries::attempts.eq(1),
            deliveries::ended_at.eq(super::now()),
            deliveries::error.eq(error),
        ))
        .execute(conn)?;
    if error.is_none() { super::channels::start_anew(conn, vault, integration) } else { Ok(()) }
}

/// A parked delivery, or all of a channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Parked {
    One(DeliveryId),
    OfChannel(IntegrationId),
}

/// Tries what is parked again, or gives it up; returns how many are tried. [`DbError::Stale`] when nothing of it is
/// parked any more.
pub fn decide(conn: &mut Conn, vault: &Vault, actor: &Actor, which: Parked, again: bool) -> Result<usize, DbError> {
    let mut ledger = events::open(conn)?;
    let state = if again { DeliveryState::Ready } else { DeliveryState::Dropped };
    let mut parked =
        deliveries::table.filter(deliveries::state.eq(DeliveryState::Parked)).select(deliveries::id).into_boxed();
    parked = match which {
        Parked::One(id) => parked.filter(deliveries::id.eq(id)),
        Parked::OfChannel(id) => parked.filter(deliveries::integration_id.eq(id)),
    };
    let ids: Vec<DeliveryId> = parked.load(conn)?;
    // The peer may have it from the try before.
    let from_the_start = (deliveries::attempts.eq(1), deliveries::put_offs.eq(0));
    let decided: Vec<(DeliveryId, IntegrationId)> = diesel::update(
        deliveries::table.filter(deliveries::id.eq_any(&ids).and(deliveries::state.eq(DeliveryState::Parked))),
    )
    .set((deliveries::state.eq(state), deliveries::not_before.eq(ledger.now), from_the_start))
    .returning((deliveries::id, deliveries::integration_id))
    .get_results(conn)?;
    let (_, integration) = *decided.first().ok_or(DbError::Stale)?;
    let mut tried = 0;
    if again {
        super::channels::wait_no_longer(conn, vault, integration)?;
        let ids: Vec<DeliveryId> = decided.iter().map(|(id, _)| *id).collect();
        tried = decided.len().saturating_sub(drop_stale(conn, &ids)?);
    }
    let name: String = integrations::table.find(integration).select(integrations::name).first(conn)?;
    let event = NewEvent {
        action: if tried > 0 { Action::DeliveryRetried } else { Action::DeliveryDropped },
        subject_kind: "integration",
        subject_id: Some(integration.0),
        subject_name: &name,
        detail: match which {
            Parked::One(id) => id.to_string(),
            Parked::OfChannel(_) if again => format!("{tried} of {}; the others told of what is closed", decided.len()),
            Parked::OfChannel(_) => format!("all {}", decided.len()),
        },
    };
    ledger.record(conn, vault, actor, &event)?;
    Ok(tried)
}

/// What was closed meanwhile is not raised any more: an incident that is opened now would never be closed.
fn drop_stale(conn: &mut Conn, ids: &[DeliveryId]) -> Result<usize, DbError> {
    Ok(diesel::sql_query(
        "UPDATE deliveries d SET state = 'dropped' WHERE id = ANY($1) AND state = 'ready' AND kind = 'digest'
            AND NOT EXISTS (SELECT 1 FROM delivery_lines l JOIN notices n ON n.id = l.notice_id
                JOIN alerts a ON a.id = n.alert_id
                WHERE l.delivery_id = d.id AND (n.event = 'closed' OR a.closed_at IS NULL))",
    )
    .bind::<Array<SqlUuid>, _>(ids)
    .execute(conn)?)
}

/// Forgets messages that ended longer than `days` ago, but for those about alerts that are open: their closing is told
/// to whoever heard of them, and by the name that the peer gave.
pub fn purge(conn: &mut Conn, days: i32) -> Result<usize, DbError> {
    Ok(diesel::sql_query(
        "DELETE FROM deliveries d WHERE state IN ('sent', 'dropped') AND created_at < now() - make_interval(days => $1)
            AND NOT EXISTS (SELECT 1 FROM delivery_lines l JOIN notices n ON n.id = l.notice_id
                JOIN alerts a ON a.id = n.alert_id WHERE l.delivery_id = d.id AND a.closed_at IS NULL)",
    )
    .bind::<Integer, _>(days)
    .execute(conn)?)
}
