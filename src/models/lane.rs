//! Following one lane of the audit trail, link by link, also past what does not hold: each place where it breaks is
//! found, and those that the operator has accepted are known. Used by [`super::chain`] and [`super::follow`].

use diesel::prelude::*;
use uuid::Uuid;

use super::events::{self, Action, Event};
use super::exported::{self, Stretch};
use super::head::Head;
use super::missing::Gap;
use super::schema::events as table;
use super::{Conn, DbError};
use crate::trail::Break;
use crate::vault::Vault;

/// Events at once.
const PAGE: i64 = 2_000;
/// Acceptances that are read: each needs an operator at the command line.
const MOST_ACCEPTED: i64 = 1_000;

/// The last event of a lane that was followed. Number 0 is the start of the lane.
#[derive(Clone, Debug)]
pub(super) struct Place {
    pub lane: i16,
    pub seq: i64,
    pub link: Vec<u8>,
    /// Whether a head was met: from then on a lane that has not grown has nothing to be read.
    pub met: bool,
}

/// A page of a lane.
#[derive(Debug, Default)]
pub(super) struct Followed {
    /// Events that hold.
    pub events: Vec<Event>,
    /// Places that do not.
    pub breaks: Vec<Break>,
    /// The same, where an operator has accepted them.
    pub accepted: u64,
    /// Events that were exported and removed.
    pub exported: u64,
    /// Whether this was the last page up to the head.
    pub ended: bool,
}

impl Followed {
    fn add(&mut self, found: Break, known: &[Break]) {
        if known.contains(&found) {
            self.accepted += 1;
        } else {
            self.breaks.push(found);
        }
    }
}

impl Place {
    pub fn start(vault: &Vault, lane: i16) -> Self {
        Self { lane, seq: 0, link: events::first_link(vault, lane), met: false }
    }

    /// A page further towards the head, which was read before.
    pub fn follow(
        &mut self,
        conn: &mut Conn,
        vault: &Vault,
        head: &Head,
        known: &[Break],
    ) -> Result<Followed, DbError> {
        let mut followed = Followed::default();
        let Some((page, ended)) = self.page(conn, head)? else {
            followed.add(self.pass_unreadable(conn)?, known);
            return Ok(followed);
        };
        for event in page {
            followed.exported += self.pass_exported(conn, vault, event.seq)?;
            let next = event.seq == self.seq + 1 && events::link(vault, &self.link, &event) == event.mac;
            let resumed = !next && self.resumes(vault, &event, known);
            followed.accepted += u64::from(resumed);
            if !next && !resumed {
                // What stands there is proven by nothing before it, so all of it is a part of the break.
                let link = events::link(vault, &event.mac, &event);
                followed.add(Break { lane: self.lane, seq: self.seq + 1, on: event.seq, link }, known);
            }
            self.go(event.seq, &event.mac);
            if next || resumed {
                followed.events.push(event);
            }
        }
        (followed.ended, self.met) = (ended, ended);
        let meets = self.seq == head.seq && self.link == head.mac && head.is_signed(vault);
        // Events behind the head were not written by Strongroom.
        if ended && !(meets && head.last == head.seq) {
            let found = Break { lane: self.lane, seq: self.seq + 1, on: head.seq, link: head.mac.clone() };
            followed.add(found, known);
            self.go(head.seq, &head.mac);
        }
        Ok(followed)
    }

    /// Goes over what was exported before this event; how many events.
    fn pass_exported(&mut self, conn: &mut Conn, vault: &Vault, until: i64) -> Result<u64, DbError> {
        let mut count = 0;
        while self.seq + 1 < until {
            let stretch = exported::beginning(conn, vault, (self.lane, self.seq + 1))?;
            let stretch = match stretch.filter(|stretch: &Stretch| stretch.before_mac == self.link) {
                Some(stretch) => Some(stretch),
                // It was exported while its first events were being read.
                None => exported::holding(conn, vault, (self.lane, self.seq + 1))?.filter(|it| it.first <= self.seq),
            };
            let Some(stretch) = stretch.filter(|stretch| stretch.last < until) else { break };
            count += u64::try_from(stretch.last - self.seq).unwrap_or_default();
            self.go(stretch.last, &stretch.last_mac);
        }
        Ok(count)
    }

