//! What this process remembers of the audit trail: where each lane ended, which version each row had, and what is
//! broken. It lies in the process's own memory, so that nobody takes it back by changing the database. What reads the
//! trail is in `models::follow`, what writes it in `models::events`.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// A place where the chain of a lane does not hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Break {
    pub lane: i16,
    /// The first event that is not what was written, or is missing.
    pub seq: i64,
    /// The event from which the chain goes on.
    pub on: i64,
    /// The link that the chain goes on from; of an event that stands there unproven, a keyed check over all of it.
    pub link: Vec<u8>,
}

/// As `audit accept` records it: `lane:event:event it goes on from:link`.
impl fmt::Display for Break {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}:{}", self.lane, self.seq, self.on, hex::encode(&self.link))
    }
}

impl Break {
    /// Reads what [`Display`](fmt::Display) writes.
    pub fn read(text: &str) -> Option<Self> {
        let mut parts = text.splitn(4, ':');
        let (lane, seq, on, link) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
        let link = hex::decode(link).ok()?;
        Some(Self { lane: lane.parse().ok()?, seq: seq.parse().ok()?, on: on.parse().ok()?, link })
    }

    /// For people.
    pub fn place(&self) -> String {
        format!("lane {} at event {}", self.lane, self.seq)
    }

    fn is_at(&self, other: &Self) -> bool {
        (self.lane, self.seq) == (other.lane, other.seq)
    }
}

/// The last event of a lane.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct End {
    pub seq: i64,
    pub link: Vec<u8>,
}

/// The two latest versions of a row, and when this process came to know each. Rows that were never changed cannot be
/// put back, so only versions above 1 are kept: some 100 bytes a row.
#[derive(Clone, Copy, Debug)]
struct Known {
    version: i64,
    at: Instant,
    before: Option<(i64, Instant)>,
}

#[derive(Debug, Default)]
struct State {
    ends: HashMap<i16, End>,
    versions: HashMap<Uuid, Known>,
    /// Found when the console started, and accepted by nobody: it holds the store.
    holding: Vec<Break>,
    /// Found since.
    found: Vec<Break>,
    /// Tables of the store that are none at this moment: what the database answers of them is somebody's own.
    strange: Vec<String>,
    /// When the trail was last read without an error.
    turned: Option<Instant>,
    /// For how long it was due since, while the database answered other questions.
    missed: Duration,
    /// That was too long.
    stalled: bool,
}

/// Shared by everything that reads or writes rows.
#[derive(Debug, Default)]
pub struct Trail {
    state: Mutex<State>,
    followed: CancellationToken,
    /// Rung when the trail must be looked at at once.
    pub look: Notify,
}

impl Trail {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What a transaction of this process wrote, after its commit, or what was read in a lane.
    pub fn note_end(&self, lane: i16, end: End) {
        let mut state = self.lock();
        if state.ends.get(&lane).is_none_or(|known| known.seq < end.seq) {
            state.ends.insert(lane, end);
        }
    }

    /// After a break: from here on the lane must go on.
    pub fn move_end(&self, lane: i16, end: End) {
        self.lock().ends.insert(lane, end);
    }

    pub fn end(&self, lane: i16) -> Option<End> {
        self.lock().ends.get(&lane).cloned()
    }

    /// Whether a lane may end like this: not before what is known of it.
    pub fn agrees(&self, lane: i16, seq: i64, link: &[u8]) -> bool {
        self.lock().ends.get(&lane).is_none_or(|end| end.seq < seq || (end.seq == seq && end.link == link))
    }

    pub fn note_versions(&self, versions: impl IntoIterator<Item = (Uuid, i64)>) {
        let (mut state, at) = (self.lock(), Instant::now());
        for (subject, version) in versions.into_iter().filter(|(_, version)| *version > 1) {
            let known = state.versions.entry(subject).or_insert(Known { version, at, before: None });
            if version > known.version {
                *known = Known { version, at, before: Some((known.version, known.at)) };
            }
        }
    }

    /// The latest version of a row that this process knew at a moment: what is read of the database later must be as
    /// new. 0 for a row that was never changed, or that this process does not know.
    pub fn latest_version(&self, subject: Uuid, at: Instant) -> i64 {
        let known = self.lock().versions.get(&subject).copied();
        let Some(known) = known else { return 0 };
        let before = known.before.filter(|(_, noted)| *noted <= at).map_or(0, |(version, _)| version);
        if known.at <= at { known.version } else { before }
    }

    /// What was found; `first`: while the trail was read for the first time, so that nothing of it is to be relied on.
    pub fn note_break(&self, found: Break, first: bool) {
        let mut state = self.lock();
        let list = if first { &mut state.holding } else { &mut state.found };
        if list.len() < MOST_KEPT {
            list.push(found);
        }
    }

    /// The operator has accepted these.
    pub fn accept(&self, accepted: &[Break]) {
        let mut state = self.lock();
        let State { holding, found, .. } = &mut *state;
        for list in [holding, found] {
            list.retain(|at| !accepted.iter().any(|other| other.is_at(at)));
        }
    }

    /// Whether no secret is used and nothing is changed: because the trail was broken before this console started, or
    /// because it cannot be followed now.
    pub fn is_held(&self) -> bool {
        let state = self.lock();
        !state.holding.is_empty() || !state.strange.is_empty() || state.stalled
    }

