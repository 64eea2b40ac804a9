//! Following the audit trail from its first link to its heads, page by page, so that a long trail neither fills memory nor
//! holds a snapshot open. Events below a head never change, so writers may go on meanwhile. Writing is in [`super::events`].

use std::fmt;

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Binary, SmallInt};

use super::events::{self, Event, LANES};
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

/// A walk along all lanes.
#[derive(Debug, Default)]
pub struct Walk {
    /// Events that hold, so far.
    pub count: u64,
    /// Heads of the lanes that hold, so far.
    pub heads: Vec<Head>,
    /// The lane being walked: its head when the walk came to it, and the last link that holds.
    current: Option<(Head, i64, Vec<u8>)>,
}

impl Walk {
    /// One page further. `Ok(Ok(true))`: all lanes hold.
    pub fn step(&mut self, conn: &mut Conn, vault: &Vault) -> Result<Result<bool, Broken>, DbError> {
        let lane = i16::try_from(self.heads.len()).unwrap_or(LANES);
        if lane >= LANES {
            return Ok(Ok(true));
        }
        let (head, seq, mac) = match self.current.take() {
            Some(current) => current,
            None => match head(conn, lane)? {
                Some(head) if head.last == head.seq => (head, 0, events::first_link(vault, lane)),
                // Events behind the head, or a head before its events.
                Some(head) => return Ok(Err(Broken { lane, seq: head.seq.min(head.last) + 1 })),
                None => return Ok(Err(Broken { lane, seq: 0 })),
            },
        };
        let page: Vec<Event> = table::table
            .filter(table::lane.eq(lane).and(table::seq.gt(seq)).and(table::seq.le(head.seq)))
            .order(table::seq)
            .limit(PAGE)
            .select(Event::as_select())
            .load(conn)?;
        let (ended, (mut seq, mut mac)) = (page.len() < PAGE as usize, (seq, mac));
        for event in page {
            if event.seq != seq + 1 || events::link(vault, &mac, &event) != event.mac {
                return Ok(Err(Broken { lane, seq: seq + 1 }));
            }
            (seq, mac) = (event.seq, event.mac);
            self.count += 1;
        }
        if !ended {
            self.current = Some((head, seq, mac));
            return Ok(Ok(false));
        }
        if seq != head.seq || mac != head.mac || head.head_mac != events::head_mac(vault, lane, seq, &mac) {
            return Ok(Err(Broken { lane, seq: seq + 1 }));
        }
        self.heads.push(head);
        Ok(Ok(self.heads.len() == LANES as usize))
    }
}

/// The heads as they are, unchecked.
pub fn heads(conn: &mut Conn) -> Result<Vec<Head>, DbError> {
    let lanes = (0..LANES).filter_map(|lane| head(conn, lane).transpose());
    lanes.collect()
}

fn head(conn: &mut Conn, lane: i16) -> Result<Option<Head>, DbError> {
    let query = "SELECT lane, seq, mac, head_mac, (SELECT coalesce(max(seq), 0) FROM events WHERE lane = $1) AS last
                 FROM audit_lanes WHERE lane = $1";
    Ok(diesel::sql_query(query).bind::<SmallInt, _>(lane).get_result(conn).optional()?)
}

/// Walks every lane at one go.
pub fn verify(conn: &mut Conn, vault: &Vault) -> Result<Result<Walk, Broken>, DbError> {
    let mut walk = Walk::default();
    loop {
        match walk.step(conn, vault)? {
            Ok(false) => {}
            Ok(true) => return Ok(Ok(walk)),
            Err(broken) => return Ok(Err(broken)),
        }
    }
}