    fn go(&mut self, seq: i64, link: &[u8]) {
        (self.seq, self.link) = (seq, link.to_vec());
    }

    /// Whether the first event after a break goes on from where an accepted break says.
    fn resumes(&self, vault: &Vault, event: &Event, known: &[Break]) -> bool {
        let here = known.iter().filter(|known| (known.lane, known.seq) == (self.lane, self.seq + 1));
        here.filter(|known| known.on + 1 == event.seq).any(|known| events::link(vault, &known.link, event) == event.mac)
    }

    /// The next events, and whether they are the last ones; `None` when the very next one cannot be read.
    fn page(&self, conn: &mut Conn, head: &Head) -> Result<Option<(Vec<Event>, bool)>, DbError> {
        let mut limit = PAGE;
        loop {
            let page = table::table
                .filter(table::lane.eq(self.lane).and(table::seq.gt(self.seq)).and(table::seq.le(head.seq)))
                .order(table::seq)
                .limit(limit)
                .select(Event::as_select())
                .load(conn);
            match page.map_err(DbError::from) {
                // One of them holds a value that Strongroom never writes.
                Err(DbError::Other | DbError::Unreadable) if limit > 1 => limit /= 2,
                Err(DbError::Other | DbError::Unreadable) => return Ok(None),
                Err(error) => return Err(error),
                Ok(page) => {
                    let ended = page.len() < usize::try_from(limit).unwrap_or(usize::MAX);
                    return Ok(Some((page, ended)));
                }
            }
        }
    }

    fn pass_unreadable(&mut self, conn: &mut Conn) -> Result<Break, DbError> {
        let (on, link): (i64, Option<Vec<u8>>) = table::table
            .filter(table::lane.eq(self.lane).and(table::seq.gt(self.seq)))
            .order(table::seq)
            .select((table::seq, table::mac.nullable()))
            .first(conn)?;
        let found = Break { lane: self.lane, seq: self.seq + 1, on, link: link.unwrap_or_default() };
        self.go(on, &found.link);
        Ok(found)
    }
}

/// What the operator has accepted.
#[derive(Debug, Default)]
pub(super) struct Accepted {
    pub breaks: Vec<Break>,
    gaps: Vec<(Uuid, i64)>,
}

impl Accepted {
    pub fn has(&self, gap: &Gap) -> bool {
        self.gaps.contains(&(gap.id, gap.version))
    }
}

/// What an acceptance records.
pub(super) fn detail(breaks: &[Break], gaps: &[Gap]) -> String {
    breaks.iter().map(Break::to_string).chain(gaps.iter().map(Gap::word)).collect::<Vec<_>>().join(" ")
}

/// Reads what was accepted. Only genuine events count: those that are linked to the one before them or, at the end of a
/// lane that was cut, to the break that they name themselves.
pub(super) fn accepted(conn: &mut Conn, vault: &Vault) -> Result<Accepted, DbError> {
    let events = table::table
        .filter(table::action.eq(Action::AuditAccepted.name()))
        .order(table::at.desc())
        .limit(MOST_ACCEPTED)
        .select(Event::as_select())
        .load(conn);
    let events: Vec<Event> = match events.map_err(DbError::from) {
        // One of them cannot be read: then none counts.
        Err(DbError::Other | DbError::Unreadable) => Vec::new(),
        events => events?,
    };
    let mut accepted = Accepted::default();
    for event in events {
        let named: Vec<Break> = event.detail.split(' ').filter_map(Break::read).collect();
        let before = exported::link_before(conn, vault, (event.lane, event.seq))?;
        let cut = named.iter().filter(|at| (at.lane, at.on + 1) == (event.lane, event.seq)).map(|at| &at.link);
        if std::iter::once(&before).chain(cut).any(|before| events::link(vault, before, &event) == event.mac) {
            accepted.gaps.extend(event.detail.split(' ').filter_map(Gap::read));
            accepted.breaks.extend(named);
        }
    }
    Ok(accepted)
}
