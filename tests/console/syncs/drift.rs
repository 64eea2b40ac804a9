//! What others change is noticed, and a removal takes away what the sync made and nothing else.

use serde_json::json;

use super::desk::{CANARY, Desk};
use crate::deployments::desk::{id_in, row_version};
use crate::support::sql;

const OPEN: &str = "alerts WHERE trigger = 'drift' AND closed_at IS NULL";

#[actix_web::test]
async fn a_secret_that_somebody_deletes_is_drift_until_it_is_applied_again() {
    let mut desk = Desk::open("deleted").await;
    desk.keep(&[]).await;
    desk.apply("").await;
    desk.lab.administrator.delete(&desk.path("db")).await;
    desk.check().await;
    assert_eq!((desk.standing().await, sql::count(&desk.app, OPEN)), ("Drifted".into(), 1));
    assert!(desk.page().await.text("#results").contains("Missing"));
    desk.apply("").await;
    assert_eq!((desk.standing().await, sql::count(&desk.app, OPEN)), ("In sync".into(), 0));
    assert_eq!(desk.value("password").await, CANARY);
}

#[actix_web::test]
async fn a_secret_that_no_item_asks_for_any_more_is_deleted_with_the_next_apply() {
    let mut desk = Desk::open("dropped").await;
    desk.keep(&[]).await;
    desk.keep(&[("secret", "second")]).await;
    desk.by_hand("theirs", json!({"a": "b"})).await;
    desk.apply("").await;
    let item = desk.page().await.attributes("[data-item=second] a.is-danger", "href").remove(0);
    let version = row_version(&mut desk.administrator, &desk.sync).await;
    assert_eq!(desk.administrator.post(&item, &[("row_version", &version)]).await.status, 303);
    assert!(desk.preview().await.text("[data-change=Removed]").contains("second"));
    desk.apply("").await;
    assert!(desk.secret("second").await.is_none() && desk.secret("db").await.is_some());
    desk.remove().await;
    assert!(desk.secret("db").await.is_none() && desk.secret("theirs").await.is_some());
    assert_eq!(desk.standing().await, "Removed");
}

#[actix_web::test]
async fn a_secret_that_somebody_made_anew_is_not_deleted() {
    let mut desk = Desk::open("anew").await;
    desk.keep(&[]).await;
    desk.apply("").await;
    let id = id_in(&desk.sync);
    desk.lab.administrator.delete(&desk.path("db")).await;
    let labels = json!({"app.kubernetes.io/managed-by": "strongroom", "strongroom.dev/deployment": id});
    let copy = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "db", "labels": labels}});
    desk.lab.administrator.create(&format!("/api/v1/namespaces/{}/secrets", desk.namespace), &copy).await;
    desk.remove().await;
    assert!(desk.secret("db").await.is_some());
    assert!(desk.page().await.texts("[data-trouble]").join(" ").contains("is kept"));
}

#[actix_web::test]
async fn what_holds_a_secret_or_its_namespace_is_told_and_never_forced() {
    let mut desk = Desk::open("stuck").await;
    desk.keep(&[]).await;
    desk.apply("").await;
    let hold = json!({"metadata": {"finalizers": ["example.com/hold"]}});
    desk.lab.administrator.merge(&desk.path("db"), "tests", &hold).await;
    desk.remove().await;
    let trouble = desk.page().await.texts("[data-trouble]").join(" ");
    assert!(trouble.contains("Held by finalizers: example.com/hold."), "{trouble}");

    desk.lab.administrator.delete(&format!("/api/v1/namespaces/{}", desk.namespace)).await;
    let preview = desk.preview().await;
    let said = preview.texts("[data-objection], [data-warning]").join(" ");
    assert!(said.contains("being deleted"), "{said}");
    let free = json!({"metadata": {"finalizers": null}});
    desk.lab.administrator.merge(&desk.path("db"), "tests", &free).await;
}
