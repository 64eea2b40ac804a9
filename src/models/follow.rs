//! Following the audit trail as it grows. What was read once is remembered by the process ([`crate::trail`]): a trail
//! that is rolled back or written anew under a running console is found at the next turn, and rows that were put back
//! stay refused though the events that tell of them were hidden.

use std::time::{Duration, Instant};

use super::chain::{self, Head};
use super::events::{Action, Event, LANES};
use super::lane::{self, Accepted, Place};
use super::missing::{self, Gap};
use super::ordinary;
use super::{Conn, DbError};
use crate::trail::{Break, End, Trail};
use crate::vault::Vault;

/// A step that has taken so long ends with the lane that it is at.
const STEP: Duration = Duration::from_secs(1);

/// What does not hold, each once.
#[derive(Debug, Default)]
pub struct Found {
    pub breaks: Vec<Break>,
    pub gaps: Vec<Gap>,
}

impl Found {
    pub fn is_empty(&self) -> bool {
        self.breaks.is_empty() && self.gaps.is_empty()
    }

    pub fn add(&mut self, other: Self) {
        self.breaks.extend(other.breaks);
        self.gaps.extend(other.gaps);
    }
}

/// How far this process has followed each lane.
#[derive(Debug, Default)]
pub struct Follower {
    places: Vec<Place>,
    /// Lanes whose row is gone.
    gone: Vec<i16>,
    accepted: Accepted,
    /// What was found, until somebody takes it: a step that fails later loses nothing.
    pub found: Found,
}

impl Follower {
    /// Up to a page further in each lane that has grown. Returns whether there is more to read at once. Two statements
    /// when nothing is new.
    pub fn step(&mut self, conn: &mut Conn, vault: &Vault) -> Result<bool, DbError> {
        if self.places.is_empty() {
            self.accepted = lane::accepted(conn, vault)?;
            self.places = (0..LANES).map(|lane| Place::start(vault, lane)).collect();
        }
        let strange = ordinary::strange(conn)?;
        if vault.trail.set_strange(strange.clone()) {
            match strange.join(", ") {
                none if none.is_empty() => {
                    tracing::info!("all tables are ordinary again: the store is not held for them")
                }
                found => tracing::error!(
                    found,
                    "tables were replaced or tied to others, or built-in operators or functions have look-alikes: the \
                     store is held"
                ),
            }
        }
        // Before the heads are read, since they must not be behind.
        let ends: Vec<Option<End>> = (0..LANES).map(|lane| vault.trail.end(lane)).collect();
        let (heads, began) = (chain::all_heads(conn)?, Instant::now());
        let mut more = false;
        for (at, end) in (0..self.places.len()).zip(ends) {
            more |= match heads.iter().find(|head| head.lane == self.places[at].lane) {
                Some(_) if began.elapsed() > STEP => true,
                Some(head) => self.lane(conn, vault, head, (at, end))?,
                None => self.lane_gone(&vault.trail, at),
            };
        }
        if !more {
            vault.trail.end_first();
        }
        Ok(more)
    }

    /// One lane; whether it has still more.
    fn lane(
        &mut self,
        conn: &mut Conn,
        vault: &Vault,
        head: &Head,
        (at, end): (usize, Option<End>),
    ) -> Result<bool, DbError> {
        let place = &mut self.places[at];
        let known = end.clone().filter(|end| end.seq > place.seq);
        let known = known.unwrap_or(End { seq: place.seq, link: place.link.clone() });
        if head.seq < known.seq || (head.seq == known.seq && head.mac != known.link) {
            let seq = if head.seq < known.seq { head.seq + 1 } else { head.seq };
            let found = Break { lane: head.lane, seq, on: head.seq, link: head.mac.clone() };
            // From here on the lane is followed as it is now.
            (place.seq, place.link) = (head.seq, head.mac.clone());
            vault.trail.move_end(head.lane, End { seq: head.seq, link: head.mac.clone() });
            self.broken(&vault.trail, vec![found]);
            return Ok(false);
        }
        if place.met && head.seq == place.seq {
            return Ok(false);
        }
        let mut followed = place.follow(conn, vault, head, &self.accepted.breaks)?;
        let reached = End { seq: place.seq, link: place.link.clone() };
        let other = |event: &&Event| end.as_ref().is_some_and(|end| end.seq == event.seq && end.link != event.mac);
        let other = followed.events.iter().find(other).map(|event| (event.seq, event.mac.clone()));
        if let Some((seq, link)) = other {
            followed.breaks.push(Break { lane: head.lane, seq, on: seq, link });
            vault.trail.move_end(head.lane, reached);
        } else {
            vault.trail.note_end(head.lane, reached);
        }
        self.broken(&vault.trail, followed.breaks);
        self.read(conn, vault, &followed.events)?;
        Ok(!followed.ended)
    }

    /// What the events say of rows.
    fn read(&mut self, conn: &mut Conn, vault: &Vault, events: &[Event]) -> Result<(), DbError> {
        vault.trail.note_versions(events.iter().filter_map(|event| event.subject_id.zip(event.subject_version)));
        if events.iter().any(|event| event.action == Action::AuditAccepted.name()) {
            self.accepted = lane::accepted(conn, vault)?;
            vault.trail.accept(&self.accepted.breaks);
        }
        let gaps = missing::gaps(conn, events)?.into_iter().filter(|gap| !self.accepted.has(gap));
        self.found.gaps.extend(gaps);
        Ok(())
    }

    fn broken(&mut self, trail: &Trail, breaks: Vec<Break>) {
        for found in &breaks {
            trail.note_break(found.clone(), !trail.is_followed());
        }
        self.found.breaks.extend(breaks);
    }

    fn lane_gone(&mut self, trail: &Trail, at: usize) -> bool {
        let lane = self.places[at].lane;
        let found = Break { lane, seq: 0, on: 0, link: Vec::new() };
        if !self.gone.contains(&lane) && !self.accepted.breaks.contains(&found) {
            self.gone.push(lane);
            self.broken(trail, vec![found]);
        }
        false
    }
}
