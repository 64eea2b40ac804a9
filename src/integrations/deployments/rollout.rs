//! Waits for a rollout and counts the nodes whose pod is updated and available. Ends when all are, after 30 seconds
//! without progress if pods fail and none is starting, or after ten minutes without progress. The cluster carries on in
//! any case.

use std::time::Duration;

use serde_json::Value;
use tokio::time::Instant;

use super::deployment::Deployment;
use super::faults::{Deed, Fault};
use super::parts::Parts;
use super::state::{Outcome, State};
use super::survey::{Survey, daemon_set};
use crate::integrations::context::Context;
use crate::integrations::progress::Step;
use crate::providers::ProviderError;
use crate::providers::kubernetes::{ApiError, Cluster, Refusal, kinds};

const STEP: Step = Step::ROLLING_OUT;

/// Pause between two checks, at first and later.
const SOON: Duration = Duration::from_secs(1);
const LATER: Duration = Duration::from_secs(5);
/// For this long, a rollout is checked every [`SOON`].
const FRESH: Duration = Duration::from_secs(60);
/// The longest wait without progress while pods fail and none is starting, or no node is selected.
const STUCK: Duration = Duration::from_secs(30);
/// The longest wait without progress in any other case.
const SILENT: Duration = Duration::from_secs(10 * 60);
/// When to sign in again. Shorter than the lifetime of any token: an EKS token lasts 15 minutes.
const SIGNED_IN: Duration = Duration::from_secs(10 * 60);

/// Signs in again: a rollout may outlast a token.
#[derive(Clone, Copy)]
pub(super) struct Opener<'a> {
    pub deployment: &'a dyn Deployment,
    pub cx: &'a Context<'a>,
}

/// When the rollout last made progress.
struct Pace {
    begun: Instant,
    moved: Instant,
    best: (u32, u32),
}

impl Pace {
    fn new() -> Self {
        let now = Instant::now();
        Self { begun: now, moved: now, best: (0, 0) }
    }

    /// Only a new maximum counts as progress, so a pod that keeps restarting does not.
    fn saw(&mut self, progress: (u32, u32)) {
        if progress.0 > self.best.0 || progress.1 > self.best.1 {
            self.best = (self.best.0.max(progress.0), self.best.1.max(progress.1));
            self.moved = Instant::now();
        }
    }

    fn has_stood_for(&self, time: Duration) -> bool {
        self.moved.elapsed() >= time
    }

    fn pause(&self) -> Duration {
        if self.begun.elapsed() < FRESH { SOON } else { LATER }
    }
}

/// Waits, and returns the final state.
pub(super) async fn wait(
    opener: Opener<'_>,
    mut cluster: Cluster,
    parts: &Parts<'_>,
    state: State,
) -> Result<Outcome, Fault> {
    let (mut pace, mut signed_in) = (Pace::new(), Instant::now());
    loop {
        if signed_in.elapsed() >= SIGNED_IN {
            cluster = reopened(opener).await.unwrap_or(cluster);
            signed_in = Instant::now();
        }
        match look(&cluster, parts).await {
            Ok((live, survey)) => {
                // Until then, the numbers are those of the previous revision.
                if survey.daemon_set.is_observed() {
                    pace.saw(survey.daemon_set.progress());
                }
                report(opener.cx, &survey);
                let is_over = survey.daemon_set.is_finished()
                    || live.is_none()
                    || (survey.is_stuck() && pace.has_stood_for(STUCK))
                    || pace.has_stood_for(SILENT);
                if is_over {
                    return end(&cluster, parts, live, state).await;
                }
            }
            Err(fault) if is_over(&fault) || pace.has_stood_for(SILENT) => return Err(fault),
            Err(fault) => {
                if fault.error == ApiError::Refused(Refusal::Unauthorized) {
                    // If the new login is refused too, stop.
                    cluster = reopened(opener).await.ok_or(fault)?;
                    look(&cluster, parts).await?;
                }
            }
        }
        tokio::time::sleep(pace.pause()).await;
    }
}

async fn reopened(opener: Opener<'_>) -> Option<Cluster> {
    opener.deployment.open(opener.cx).await.ok()
}

/// Whether to stop at this error. An API server that is briefly unavailable is waited for.
fn is_over(fault: &Fault) -> bool {
    match &fault.error {
        ApiError::Refused(Refusal::Unauthorized) => false,
        ApiError::Refused(_) => true,
        ApiError::Call(ProviderError::ServerError { .. } | ProviderError::Throttled { .. }) => false,
        ApiError::Call(error) => !error.is_silence(),
    }
}

async fn look(cluster: &Cluster, parts: &Parts<'_>) -> Result<(Option<Value>, Survey), Fault> {
    let object = daemon_set(parts);
    let live = cluster.find(&kinds::DAEMON_SET, &object.namespace, &object.name).await;
    let live = live.map_err(|error| Fault::new(STEP, &object, Deed::Read, error))?;
    let survey = Survey::of(cluster, parts, live.as_ref(), STEP, false).await?;
    Ok((live, survey))
}

fn report(cx: &Context<'_>, survey: &Survey) {
    let (updated, available) = survey.daemon_set.progress();
    cx.report.reached(STEP, updated.min(available), survey.daemon_set.desired());
}

async fn end(cluster: &Cluster, parts: &Parts<'_>, live: Option<Value>, state: State) -> Result<Outcome, Fault> {
    let survey = Survey::of(cluster, parts, live.as_ref(), STEP, true).await?;
    let (scan, mut state) = survey.told(parts, state);
    if live.is_none() {
        state.trouble.push("Someone deleted the DaemonSet during the rollout.".to_owned());
    } else if !state.finished && state.trouble.is_empty() {
        state.trouble.push("The rollout has made no progress for ten minutes. The cluster keeps trying.".to_owned());
    }
    Ok(Outcome { scan, state })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pod_that_comes_and_goes_is_no_progress() {
        let begun = Instant::now();
        let mut pace = Pace { begun, moved: begun, best: (0, 0) };
        pace.saw((1, 2));
        pace.moved = begun.checked_sub(STUCK).expect("a machine that has run for a while");
        pace.saw((1, 1));
        pace.saw((1, 2));
        assert!(pace.has_stood_for(STUCK));
        pace.saw((2, 2));
        assert!(!pace.has_stood_for(STUCK));
        assert_eq!(pace.pause(), SOON);
        pace.begun = begun.checked_sub(FRESH).expect("a machine that has run for a while");
        assert_eq!(pace.pause(), LATER);
    }
}