    /// The trail was read, so nothing is due.
    pub fn note_turn(&self) {
        let mut state = self.lock();
        (state.turned, state.missed, state.stalled) = (Some(Instant::now()), Duration::ZERO, false);
    }

    /// How long ago the trail was read; zero before the first time.
    pub fn since_turn(&self) -> Duration {
        self.lock().turned.map_or(Duration::ZERO, |turned| turned.elapsed())
    }

    /// The trail was due and was not read for a further `time`, though the database answered something else meanwhile.
    pub fn note_missed(&self, time: Duration, patience: Duration) {
        let mut state = self.lock();
        state.missed += time;
        state.stalled |= state.missed >= patience;
    }

    /// Whether the database answers, and not about the trail.
    pub fn is_stalled(&self) -> bool {
        self.lock().stalled
    }

    /// Tables of the store that are none at this moment, by name. Returns whether others were known before.
    pub fn set_strange(&self, tables: Vec<String>) -> bool {
        let mut state = self.lock();
        let before = std::mem::replace(&mut state.strange, tables);
        before != state.strange
    }

    /// The trail was read to its end for the first time.
    pub fn end_first(&self) {
        self.followed.cancel();
    }

    pub fn is_followed(&self) -> bool {
        self.followed.is_cancelled()
    }

    /// Waits until the trail was read for the first time.
    pub async fn followed(&self) {
        self.followed.cancelled().await;
    }

    /// Whole sentences for every page: what is broken, what follows from it, and the way out.
    pub fn broken(&self) -> Option<String> {
        let state = self.lock();
        if !state.holding.is_empty() {
            return Some(format!(
                "The audit trail was altered before this console started: {}. No secret is used and nothing is changed. \
                 Compare the store with a backup or with heads of the trail that were kept elsewhere, and put the backup \
                 back, or accept the break with the command “strongroom audit accept”.",
                places(&state.holding)
            ));
        }
        if !state.strange.is_empty() {
            return Some(format!(
                "Someone has replaced tables of the database, tied rules or other tables to them, or made look-alikes of \
                 built-in operators or functions: {}. What the database answers is not to be relied on, so no secret is \
                 used and nothing is changed. Find out who can change the database, and undo it; the console then goes \
                 on by itself.",
                state.strange.join(", ")
            ));
        }
        if state.stalled {
            return Some(
                "The database answers, but the audit trail could not be read for too long. No secret is used and nothing \
                 is changed until it is read again. The log says what the database answered. Find out who can change the \
                 database."
                    .to_owned(),
            );
        }
        (!state.found.is_empty()).then(|| {
            format!(
                "The audit trail was altered or rolled back while this console ran: {}. The Alerts page says what was \
                 found. Find out who can write to the database, compare it with a backup, and then restart the console.",
                places(&state.found)
            )
        })
    }
}

/// More breaks than these tell nothing more, and fill memory.
const MOST_KEPT: usize = 1_000;
/// At most so many places are named; the log names all.
const MOST: usize = 3;

fn places(breaks: &[Break]) -> String {
    let named: Vec<String> = breaks.iter().take(MOST).map(Break::place).collect();
    match breaks.len().saturating_sub(MOST) {
        0 => named.join(", "),
        more => format!("{} and {more} more", named.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_counts_for_what_begins_after_it_was_noted() {
        let (trail, row, start) = (Trail::default(), Uuid::from_u128(1), Instant::now());
        trail.note_versions([(row, 2)]);
        let between = Instant::now();
        trail.note_versions([(row, 3)]);
        assert_eq!(trail.latest_version(row, start), 0);
        assert_eq!(trail.latest_version(row, between), 2);
        assert_eq!(trail.latest_version(row, Instant::now()), 3);
        trail.note_versions([(row, 2)]);
        assert_eq!(trail.latest_version(row, Instant::now()), 3);
    }

    #[test]
    fn a_lane_does_not_end_before_what_is_known_of_it() {
        let trail = Trail::default();
        trail.note_end(3, End { seq: 5, link: vec![5] });
        trail.note_end(3, End { seq: 4, link: vec![4] });
        assert!(trail.agrees(3, 5, &[5]) && trail.agrees(3, 6, &[6]) && trail.agrees(4, 0, &[]));
        assert!(!trail.agrees(3, 5, &[6]) && !trail.agrees(3, 4, &[4]));
    }

    #[test]
    fn a_break_holds_the_store_until_it_is_accepted() {
        let trail = Trail::default();
        let found = Break { lane: 3, seq: 40, on: 41, link: vec![7, 8] };
        assert_eq!(Break::read(&found.to_string()), Some(found.clone()));
        trail.note_break(Break { seq: 41, ..found.clone() }, false);
        assert!(!trail.is_held() && trail.broken().is_some_and(|text| text.contains("lane 3 at event 41")));
        trail.note_break(found.clone(), true);
        assert!(trail.is_held() && trail.broken().is_some_and(|text| text.contains("audit accept")));
        trail.accept(&[found.clone(), Break { seq: 41, ..found }]);
        assert!(!trail.is_held() && trail.broken().is_none());
    }
}
