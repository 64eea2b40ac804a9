//! Following the audit trail as it grows. What was read once is remembered by the process: a trail that is rolled back
//! or written anew under a running console is found at the next turn, and rows that were put back stay refused though
//! the events that tell of them were hidden ([`crate::trail`]).

use std::mem;

use diesel::prelude::*;
use uuid::Uuid;

use super::chain::{self, Broken, Head};
use super::events::{self, Event, LANES};
use super::schema::events as table;
use super::{Conn, DbError};
use crate::vault::Vault;

/// Events at once.
const PAGE: i64 = 2_000;

/// The last event of a lane that was followed. Number 0 is the start of the lane.
#[derive(Clone, Debug)]
struct Place {
    seq: i64,
    mac: Vec<u8>,
    broken: bool,
}

/// How far this process has followed each lane.
#[derive(Debug, Default)]
pub struct Follower {
    places: Vec<Place>,
    /// What the turn before read, and this one: a version is noted a whole turn after its event was seen. A statement
    /// that began before the change and is still at work would else take its own row for one that was put back.
    before: Vec<(Uuid, i64)>,
    fresh: Vec<(Uuid, i64)>,
}

impl Follower {
    /// Up to a page further in each lane that has grown. Returns the lanes that do not go on from where they were, each
    /// once, and whether there is more to read at once.
    pub fn step(&mut self, conn: &mut Conn, vault: &Vault) -> Result<(Vec<Broken>, bool), DbError> {
        if self.places.is_empty() {
            let start = |lane| Place { seq: 0, mac: events::first_link(vault, lane), broken: false };
            self.places = (0..LANES).map(start).collect();
        }
        let heads = chain::all_heads(conn)?;
        let (mut broken, mut more) = (Vec::new(), false);
        for (lane, place) in (0..LANES).zip(&mut self.places) {
            let head = heads.iter().find(|head| head.lane == lane);
            let followed = match head {
                _ if place.broken => continue,
                Some(head) => place.follow(conn, vault, head, &mut self.fresh)?,
                None => Err(Broken { lane, seq: 0 }),
            };
            match followed {
                Ok(behind) => more |= behind,
                Err(at) => {
                    place.broken = true;
                    broken.push(at);
                }
            }
        }
        Ok((broken, more))
    }

    /// Ends a turn: from now on rows must be as new as what the turn before read.
    pub fn end_turn(&mut self, vault: &Vault) {
        vault.trail.note_versions(mem::replace(&mut self.before, mem::take(&mut self.fresh)));
    }
}

impl Place {
    /// Whether the lane has still more.
    fn follow(
        &mut self,
        conn: &mut Conn,
        vault: &Vault,
        head: &Head,
        fresh: &mut Vec<(Uuid, i64)>,
    ) -> Result<Result<bool, Broken>, DbError> {
        let lane = head.lane;
        if head.seq == self.seq && head.mac == self.mac {
            return Ok(Ok(false));
        }
        if head.seq <= self.seq {
            return Ok(Err(Broken { lane, seq: head.seq }));
        }
        let page: Vec<Event> = table::table
            .filter(table::lane.eq(lane).and(table::seq.gt(self.seq)).and(table::seq.le(head.seq)))
            .order(table::seq)
            .limit(PAGE)
            .select(Event::as_select())
            .load(conn)?;
        for event in page {
            // Each link is over the one before it, so the remembered link proves that nothing below was exchanged.
            if event.seq != self.seq + 1 || events::link(vault, &self.mac, &event) != event.mac {
                return Ok(Err(Broken { lane, seq: self.seq + 1 }));
            }
            fresh.extend(event.subject_id.zip(event.subject_version));
            (self.seq, self.mac) = (event.seq, event.mac);
        }
        let holds = self.seq < head.seq || (self.mac == head.mac && head.is_signed(vault));
        Ok(if holds { Ok(self.seq < head.seq) } else { Err(Broken { lane, seq: self.seq }) })
    }
}
