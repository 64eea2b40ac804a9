//! Who may let a stored value leave for a cluster, and that nobody leads it elsewhere afterwards.

use strongroom::form::Values;
use strongroom::integrations::deployments::syncs::{Item, set_items};
use strongroom::models::IntegrationId;
use strongroom::models::events::Actor;
use strongroom::models::integrations::{self, NewIntegration};
use strongroom::models::usages::Usage;
use strongroom::runs::deploy::{UNCONFIRMED_ITEM, UNRELEASED};

use super::desk::{CANARY, Desk, SOURCE};
use crate::deployments::desk::{id_in, kubeconfig, post, row_version, saved, with};
use crate::support::app::{PASSWORD, TestApp};
use crate::support::kubernetes::Lab;
use crate::support::sql;
use crate::support::wait::until;

const ITEMS: &str = "usages WHERE role LIKE 'item-%'";

#[actix_web::test]
async fn a_value_leaves_by_an_administrator_with_the_name_and_the_password() {
    let mut desk = Desk::open("released").await;
    let new = format!("{}/secrets/new", desk.sync);
    let version = row_version(&mut desk.administrator, &desk.sync).await;
    let form = with(&desk.form(), &[("row_version", &version)]);
    let page = post(&mut desk.operator, &new, &Desk::released(&form)).await;
    assert_eq!((page.status, page.has("#source_credential-error")), (422, true), "an operator");
    // The password was given a moment ago, and is asked for again.
    let asked = post(&mut desk.administrator, &new, &form).await;
    assert!(asked.status == 422 && asked.has("[data-release] #release") && asked.has("#confirm input[type=password]"));
    for answer in [
        [("release", SOURCE), ("password", "")],
        [("release", "another"), ("password", PASSWORD)],
        [("release", SOURCE), ("password", "not it")],
    ] {
        let page = post(&mut desk.administrator, &new, &with(&form, &answer)).await;
        assert!(page.status == 422 && page.has("[data-release]"), "{answer:?}: {}", page.status);
    }
    assert_eq!(sql::count(&desk.app, ITEMS), 0);
    assert_eq!(post(&mut desk.administrator, &new, &Desk::released(&form)).await.status, 303);
    assert_eq!(sql::count(&desk.app, ITEMS), 1);
    let allowed = "events WHERE action = 'sync.value_allowed' AND subject_name = 'shop database'";
    assert_eq!(sql::count(&desk.app, allowed), 1);
    // Each change of it asks again.
    let edit = desk.page().await.attributes("[data-item=db] .toolbar a", "href").remove(0);
    let version = row_version(&mut desk.administrator, &desk.sync).await;
    let form = with(&desk.form(), &[("row_version", &version), ("secret", "db2")]);
    assert_eq!(post(&mut desk.administrator, &edit, &form).await.status, 422);
    assert_eq!(post(&mut desk.operator, &edit, &Desk::released(&form)).await.status, 422);
}

#[actix_web::test]
async fn an_operator_leads_a_kept_value_nowhere_else() {
    let mut desk = Desk::open("led").await;
    desk.keep(&[]).await;
    // The secret of the login that leads it.
    let elsewhere = desk.lab.administrators_kubeconfig().replace("127.0.0.1", "127.0.0.2");
    let cluster = desk.cluster.clone();
    let version = row_version(&mut desk.operator, &cluster).await;
    let edited = vec![("row_version", version), ("name", "cluster".to_owned()), ("kubeconfig", elsewhere.clone())];
    assert_eq!(post(&mut desk.operator, &format!("{cluster}/edit"), &edited).await.status, 409);
    // Another login of the sync.
    let other = kubeconfig(&mut desk.operator, "other", &elsewhere).await;
    let version = row_version(&mut desk.operator, &desk.sync).await;
    let id = id_in(&other);
    let form = [
        ("row_version", version.as_str()),
        ("version", "sync_kubernetes"),
        ("name", "production"),
        ("credential", &id),
    ];
    let edit = format!("{}/edit", desk.sync);
    let refused = desk.operator.post(&edit, &form).await;
    assert!(refused.status == 422 && refused.has("#credential-error"), "{}", refused.status);
    let saved = desk.administrator.post(&edit, &form).await;
    assert_eq!(saved.status, 303, "{:?}", saved.texts(".error-summary"));
    assert_eq!(sql::count(&desk.app, ITEMS), 1, "the item is kept");
    let preview = desk.preview().await;
    assert!(preview.text("[data-failed]").contains(UNCONFIRMED_ITEM), "{}", preview.text("[data-failed]"));
    desk.apply("").await;
    assert!(desk.page().await.text("#failure").contains(UNCONFIRMED_ITEM));
    assert!(desk.secret("db").await.is_none());
}

