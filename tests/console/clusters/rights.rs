//! The *Test* of a kubeconfig checks each right that a deployment needs, and shows which are missing.

use serde_json::Value;
use strongroom::accounts::Role;

use super::{store, table};
use crate::support::app::TestApp;
use crate::support::kubernetes::{Lab, rule};

const RBAC: &str = "rbac.authorization.k8s.io";
const OBJECTS: [(&str, &str, &str); 6] = [
    ("Namespace", "", "namespaces"),
    ("ServiceAccount", "", "serviceaccounts"),
    ("Secret", "", "secrets"),
    ("ClusterRole", RBAC, "clusterroles"),
    ("ClusterRoleBinding", RBAC, "clusterrolebindings"),
    ("DaemonSet", "apps", "daemonsets"),
];
const VERBS: [&str; 4] = ["create", "patch", "get", "delete"];

/// All rights that a deployment needs, except for one.
fn all_but(verb: &str, resource: &str) -> Vec<Value> {
    let mut rules: Vec<Value> = OBJECTS
        .iter()
        .map(|(_, group, name)| {
            let verbs: Vec<&str> = VERBS.into_iter().filter(|other| (*other, *name) != (verb, resource)).collect();
            rule(group, &[*name], &verbs)
        })
        .collect();
    if resource != "pods" {
        rules.push(rule("", &["pods"], &["list"]));
    }
    rules
}

#[actix_web::test]
async fn each_missing_right_is_shown_in_its_row_and_column() {
    let (app, lab) = (TestApp::start(), Lab::open("missing").await);
    let mut visit = app.user("olga", Role::Operator);
    let missing = [
        ("Pod", "list", "pods", 3),
        ("Namespace", "patch", "namespaces", 2),
        ("ServiceAccount", "create", "serviceaccounts", 1),
        ("Secret", "delete", "secrets", 4),
        ("DaemonSet", "get", "daemonsets", 3),
    ];
    for (kind, verb, resource, column) in missing {
        let right = format!("{verb} {resource}");
        let login = lab.login_with(&all_but(verb, resource)).await;
        let at = store(&mut visit, &right, &lab.kubeconfig(&login)).await;
        let page = visit.post(&format!("{at}/test"), &[]).await;
        for row in table(&page) {
            for (place, cell) in row.iter().enumerate().skip(1) {
                assert_eq!(cell == "No", row[0] == kind && place == column, "{right}: {row:?}");
            }
        }
        // Reading a namespace is enough where it exists; anything else is missed.
        let expected = if kind == "Namespace" { "Works" } else { "Denied" };
        assert_eq!(page.text("#test-result .badge"), expected, "{right}");
    }
}

#[actix_web::test]
async fn without_rights_on_roles_a_deployment_has_no_cluster_role() {
    let (app, lab) = (TestApp::start(), Lab::open("no-roles").await);
    let mut visit = app.user("olga", Role::Operator);
    let rules: Vec<Value> = all_but("", "").into_iter().filter(|rule| rule["apiGroups"][0] != RBAC).collect();
    let login = lab.login_with(&rules).await;
    let at = store(&mut visit, "No roles", &lab.kubeconfig(&login)).await;
    let page = visit.post(&format!("{at}/test"), &[]).await;
    assert_eq!(page.text("#test-result .badge"), "Works");
    assert!(page.text("#test-result strong").contains("without a ClusterRole"));
    let with_roles = lab.login_with(&all_but("", "")).await;
    let at = store(&mut visit, "Roles", &lab.kubeconfig(&with_roles)).await;
    let page = visit.post(&format!("{at}/test"), &[]).await;
    assert!(!page.text("#test-result strong").contains("without a ClusterRole"));
    assert!(page.texts("#test-result dd").contains(&"Only rights that it has itself".to_owned()));
}
