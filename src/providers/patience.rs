//! Patience with a service that is busy: what it asks for (`Retry-After`), how much waiting one run does in all, and the
//! one loop that asks again. After which answers, how often and how long each waits stands with each caller.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use chrono::{DateTime, Utc};
use tokio::time::Instant;

use super::clock;
use super::egress::Answer;

/// A number of seconds from here up is a moment of the Unix clock: no service asks for a pause of ten years.
const UNIX_TIME: u64 = 10 * 365 * 24 * 3600;
/// And from here up it is one in milliseconds.
const UNIX_MILLISECONDS: u64 = 100_000_000_000;
/// No service means a longer pause than a year: such a value is a mistake and counts as unreadable.
const LONGEST: Duration = Duration::from_secs(365 * 24 * 3600);

/// The pause that an answer asks for (RFC 9110, section 10.2.3): seconds or a date; also a moment of the Unix clock,
/// as Docker Hub sends it in `X-Retry-After`, and GitHub in `X-RateLimit-Reset`. Moments are held against the
/// answer's own `Date`, else against this machine's clock. One that has passed is no pause; `None` when nothing is
/// asked for that can be read.
pub fn retry_after(answer: &Answer) -> Option<Duration> {
    let reset = || answer.header("x-ratelimit-reset").filter(|_| is_spent(answer));
    let text = answer.header("retry-after").or_else(|| answer.header("x-retry-after")).or_else(reset)?.trim();
    let date = |text: &str| DateTime::parse_from_rfc2822(text).ok().map(|at| at.timestamp());
    let now = || answer.header("date").and_then(date).unwrap_or_else(|| clock::now().timestamp());
    let until = |moment: i64| u64::try_from(moment.saturating_sub(now())).unwrap_or(0);
    let seconds = match text.parse::<u64>() {
        Ok(seconds) if seconds < UNIX_TIME => seconds,
        Ok(moment) if moment >= UNIX_MILLISECONDS => until(i64::try_from(moment / 1000).ok()?),
        Ok(moment) => until(i64::try_from(moment).ok()?),
        Err(_) => until(date(text)?),
    };
    Some(Duration::from_secs(seconds)).filter(|pause| *pause <= LONGEST)
}

/// Whether an answer refuses since too much was asked. GitHub says so by a 403, too.
/// <https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api#exceeding-the-rate-limit>
pub fn is_throttled(answer: &Answer) -> bool {
    let limited = || is_spent(answer) || answer.header("retry-after").is_some();
    answer.status == 429 || (answer.status == 403 && limited())
}

fn is_spent(answer: &Answer) -> bool {
    answer.header("x-ratelimit-remaining") == Some("0")
}

/// All waiting of one scan.
pub const MOST_WAITING: Duration = Duration::from_secs(15 * 60);

/// A pause of all tasks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wait {
    pub until: DateTime<Utc>,
    /// The service asked for this pause; else Strongroom chose its length.
    pub asked: bool,
}

/// What is waited for before the same is asked again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pause {
    pub length: Duration,
    /// The service asked for this pause; else Strongroom chose its length.
    pub asked: bool,
    /// All tasks wait, not only the one that was answered.
    pub concerns_all: bool,
}

impl Pause {
    /// As long as the service asks for; else `first`, and twice as long after each further answer. `answers` counts from
    /// one. It concerns the task alone.
    pub fn after(answers: u32, asked: Option<Duration>, first: Duration) -> Self {
        let chosen = || first.saturating_mul(2_u32.saturating_pow(answers.saturating_sub(1)));
        Self { length: asked.unwrap_or_else(chosen), asked: asked.is_some(), concerns_all: false }
    }

    /// The same for all tasks, if `concerns_all`.
    #[must_use]
    pub fn of_all(self, concerns_all: bool) -> Self {
        Self { concerns_all, ..self }
    }
}

/// Called when all tasks begin to wait; with `None` when the wait is over.
pub type Observer = Box<dyn Fn(Option<Wait>) + Send + Sync>;

/// How long one run waits for its service in all, however many of its tasks wait at the same time.
pub struct Patience {
    limit: Duration,
    state: Mutex<State>,
    observer: Option<Observer>,
}

#[derive(Default)]
struct State {
    /// Nobody asks before this moment.
    closed_until: Option<Instant>,
    /// The service asked for the pause that ends then.
    asked: bool,
    /// The end of the last pause that was booked, of one task or of all.
    booked_until: Option<Instant>,
    used: Duration,
}

impl Patience {
    /// `limit` is the sum of all pauses; pauses at the same time count once.
    pub fn new(limit: Duration) -> Self {
        Self { limit, state: Mutex::default(), observer: None }
    }

    /// The same, telling when everybody waits.
    #[must_use]
    pub fn told_to(self, observer: Observer) -> Self {
        Self { observer: Some(observer), ..self }
    }

    /// Asks, and asks again after each pause that `again` names for an answer, as long as there is time for it. The last
    /// answer. `again` also gets the number of answers so far.
    pub async fn ask<T, F: Future<Output = T>>(
        &self,
        ask: impl Fn() -> F,
        again: impl Fn(&T, u32) -> Option<Pause>,
    ) -> T {
        let mut answers = 0_u32;
        loop {
            self.open().await;
            let answer = ask().await;
            answers = answers.saturating_add(1);
            let waited = match again(&answer, answers) {
                None => false,
                Some(pause) if pause.concerns_all => self.pause_all(pause.length, pause.asked).await,
                Some(pause) => self.pause(pause.length).await,
            };
            if !waited {
                return answer;
            }
        }
    }

