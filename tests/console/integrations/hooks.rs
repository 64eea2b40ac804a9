//! Webhooks: a registry calls, and what changed is scanned.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::{Value, json};
use strongroom::models::IntegrationId;
use strongroom::models::events::Actor;
use strongroom::models::integrations::{self, NewIntegration};
use strongroom::models::runs::Run;

use super::{Form, actions, all_runs, ended, scan_now, until};
use crate::support::app::{TestApp, Visit};
use crate::support::peers::free_port;
use crate::support::peers::receiver::{Receiver, Said};
use crate::support::peers::registry::{Auth, Registry};
use crate::support::peers::shelf::Shelf;
use crate::support::sql::{self, texts};

/// Makes the address of an integration; its path.
pub async fn made(visit: &mut Visit, id: IntegrationId) -> String {
    let page = visit.post(&format!("/integrations/{id}/webhook"), &[]).await;
    assert_eq!(page.status, 200, "{}", page.text("main"));
    let address: url::Url = page.text("#webhook").parse().expect("an address");
    address.path().to_owned()
}

/// Calls as a registry does: no cookie, no origin.
pub async fn call(app: &TestApp, path: &str, message: &Value) -> u16 {
    let client = reqwest::Client::builder().no_proxy().build().expect("a client");
    let sent = client.post(format!("{}{path}", app.url)).json(message).send().await.expect("an answer");
    sent.status().as_u16()
}

/// The envelope of distribution.
pub fn pushed(repositories: &[&str]) -> Value {
    let event = |name: &&str| json!({"action": "push", "target": {"repository": name, "tag": "1.0"}});
    json!({"events": repositories.iter().map(event).collect::<Vec<_>>()})
}

pub fn of_webhook(app: &TestApp, id: IntegrationId) -> Vec<Run> {
    all_runs(app, id).into_iter().filter(|run| run.cause == "webhook").collect()
}

/// The last scan that a webhook asked for, once so many have ended.
async fn told(app: &TestApp, id: IntegrationId, count: usize) -> Run {
    let last = || {
        let all = of_webhook(app, id);
        let enough = all.len() >= count;
        all.into_iter().next().filter(|run| enough && !run.unfinished())
    };
    until("the webhook's scan ends", last).await
}

fn items(app: &TestApp) -> Vec<String> {
    let item = "place || ':' || name || ' ' || left(fingerprint, 7) || ' ' || kept";
    texts(app, &format!("SELECT {item} AS text FROM items ORDER BY 1"))
}

#[actix_web::test]
async fn a_push_rescans_its_repository_and_keeps_the_others() {
    let app = TestApp::start();
    let mut visit = app.administrator();
    let port = free_port();
    // The registry does not run yet: its configuration takes the address.
    let id = Form::new("mirror", &format!("http://127.0.0.1:{port}")).add(&mut visit).await;
    ended(&app, id).await;
    let address = made(&mut visit, id).await;
    let peer = Registry::notifying(port, &format!("{}{address}", app.url)).await;
    peer.push_image("team/app", &["1.0"]).await;
    peer.push_image("team/web", &["5.2"]).await;
    let first = told(&app, id, 1).await;
    assert_eq!((first.places.as_ref(), first.requested_by.as_str()), (None, "a webhook"), "nothing was read before");
    scan_now(&app, &mut visit, id).await;
    let settled = || sql::count(&app, "hooks WHERE due_at IS NOT NULL") == 0;
    // The registry tells of the first pushes in its own time.
    let quiet = || settled() && all_runs(&app, id).iter().all(|run| !run.unfinished());
    let mut still = 0;
    until("the first calls are over", || {
        sql::run(&app, "UPDATE hooks SET asked_at = NULL");
        still = if quiet() { still + 1 } else { 0 };
        (still > 20).then_some(())
    })
    .await;
    let before = of_webhook(&app, id).len();
    assert_eq!(items(&app).len(), 2);
    // Whoever reads the other repository finds another image than this.
    sql::run(
        &app,
        "UPDATE items SET fingerprint = 'unread' WHERE place = 'team/web'; UPDATE hooks SET asked_at = NULL",
    );
    peer.push_image("team/app", &["1.1"]).await;
    let run = told(&app, id, before + 1).await;
    assert_eq!((run.state.word(), run.found, run.added, run.removed), ("succeeded", 2, 1, 0), "{:?}", run.error);
    assert_eq!(run.places, Some(vec!["team/app".to_owned()]));
    assert_eq!(items(&app), ["team/app:1.0 sha256: false", "team/app:1.1 sha256: false", "team/web:5.2 unread false"]);
    let page = visit.get(&format!("/integrations/{id}")).await;
    assert_eq!(page.text("#inventory small"), "3 images");
    let history = page.text(".timeline li:first-child");
    assert!(history.contains("asked for by a webhook about team/app") && history.contains("1 new"), "{history}");
    assert!(page.text("[data-webhook]").starts_with("On:"), "{}", page.text("[data-webhook]"));
    assert!(actions(&app, Some(id.0)).contains(&"scan.succeeded".to_owned()));
    assert!(actions(&app, None).contains(&"hook.made".to_owned()));
    // The whole is what it was to be.
    assert_eq!(scan_now(&app, &mut visit, id).await.changed, 1);
}

