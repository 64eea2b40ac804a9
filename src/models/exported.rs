//! Old events of the audit trail that are exported to a file and removed. Only routine goes: uses, logins, scans. What made
//! a version of a row stays, since rows that were put back are found by it. A removed stretch leaves one signed row with
//! the links at both of its ends, over which [`super::lane`] follows the chain.

use chrono::{DateTime, Utc};
use diesel::prelude::*;

use super::events::{self, Action, Actor, Event, NewEvent};
use super::schema::{audit_lanes, events as table, exported_events};
use super::{Conn, DbError};
use crate::vault::Vault;

/// Events at once: of one file, and of one transaction.
pub const MOST: i64 = 20_000;

/// Events of a lane that follow each other and were removed.
#[derive(Clone, Debug, PartialEq, Eq, Queryable, Selectable, Insertable)]
#[diesel(table_name = exported_events)]
pub struct Stretch {
    pub lane: i16,
    pub first: i64,
    pub last: i64,
    /// The link of the event before the first.
    pub before_mac: Vec<u8>,
    /// That of the last.
    pub last_mac: Vec<u8>,
    mac: Vec<u8>,
}

impl Stretch {
    fn begin(vault: &Vault, event: &Event, link_before: &[u8]) -> Self {
        let stretch = Self {
            lane: event.lane,
            first: event.seq,
            last: event.seq,
            before_mac: link_before.to_vec(),
            last_mac: event.mac.clone(),
            mac: Vec::new(),
        };
        Self { mac: stretch.signature(vault), ..stretch }
    }

    fn grow(&mut self, vault: &Vault, event: &Event) {
        (self.last, self.last_mac) = (event.seq, event.mac.clone());
        self.mac = self.signature(vault);
    }

    fn signature(&self, vault: &Vault) -> Vec<u8> {
        let numbers = [&self.lane.to_be_bytes()[..], &self.first.to_be_bytes(), &self.last.to_be_bytes()];
        vault.mac("audit/exported", &[numbers[0], numbers[1], numbers[2], &self.before_mac, &self.last_mac])
    }

    fn is_signed(&self, vault: &Vault) -> bool {
        self.mac == self.signature(vault)
    }

    pub fn count(&self) -> u64 {
        u64::try_from(self.last - self.first + 1).unwrap_or_default()
    }
}

/// The stretch that begins with this event of a lane.
pub(super) fn beginning(conn: &mut Conn, vault: &Vault, at: (i16, i64)) -> Result<Option<Stretch>, DbError> {
    let found = exported_events::table.find(at).select(Stretch::as_select()).first(conn).optional()?;
    Ok(found.filter(|stretch: &Stretch| stretch.is_signed(vault)))
}

/// The stretch that an event of a lane was removed with.
pub fn holding(conn: &mut Conn, vault: &Vault, (lane, seq): (i16, i64)) -> Result<Option<Stretch>, DbError> {
    let before = exported_events::table.filter(exported_events::lane.eq(lane).and(exported_events::first.le(seq)));
    let found = before.order(exported_events::first.desc()).select(Stretch::as_select()).first(conn).optional()?;
    Ok(found.filter(|stretch: &Stretch| stretch.last >= seq && stretch.is_signed(vault)))
}

/// The link that an event of a lane follows on: of the event before it, there or exported.
pub(super) fn link_before(conn: &mut Conn, vault: &Vault, (lane, seq): (i16, i64)) -> Result<Vec<u8>, DbError> {
    let link = table::table.find((lane, seq - 1)).select(table::mac).first(conn).optional()?;
    if let Some(link) = link {
        return Ok(link);
    }
    let exported = holding(conn, vault, (lane, seq - 1))?.filter(|stretch| stretch.last == seq - 1);
    Ok(exported.map_or_else(|| events::first_link(vault, lane), |stretch| stretch.last_mac))
}

/// What is exported together: stretches, each with its events.
pub type Chunk = Vec<(Stretch, Vec<Event>)>;

