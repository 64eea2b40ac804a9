//! A stored value becomes a Secret, follows its credential, and is nowhere else.

use serde_json::json;

use super::desk::{CANARY, Desk, SOURCE, decoded};
use crate::deployments::desk::with;
use crate::support::sql;
use crate::support::sweep::Canaries;
use crate::support::wait::until;

const SECOND: &str = "CanarySync-of-the-second-version";

#[actix_web::test]
async fn a_value_reaches_the_cluster_follows_its_credential_and_restarts_pods() {
    let mut desk = Desk::open("kept").await;
    desk.workload("shop", true).await;
    desk.workload("other", false).await;
    desk.keep(&[("restart", "on")]).await;

    let preview = desk.preview().await;
    assert_eq!(preview.texts("[data-change=New] summary").len(), 1, "{:?}", preview.texts("main p"));
    assert!(preview.text("[data-change=Changed]").contains("because it uses the Secret db"));
    assert!(desk.secret("db").await.is_none(), "nothing has changed yet");

    desk.apply("").await;
    assert_eq!(desk.standing().await, "In sync");
    let live = desk.secret("db").await.expect("a Secret");
    assert_eq!((decoded(&live, "username"), decoded(&live, "password")), ("app".into(), CANARY.into()));
    assert_eq!(live["data"].as_object().map(serde_json::Map::len), Some(2));
    assert_eq!(live["metadata"]["labels"]["app.kubernetes.io/managed-by"], "strongroom");
    let first = desk.started_with("shop").await.expect("it was restarted");
    assert!(first.ends_with(".1"), "{first}");
    assert_eq!(desk.started_with("other").await, None, "it does not use the Secret");

    desk.rotate(SECOND).await;
    let ended = "runs WHERE cause = 'secret' AND state = 'succeeded'";
    until("it is applied", || (sql::count(&desk.app, ended) == 1).then_some(())).await;
    assert_eq!(desk.value("password").await, SECOND);
    assert_eq!(desk.started_with("shop").await, Some(first.replace(".1", ".2")));
    // Once more changes nothing.
    let before = desk.secret("db").await.unwrap()["metadata"]["resourceVersion"].clone();
    desk.apply("").await;
    assert_eq!(desk.secret("db").await.unwrap()["metadata"]["resourceVersion"], before);
}

#[actix_web::test]
async fn a_kept_value_is_in_no_page_row_or_trail() {
    let mut desk = Desk::open("canary").await;
    desk.keep(&[]).await;
    let mut pages = vec![desk.preview().await];
    desk.apply("").await;
    desk.rotate(SECOND).await;
    let ended = "runs WHERE cause = 'secret' AND state = 'succeeded'";
    until("it is applied", || (sql::count(&desk.app, ended) == 1).then_some(())).await;
    desk.lab.administrator.merge(&desk.path("db"), "kubectl-edit", &json!({"stringData": {"password": "x"}})).await;
    desk.check().await;
    pages.push(desk.preview().await);
    for path in [desk.sync.clone(), "/audit".into(), "/alerts".into(), "/integrations".into()] {
        pages.push(desk.administrator.get(&path).await);
    }
    let mut canaries = Canaries::default();
    canaries.add("the first value", CANARY);
    canaries.add("the second value", SECOND);
    let mut sweep = canaries.sweep();
    for (number, page) in pages.iter().enumerate() {
        sweep.look(&format!("page {number}"), page.body.as_bytes());
    }
    for table in ["integrations", "deployments", "items", "item_changes", "runs", "events", "alerts", "usages"] {
        let rows =
            sql::texts(&desk.app, &format!("SELECT coalesce(string_agg(t::text, ' '), '') AS text FROM {table} t"));
        sweep.look(table, rows.join(" ").as_bytes());
    }
    assert_eq!(sweep.found, [""; 0]);
}

#[actix_web::test]
async fn an_item_is_a_usage_of_its_credential_and_keeps_it_from_deletion() {
    let mut desk = Desk::open("usage").await;
    desk.keep(&[]).await;
    let source = desk.source.clone();
    let page = desk.administrator.get(&source).await;
    assert!(page.text("main").contains("Secret Sync"), "{}", page.text("main"));
    let refused = desk.administrator.post(&format!("{source}/delete"), &[("name", SOURCE), ("row_version", "1")]).await;
    assert_eq!(refused.status, 409);
    let item = desk.page().await.attributes("[data-item=db] a.is-danger", "href").remove(0);
    let form = desk.administrator.get(&item).await;
    let version = form.attributes("[name=row_version]", "value").remove(0);
    assert_eq!(desk.administrator.post(&item, &[("row_version", &version)]).await.status, 303);
    assert_eq!(sql::count(&desk.app, "usages WHERE role LIKE 'item-%'"), 0);
    let gone = desk.administrator.post(&format!("{source}/delete"), &[("name", SOURCE), ("row_version", "1")]).await;
    assert_eq!(gone.status, 303, "{:?}", gone.texts("main p"));
}

#[actix_web::test]
async fn each_type_of_secret_is_built_from_the_values_that_fit() {
    let mut desk = Desk::open("types").await;
    for (secret, kind, more) in [
        ("login", "kubernetes.io/basic-auth", ("keys", "")),
        ("pull", "kubernetes.io/dockerconfigjson", ("registry", "r.example.com")),
        ("renamed", "Opaque", ("keys", "password = DB_PASSWORD")),
    ] {
        desk.keep(&[("secret", secret), ("type", kind), more]).await;
    }
    let page = desk.add(&with(&desk.form(), &[("secret", "tls"), ("type", "kubernetes.io/tls")])).await;
    assert_eq!((page.status, page.has("#type-error")), (422, true), "a user name is no certificate");
    let page = desk.add(&with(&desk.form(), &[("secret", "odd"), ("keys", "token")])).await;
    assert_eq!((page.status, page.has("#keys-error")), (422, true), "it has no such value");
    desk.apply("").await;
    assert_eq!(desk.standing().await, "In sync");
    let login = desk.secret("login").await.expect("a Secret");
    assert_eq!(
        (login["type"].as_str(), decoded(&login, "password")),
        (Some("kubernetes.io/basic-auth"), CANARY.into())
    );
    let pull = decoded(&desk.secret("pull").await.expect("a Secret"), ".dockerconfigjson");
    assert!(pull.contains("r.example.com") && pull.contains(CANARY));
    let renamed = desk.secret("renamed").await.expect("a Secret");
    assert_eq!(
        renamed["data"].as_object().map(|data| data.keys().cloned().collect::<Vec<_>>()),
        Some(vec!["DB_PASSWORD".into()])
    );
}
