//! The audit trail. An event is written in the transaction of the change it tells of, and chained: its HMAC covers the
//! one before it in its lane. A change that cannot be audited does not happen.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, Utc};
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::query_builder::{QueryFragment, QueryId};
use uuid::Uuid;

pub use super::actions::Action;
pub use super::event_list::{Filter, Place, actors, list, of_subjects};
use super::exported;
use super::noted::{self, Written};
use super::schema::{audit_lanes, events};
use super::times::Time;
use super::together::Append;
use super::{Conn, DbError};
use crate::trail::End;
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
    pub action: Action,
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
    #[diesel(deserialize_as = Time)]
    pub at: DateTime<Utc>,
    pub actor: String,
    pub action: String,
    pub subject_kind: String,
    pub subject_id: Option<Uuid>,
    pub subject_name: String,
    pub detail: String,
    pub address: String,
    pub mac: Vec<u8>,
    /// The version of the row that a change has made.
    pub subject_version: Option<i64>,
}

/// A lane held until the transaction ends, and the clock of the change.
pub struct Ledger {
    lane: i16,
    seq: i64,
    mac: Vec<u8>,
    /// The database's clock, the only one that ages are measured by.
    pub now: DateTime<Utc>,
}

diesel::define_sql_function! {
    /// The moment itself, where `now()` is the start of the transaction.
    fn clock_timestamp() -> diesel::sql_types::Timestamptz;
}

/// [`lane_columns`] of a lane.
pub(super) type Opened = (i16, i64, Vec<u8>, DateTime<Utc>);
type LaneColumns = (audit_lanes::lane, audit_lanes::seq, audit_lanes::mac, clock_timestamp);

/// What a ledger starts from. Diesel's own expressions, not SQL text: only those are prepared once a connection.
pub(super) fn lane_columns() -> LaneColumns {
    (audit_lanes::lane, audit_lanes::seq, audit_lanes::mac, clock_timestamp())
}

/// Opens the ledger at the start of a change: takes a free lane, or waits for one when all are taken.
pub fn open(conn: &mut Conn) -> Result<Ledger, DbError> {
    let free = audit_lanes::table.select(lane_columns()).limit(1).for_update().skip_locked();
    let opened: Option<Opened> = free.first(conn).optional()?;
    let opened = match opened {
        Some(opened) => opened,
        None => {
            let lane = i16::from(crate::vault::random::<1>()[0]) % LANES;
            // Without lanes nothing can be written down, so nothing is changed.
            audit_lanes::table
                .find(lane)
                .select(lane_columns())
                .for_update()
                .first(conn)
                .optional()?
                .ok_or(DbError::ReadOnly)?
        }
    };
    Ok(Ledger::of(opened))
}

impl Ledger {
    pub(super) fn of((lane, seq, mac, now): Opened) -> Self {
        Self { lane, seq, mac, now }
    }

    /// Writes one event. More than one may follow in the same transaction.
    pub fn record(&mut self, conn: &mut Conn, vault: &Vault, actor: &Actor, new: &NewEvent) -> Result<(), DbError> {
        self.write(conn, vault, actor, (new, None), ())
    }

    /// The same for a change that made this version of the row, or that ended it: the last version of a row that is
    /// gone. An older version that is put back is found by it.
    pub fn record_version(
        &mut self,
        conn: &mut Conn,
        vault: &Vault,
        actor: &Actor,
        new: &NewEvent,
        version: i64,
    ) -> Result<(), DbError> {
        self.write(conn, vault, actor, (new, Some(version)), ())
    }

    /// The same together with the change itself, in one statement.
    pub(super) fn record_with<T>(
        &mut self,
        conn: &mut Conn,
        vault: &Vault,
        actor: &Actor,
        (new, version): (&NewEvent, i64),
        change: T,
    ) -> Result<(), DbError>
    where
        T: QueryFragment<Pg> + QueryId,
    {
        self.write(conn, vault, actor, (new, Some(version)), change)
    }

    /// Where the last event of this change stands: lane and number.
    pub fn place(&self) -> (i16, i64) {
        (self.lane, self.seq)
    }

