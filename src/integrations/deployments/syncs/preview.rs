//! The preview of a sync: which Secrets would be created, changed and deleted, which workloads would restart, and what
//! prevents it. Changes nothing, and shows no value.

use super::access::{access, missing};
use super::item::Entries;
use super::plan::Plan;
use super::restart::{ANNOTATION, Due, Restarts};
use super::survey::{self, Seen};
use crate::integrations::context::Context;
use crate::integrations::deployments::deployment::Deployment;
use crate::integrations::deployments::faults::{Deed, Fault};
use crate::integrations::deployments::mark::{Mark, ObjectRef};
use crate::integrations::deployments::preview::{Change, ChangeKind, Preview};
use crate::integrations::deployments::state::Difference;
use crate::integrations::deployments::survey::version;
use crate::integrations::progress::Step;
use crate::providers::Failure;
use crate::providers::kubernetes::{Cluster, kinds};

const STEP: Step = Step::READING_CLUSTER;

/// What an apply would do.
pub async fn preview(
    way: &dyn Deployment,
    cx: &Context<'_>,
    mark: &Mark,
    entries: &Entries,
) -> Result<Preview, Failure> {
    cx.report.step(Step::SIGNING_IN);
    let cluster = way.open(cx).await?;
    let plan = Plan::of(cx, mark, entries);
    if plan.items.is_empty() && mark.made.is_empty() {
        let objections = vec!["It keeps no Secret yet. Add one first.".to_owned()];
        return Ok(Preview { objections, ..Preview::default() });
    }
    cx.report.step(STEP);
    look(&cluster, &plan, mark).await.map_err(Fault::failure)
}

async fn look(cluster: &Cluster, plan: &Plan, mark: &Mark) -> Result<Preview, Fault> {
    let mut preview = Preview { cluster_version: version(cluster, STEP).await?, ..Preview::default() };
    preview.access = access(cluster, &plan.items).await?;
    let lacks_rights = rights(&mut preview);
    preview.warnings.extend(plan.trouble());
    let seen = survey::judge(cluster, plan, mark, STEP).await?;
    let can_any = seen.iter().any(|one| one.judged.objection.is_none()) || seen.is_empty();
    for one in &seen {
        // The missing rights are reported already. A Secret that can't be written does not stop the others.
        let sentence = one.judged.objection.as_ref().filter(|_| !lacks_rights).map(Fault::sentence);
        if can_any {
            preview.warnings.extend(sentence)
        } else {
            preview.objections.extend(sentence)
        }
        preview.changes.push(one.judged.change());
    }
    restarts(cluster, mark, &seen, &mut preview).await?;
    preview.changes.extend(plan.leftovers(mark).into_iter().filter(|object| mark.recorded(object).is_some()).map(gone));
    Ok(preview)
}

/// Adds the workloads that would restart.
async fn restarts(cluster: &Cluster, mark: &Mark, seen: &[Seen], preview: &mut Preview) -> Result<(), Fault> {
    let mut restarts = Restarts::new(cluster, mark);
    for one in seen.iter().filter(|one| one.wanted.item.restart && one.judged.objection.is_none()) {
        match restarts.due(&one.wanted).await {
            Ok(due) => preview.changes.extend(due.into_iter().map(|due| restarted(one, due))),
            Err(fault) if fault.error.is_forbidden() => {}
            Err(fault) => return Err(fault),
        }
    }
    Ok(())
}

fn restarted(one: &Seen, Due { object, before, .. }: Due) -> Change {
    let secret = &one.wanted.item.secret;
    let line = Difference {
        object: object.clone(),
        path: format!(".spec.template.metadata.annotations.{ANNOTATION}{secret}"),
        before,
        after: Some(one.wanted.version.clone()),
    };
    let reason = format!("Restarted, because it uses the Secret {secret}.");
    Change { object, kind: ChangeKind::Changed, lines: vec![line], conflicts: Vec::new(), reason }
}

fn gone(object: ObjectRef) -> Change {
    let reason = "No item asks for it any more.".to_owned();
    Change { object, kind: ChangeKind::Removed, lines: Vec::new(), conflicts: Vec::new(), reason }
}

/// Adds the missing rights to the preview. `true` if one of them prevents the apply.
fn rights(preview: &mut Preview) -> bool {
    let (vital, later) = missing(&preview.access);
    if !vital.is_empty() {
        let what = vital.join("; ");
        let said = format!("The login may not {what}. Grant it these rights: the sync's page has the roles.");
        preview.objections.push(said);
    }
    if !later.is_empty() {
        let what = later.join("; ");
        preview.warnings.push(format!("The login may not {what}, so Strongroom can't remove it later."));
    }
    !vital.is_empty()
}

/// *Test connection*: signs in, which is all that can be known before there are items.
pub(super) async fn check(way: &dyn Deployment, cx: &Context<'_>) -> Result<Option<String>, Failure> {
    let cluster = way.open(cx).await?;
    let failed = |error| Fault { step: STEP, at: String::new(), deed: Deed::Read, error }.failure();
    let version = version(&cluster, STEP).await.map_err(Fault::failure)?;
    // Some clusters answer /version even to unknown logins, so this is not enough to prove the login.
    cluster.is_allowed("patch", &kinds::SECRET, "default").await.map_err(failed)?;
    let version = if version.is_empty() { version } else { format!(" (Kubernetes {version})") };
    Ok(Some(format!("The cluster{version} accepts the login. The preview lists its rights.")))
}
