//! The audit trail. An event is written in the transaction of the change it tells of, and chained: its HMAC covers the
//! one before it in its lane. A change that cannot be audited does not happen.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Binary, Integer, SmallInt, Timestamptz};
use uuid::Uuid;

pub use super::actions::{ACTIONS, Action};
use super::schema::events;
use super::{Conn, DbError};
use crate::vault::Vault;

/// Chains side by side: at least as many as the pool has connections, or writers wait for each other's commits.
pub const LANES: i16 = 16;

/// Who does something, as the trail names them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Actor {
    pub name: String,
    pub address: String,
}

impl Actor {
    /// Strongroom itself: jobs and scheduled runs.
    pub fn system() -> Self {
        Self { name: "Strongroom".to_owned(), address: String::new() }
    }

    /// Somebody at the server's command line.
    pub fn command_line() -> Self {
        Self { name: "command line".to_owned(), address: String::new() }
    }
}

/// What was done to what. `detail` says more in words and never holds a secret.
#[derive(Clone, Debug)]
pub struct NewEvent<'a> {
    pub action: &'static str,
    pub subject_kind: &'static str,
    pub subject_id: Option<Uuid>,
    pub subject_name: &'a str,
    pub detail: String,
}

#[derive(Clone, Debug, Queryable, Selectable, Identifiable)]
#[diesel(primary_key(lane, seq))]
pub struct Event {
    pub lane: i16,
    pub seq: i64,
    pub at: DateTime<Utc>,
    pub actor: String,
    pub action: String,
    pub subject_kind: String,
    pub subject_id: Option<Uuid>,
    pub subject_name: String,
    pub detail: String,
    pub address: String,
    pub mac: Vec<u8>,
}

/// A lane held until the transaction ends, and what every write needs to know besides.
#[derive(QueryableByName)]
pub struct Ledger {
    #[diesel(sql_type = SmallInt)]
    lane: i16,
    #[diesel(sql_type = BigInt)]
    seq: i64,
    #[diesel(sql_type = Binary)]
    mac: Vec<u8>,
    /// The database's clock, the only one that ages are measured by.
    #[diesel(sql_type = Timestamptz)]
    pub now: DateTime<Utc>,
    /// The master key that new values are sealed under.
    #[diesel(sql_type = Integer)]
    pub active_kek: i32,
}

const OPEN: &str = "SELECT lane, seq, mac, clock_timestamp() AS now,
    (SELECT id FROM keks WHERE state = 'active') AS active_kek FROM audit_lanes";

/// Opens the ledger at the start of a change: takes a free lane, or waits for one when all are taken.
pub fn open(connection: &mut Conn) -> Result<Ledger, DbError> {
    let free = format!("{OPEN} LIMIT 1 FOR UPDATE OF audit_lanes SKIP LOCKED");
    if let Some(ledger) = diesel::sql_query(free).get_result::<Ledger>(connection).optional()? {
        return Ok(ledger);
    }
    let lane = i16::from(crate::vault::random::<1>()[0]) % LANES;
    let wait = format!("{OPEN} WHERE lane = $1 FOR UPDATE OF audit_lanes");
    Ok(diesel::sql_query(wait).bind::<SmallInt, _>(lane).get_result(connection)?)
}