    fn write<T>(
        &mut self,
        conn: &mut Conn,
        vault: &Vault,
        actor: &Actor,
        (new, subject_version): (&NewEvent, Option<i64>),
        change: T,
    ) -> Result<(), DbError>
    where
        T: QueryFragment<Pg> + QueryId,
    {
        self.check(vault, new.action)?;
        let mut event = Event {
            lane: self.lane,
            seq: self.seq + 1,
            at: self.now,
            actor: actor.name.clone(),
            action: new.action.name().to_owned(),
            subject_kind: new.subject_kind.to_owned(),
            subject_id: new.subject_id,
            subject_name: new.subject_name.to_owned(),
            detail: new.detail.clone(),
            address: actor.address.clone(),
            mac: Vec::new(),
            subject_version,
        };
        event.mac = link(vault, &self.mac, &event);
        let head_mac = head_mac(vault, self.lane, event.seq, &event.mac);
        let written = Append { event: &event, head_mac: &head_mac, change }.execute(conn)?;
        // A trigger or a rule of somebody else may have swallowed what was written.
        if written != 1 {
            return Err(DbError::ReadOnly);
        }
        (self.seq, self.mac) = (event.seq, event.mac);
        let (trail, end) = (vault.trail.clone(), End { seq: self.seq, link: self.mac.clone() });
        noted::add(Written { trail, lane: self.lane, end, version: new.subject_id.zip(subject_version) });
        Ok(())
    }

    /// Nothing is changed on a trail that was broken when this process started, nor in a lane that was cut since.
    fn check(&self, vault: &Vault, action: Action) -> Result<(), DbError> {
        if vault.trail.is_held() && !action.is_kept_while_held() {
            return Err(DbError::TrailHeld);
        }
        if !vault.trail.agrees(self.lane, self.seq, &self.mac) {
            // The follower looks at it at once, and alerts.
            vault.trail.look.notify_one();
            return Err(DbError::TrailCut);
        }
        Ok(())
    }
}

/// Over the head of a lane.
pub(super) fn head_mac(vault: &Vault, lane: i16, seq: i64, mac: &[u8]) -> Vec<u8> {
    vault.mac("audit/head", &[&lane.to_be_bytes(), &seq.to_be_bytes(), mac])
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
    let version = event.subject_version.map(i64::to_be_bytes).unwrap_or_default();
    let parts = [
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
        &version,
    ];
    // Events without a version, as all of the first release, are linked without it.
    let known = if event.subject_version.is_some() { parts.len() } else { parts.len() - 1 };
    vault.mac("audit", parts.get(..known).unwrap_or(&parts))
}

/// The latest version of each of these rows that the audit trail records.
pub fn versions(conn: &mut Conn, subjects: &[Uuid]) -> Result<HashMap<Uuid, i64>, DbError> {
    let recorded = events::subject_version.is_not_null().and(events::subject_id.eq_any(subjects));
    let latest = events::table.filter(recorded).distinct_on(events::subject_id);
    let latest = latest.order((events::subject_id, events::subject_version.desc()));
    let rows: Vec<(Option<Uuid>, Option<i64>)> =
        latest.select((events::subject_id, events::subject_version)).load(conn)?;
    Ok(rows.into_iter().filter_map(|(id, version)| id.zip(version)).collect())
}

/// Whether the audit trail has an event of this kind. Only events up to the head of their lane count.
pub fn has(conn: &mut Conn, action: Action) -> Result<bool, DbError> {
    let chained = events::table.inner_join(audit_lanes::table).filter(events::seq.le(audit_lanes::seq));
    Ok(diesel::select(diesel::dsl::exists(chained.filter(events::action.eq(action.name())))).get_result(conn)?)
}

/// The subjects among these that the audit trail mentions.
pub fn mentioned(conn: &mut Conn, subjects: &[Uuid]) -> Result<HashSet<Uuid>, DbError> {
    let of = events::table.filter(events::subject_id.eq_any(subjects)).select(events::subject_id).distinct();
    Ok(of.load::<Option<Uuid>>(conn)?.into_iter().flatten().collect())
}

/// When the latest genuine event of one of these actions was written. An event counts if it is chained to the one
/// before it and lies in the past: one that was written by hand is passed over.
pub fn latest_at(conn: &mut Conn, vault: &Vault, actions: &[Action]) -> Result<Option<DateTime<Utc>>, DbError> {
    /// Forged events that are passed over before the search is given up.
    const MOST: i64 = 100;
    let names: Vec<&str> = actions.iter().map(|action| action.name()).collect();
    let chained = events::table.inner_join(audit_lanes::table).filter(events::seq.le(audit_lanes::seq));
    let found: Vec<Event> = chained
        .filter(events::action.eq_any(names).and(events::at.le(clock_timestamp())))
        .order(events::at.desc())
        .limit(MOST)
        .select(Event::as_select())
        .load(conn)?;
    for event in found {
        let before = exported::link_before(conn, vault, (event.lane, event.seq))?;
        if link(vault, &before, &event) == event.mac {
            return Ok(Some(event.at));
        }
    }
    Ok(None)
}
