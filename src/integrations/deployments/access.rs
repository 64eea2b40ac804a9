//! Asks the cluster which verbs the login may use on the kinds of objects that a deployment needs. A yes does not prove
//! that an apply will succeed: a login that may create roles still cannot grant rights it does not hold itself. Only a
//! dry run shows that.

use futures_util::StreamExt;

use super::faults::{Deed, Fault};
use super::objects::Plan;
use super::preview::Access;
use crate::integrations::progress::Step;
use crate::providers::kubernetes::Cluster;
use crate::providers::kubernetes::kinds::{self, Kind};

/// Access reviews in flight at the same time.
const AT_ONCE: usize = 8;

/// Each kind with the verbs it needs, in the order of [`Access::VERBS`].
fn needed(plan: &Plan) -> Vec<(&'static Kind, [bool; 5])> {
    const WRITTEN: [bool; 5] = [true, true, true, true, false];
    let mut needed: Vec<(&'static Kind, [bool; 5])> = vec![(&kinds::NAMESPACE, [true, false, true, true, false])];
    for desired in &plan.objects {
        if !needed.iter().any(|(kind, _)| *kind == desired.kind) {
            needed.push((desired.kind, WRITTEN));
        }
    }
    needed.extend([&kinds::POD, &kinds::NODE].map(|kind| (kind, [false, false, false, false, true])));
    needed
}

/// Sends one access review for every right that the plan needs.
pub(super) async fn access(cluster: &Cluster, plan: &Plan) -> Result<Vec<Access>, Fault> {
    let namespace = plan.namespace.object().name;
    let needed = needed(plan);
    let questions: Vec<(usize, usize)> = needed
        .iter()
        .enumerate()
        .flat_map(|(row, (_, verbs))| (0..verbs.len()).filter(|at| verbs[*at]).map(move |at| (row, at)))
        .collect();
    let mut rows: Vec<Access> =
        needed.iter().map(|(kind, _)| Access { resource: kind.plural.to_owned(), verbs: [None; 5] }).collect();
    let asked = questions.into_iter().map(|(row, at)| {
        let (kind, namespace) = (needed[row].0, namespace.as_str());
        let within = if kind.is_namespaced || *kind == kinds::NAMESPACE { namespace } else { "" };
        async move { (row, at, cluster.is_allowed(Access::VERBS[at], kind, within).await) }
    });
    let mut answers = futures_util::stream::iter(asked).buffer_unordered(AT_ONCE);
    while let Some((row, at, answer)) = answers.next().await {
        let failed = |error| Fault { step: Step::READING_CLUSTER, at: String::new(), deed: Deed::Read, error };
        rows[row].verbs[at] = Some(answer.map_err(failed)?);
    }
    Ok(rows)
}

/// The missing rights in two lists: those without which an apply fails, and those that only later steps need.
/// `has_namespace`: the namespace exists, so the right to create it is not needed.
pub(super) fn missing(rows: &[Access], has_namespace: bool) -> (Vec<String>, Vec<String>) {
    let (mut vital, mut later) = (Vec::new(), Vec::new());
    for row in rows {
        let refused = |at: &usize| row.verbs[*at] == Some(false);
        let verbs: Vec<usize> = (0..row.verbs.len()).filter(refused).collect();
        let is_namespace = row.resource == kinds::NAMESPACE.plural;
        let (now, then): (Vec<usize>, Vec<usize>) = verbs.into_iter().partition(|at| match Access::VERBS[*at] {
            "create" if is_namespace => !has_namespace,
            "create" | "patch" => true,
            "get" => !is_namespace,
            _ => false,
        });
        let told = |verbs: &[usize]| {
            let names: Vec<&str> = verbs.iter().map(|at| Access::VERBS[*at]).collect();
            (!names.is_empty()).then(|| format!("{} {}", names.join(", "), row.resource))
        };
        vital.extend(told(&now));
        later.extend(told(&then));
    }
    (vital, later)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_right_stops_the_apply_or_only_later_steps() {
        let row = |resource: &str, verbs: [Option<bool>; 5]| Access { resource: resource.to_owned(), verbs };
        let (yes, no) = (Some(true), Some(false));
        let rows = [
            row("namespaces", [no, None, no, no, None]),
            row("secrets", [yes, no, yes, no, None]),
            row("pods", [None, None, None, None, no]),
        ];
        let (vital, later) = missing(&rows, true);
        assert_eq!(vital, ["patch secrets"]);
        assert_eq!(later, ["create, get, delete namespaces", "delete secrets", "list pods"]);
        assert_eq!(missing(&rows, false).0, ["create namespaces", "patch secrets"]);
    }
}
