//! Checks the Secrets of a sync for drift. Changes nothing.

use super::facts::IN_SYNC;
use super::item::Entries;
use super::plan::Plan;
use super::survey::{self, failed, item, scan};
use crate::integrations::context::Context;
use crate::integrations::deployments::deployment::Deployment;
use crate::integrations::deployments::faults::{Fault, not_open, stopped};
use crate::integrations::deployments::mark::{Mark, ObjectRef};
use crate::integrations::deployments::preview::ChangeKind;
use crate::integrations::deployments::state::{Outcome, State};
use crate::integrations::deployments::survey::version;
use crate::integrations::progress::Step;
use crate::integrations::scan::Gap;
use crate::providers::kubernetes::Cluster;

const STEP: Step = Step::READING_CLUSTER;

/// State and drift. Changes nothing.
pub async fn observe(way: &dyn Deployment, cx: &Context<'_>, mark: &Mark, entries: &Entries) -> Result<Outcome, Gap> {
    let work = async {
        cx.report.step(Step::SIGNING_IN);
        let cluster = way.open(cx).await.map_err(not_open)?;
        cx.report.step(STEP);
        look(&cluster, &Plan::of(cx, mark, entries), mark).await.map_err(Fault::gap)
    };
    cx.stop.run_until_cancelled(work).await.unwrap_or_else(|| Err(stopped(STEP)))
}

async fn look(cluster: &Cluster, plan: &Plan, mark: &Mark) -> Result<Outcome, Fault> {
    let mut state = State {
        cluster_version: version(cluster, STEP).await?,
        trouble: plan.trouble(),
        restarted: mark.restarted.clone(),
        ..State::default()
    };
    let seen = survey::judge(cluster, plan, mark, STEP).await?;
    let mut items = Vec::new();
    for one in &seen {
        let stands = one.state();
        let is_renewed = one.is_renewed();
        let counts = one.judged.objection.is_none() && !is_renewed;
        state.renew |= is_renewed;
        state.drift.extend(one.judged.drift().into_iter().filter(|_| counts));
        state.trouble.extend(one.judged.objection.as_ref().map(Fault::sentence));
        let is_ours = !matches!(one.judged.kind, ChangeKind::New | ChangeKind::Foreign);
        state.made.extend(one.made().filter(|_| is_ours));
        state.ready += u32::from(stands.0 == IN_SYNC);
        items.push(item(&one.wanted, stands));
    }
    // What could not be judged, and what the next apply deletes, stays recorded.
    let judged = |object: &ObjectRef| seen.iter().any(|one| one.object() == *object && one.judged.objection.is_none());
    state.made.extend(mark.made.iter().filter(|made| !made.uid.is_empty() && !judged(&made.object())).cloned());
    state.made.dedup_by_key(|made| made.object());
    Ok(finished(state, plan, items))
}

/// The outcome with the numbers filled in.
pub(super) fn finished(mut state: State, plan: &Plan, items: Vec<crate::integrations::scan::Item>) -> Outcome {
    let of_items = plan.items.iter().map(|item| item.namespaces.len()).sum::<usize>();
    state.desired = u32::try_from(of_items).unwrap_or(u32::MAX);
    state.finished = state.ready == state.desired && state.drift.is_empty() && state.trouble.is_empty();
    let items = items.into_iter().chain(failed(plan)).collect();
    Outcome { scan: scan(items), state }
}
