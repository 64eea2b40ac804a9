//! Applies a deployment. Every object is dry-run before anything is written; then the objects are applied one after the
//! other. An apply that was cut off can simply be run again.

use super::additions;
use super::deployment::Deployment;
use super::faults::{Deed, Fault, not_open, said, stopped};
use super::judge::{Judged, Place};
use super::mark::{Made, Mark, ObjectRef, Options};
use super::namespace::Namespace;
use super::objects::Plan;
use super::parts::Parts;
use super::paths;
use super::preview::ChangeKind;
use super::remove::{Doomed, End, leftovers};
use super::rollout::{self, Opener};
use super::sight::uid;
use super::state::{Outcome, State};
use super::survey::version;
use crate::integrations::context::Context;
use crate::integrations::progress::Step;
use crate::integrations::scan::Gap;
use crate::providers::ProviderError;
use crate::providers::kubernetes::{Apply, Cluster};

const STEP: Step = Step::APPLYING;

/// Applies, then waits for the rollout. Stops soon after `cx.stop` is cancelled.
pub async fn apply(
    deployment: &dyn Deployment,
    cx: &Context<'_>,
    mark: &Mark,
    options: &Options,
) -> Result<Outcome, Gap> {
    let work = run(deployment, cx, mark, options);
    cx.stop.run_until_cancelled(work).await.unwrap_or_else(|| Err(stopped(STEP)))
}

async fn run(deployment: &dyn Deployment, cx: &Context<'_>, mark: &Mark, options: &Options) -> Result<Outcome, Gap> {
    cx.report.step(Step::SIGNING_IN);
    let cluster = deployment.open(cx).await.map_err(not_open)?;
    let parts = Parts::of(cx, mark);
    let plan = parts.plan().map_err(|because| said(STEP, "", ProviderError::WrongCredential, &because))?;
    let version = version(&cluster, STEP).await.map_err(Fault::gap)?;
    let extra = leftovers(&plan, mark);
    cx.report.parts(STEP, plan.objects.len() + 1, 0);
    let made = write(&cluster, cx, &parts, plan, options).await?;
    let mut state = State { cluster_version: version, made, ..State::default() };
    let doomed = Doomed { cluster: &cluster, cx, mark };
    for object in extra {
        let end = doomed.remove(&object).await.map_err(Fault::gap)?;
        if let End::Held(_) = &end {
            state.made.extend(doomed.recorded(&object));
        }
        state.trouble.extend(end.sentence());
    }
    let opener = Opener { deployment, cx };
    rollout::wait(opener, cluster, &parts, state).await.map_err(Fault::gap)
}

/// Writes every object and returns those that now exist.
async fn write(
    cluster: &Cluster,
    cx: &Context<'_>,
    parts: &Parts<'_>,
    plan: Plan,
    options: &Options,
) -> Result<Vec<Made>, Gap> {
    let mark = parts.mark;
    let found = Namespace::find(cluster, &plan.namespace, mark, STEP).await.map_err(Fault::gap)?;
    let place = Place { cluster, mark, has_namespace: found.exists(), step: STEP };
    let all = place.judge_all(plan.objects).await.map_err(Fault::gap)?;
    all.iter().try_for_each(|judged| settled(judged, options))?;
    let namespace = Namespace::ensure(cluster, &plan.namespace, mark).await.map_err(Fault::gap)?;
    cx.report.part(STEP, 0, 0);
    let mut made = Vec::new();
    if let Namespace::Ours(live) = &namespace {
        made.push(recorded(plan.namespace.object(), uid(live)));
    }
    let writer = Writer { cluster, cx, mark, options };
    for judged in all {
        if !judged.is_shared() {
            made.push(writer.write(judged).await.map_err(Fault::gap)?);
        }
        cx.report.part(STEP, 0, 0);
    }
    Ok(made)
}

fn recorded(object: ObjectRef, uid: &str) -> Made {
    Made { kind: object.kind, namespace: object.namespace, name: object.name, uid: uid.to_owned() }
}

/// Fails unless the preview's answers cover everything that the object needs.
pub(super) fn settled(judged: &Judged, options: &Options) -> Result<(), Gap> {
    const CONFLICT: ProviderError = ProviderError::UnexpectedStatus { status: 409 };
    let object = judged.object();
    let refused = |because: &str| Err(said(STEP, &object.to_string(), CONFLICT, because));
    if let Some(objection) = &judged.objection {
        return Err(objection.clone().gap());
    }
    match judged.kind {
        ChangeKind::Foreign if !options.takes_whole(&object) => refused(
            "It already exists, and this integration did not create it. Take it over in the preview, or choose another \
             name.",
        ),
        ChangeKind::Replace if !options.replaces(&object) => refused(&format!(
            "{} cannot be changed in place. Replace the object in the preview: it is deleted and created again.",
            judged.fixed.join(", ")
        )),
        _ => Ok(()),
    }
}

pub(super) struct Writer<'a> {
    pub cluster: &'a Cluster,
    pub cx: &'a Context<'a>,
    pub mark: &'a Mark,
    pub options: &'a Options,
}

impl Writer<'_> {
    pub async fn write(&self, judged: Judged) -> Result<Made, Fault> {
        let object = judged.object();
        let kind = judged.desired.kind;
        // An earlier run may have deleted the object and died before it created the new one.
        if !judged.fixed.is_empty()
            && let Some(live) = judged.sight.live()
        {
            let doomed = Doomed { cluster: self.cluster, cx: self.cx, mark: self.mark };
            doomed.delete_and_wait(&object, live).await?;
        }
        let mut body = judged.desired.body.clone();
        // A recreated object has no other field managers.
        let is_new = !judged.fixed.is_empty();
        for owned in judged.conflicts.iter().filter(|owned| !is_new && !self.options.takes(&object, &owned.field)) {
            paths::remove(&mut body, &owned.field);
        }
        let takes_any = judged.conflicts.iter().any(|owned| self.options.takes(&object, &owned.field));
        let how = Apply { is_forced: takes_any, is_dry: false };
        let applied = self.cluster.apply(kind, &body, how).await;
        let failed = |error| Fault::new(STEP, &object, Deed::Apply, error);
        let live = applied.map_err(failed)?;
        let taken = judged.additions.iter().map(|(owned, _)| owned.field.as_str());
        let taken: Vec<&str> = taken.filter(|field| !is_new && self.options.takes(&object, field)).collect();
        if !taken.is_empty() {
            let patch = additions::without(&live, &taken);
            self.cluster.merge(kind, &object.namespace, &object.name, &patch).await.map_err(failed)?;
        }
        Ok(recorded(object.clone(), uid(&live)))
    }
}
