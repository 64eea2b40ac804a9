//! A login that lacks a right: the preview names the right, the apply names the object at which it failed, and once the
//! right is granted the next attempt succeeds.

use serde_json::Value;

use super::rig::Rig;
use crate::support::kubernetes::{Lab, rule};

const RBAC: &str = "rbac.authorization.k8s.io";
const RIGHTS: [(&str, &str, &str); 6] = [
    ("", "namespaces", "Namespace"),
    ("", "serviceaccounts", "ServiceAccount"),
    ("", "secrets", "Secret"),
    (RBAC, "clusterroles", "ClusterRole"),
    (RBAC, "clusterrolebindings", "ClusterRoleBinding"),
    ("apps", "daemonsets", "DaemonSet"),
];

/// The rights of the guide's role, except for one verb on one kind.
fn all_but(verb: &str, resource: &str) -> Vec<Value> {
    let verbs = ["get", "create", "patch", "delete", "bind", "escalate"];
    let mut rules: Vec<Value> = RIGHTS
        .iter()
        .map(|(group, name, _)| {
            let verbs: Vec<&str> = verbs.into_iter().filter(|other| (*other, *name) != (verb, resource)).collect();
            rule(group, &[*name], &verbs)
        })
        .collect();
    rules.push(rule("", &["pods", "nodes"], &["get", "list"]));
    let others = ["configmaps", "services", "persistentvolumeclaims", "serviceaccounts"];
    rules.push(rule("", &others, &["list"]));
    rules.push(rule("apps", &["daemonsets", "deployments", "statefulsets"], &["list"]));
    rules.push(rule("batch", &["jobs"], &["list"]));
    rules.push(rule("networking.k8s.io", &["ingresses"], &["list"]));
    rules
}

#[tokio::test]
async fn a_missing_right_to_apply_is_named_and_the_next_attempt_succeeds() {
    let lab = Lab::open("few").await;
    let tries = RIGHTS.map(|(group, resource, kind)| {
        let lab = &lab;
        async move {
            let verb = if kind == "Namespace" { "create" } else { "patch" };
            let login = lab.login_with(&all_but(verb, resource)).await;
            let rig = Rig::new(lab, lab.kubeconfig(&login), resource);
            let preview = rig.preview().await.expect("a preview");
            assert!(preview.objections.iter().any(|said| said.contains(&format!("{verb} {resource}"))), "{preview:?}");
            let gap = rig.apply().await.expect_err("not deployed");
            assert!(gap.at.starts_with(kind), "{gap:?}");
            assert!(gap.because.contains("may not"), "{gap:?}");
            lab.grant(&login, &[rule(group, &[resource], &[verb])]).await;
            let outcome = rig.apply().await.unwrap_or_else(|gap| panic!("{resource}: {gap:?}"));
            assert!(outcome.state.finished, "{resource}: {:?}", outcome.state);
            rig.assert_whole(lab).await;
            assert!(rig.remove().await.expect("removed").state.removed);
            rig.assert_gone(lab).await;
        }
    });
    futures_util::future::join_all(tries).await;
}

#[tokio::test]
async fn a_missing_right_to_delete_leaves_the_rest_for_the_next_removal() {
    let lab = Lab::open("no-delete").await;
    let tries = RIGHTS.map(|(group, resource, kind)| {
        let lab = &lab;
        async move {
            let login = lab.login_with(&all_but("delete", resource)).await;
            let rig = Rig::new(lab, lab.kubeconfig(&login), resource);
            assert!(rig.apply().await.expect("deployed").state.finished);
            let gap = rig.remove().await.expect_err("not removed");
            assert!(gap.at.starts_with(kind) && gap.because.contains("may not delete"), "{gap:?}");
            lab.grant(&login, &[rule(group, &[resource], &["delete"])]).await;
            let removed = rig.remove().await.unwrap_or_else(|gap| panic!("{resource}: {gap:?}"));
            assert!(removed.state.removed, "{resource}: {:?}", removed.state.trouble);
            rig.assert_gone(lab).await;
        }
    });
    futures_util::future::join_all(tries).await;
}

#[tokio::test]
async fn a_login_for_one_namespace_deploys_there_without_a_cluster_role() {
    let lab = Lab::open("narrow").await;
    let namespace = lab.namespace("a").await;
    let login = lab.login();
    let verbs = ["get", "create", "patch", "delete"];
    let rules = [
        rule("", &["namespaces"], &["get"]),
        rule("", &["secrets", "serviceaccounts"], &verbs),
        rule("apps", &["daemonsets"], &verbs),
        rule("", &["pods"], &["get", "list"]),
    ];
    lab.grant_in(&namespace, &login, &rules).await;
    let rig = Rig::plain(lab.kubeconfig(&login), &namespace);
    assert_eq!(rig.preview().await.expect("a preview").objections, Vec::<String>::new());
    let outcome = rig.apply().await.expect("deployed");
    assert!(outcome.state.finished, "{:?}", outcome.state);
    assert!(rig.remove().await.expect("removed").state.removed);
    assert_eq!(rig.objects(&lab).await, Vec::<String>::new());
    let kept = lab.administrator.get(&format!("/api/v1/namespaces/{namespace}")).await.expect("it stays");
    assert_eq!(kept["status"]["phase"], "Active");
}
