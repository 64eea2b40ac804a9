//! The line to one registry and its token server: a few requests at once, patience when they are throttled or a fault
//! passes, and an end to all of it. What is asked is in [`super::session`].

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use reqwest::Request;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use super::session::Ask;
use crate::providers::ProviderError;
use crate::providers::egress::{Answer, Client};
use crate::providers::patience::{MOST_WAITING, Observer, Patience, Pause, is_throttled, retry_after};

/// Requests under way at once, over all tasks of one scan.
pub const AT_ONCE: usize = 8;
/// One request is sent this often after passing faults, and this often where the registry throttles and does not say
/// for how long: for two minutes, with growing pauses.
const ATTEMPTS: u32 = 5;
const THROTTLED_ATTEMPTS: u32 = 9;
const FIRST_PAUSE: Duration = Duration::from_millis(500);
/// Throttling that asks for this long a pause is borne for as long as there is time; a shorter one, a few times.
const REAL_PAUSE: Duration = Duration::from_secs(1);

pub(super) struct Line {
    client: Client,
    stop: CancellationToken,
    permits: Semaphore,
    patience: Patience,
    /// There was an answer: from then on a broken connection may pass.
    answered: AtomicBool,
    /// Why nothing more is asked.
    given_up: OnceLock<ProviderError>,
}

impl Line {
    /// Cancelling `stop` ends every call with [`ProviderError::Stopped`].
    pub fn new(client: Client, stop: CancellationToken) -> Self {
        Self {
            client,
            stop,
            permits: Semaphore::new(AT_ONCE),
            patience: Patience::new(MOST_WAITING),
            answered: AtomicBool::new(false),
            given_up: OnceLock::new(),
        }
    }

    /// Tells when everybody waits.
    pub fn tell(&mut self, observer: Observer) {
        self.patience = Patience::new(MOST_WAITING).told_to(observer);
    }

    /// Asks another server once, and shows it no certificate of ours.
    pub async fn ask_elsewhere(&self, request: Request, kind: Ask) -> Result<Answer, ProviderError> {
        let client = self.client.without_identity()?;
        let work = async {
            let _permit = self.permits.acquire().await.map_err(|_| ProviderError::Stopped)?;
            client.send(request, kind.limit).await
        };
        self.stop.run_until_cancelled(work).await.unwrap_or(Err(ProviderError::Stopped))
    }

    /// Sends, waits and sends again: as long as the registry asks for, and a few times after a passing fault. A list is
    /// waited for longer. Holding the permit meanwhile slows down the other tasks too, as is wanted then.
    pub async fn send(&self, request: impl Fn() -> Request, kind: Ask) -> Result<Answer, ProviderError> {
        let ask = || async {
            if let Some(cause) = self.given_up.get() {
                return (Err(cause.clone()), false);
            }
            let mut request = request();
            if kind.is_list {
                self.client.allow_time(&mut request);
            }
            let result = match kind.may_lead {
                true => self.client.send_or_lead(request, kind.limit).await,
                false => self.client.send(request, kind.limit).await,
            };
            let is_first = !self.answered.fetch_or(result.is_ok(), Ordering::Relaxed);
            (result, is_first)
        };
        let again = |(result, is_first): &(Result<Answer, ProviderError>, bool), answers| {
            next_pause(result, *is_first, answers)
        };
        let work = async {
            let _permit = self.permits.acquire().await.map_err(|_| ProviderError::Stopped)?;
            let (result, _) = self.patience.ask(ask, again).await;
            self.at_last(result)
        };
        self.stop.run_until_cancelled(work).await.unwrap_or(Err(ProviderError::Stopped))
    }

    /// The answer that is not asked for again. A registry that still throttles then is asked for nothing more.
    fn at_last(&self, result: Result<Answer, ProviderError>) -> Result<Answer, ProviderError> {
        match result {
            Ok(answer) if is_throttled(&answer) => {
                let retry_after = retry_after(&answer).map(|asked| asked.as_secs());
                let cause = ProviderError::Throttled { retry_after };
                Err(self.given_up.get_or_init(|| cause).clone())
            }
            other => other,
        }
    }
}

/// What to wait for where trying again may help; `None` where it does not. `is_first`: nothing has answered there before.
fn next_pause(result: &Result<Answer, ProviderError>, is_first: bool, answers: u32) -> Option<Pause> {
    let asked = match result {
        Ok(answer) if is_throttled(answer) || matches!(answer.status, 502..=504) => retry_after(answer),
        Err(ProviderError::Unreachable { .. } | ProviderError::Dropped { .. } | ProviderError::Broken { .. }) => None,
        _ => return None,
    };
    let throttled = result.as_ref().is_ok_and(is_throttled);
    let asked_for_real = asked.is_some_and(|asked| asked >= REAL_PAUSE);
    let most = match result {
        // An address where nothing has answered yet is rather wrong than away for a moment.
        Err(_) if is_first => 2,
        Ok(_) if throttled && asked_for_real => u32::MAX,
        Ok(_) if throttled && asked.is_none() => THROTTLED_ATTEMPTS,
        _ => ATTEMPTS,
    };
    let pause = Pause::after(answers, asked, FIRST_PAUSE).of_all(throttled || asked_for_real);
    (answers < most).then_some(pause)
}