#[actix_web::test]
async fn a_repository_that_is_gone_leaves_and_gaps_of_others_stay() {
    let is_gone = Arc::new(AtomicBool::new(false));
    let gone = Arc::clone(&is_gone);
    let shelf = Shelf::default().with("team/app", "1.0").with("team/web", "5.2").with("team/old", "1");
    let peer = Receiver::start(move |call| match call.path() {
        path if path.starts_with("/v2/team/web/") => Said::json(403, &json!({})),
        path if path.starts_with("/v2/team/old/") && gone.load(Ordering::SeqCst) => Said::json(404, &json!({})),
        _ => shelf.answer(call),
    });
    let app = TestApp::start();
    let mut visit = app.administrator();
    let id = Form::new("mirror", &peer.url()).add(&mut visit).await;
    assert_eq!((ended(&app, id).await.state.word(), items(&app).len()), ("partly", 2));
    is_gone.store(true, Ordering::SeqCst);
    let address = made(&mut visit, id).await;
    assert_eq!(call(&app, &address, &pushed(&["team/old", "team/app", "team/old"])).await, 200);
    let run = told(&app, id, 1).await;
    assert_eq!(run.places.as_deref(), Some(&["team/app".to_owned(), "team/old".to_owned()][..]));
    assert_eq!((run.state.word(), run.found, run.removed, run.gaps), ("partly", 1, 1, 1), "{:?}", run.error);
    assert_eq!(items(&app), ["team/app:1.0 sha256: false"]);
    let page = visit.get(&format!("/integrations/{id}")).await;
    assert!(page.text("main").contains("team/web"), "the gap is on the page still");
    assert_eq!(page.text("#inventory small"), "1 image");
    assert_eq!(sql::count(&app, "alerts WHERE trigger = 'failed_scan'"), 0);
}

/// One integration of a version, which scans nothing that answers.
fn of_version(app: &TestApp, version: &str) -> IntegrationId {
    let new = NewIntegration {
        family: "registry_scan",
        version,
        name: version,
        credential_id: None,
        host: "127.0.0.1:1",
        further: &[],
        settings: r#"{"registry":"http://127.0.0.1:1"}"#,
        every_hours: None,
    };
    app.transaction(|conn| integrations::create(conn, &app.services.vault, &Actor::command_line(), &new))
}

