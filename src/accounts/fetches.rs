//! Answers that clients were given within the last minute. The same question is answered again from memory, without a call
//! to the database, unless a row that the answer was made from has changed. How often it was served is counted, and told to the
//! audit trail when the minute is over. A minute begins with the first answer. Where nobody hears of changes, no answer
//! is kept; the minutes are counted all the same.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use tokio::sync::watch;
use uuid::Uuid;

use super::memory::{Believed, Memory, Ticket};
use crate::integrations::issue::{Delivery, Form, Issued};
use crate::models::announcements::Topic;
use crate::models::client_rules::Source;
use crate::models::events::Actor;
use crate::models::{ClientLoginId, ClientRuleId};
use crate::providers::Failure;

const MINUTE: Duration = Duration::from_secs(60);
/// A provider that failed is not asked again for so long.
const PAUSE: Duration = Duration::from_secs(10);
const BELIEVED: Believed = Believed { heard: MINUTE, unheard: Duration::ZERO };

/// Who fetched what from where.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Use {
    pub login: ClientLoginId,
    pub rule: ClientRuleId,
    /// A rule that was changed meanwhile is another use.
    pub rule_version: i64,
    pub source: Source,
    /// The version of the credential's secret; 0 for an entry of a store.
    pub version: i32,
    pub address: IpAddr,
}

/// As the audit trail says it.
#[derive(Clone, Debug)]
pub struct Said {
    pub actor: Actor,
    /// The subject of the event: its kind (`credential`, or `integration` for a store), its ID and its name.
    pub subject: (&'static str, Uuid, String),
    /// The rule and the login.
    pub detail: String,
}

/// A minute of one use.
#[derive(Debug)]
pub struct Minute {
    pub used: Use,
    pub said: Said,
    until: Instant,
    /// Answers after the first.
    again: AtomicU64,
}

impl Minute {
    fn is_over(&self) -> bool {
        Instant::now() >= self.until
    }

    /// One more answer.
    pub fn count(&self) {
        self.again.fetch_add(1, Ordering::Relaxed);
    }

