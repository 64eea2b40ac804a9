//! Removes the Secrets of a sync: only those that are ours, with the UID that was just read as a precondition.

use super::plan;
use crate::integrations::context::Context;
use crate::integrations::deployments::deployment::Deployment;
use crate::integrations::deployments::faults::{Fault, not_open, stopped};
use crate::integrations::deployments::mark::{Made, Mark};
use crate::integrations::deployments::remove::{Doomed, End};
use crate::integrations::deployments::state::{Outcome, State};
use crate::integrations::deployments::survey::version;
use crate::integrations::progress::Step;
use crate::integrations::scan::Gap;
use crate::providers::kubernetes::Cluster;

const STEP: Step = Step::REMOVING;

/// Removes what the sync made. What can't be removed does not cost the rest.
pub async fn remove(way: &dyn Deployment, cx: &Context<'_>, mark: &Mark) -> Result<Outcome, Gap> {
    let work = async {
        cx.report.step(Step::SIGNING_IN);
        let cluster = way.open(cx).await.map_err(not_open)?;
        let version = version(&cluster, STEP).await.map_err(Fault::gap)?;
        all(&cluster, cx, mark, version).await
    };
    cx.stop.run_until_cancelled(work).await.unwrap_or_else(|| Err(stopped(STEP)))
}

async fn all(cluster: &Cluster, cx: &Context<'_>, mark: &Mark, version: String) -> Result<Outcome, Gap> {
    let mut state = State { cluster_version: version, removed: true, ..State::default() };
    let (candidates, doomed) = (plan::may_make(cx.settings, mark), Doomed { cluster, cx, mark });
    cx.report.parts(STEP, candidates.len(), 0);
    let (mut first, mut gone) = (None, 0);
    for made in &candidates {
        let end = doomed.remove(&made.object()).await;
        if !matches!(end, Ok(End::Gone | End::Stays(_))) {
            state.removed = false;
            state.made.extend(kept(mark, made));
        }
        match end {
            Ok(end) => {
                gone += 1;
                state.trouble.extend(end.sentence());
            }
            Err(fault) => {
                state.trouble.push(fault.sentence());
                first.get_or_insert(fault);
            }
        }
        cx.report.part(STEP, 0, 0);
    }
    match first {
        Some(fault) if gone == 0 => Err(fault.gap()),
        _ => Ok(Outcome { state, ..Outcome::default() }),
    }
}

fn kept(mark: &Mark, made: &Made) -> Option<Made> {
    mark.recorded(&made.object()).cloned()
}