#[actix_web::test]
async fn each_vendors_message_names_its_repository() {
    let app = TestApp::start();
    let mut visit = app.administrator();
    let harbor = json!({"repository": {"repo_full_name": "team/app"}});
    let component = json!({"format": "docker", "name": "app", "version": "1.0"});
    for (version, message, place) in [
        ("docker_v2", pushed(&["team/app"]), "team/app"),
        ("gitlab", pushed(&["group/project/app"]), "group/project/app"),
        ("acr", json!({"action": "push", "target": {"repository": "team/app", "tag": "v1"}}), "team/app"),
        ("docker_hub", json!({"push_data": {"tag": "1"}, "repository": {"repo_name": "team/app"}}), "team/app"),
        ("harbor", json!({"type": "PUSH_ARTIFACT", "event_data": harbor}), "team/app"),
        ("nexus", json!({"repositoryName": "hosted", "action": "CREATED", "component": component}), "hosted/app"),
        (
            "jfrog",
            json!({"domain": "docker", "event_type": "pushed", "data": {"repo_key": "local", "image_name": "app"}}),
            "local/app",
        ),
        ("quay", json!({"repository": "team/app", "updated_tags": ["1.0"]}), "team/app"),
    ] {
        let id = of_version(&app, version);
        let page = visit.post(&format!("/integrations/{id}/webhook"), &[]).await;
        let address: url::Url = page.text("#webhook").parse().expect("an address");
        assert!(page.text(".page-head").contains("Enter it"), "{version}");
        sql::run(&app, "UPDATE hooks SET asked_at = now()");
        let waits = || {
            let query = format!("SELECT whole || ' ' || places::text AS text FROM hooks WHERE integration_id = '{id}'");
            texts(&app, &query).remove(0)
        };
        if version == "acr" {
            assert_eq!(call(&app, address.path(), &json!({"id": "x", "action": "ping"})).await, 200);
            assert_eq!(sql::count(&app, &format!("hooks WHERE integration_id = '{id}' AND due_at IS NULL")), 1);
        }
        assert_eq!(call(&app, address.path(), &message).await, 200, "{version}");
        assert_eq!(waits(), format!("false {{{place}}}"), "{version}");
        assert_eq!(call(&app, address.path(), &json!({"hello": "world"})).await, 200, "{version}");
        assert_eq!(waits(), "true {}", "{version}: what is not understood is about all");
    }
    for version in ["ecr", "ghcr"] {
        let id = of_version(&app, version);
        assert!(!visit.get(&format!("/integrations/{id}")).await.has("[data-webhook]"), "{version}");
        assert_eq!(visit.post(&format!("/integrations/{id}/webhook"), &[]).await.status, 409, "{version}");
    }
}

#[actix_web::test]
async fn a_thousand_calls_become_one_scan() {
    let peer = Registry::start(Auth::None).await;
    peer.push_image("team/app", &["1.0"]).await;
    let app = TestApp::start();
    let mut visit = app.administrator();
    let id = Form::new("mirror", &peer.url()).add(&mut visit).await;
    ended(&app, id).await;
    let address = made(&mut visit, id).await;
    // None is due before all have come.
    assert_eq!(call(&app, &address, &pushed(&["team/app"])).await, 200);
    sql::run(&app, "UPDATE hooks SET due_at = now() + interval '1 hour'");
    let client = reqwest::Client::builder().no_proxy().build().expect("a client");
    for burst in 0..20 {
        let calls = (0..50).map(|number| {
            let name = format!("team/app{}", (burst + number) % 3);
            let sent =
                client.post(format!("{}{address}", app.url)).json(&pushed(&["team/app", name.trim_end_matches('0')]));
            async move { sent.send().await.expect("an answer").status().as_u16() }
        });
        let statuses = futures_util::future::join_all(calls).await;
        assert!(statuses.iter().all(|status| matches!(status, 200 | 503)), "{statuses:?}");
        assert!(statuses.contains(&200));
    }
    sql::run(&app, "UPDATE hooks SET due_at = now()");
    let run = told(&app, id, 1).await;
    assert_eq!(run.places.as_deref().unwrap_or_default(), ["team/app", "team/app1", "team/app2"]);
    assert_eq!(of_webhook(&app, id).len(), 1);
    let many: Vec<String> = (0..21).map(|number| format!("r{number}")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    assert_eq!(call(&app, &address, &pushed(&many)).await, 200);
    assert_eq!(sql::count(&app, "hooks WHERE whole AND places = '{}'"), 1, "many at once are the whole");
}
