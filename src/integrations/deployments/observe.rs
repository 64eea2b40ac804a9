//! Checks a deployment: status, nodes and drift. Drift is what a dry run of the deployed settings would change. So the
//! API server itself compares, and fields that another manager took from us are found too. Changes nothing.

use super::deployment::Deployment;
use super::faults::{Deed, Fault, not_open, said, stopped};
use super::judge::{Judged, Place};
use super::mark::{Made, Mark, ObjectRef};
use super::namespace::Namespace;
use super::objects::Plan;
use super::parts::Parts;
use super::preview::ChangeKind;
use super::remove::leftovers;
use super::sight::{self, Sight, uid};
use super::state::{Difference, Outcome, State};
use super::survey::{Survey, version};
use crate::integrations::context::Context;
use crate::integrations::progress::Step;
use crate::integrations::scan::Gap;
use crate::providers::ProviderError;
use crate::providers::kubernetes::{ApiError, Cluster, kinds};

const STEP: Step = Step::READING_CLUSTER;

/// Status, nodes and drift. Changes nothing.
pub async fn observe(deployment: &dyn Deployment, cx: &Context<'_>, mark: &Mark) -> Result<Outcome, Gap> {
    let work = async {
        cx.report.step(Step::SIGNING_IN);
        let cluster = deployment.open(cx).await.map_err(not_open)?;
        let parts = Parts::of(cx, mark);
        let plan = parts.plan().map_err(|because| said(STEP, "", ProviderError::WrongCredential, &because))?;
        cx.report.step(STEP);
        look(&cluster, &parts, plan).await.map_err(Fault::gap)
    };
    cx.stop.run_until_cancelled(work).await.unwrap_or_else(|| Err(stopped(STEP)))
}

async fn look(cluster: &Cluster, parts: &Parts<'_>, plan: Plan) -> Result<Outcome, Fault> {
    let mut state = State { cluster_version: version(cluster, STEP).await?, ..State::default() };
    let namespace = Namespace::find(cluster, &plan.namespace, parts.mark, STEP).await?;
    let place = Place { cluster, mark: parts.mark, has_namespace: namespace.exists(), step: STEP };
    match &namespace {
        Namespace::Ours(live) => state.made.push(made(&plan.namespace.object(), uid(live))),
        Namespace::Missing => state.drift.push(Difference {
            object: plan.namespace.object(),
            path: String::new(),
            before: Some("deployed".to_owned()),
            after: None,
        }),
        Namespace::Foreign(_) => {}
        Namespace::Terminating => state.trouble.push(format!("The namespace {} is being deleted.", parts.namespace())),
    }
    state.made.extend(left(cluster, &plan, parts.mark).await?);
    let all = place.judge_all(plan.objects).await?;
    for judged in &all {
        state.drift.extend(judged.drift());
        state.trouble.extend(judged.objection.as_ref().map(Fault::sentence));
        if let (Sight::Ours(live), true) = (&judged.sight, is_ours(judged)) {
            state.made.push(made(&judged.object(), uid(live)));
        }
    }
    let daemon_set = all.iter().find(|judged| *judged.desired.kind == kinds::DAEMON_SET);
    let live = daemon_set.and_then(|judged| judged.sight.live());
    let survey = Survey::of(cluster, parts, live, STEP, true).await?;
    let (scan, state) = survey.told(parts, state);
    Ok(Outcome { scan, state })
}

/// Objects that earlier settings created and the next apply deletes. They stay recorded until then.
async fn left(cluster: &Cluster, plan: &Plan, mark: &Mark) -> Result<Vec<Made>, Fault> {
    let mut still = Vec::new();
    for object in leftovers(plan, mark) {
        match sight::look(cluster, &object, mark).await {
            Ok(Sight::Ours(live)) => still.push(made(&object, uid(&live))),
            Ok(Sight::Missing | Sight::Foreign(_)) => {}
            Err(ApiError::Refused(_)) => still.extend(mark.made.iter().find(|made| made.object() == object).cloned()),
            Err(error) => return Err(Fault::new(STEP, &object, Deed::Read, error)),
        }
    }
    Ok(still)
}

fn is_ours(judged: &Judged) -> bool {
    !judged.is_shared() && !matches!(judged.kind, ChangeKind::New | ChangeKind::Foreign)
}

fn made(object: &ObjectRef, uid: &str) -> Made {
    let object = object.clone();
    Made { kind: object.kind, namespace: object.namespace, name: object.name, uid: uid.to_owned() }
}
