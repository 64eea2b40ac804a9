//! Secrets and fields of others are taken over only where somebody agrees.

use serde_json::json;

use super::desk::{CANARY, Desk, decoded};

#[actix_web::test]
async fn a_secret_of_others_is_taken_over_only_when_agreed() {
    let mut desk = Desk::open("foreign").await;
    desk.by_hand("db", json!({"password": "theirs"})).await;
    desk.keep(&[]).await;
    let preview = desk.preview().await;
    assert!(preview.has("[data-change=\"Not ours\"] [data-agree]"), "{:?}", preview.texts("main p"));
    desk.apply("").await;
    assert!(desk.page().await.text("#failure").contains("already exists"));
    assert_eq!(desk.value("password").await, "theirs");
    let all = preview.attributes("button[name=all]", "value").remove(0);
    desk.apply(&all).await;
    assert_eq!(desk.standing().await, "In sync");
    assert_eq!(desk.value("password").await, CANARY);
}

#[actix_web::test]
async fn a_field_of_another_manager_stays_until_it_is_taken_over() {
    let mut desk = Desk::open("field").await;
    desk.keep(&[]).await;
    desk.apply("").await;
    desk.lab
        .administrator
        .merge(&desk.path("db"), "kubectl-edit", &json!({"stringData": {"password": "theirs"}}))
        .await;
    desk.apply("").await;
    assert_eq!(desk.value("password").await, "theirs");
    assert_eq!(desk.standing().await, "Drifted");
    let preview = desk.preview().await;
    assert!(preview.text("[data-change]").contains("from kubectl-edit"), "{}", preview.text("[data-change]"));
    let all = preview.attributes("button[name=all]", "value").remove(0);
    desk.apply(&all).await;
    assert_eq!((desk.value("password").await, desk.standing().await), (CANARY.into(), "In sync".into()));
}

#[actix_web::test]
async fn another_type_needs_a_new_secret_and_says_so() {
    let mut desk = Desk::open("retyped").await;
    desk.by_hand("db", json!({"username": "a", "password": "b"})).await;
    desk.keep(&[("type", "kubernetes.io/basic-auth")]).await;
    let preview = desk.preview().await;
    assert!(preview.text("[data-change]").contains("cannot be changed in place"), "{}", preview.text("[data-change]"));
    let all = preview.attributes("button[name=all]", "value").remove(0);
    desk.apply(&all).await;
    let live = desk.secret("db").await.expect("a Secret");
    assert_eq!((live["type"].as_str(), decoded(&live, "password")), (Some("kubernetes.io/basic-auth"), CANARY.into()));
}
