//! What was fetched, in memory: a session until shortly before its end, a stored value for moments, after which the
//! console is asked whether it has changed. While the console is away, what is held goes on to be served.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use super::console::{Console, Fetch, Known};
use super::trouble::{Result, Trouble};
use super::wire::{Fetched, Rules, checked_rule};

/// A stored value is served for so long without asking.
const VALUE_FRESH: TimeDelta = TimeDelta::seconds(20);
/// And for so long while the console is away.
const VALUE_KEPT: TimeDelta = TimeDelta::hours(1);
/// Clients of AWS want a new session 15 minutes before the end, so we have one by then.
const RENEW_BEFORE: TimeDelta = TimeDelta::minutes(20);
/// Pause between two attempts to renew a session in the background.
const RENEW_PAUSE: TimeDelta = TimeDelta::seconds(15);
/// A session with less is as good as over.
const LEAST: TimeDelta = TimeDelta::seconds(5);

pub struct Cache {
    console: Console,
    patience: Duration,
    slots: Mutex<HashMap<String, Arc<Slot>>>,
}

#[derive(Default)]
struct Slot {
    /// Locked while the console is asked: many programs share one request.
    held: tokio::sync::Mutex<Option<Held>>,
    renewing: AtomicBool,
}

struct Held {
    fetched: Arc<Fetched>,
    known: Known,
    got: DateTime<Utc>,
    /// When the console was last asked, whether it answered or not.
    asked: DateTime<Utc>,
}

#[derive(Debug, PartialEq)]
enum State {
    Fresh,
    /// Good, but to be renewed in the background.
    Aging,
    /// Ask; good if the console is away.
    Doubtful,
    Over,
}

impl Held {
    fn state(&self, now: DateTime<Utc>) -> State {
        let Some(end) = self.fetched.expires_at else {
            return match now - self.asked {
                since if since < VALUE_FRESH => State::Fresh,
                _ if now - self.got < VALUE_KEPT => State::Doubtful,
                _ => State::Over,
            };
        };
        let (left, life) = (end - now, end - self.got);
        match left {
            left if left < LEAST => State::Over,
            left if left < RENEW_BEFORE.min(life / 2) && now - self.asked > RENEW_PAUSE => State::Aging,
            _ => State::Fresh,
        }
    }
}

impl Cache {
    pub fn new(console: Console, patience: Duration) -> Self {
        Self { console, patience, slots: Mutex::default() }
    }

    pub fn console(&self) -> &Console {
        &self.console
    }

    pub async fn rules(&self) -> Result<Rules> {
        patiently(self.patience, || self.console.rules()).await
    }

    pub async fn get(self: &Arc<Self>, rule: &str) -> Result<Arc<Fetched>> {
        let slot = self.slot(checked_rule(rule)?);
        let mut held = slot.held.lock().await;
        let state = held.as_ref().map_or(State::Over, |held| held.state(Utc::now()));
        match (&*held, &state) {
            (Some(held), State::Fresh) => return Ok(held.fetched.clone()),
            (Some(held), State::Aging) => {
                self.renew_later(rule, &slot);
                return Ok(held.fetched.clone());
            }
            _ => {}
        }
        if state == State::Over {
            *held = None;
        }
        self.ask(rule, &mut held).await
    }

    /// The same, asked of the console however fresh it is.
    pub async fn get_anew(&self, rule: &str) -> Result<Arc<Fetched>> {
        let slot = self.slot(checked_rule(rule)?);
        let mut held = slot.held.lock().await;
        self.ask(rule, &mut held).await
    }

    /// Asks the console, and keeps what it says.
    async fn ask(&self, rule: &str, held: &mut Option<Held>) -> Result<Arc<Fetched>> {
        let known = held.as_ref().map(|held| held.known.clone());
        // Who can be served from memory does not wait for long.
        let patience = if known.is_some() { Duration::ZERO } else { self.patience };
        let answered = patiently(patience, || self.console.fetch(rule, known.as_ref())).await;
        let now = Utc::now();
        match (answered, held.as_mut()) {
            (Ok(Fetch::Same), Some(held)) => (held.got, held.asked) = (now, now),
            (Ok(Fetch::New { fetched, path, etag }), _) => {
                let known = Known { path, etag };
                *held = Some(Held { fetched, known, got: now, asked: now });
            }
            (Err(trouble), Some(held)) if trouble.passes() => held.asked = now,
            (Err(trouble), _) => {
                *held = None;
                return Err(trouble);
            }
            (Ok(Fetch::Same), None) => {}
        }
        let nothing =
            || Trouble::Unavailable { detail: "it says that nothing has changed, but nothing was known".into() };
        held.as_ref().map(|held| held.fetched.clone()).ok_or_else(nothing)
    }