#[actix_web::test]
async fn a_console_that_releases_nothing_keeps_no_values() {
    let (lab, app) = (Lab::open("held").await, TestApp::start());
    let mut visit = app.administrator();
    let cluster = kubeconfig(&mut visit, "cluster", &lab.administrators_kubeconfig()).await;
    let basic = [("kind", "basic"), ("name", SOURCE), ("username", "app"), ("password", CANARY)];
    let source = id_in(&saved(&mut visit, &basic).await);
    let namespace = lab.namespace("shop").await;
    let sync = released_before(&lab, &app, (&id_in(&cluster), &source), &namespace);
    let page = format!("/integrations/{sync}");
    let preview = visit.post(&format!("{page}/preview"), &[]).await;
    assert!(preview.text("[data-failed]").contains(UNRELEASED), "{}", preview.text("main"));
    assert_eq!(visit.post(&format!("{page}/deploy"), &[("row_version", "1")]).await.status, 303);
    let failed = || sql::count(&app, "runs WHERE state = 'failed'");
    until("the run ends", || (failed() == 1).then_some(())).await;
    assert!(visit.get(&page).await.text("#failure").contains("STRONGROOM_RELEASE_VALUES"));
    let secret = format!("/api/v1/namespaces/{namespace}/secrets/db");
    assert!(lab.administrator.get(&secret).await.is_none());
    let more = [
        ("source", "credential"),
        ("source_credential", &*source),
        ("secret", "db2"),
        ("namespaces", &namespace),
        ("type", "Opaque"),
    ];
    let form = [&more[..], &[("row_version", "1"), ("release", SOURCE), ("password", PASSWORD)]].concat();
    let refused = visit.post(&format!("{page}/secrets/new"), &form).await;
    assert!(refused.status == 422 && refused.text(".error-summary").contains("STRONGROOM_RELEASE_VALUES"));
}

/// A sync with the Secret `db`, added while the console still released values.
fn released_before(lab: &Lab, app: &TestApp, (cluster, source): (&str, &str), namespace: &str) -> IntegrationId {
    let (cluster, source) = (cluster.parse().expect("an id"), source.parse().expect("an id"));
    let item = Item {
        id: "0123456789ab".to_owned(),
        secret: "db".to_owned(),
        kind: "Opaque".to_owned(),
        namespaces: vec![namespace.to_owned()],
        ..Item::default()
    };
    let mut settings = Values::default();
    set_items(&mut settings, std::slice::from_ref(&item));
    let host = item.end(lab.server().trim_start_matches("https://"));
    let settings = String::from_utf8_lossy(&settings.to_json()).into_owned();
    let sync = NewIntegration {
        family: "secret_sync",
        version: "sync_kubernetes",
        name: "production",
        credential_id: Some(cluster),
        host: "the address in the credential",
        further: &[Usage { role: item.role(), credential: source, host }],
        settings: &settings,
        every_hours: None,
    };
    let actor = Actor::command_line();
    app.transaction(|conn| integrations::create(conn, &app.services.vault, &actor, &sync))
}