    /// Answers after the first.
    pub fn again(&self) -> u64 {
        self.again.load(Ordering::Relaxed)
    }
}

/// The answer to a client.
pub struct Fetched {
    pub form: &'static Form,
    /// The version of the credential's secret, or of the entry.
    pub version: i32,
    /// Another one for another rule, a changed one, and other values.
    pub tag: String,
    /// When the secret was stored, or the entry was asked for.
    pub set_at: DateTime<Utc>,
    pub issued: Issued,
    /// How a program is given a value; `None`: as its command line says.
    pub delivery: Option<Delivery>,
}

/// Why nothing is given.
#[derive(Clone, Debug)]
pub struct Failed {
    pub failure: Failure,
    /// Whether the rule says that a program waits until it is given something.
    pub waits: bool,
}

/// An answer, or the provider's failure: that is kept too, so that a failing provider is not asked again at once.
pub type Answer = Result<Arc<Fetched>, Failed>;

/// An answer that may be given again.
struct Kept {
    answer: Answer,
    minute: Arc<Minute>,
    /// The minute, or the token that it was asked with, is over.
    until: Instant,
}

/// The minutes that are under way.
#[derive(Clone, Default)]
pub struct Minutes(Arc<Mutex<HashMap<Use, Arc<Minute>>>>);

impl Minutes {
    /// Whether the audit trail knows of a use already.
    pub fn knows(&self, used: &Use) -> bool {
        self.lock().get(used).is_some_and(|minute| !minute.is_over())
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Use, Arc<Minute>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The memory of this process.
pub struct Fetches {
    answers: Memory<Kept>,
    minutes: Minutes,
    /// Minutes that were over and could not be told.
    untold: Mutex<Vec<Arc<Minute>>>,
    /// Wakes who waits for a change.
    changed: watch::Sender<()>,
    /// The epoch of the answers at the last call of [`Fetches::tell_changes`].
    told: AtomicU64,
}

impl Fetches {
    /// `direct_url` as for [`Memory::new`].
    pub fn new(direct_url: Option<String>) -> Self {
        Self {
            answers: Memory::new(Topic::Clients, direct_url, &BELIEVED),
            minutes: Minutes::default(),
            untold: Mutex::default(),
            changed: watch::Sender::new(()),
            told: AtomicU64::new(0),
        }
    }

    /// Woken soon after anything has changed that an answer stands on, and now and then where nobody hears of changes.
    pub fn changes(&self) -> watch::Receiver<()> {
        self.changed.subscribe()
    }

    /// Wakes who waits, if something has changed since the last call.
    pub fn tell_changes(&self) {
        let epoch = self.answers.epoch();
        if self.told.swap(epoch, Ordering::Relaxed) != epoch {
            self.changed.send_replace(());
        }
    }

    /// Whether changes are announced to this process.
    pub fn hears(&self) -> bool {
        self.answers.hears()
    }

    /// The kept answer to the same question, counted as given once more.
    pub fn again(&self, question: &[u8]) -> Option<Answer> {
        let kept = self.answers.get(question).filter(|kept| Instant::now() < kept.until)?;
        if kept.answer.is_ok() {
            kept.minute.count();
        }
        Some(kept.answer.clone())
    }

    /// Taken before reading the database.
    pub fn ticket(&self) -> Ticket {
        self.answers.ticket()
    }

    /// Keeps an answer for the rest of its minute, and no longer than `left`; a failure for a few seconds.
    pub fn keep(
        &self,
        ticket: Ticket,
        question: Vec<u8>,
        (answer, minute): (Answer, Arc<Minute>),
        left: Option<Duration>,
    ) {
        let pause = answer.is_err().then_some(PAUSE);
        let end = left.into_iter().chain(pause).min().and_then(|left| Instant::now().checked_add(left));
        let until = end.map_or(minute.until, |end| end.min(minute.until));
        self.answers.put(ticket, question, Arc::new(Kept { answer, minute, until }));
    }

    pub fn minutes(&self) -> Minutes {
        self.minutes.clone()
    }

    /// A use that the audit trail knows of begins its minute; if another request began it in the same moment, this one is
    /// one more answer.
    pub fn begin(&self, used: Use, said: Said) -> Arc<Minute> {
        let mut minutes = self.minutes.lock();
        if let Some(minute) = minutes.get(&used).filter(|minute| !minute.is_over()) {
            minute.count();
            return minute.clone();
        }
        let minute = Minute { used: used.clone(), said, until: Instant::now() + MINUTE, again: AtomicU64::new(0) };
        let minute = Arc::new(minute);
        if let Some(before) = minutes.insert(used, minute.clone()) {
            self.untold(vec![before]);
        }
        minute
    }

    /// The minutes that are over, or all: the caller tells the audit trail how often each was answered again.
    pub fn ended(&self, all: bool) -> Vec<Arc<Minute>> {
        self.answers.look();
        let mut ended = std::mem::take(&mut *self.untold.lock().unwrap_or_else(PoisonError::into_inner));
        self.minutes.lock().retain(|_, minute| {
            let over = all || minute.is_over();
            if over {
                ended.push(minute.clone());
            }
            !over
        });
        ended.retain(|minute| minute.again() > 0);
        ended
    }

    /// Minutes that could not be told: they are told with the next.
    pub fn untold(&self, minutes: Vec<Arc<Minute>>) {
        self.untold.lock().unwrap_or_else(PoisonError::into_inner).extend(minutes);
    }

    /// How many answers are kept.
    pub fn len(&self) -> usize {
        self.answers.len()
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Drops every answer: something that one stands on may have changed.
    pub fn forget(&self) {
        self.answers.forget();
        self.changed.send_replace(());
    }
}