    /// Waits for one task alone; `false`, at once, when that is more than is left.
    pub async fn pause(&self, pause: Duration) -> bool {
        let now = Instant::now();
        if !self.book(now, pause) {
            return false;
        }
        tokio::time::sleep_until(now + pause).await;
        true
    }

    /// Makes all tasks wait, beginning with the caller; `false`, at once, when that is more than is left. `asked`: the
    /// service asked for it.
    pub async fn pause_all(&self, pause: Duration, asked: bool) -> bool {
        let now = Instant::now();
        if !self.book(now, pause) {
            return false;
        }
        {
            let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
            if state.closed_until.is_none_or(|until| until < now + pause) {
                (state.closed_until, state.asked) = (Some(now + pause), asked);
            }
        }
        self.open().await;
        true
    }

    /// Returns when nobody has to wait.
    pub async fn open(&self) {
        while let Some((until, asked)) = self.closed() {
            if let Some(observer) = &self.observer {
                let left = until.saturating_duration_since(Instant::now());
                let until = clock::now() + chrono::Duration::from_std(left).unwrap_or_default();
                observer(Some(Wait { until, asked }));
            }
            tokio::time::sleep_until(until).await;
            if self.closed().is_none()
                && let Some(observer) = &self.observer
            {
                observer(None);
            }
        }
    }

    /// When the pause of all tasks ends, and whether the service asked for it; `None` without a pause.
    fn closed(&self) -> Option<(Instant, bool)> {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.closed_until.filter(|until| *until > Instant::now()).map(|until| (until, state.asked))
    }

    /// Takes the part of the pause that is not booked yet from what is left.
    fn book(&self, now: Instant, pause: Duration) -> bool {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        // A pause that no clock can hold is longer than any limit.
        let Some(until) = now.checked_add(pause).filter(|_| pause <= self.limit) else { return false };
        let begin = state.booked_until.map_or(now, |booked| booked.max(now));
        let used = state.used + until.saturating_duration_since(begin);
        if used > self.limit {
            return false;
        }
        state.used = used;
        state.booked_until = state.booked_until.max(Some(until));
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use reqwest::header::{HeaderMap, HeaderValue};

    fn asked(retry_after: &str, date: Option<&str>) -> Option<u64> {
        let mut headers = HeaderMap::new();
        headers.insert("retry-after", HeaderValue::from_str(retry_after).unwrap());
        if let Some(date) = date {
            headers.insert("date", HeaderValue::from_str(date).unwrap());
        }
        let answer = Answer { status: 429, headers, body: Vec::new() };
        super::retry_after(&answer).map(|pause| pause.as_secs())
    }

    #[test]
    fn a_pause_is_read_as_seconds_as_a_date_and_as_a_unix_time() {
        let date = Some("Wed, 21 Oct 2026 07:28:00 GMT");
        assert_eq!(asked(" 60 ", None), Some(60));
        assert_eq!(asked("Wed, 21 Oct 2026 07:28:40 GMT", date), Some(40));
        assert_eq!(asked("1792567720", date), Some(40));
        assert_eq!(asked("1792567720000", date), Some(40));
        assert_eq!(asked("Wed, 21 Oct 2026 07:00:00 GMT", date), Some(0), "it has passed");
        assert_eq!(asked("1600000000", None), Some(0), "it has passed");
        let soon = (clock::now().timestamp() + 30).to_string();
        assert!((29..=30).contains(&asked(&soon, None).unwrap()));
        for unreadable in ["", "soon", "-1", "99999999999999999999", "1.5", "5000000000", "31536001"] {
            assert_eq!(asked(unreadable, None), None, "{unreadable}");
        }
    }

    #[test]
    fn the_headers_of_docker_hub_and_github_ask_for_a_pause_too() {
        let answer = |status, pairs: &[(&'static str, &'static str)]| {
            let pairs = pairs.iter().map(|(name, value)| ((*name).parse().unwrap(), HeaderValue::from_static(value)));
            Answer { status, headers: pairs.collect::<HeaderMap>(), body: Vec::new() }
        };
        let date = ("date", "Wed, 21 Oct 2026 07:28:00 GMT");
        let pause = |answer: &Answer| super::retry_after(answer).map(|pause| pause.as_secs());
        assert_eq!(pause(&answer(429, &[date, ("x-retry-after", "1792567720")])), Some(40));
        let spent = answer(403, &[date, ("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "1792567700")]);
        assert_eq!((is_throttled(&spent), pause(&spent)), (true, Some(20)));
        let denied = answer(403, &[date, ("x-ratelimit-remaining", "4999"), ("x-ratelimit-reset", "1792567700")]);
        assert_eq!((is_throttled(&denied), pause(&denied)), (false, None));
    }

    #[test]
    fn pauses_at_the_same_time_count_once_and_the_sum_is_bounded() {
        let (patience, now, second) = (Patience::new(Duration::from_secs(10)), Instant::now(), Duration::from_secs(1));
        assert!(patience.book(now, 6 * second));
        assert!(patience.book(now, 6 * second) && patience.book(now + second, 5 * second), "these wait anyway");
        assert!(!patience.book(now + 20 * second, 5 * second), "eleven in all");
        assert!(patience.book(now + 20 * second, 4 * second));
        assert!(!patience.book(now + 40 * second, second));
        assert!(!patience.book(now, Duration::MAX));
    }
}
