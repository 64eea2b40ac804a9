//! Following the audit trail from its first link to its heads, page by page, so that a long trail neither fills memory
//! nor holds a snapshot open. Events below a head never change, so writers may go on meanwhile. Writing is in
//! [`super::events`].

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_types::{Array, SmallInt};
use uuid::Uuid;

use super::events::{self, Action, Actor, Event, LANES, NewEvent};
pub use super::head::Head;
use super::lane::{self, Accepted, Place};
use super::missing::{self, Gap};
use super::{Conn, DbError};
use crate::trail::Break;
use crate::vault::Vault;

/// A walk along all lanes, also past what does not hold in them.
#[derive(Debug, Default)]
pub struct Walk {
    /// Events that hold, so far.
    pub count: u64,
    /// Heads of the lanes that hold, so far.
    pub heads: Vec<Head>,
    /// Where the other lanes break, so far.
    pub broken: Vec<Break>,
    /// Events that were exported and removed, so far.
    pub exported: u64,
    /// Breaks that an operator has accepted, so far.
    pub accepted: u64,
    /// Whether an event so far says that the rows of the store were signed, or is of a release that signs them.
    pub signed: bool,
    /// Names of master keys that events so far say were retired.
    pub(super) retired: Vec<String>,
    /// The master key that was activated last so far, and when.
    pub(super) activated: Option<(DateTime<Utc>, String)>,
    /// Rows that are gone without an event, so far: table and id.
    pub missing: Vec<(&'static str, Uuid)>,
    /// Events that were taken out of lanes that hold, so far.
    pub gaps: Vec<Gap>,
    /// The lane that is being walked.
    lane: i16,
    /// Its head when the walk came to it, and how far the walk is.
    current: Option<(Head, Place)>,
    known: Option<Accepted>,
}

impl Walk {
    /// One page further; `true` when all lanes have been walked.
    pub fn step(&mut self, conn: &mut Conn, vault: &Vault) -> Result<bool, DbError> {
        let lane = self.lane;
        if lane >= LANES {
            return Ok(true);
        }
        let known = match self.known.take() {
            Some(known) => known,
            None => lane::accepted(conn, vault)?,
        };
        let known = self.known.insert(known);
        let (head, mut place) = match self.current.take() {
            Some(current) => current,
            None => match head(conn, lane)? {
                Some(head) => (head, Place::start(vault, lane)),
                None => {
                    let found = Break { lane, seq: 0, on: 0, link: Vec::new() };
                    if known.breaks.contains(&found) {
                        self.accepted += 1
                    } else {
                        self.broken.push(found)
                    }
                    return Ok(self.next());
                }
            },
        };
        let followed = place.follow(conn, vault, &head, &known.breaks)?;
        self.missing.extend(missing::rows(conn, &followed.events)?);
        for gap in missing::gaps(conn, &followed.events)? {
            if known.has(&gap) { self.accepted += 1 } else { self.gaps.push(gap) }
        }
        self.count += followed.events.len() as u64;
        self.accepted += followed.accepted;
        self.exported += followed.exported;
        followed.events.iter().for_each(|event| self.note(event));
        self.broken.extend(followed.breaks);
        if !followed.ended {
            self.current = Some((head, place));
            return Ok(false);
        }
        if !self.broken.iter().any(|found| found.lane == lane) {
            self.heads.push(head);
        }
        Ok(self.next())
    }

    /// What an event that holds says of the store.
    fn note(&mut self, event: &Event) {
        // The release before recorded no versions of master keys; this one does when it founds a store.
        let since = event.subject_kind == "key" && event.subject_version.is_some();
        self.signed |= since || event.action == Action::StoreSigned.name();
        if event.action == Action::KeyRetired.name() {
            self.retired.push(event.subject_name.clone());
        }
        if event.action == Action::KeyActivated.name() && self.activated.as_ref().is_none_or(|(at, _)| *at < event.at) {
            self.activated = Some((event.at, event.subject_name.clone()));
        }
    }

    /// On to the next lane; whether there is none.
    fn next(&mut self) -> bool {
        self.lane += 1;
        self.lane >= LANES
    }
}

const HEADS: &str = "SELECT lane, seq, mac, head_mac,
        coalesce((SELECT e.seq FROM events e WHERE e.lane = l.lane ORDER BY e.seq DESC LIMIT 1), 0) AS last
    FROM audit_lanes l WHERE lane = ANY($1) ORDER BY lane";

/// The heads of lanes that have events, as they are, unchecked.
pub fn heads(conn: &mut Conn) -> Result<Vec<Head>, DbError> {
    Ok(all_heads(conn)?.into_iter().filter(|head| head.seq > 0).collect())
}

/// The same with lanes that have no event yet.
pub(super) fn all_heads(conn: &mut Conn) -> Result<Vec<Head>, DbError> {
    let lanes: Vec<i16> = (0..LANES).collect();
    Ok(diesel::sql_query(HEADS).bind::<Array<SmallInt>, _>(lanes).load(conn)?)
}

fn head(conn: &mut Conn, lane: i16) -> Result<Option<Head>, DbError> {
    Ok(diesel::sql_query(HEADS).bind::<Array<SmallInt>, _>(vec![lane]).get_result(conn).optional()?)
}

/// Walks every lane at one go.
pub fn verify(conn: &mut Conn, vault: &Vault) -> Result<Walk, DbError> {
    let mut walk = Walk::default();
    while !super::read(conn, |conn| walk.step(conn, vault))? {}
    Ok(walk)
}

/// Takes what a walk found for known, on the word of the operator at the command line. Call inside a transaction.
pub fn accept(conn: &mut Conn, vault: &Vault, walk: &Walk) -> Result<(), DbError> {
    let event = NewEvent {
        action: Action::AuditAccepted,
        subject_kind: "store",
        subject_id: None,
        subject_name: "the audit trail",
        detail: lane::detail(&walk.broken, &walk.gaps),
    };
    events::record(conn, vault, &Actor::command_line(), &event)
}
