//! Waiting for a roll-out: by nodes, as far as pods come up. It ends when all is done, when nothing more will happen by
//! itself, or after ten minutes without progress. The cluster goes on without us in any case.

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

/// Between two looks, at first and later.
const SOON: Duration = Duration::from_secs(1);
const LATER: Duration = Duration::from_secs(5);
/// For so long a roll-out is looked at often.
const FRESH: Duration = Duration::from_secs(60);
/// Without progress, while pods fail and none starts.
const STUCK: Duration = Duration::from_secs(30);
/// Without progress, however it looks.
const SILENT: Duration = Duration::from_secs(10 * 60);
/// Shorter than the life of any token: EKS gives 15 minutes.
const SIGNED_IN: Duration = Duration::from_secs(10 * 60);

/// How to sign in once more: a roll-out may outlive a token.
#[derive(Clone, Copy)]
pub(super) struct Opener<'a> {
    pub deployment: &'a dyn Deployment,
    pub cx: &'a Context<'a>,
}

/// When something was last seen to happen.
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

    /// Only more than ever before counts: a pod that comes and goes is no progress.
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

/// Waits, and says how it stands at the end.
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
                // Before that the numbers are those of the revision before.
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
                    // A second refusal ends it.
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

/// Whether waiting helps nothing. An API server that is away for a moment comes back.
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
        state.trouble.push("Somebody deleted the DaemonSet while it was rolled out.".to_owned());
    } else if !state.finished && state.trouble.is_empty() {
        state.trouble.push("Nothing has moved for ten minutes. The cluster goes on by itself.".to_owned());
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