    fn renew_later(self: &Arc<Self>, rule: &str, slot: &Arc<Slot>) {
        if slot.renewing.swap(true, Ordering::AcqRel) {
            return;
        }
        let (cache, slot, rule) = (self.clone(), slot.clone(), rule.to_owned());
        tokio::spawn(async move {
            let mut held = slot.held.lock().await;
            // Unchanged is not what a session is asked for.
            if let Some(held) = held.as_mut() {
                held.known.etag = None;
            }
            let _ = cache.ask(&rule, &mut held).await;
            slot.renewing.store(false, Ordering::Release);
        });
    }

    fn slot(&self, rule: &str) -> Arc<Slot> {
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        slots.entry(rule.to_owned()).or_default().clone()
    }
}

/// Tries again while the console is away, with growing pauses of random length.
async fn patiently<T, F>(patience: Duration, mut attempt: impl FnMut() -> F) -> Result<T>
where
    F: Future<Output = Result<T>>,
{
    let start = std::time::Instant::now();
    let mut pause = Duration::from_millis(200);
    loop {
        let ended = attempt().await;
        let wait = match &ended {
            Err(Trouble::TooOften { wait: Some(wait) }) => *wait,
            Err(Trouble::TooOften { .. } | Trouble::Away { .. } | Trouble::Unavailable { .. }) => jittered(pause),
            _ => return ended,
        };
        if start.elapsed() + wait > patience {
            return ended;
        }
        tokio::time::sleep(wait).await;
        pause = (pause * 2).min(Duration::from_secs(3));
    }
}

/// Between half and one and a half of it.
pub fn jittered(pause: Duration) -> Duration {
    let mut byte = [128];
    let _ = getrandom::fill(&mut byte);
    pause / 2 + pause * u32::from(byte[0]) / 255
}

#[cfg(test)]
mod tests {
    use super::super::wire::Path;
    use super::*;

    fn held(minutes: Option<i64>) -> Held {
        let now = Utc::now();
        let expires_at = minutes.map(|minutes| now + TimeDelta::minutes(minutes));
        let fetched =
            Fetched { form: String::new(), version: 1.into(), data: Default::default(), expires_at, delivery: None };
        let known = Known { path: Path::Sessions, etag: None };
        Held { fetched: Arc::new(fetched), known, got: now, asked: now }
    }

    #[test]
    fn a_session_is_renewed_before_its_end_and_served_until_it() {
        let session = held(Some(60));
        let after = |minutes| session.state(session.got + TimeDelta::minutes(minutes));
        assert_eq!(
            [after(0), after(39), after(41), after(59), after(60)],
            [State::Fresh, State::Fresh, State::Aging, State::Aging, State::Over]
        );
        let short = held(Some(10));
        assert_eq!(short.state(short.got + TimeDelta::minutes(4)), State::Fresh);
        assert_eq!(short.state(short.got + TimeDelta::minutes(6)), State::Aging);
    }

    #[test]
    fn a_value_is_asked_for_again_within_a_minute() {
        let value = held(None);
        let after = |seconds| value.state(value.got + TimeDelta::seconds(seconds));
        assert_eq!([after(10), after(30), after(4000)], [State::Fresh, State::Doubtful, State::Over]);
    }

    #[test]
    fn pauses_differ() {
        let pauses: std::collections::HashSet<_> = (0..20).map(|_| jittered(Duration::from_secs(1))).collect();
        assert!(pauses.len() > 5 && pauses.iter().all(|pause| pause.as_millis() >= 500 && pause.as_millis() <= 1500));
    }
}