/// The oldest routine events from before a time. The last event of a lane stays, and so does what does not hold. Empty
/// when nothing is left.
pub fn due(conn: &mut Conn, vault: &Vault, before: DateTime<Utc>) -> Result<Chunk, DbError> {
    let routine: Vec<&str> =
        Action::ALL.iter().filter(|action| action.is_routine()).map(|action| action.name()).collect();
    let old = table::action.eq_any(routine).and(table::at.lt(before)).and(table::subject_version.is_null());
    let events: Vec<Event> = table::table
        .inner_join(audit_lanes::table)
        .filter(old.and(table::seq.lt(audit_lanes::seq)))
        .order((table::lane, table::seq))
        .limit(MOST)
        .select(Event::as_select())
        .load(conn)?;
    let mut chunk = Chunk::new();
    for event in events {
        if let Some((stretch, list)) = chunk.last_mut()
            && (stretch.lane, stretch.last + 1) == (event.lane, event.seq)
            && events::link(vault, &stretch.last_mac, &event) == event.mac
        {
            stretch.grow(vault, &event);
            list.push(event);
            continue;
        }
        let before = link_before(conn, vault, (event.lane, event.seq))?;
        if events::link(vault, &before, &event) == event.mac {
            chunk.push((Stretch::begin(vault, &event, &before), vec![event]));
        }
    }
    Ok(chunk)
}

/// Removes a chunk that is safe in a file; the trail records which. Fails with [`DbError::Stale`] when somebody else has
/// removed a part of it. Call inside a transaction.
pub fn remove(conn: &mut Conn, vault: &Vault, actor: &Actor, chunk: &Chunk, file: &str) -> Result<u64, DbError> {
    let mut ledger = events::open(conn)?;
    let mut count = 0;
    for (stretch, list) in chunk {
        let inside = table::lane.eq(stretch.lane).and(table::seq.between(stretch.first, stretch.last));
        let removed = diesel::delete(table::table.filter(inside)).execute(conn)?;
        if removed != list.len() {
            return Err(DbError::Stale);
        }
        count += stretch.count();
    }
    for rows in chunk.chunks(1_000) {
        let rows: Vec<&Stretch> = rows.iter().map(|(stretch, _)| stretch).collect();
        diesel::insert_into(exported_events::table).values(rows).execute(conn)?;
    }
    let event = NewEvent {
        action: Action::AuditExported,
        subject_kind: "store",
        subject_id: None,
        subject_name: "the audit trail",
        detail: format!("{count} events, to {file}"),
    };
    ledger.record(conn, vault, actor, &event)?;
    Ok(count)
}

/// How many events the trail says were exported to a file of this name; `None` if it tells of no such file.
pub fn told(conn: &mut Conn, vault: &Vault, file: &str) -> Result<Option<u64>, DbError> {
    let told: Vec<Event> = table::table
        .filter(table::action.eq(Action::AuditExported.name()).and(table::detail.like(format!("% events, to {file}"))))
        .limit(10)
        .select(Event::as_select())
        .load(conn)?;
    for event in told {
        let before = link_before(conn, vault, (event.lane, event.seq))?;
        if events::link(vault, &before, &event) == event.mac {
            return Ok(event.detail.split(' ').next().and_then(|count| count.parse().ok()));
        }
    }
    Ok(None)
}

/// Whether the events of a stretch are exactly what was removed.
pub fn holds(conn: &mut Conn, vault: &Vault, (stretch, list): &(Stretch, Vec<Event>)) -> Result<bool, DbError> {
    let same = |stored: &Stretch| (&stored.before_mac, &stored.last_mac, stored.last) == ends(stretch);
    if !beginning(conn, vault, (stretch.lane, stretch.first))?.is_some_and(|stored| same(&stored)) {
        return Ok(false);
    }
    let mut at = (stretch.first, stretch.before_mac.clone());
    for event in list {
        if (event.lane, event.seq) != (stretch.lane, at.0) || events::link(vault, &at.1, event) != event.mac {
            return Ok(false);
        }
        at = (event.seq + 1, event.mac.clone());
    }
    Ok(at == (stretch.last + 1, stretch.last_mac.clone()))
}

fn ends(stretch: &Stretch) -> (&Vec<u8>, &Vec<u8>, i64) {
    (&stretch.before_mac, &stretch.last_mac, stretch.last)
}

/// A stretch as a file names it; only [`holds`] says whether it is one.
pub fn named(lane: i16, (first, last): (i64, i64), (before_mac, last_mac): (Vec<u8>, Vec<u8>)) -> Stretch {
    Stretch { lane, first, last, before_mac, last_mac, mac: Vec::new() }
}
