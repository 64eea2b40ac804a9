//! The roles that the page shows are enough, and the preview names what is missing.

use serde_json::json;

use super::desk::{CANARY, Desk};
use crate::support::kubernetes::{Lab, rule};

#[actix_web::test]
async fn the_roles_of_the_page_are_enough_and_list_no_secrets() {
    let lab = Lab::open("roles").await;
    let login = lab.login();
    let config = lab.kubeconfig(&login);
    let mut desk = Desk::with(lab, &config).await;
    desk.workload("shop", true).await;
    desk.keep(&[("restart", "on")]).await;

    let preview = desk.preview().await;
    assert!(preview.has("[data-access][open]"), "{:?}", preview.texts("main p"));
    let objection = preview.texts("[data-objection]").join(" ");
    assert!(objection.contains(&format!("create, patch, get secrets db in {}", desk.namespace)), "{objection}");
    assert!(objection.contains("patch, list deployments in"), "{objection}");
    desk.apply("").await;
    assert!(desk.page().await.text("#failure").contains("may not"), "{}", desk.page().await.text("#failure"));

    let manifest = desk.page().await.text("#manifest");
    assert!(manifest.contains("resourceNames: [\"db\"]") && manifest.contains(&desk.namespace), "{manifest}");
    let secrets = json!({"apiGroups": [""], "resources": ["secrets"], "resourceNames": ["db"],
        "verbs": ["get", "create", "patch", "delete"]});
    let workloads = rule("apps", &["deployments", "statefulsets", "daemonsets"], &["list", "patch"]);
    desk.lab.grant_in(&desk.namespace, &login, &[workloads, secrets]).await;
    let preview = desk.preview().await;
    assert!(!preview.has("[data-access][open]") && !preview.has("[data-objection]"), "{:?}", preview.texts("main p"));
    desk.apply("").await;
    assert_eq!(desk.standing().await, "In sync");
    assert_eq!(desk.value("password").await, CANARY);
    assert!(desk.started_with("shop").await.is_some());
    desk.check().await;
    assert_eq!(desk.standing().await, "In sync");
    desk.remove().await;
    assert!(desk.secret("db").await.is_none());
}

#[actix_web::test]
async fn one_namespace_that_fails_does_not_cost_the_others() {
    let mut desk = Desk::open("partly").await;
    let both = format!("{}, {}-missing", desk.namespace, desk.lab.name);
    desk.keep(&[("namespaces", &both)]).await;
    let preview = desk.preview().await;
    assert!(!preview.has("[data-objection]"), "{:?}", preview.texts("[data-objection]"));
    assert!(preview.texts("[data-warning]").join(" ").contains("its namespace does not exist"));
    desk.apply("").await;
    assert_eq!(desk.standing().await, "Not in sync");
    assert_eq!(desk.value("password").await, CANARY);
    assert!(desk.page().await.texts("[data-trouble]").join(" ").contains("its namespace does not exist"));
}
