//! Following the audit trail from its first link to its heads, page by page, so that a long trail neither fills memory
//! nor holds a snapshot open. Events below a head never change, so writers may go on meanwhile. Writing is in
//! [`super::events`].

use std::fmt;

use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Binary, SmallInt};
use uuid::Uuid;

use super::events::{self, Action, Event, LANES};
use super::missing;
use super::schema::events as table;
use super::{Conn, DbError};
use crate::vault::Vault;

const PAGE: i64 = 2_000;

/// The last event of a lane. Kept elsewhere, it proves later that the trail was not rolled back.
#[derive(Clone, Debug, PartialEq, Eq, QueryableByName)]
pub struct Head {
    #[diesel(sql_type = SmallInt)]
    pub lane: i16,
    #[diesel(sql_type = BigInt)]
    pub seq: i64,
    #[diesel(sql_type = Binary)]
    pub mac: Vec<u8>,
    #[diesel(sql_type = Binary)]
    head_mac: Vec<u8>,
    #[diesel(sql_type = BigInt)]
    last: i64,
}

/// Characters of a link that an anchor in a mail has: 64 bits of the MAC, which nobody can choose without the key.
const SHORT: usize = 16;

impl Head {
    /// Whether Strongroom wrote this head.
    pub(super) fn is_signed(&self, vault: &Vault) -> bool {
        self.head_mac == events::head_mac(vault, self.lane, self.seq, &self.mac)
    }

    /// For a mail, where a whole link would be too long.
    pub fn short(&self) -> String {
        let link = hex::encode(&self.mac);
        format!("{}:{}:{}", self.lane, self.seq, link.get(..SHORT).unwrap_or(&link))
    }
}

impl fmt::Display for Head {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.lane, self.seq, hex::encode(&self.mac))
    }
}

/// Where the chain breaks: the first event of a lane that is not what was written, or is missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Broken {
    pub lane: i16,
    pub seq: i64,
}

/// A walk along all lanes, also those after a broken one.
#[derive(Debug, Default)]
pub struct Walk {
    /// Events that hold, so far.
    pub count: u64,
    /// Heads of the lanes that hold, so far.
    pub heads: Vec<Head>,
    /// Where each of the other lanes breaks.
    pub broken: Vec<Broken>,
    /// Whether an event so far says that the rows of the store were signed.
    pub signed: bool,
    /// Rows that are gone without an event, so far: table and id.
    pub missing: Vec<(&'static str, Uuid)>,
    /// The lane that is being walked.
    lane: i16,
    /// Its head when the walk came to it, and the last link that holds.
    current: Option<(Head, i64, Vec<u8>)>,
}

impl Walk {
    /// One page further; `true` when all lanes have been walked. A lane whose events cannot be read is a broken one.
    pub fn step(&mut self, conn: &mut Conn, vault: &Vault) -> Result<bool, DbError> {
        let at = self.current.as_ref().map_or(0, |(_, seq, _)| *seq);
        match self.read(conn, vault) {
            Err(DbError::Other) => Ok(self.next(Err(at + 1))),
            result => result,
        }
    }

    fn read(&mut self, conn: &mut Conn, vault: &Vault) -> Result<bool, DbError> {
        let lane = self.lane;
        if lane >= LANES {
            return Ok(true);
        }
        let (head, mut seq, mut mac) = match self.current.take() {
            Some(current) => current,
            None => match head(conn, lane)? {
                Some(head) => (head, 0, events::first_link(vault, lane)),
                None => return Ok(self.next(Err(0))),
            },
        };
        let page: Vec<Event> = table::table
            .filter(table::lane.eq(lane).and(table::seq.gt(seq)).and(table::seq.le(head.seq)))
            .order(table::seq)
            .limit(PAGE)
            .select(Event::as_select())
            .load(conn)?;
        let ended = page.len() < PAGE as usize;
        self.missing.extend(missing::rows(conn, &page)?);
        for event in page {
            if event.seq != seq + 1 || events::link(vault, &mac, &event) != event.mac {
                return Ok(self.next(Err(seq + 1)));
            }
            (seq, mac) = (event.seq, event.mac);
            self.count += 1;
            self.signed |= event.action == Action::StoreSigned.name();
        }
        if !ended {
            self.current = Some((head, seq, mac));
            return Ok(false);
        }
        let whole = seq == head.seq && mac == head.mac && head.is_signed(vault);
        // Events behind the head were not written by Strongroom.
        let holds = whole && head.last == head.seq;
        Ok(self.next(if holds { Ok(head) } else { Err(seq + 1) }))
    }

    /// Ends a lane, with its head or the number of the first event that does not hold; whether it was the last one.
    fn next(&mut self, ended: Result<Head, i64>) -> bool {
        match ended {
            Ok(head) => self.heads.push(head),
            Err(seq) => self.broken.push(Broken { lane: self.lane, seq }),
        }
        self.lane += 1;
        self.lane >= LANES
    }
}

const HEADS: &str = "SELECT lane, seq, mac, head_mac,
        (SELECT coalesce(max(e.seq), 0) FROM events e WHERE e.lane = l.lane) AS last
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
