//! The preview: what an apply would do, what prevents it, and warnings. Changes nothing.

use super::access::{access, missing};
use super::deployment::Deployment;
use super::faults::{Deed, Fault};
use super::judge::Place;
use super::mark::{ENFORCED, Mark, ObjectRef};
use super::namespace::Namespace;
use super::nodes::Node;
use super::objects::{Desired, Plan};
use super::parts::Parts;
use super::preview::{Change, ChangeKind, Preview};
use super::remove::leftovers;
use super::sight::{self, Sight};
use super::survey::{chosen, version};
use super::{compare, pull};
use crate::integrations::context::Context;
use crate::integrations::progress::Step;
use crate::providers::Failure;
use crate::providers::kubernetes::{Cluster, kinds};

const STEP: Step = Step::READING_CLUSTER;

/// What an apply would do.
pub async fn preview(deployment: &dyn Deployment, cx: &Context<'_>, mark: &Mark) -> Result<Preview, Failure> {
    cx.report.step(Step::SIGNING_IN);
    let cluster = deployment.open(cx).await?;
    let parts = Parts::of(cx, mark);
    let plan = match parts.plan() {
        Ok(plan) => plan,
        Err(objection) => return Ok(Preview { objections: vec![objection], ..Preview::default() }),
    };
    cx.report.step(STEP);
    let (looked, image) = tokio::join!(look(&cluster, &parts, plan), pull::look_up(cx));
    let (mut preview, nodes) = looked.map_err(Fault::failure)?;
    preview.warnings.extend(pull::warnings(cx, image, &nodes));
    Ok(preview)
}

async fn look(cluster: &Cluster, parts: &Parts<'_>, plan: Plan) -> Result<(Preview, Vec<Node>), Fault> {
    let mut preview = Preview { cluster_version: version(cluster, STEP).await?, ..Preview::default() };
    let namespace = Namespace::find(cluster, &plan.namespace, parts.mark, STEP).await?;
    preview.access = access(cluster, &plan).await?;
    let lacks_rights = rights(&mut preview, namespace.exists());
    if matches!(namespace, Namespace::Terminating) {
        let name = parts.namespace();
        let said = format!("The namespace {name} is being deleted. Wait until it is gone, or choose another one.");
        preview.objections.push(said);
    }
    preview.warnings.extend(too_strict(parts, namespace.level()));
    let extra = leftovers(&plan, parts.mark);
    preview.changes.push(of_namespace(&plan.namespace, &namespace));
    let place = Place { cluster, mark: parts.mark, has_namespace: namespace.exists(), step: STEP };
    for judged in place.judge_all(plan.objects).await? {
        // The missing rights are reported already, so each object's refusal is not repeated.
        preview.objections.extend(judged.objection.as_ref().filter(|_| !lacks_rights).map(Fault::sentence));
        preview.changes.push(judged.change());
    }
    for object in extra {
        let is_recorded = parts.mark.recorded(&object).is_some();
        if is_recorded || matches!(sight::look(cluster, &object, parts.mark).await, Ok(Sight::Ours(_))) {
            preview.changes.push(no_longer_wanted(object));
        }
    }
    let nodes = chosen(cluster, parts, STEP).await?;
    preview.nodes = nodes.as_ref().map(|nodes| u32::try_from(nodes.len()).unwrap_or(u32::MAX));
    if preview.nodes == Some(0) {
        let said = "No node matches the node selector and tolerations, so the agent would not run anywhere.";
        preview.warnings.push(said.to_owned());
    }
    Ok((preview, nodes.unwrap_or_default()))
}

/// Adds the missing rights to the preview. `true` if one of them prevents the apply.
fn rights(preview: &mut Preview, has_namespace: bool) -> bool {
    let (vital, later) = missing(&preview.access, has_namespace);
    if !vital.is_empty() {
        preview.objections.push(format!(
            "The login may not {}. Grant it these rights: the kubeconfig guide has a role with all of them.",
            vital.join("; ")
        ));
    }
    if !later.is_empty() {
        preview.warnings.push(format!(
            "The login may not {}. So Strongroom shows less of the deployment, or can't remove it later.",
            later.join("; ")
        ));
    }
    !vital.is_empty()
}

/// A warning if the namespace's Pod Security level will refuse the pods: it does not stop the DaemonSet itself.
fn too_strict(parts: &Parts<'_>, level: Option<&str>) -> Option<String> {
    let level = level.filter(|level| *level == "restricted" || (*level == "baseline" && parts.uses_host()))?;
    Some(format!(
        "The namespace {} enforces the Pod Security level {level}, which refuses the agent's pods. Choose another \
         namespace, or have its label {ENFORCED} set to privileged.",
        parts.namespace()
    ))
}

fn no_longer_wanted(object: ObjectRef) -> Change {
    let reason = "The settings no longer need it.".to_owned();
    Change { object, kind: ChangeKind::Removed, lines: Vec::new(), conflicts: Vec::new(), reason }
}

fn of_namespace(desired: &Desired, namespace: &Namespace) -> Change {
    let object = desired.object();
    let (kind, reason) = match namespace {
        Namespace::Missing => (ChangeKind::New, ""),
        Namespace::Ours(_) => (ChangeKind::Same, ""),
        Namespace::Foreign(_) => {
            (ChangeKind::Same, "It already exists. Strongroom uses it unchanged and never deletes it.")
        }
        Namespace::Terminating => (ChangeKind::Same, "It is being deleted."),
    };
    let lines = match kind {
        ChangeKind::New => compare::differences(&object, None, Some(&desired.body)),
        _ => Vec::new(),
    };
    Change { object, kind, lines, conflicts: Vec::new(), reason: reason.to_owned() }
}

/// *Test connection*: signs in, and counts the nodes that would get a pod.
pub(super) async fn check(deployment: &dyn Deployment, cx: &Context<'_>) -> Result<Option<String>, Failure> {
    let cluster = deployment.open(cx).await?;
    let mark = Mark::default();
    let parts = Parts::of(cx, &mark);
    let failed = |error| Fault { step: STEP, at: String::new(), deed: Deed::Read, error };
    let version = version(&cluster, STEP).await.map_err(Fault::failure)?;
    // Some clusters answer /version even to unknown logins, so this is not enough to prove the login.
    let may = cluster.is_allowed("patch", &kinds::DAEMON_SET, parts.namespace()).await;
    let may = may.map_err(|error| failed(error).failure())?;
    let version = if version.is_empty() { version } else { format!(" (Kubernetes {version})") };
    if !may {
        let said =
            format!("The cluster{version} accepts the login, but doesn't let it deploy. The preview lists its rights.");
        return Ok(Some(said));
    }
    let nodes = chosen(&cluster, &parts, STEP).await.map_err(Fault::failure)?;
    let nodes = match nodes.map(|nodes| nodes.len()) {
        None => String::new(),
        Some(1) => " 1 node matches.".to_owned(),
        Some(count) => format!(" {count} nodes match."),
    };
    Ok(Some(format!("The cluster{version} lets Strongroom deploy.{nodes}")))
}