impl Ledger {
    /// Writes one event. More than one may follow in the same transaction.
    pub fn record(
        &mut self,
        connection: &mut Conn,
        vault: &Vault,
        actor: &Actor,
        new: &NewEvent,
    ) -> Result<(), DbError> {
        let mut event = Event {
            lane: self.lane,
            seq: self.seq + 1,
            at: self.now,
            actor: actor.name.clone(),
            action: new.action.to_owned(),
            subject_kind: new.subject_kind.to_owned(),
            subject_id: new.subject_id,
            subject_name: new.subject_name.to_owned(),
            detail: new.detail.clone(),
            address: actor.address.clone(),
            mac: Vec::new(),
        };
        event.mac = link(vault, &self.mac, &event);
        // One statement for both, so that a save costs one round trip less.
        diesel::sql_query(
            "WITH head AS (UPDATE audit_lanes SET seq = $2, mac = $11 WHERE lane = $1)
             INSERT INTO events VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
        )
        .bind::<SmallInt, _>(event.lane)
        .bind::<BigInt, _>(event.seq)
        .bind::<Timestamptz, _>(event.at)
        .bind::<diesel::sql_types::Text, _>(&event.actor)
        .bind::<diesel::sql_types::Text, _>(&event.action)
        .bind::<diesel::sql_types::Text, _>(&event.subject_kind)
        .bind::<diesel::sql_types::Nullable<diesel::sql_types::Uuid>, _>(event.subject_id)
        .bind::<diesel::sql_types::Text, _>(&event.subject_name)
        .bind::<diesel::sql_types::Text, _>(&event.detail)
        .bind::<diesel::sql_types::Text, _>(&event.address)
        .bind::<Binary, _>(&event.mac)
        .execute(connection)?;
        (self.seq, self.mac) = (event.seq, event.mac);
        Ok(())
    }
}

/// Opens the ledger and writes one event, for changes that need neither clock nor key.
pub fn record(connection: &mut Conn, vault: &Vault, actor: &Actor, new: &NewEvent) -> Result<(), DbError> {
    open(connection)?.record(connection, vault, actor, new)
}

/// The first link of a lane, and every next one over the link before it.
pub fn first_link(vault: &Vault, lane: i16) -> Vec<u8> {
    vault.mac("audit/start", &[&lane.to_be_bytes()])
}

/// What [`super::chain`] follows.
pub(super) fn link(vault: &Vault, before: &[u8], event: &Event) -> Vec<u8> {
    let subject_id = event.subject_id.map(|id| id.as_bytes().to_vec()).unwrap_or_default();
    vault.mac(
        "audit",
        &[
            before,
            &event.lane.to_be_bytes(),
            &event.seq.to_be_bytes(),
            &event.at.timestamp_micros().to_be_bytes(),
            event.actor.as_bytes(),
            event.action.as_bytes(),
            event.subject_kind.as_bytes(),
            &subject_id,
            event.subject_name.as_bytes(),
            event.detail.as_bytes(),
            event.address.as_bytes(),
        ],
    )
}

/// The filters of the Audit page; empty means any.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    pub actor: String,
    pub action: String,
    pub subject_id: Option<Uuid>,
    pub from: Option<DateTime<Utc>>,
    pub until: Option<DateTime<Utc>>,
    /// Events strictly older than this place, for the next page.
    pub before: Option<Place>,
}

/// Where an event stands in the order of the page: time, lane, number in the lane.
pub type Place = (DateTime<Utc>, i16, i64);

/// Newest first.
pub fn list(connection: &mut Conn, filter: &Filter, limit: i64) -> Result<Vec<Event>, DbError> {
    let mut query = events::table.select(Event::as_select()).into_boxed();
    if !filter.actor.is_empty() {
        query = query.filter(events::actor.eq(&filter.actor));
    }
    if !filter.action.is_empty() {
        query = query.filter(events::action.eq(&filter.action));
    }
    if let Some(id) = filter.subject_id {
        query = query.filter(events::subject_id.eq(id));
    }
    if let Some(from) = filter.from {
        query = query.filter(events::at.ge(from));
    }
    if let Some(until) = filter.until {
        query = query.filter(events::at.lt(until));
    }
    if let Some((at, lane, seq)) = filter.before {
        let later_lane = events::lane.gt(lane).or(events::lane.eq(lane).and(events::seq.gt(seq)));
        // The bound that stands alone lets the index start there, however deep the page.
        query = query.filter(events::at.le(at)).filter(events::at.lt(at).or(later_lane));
    }
    Ok(query.order((events::at.desc(), events::lane, events::seq)).limit(limit).load(connection)?)
}
