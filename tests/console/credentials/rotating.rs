//! Rotating: a new secret alone, tried at its provider and on every usage before it is saved.

use std::time::Instant;

use strongroom::models::events::Actor;
use strongroom::models::integrations::{self, NewIntegration};
use strongroom::models::{CredentialId, IntegrationId};

use super::{actions, add, add_of, edit, integrate, row, samples, stored};
use crate::support::app::{Page, TestApp, Visit};
use crate::support::peers::registry::{Auth, Registry};
use crate::support::peers::scripted::{Reply, Scripted};

const OLD: &str = "first secret";
const NEW: &str = "CANARY-second-secret-7f3a";

/// A registry that knows the robot by this password, and an integration that scans it.
async fn registry(app: &TestApp, name: &str, robot: CredentialId, password: &'static str) -> (Registry, IntegrationId) {
    let peer = Registry::start(Auth::Htpasswd { user: "robot", password }).await;
    let id = scan(app, name, robot, &peer.url());
    (peer, id)
}

pub fn scan(app: &TestApp, name: &str, robot: CredentialId, url: &str) -> IntegrationId {
    let settings = serde_json::json!({ "registry": url }).to_string();
    let new = NewIntegration {
        family: "registry_scan",
        version: "docker_v2",
        name,
        credential_id: Some(robot),
        host: url,
        further: &[],
        settings: &settings,
        every_hours: None,
    };
    app.transaction(|conn| integrations::create(conn, &app.services.vault, &Actor::command_line(), &new))
}

/// A channel that sends to the address in the credential.
pub fn channel(app: &TestApp, address: CredentialId) -> IntegrationId {
    let new = NewIntegration {
        family: "alert_profile",
        version: "webhook_channel",
        name: "People",
        credential_id: Some(address),
        host: "the address in the credential",
        further: &[],
        settings: r#"{"on_stale":"on"}"#,
        every_hours: None,
    };
    app.transaction(|conn| integrations::create(conn, &app.services.vault, &Actor::command_line(), &new))
}

async fn rotate(visit: &mut Visit, id: CredentialId, fields: &[(&str, &str)]) -> Page {
    let path = format!("/credentials/{id}/rotate");
    let version = visit.get(&path).await.attributes("input[name=row_version]", "value").remove(0);
    visit.post(&path, &[&[("row_version", version.as_str())][..], fields].concat()).await
}

#[actix_web::test]
async fn a_new_secret_is_tried_on_every_usage_and_then_saved() {
    let app = TestApp::start();
    let mut visit = app.administrator();
    let id = add(&mut visit, "robot").await;
    let (one, first) = registry(&app, "one", id, NEW).await;
    let (two, _) = registry(&app, "two", id, NEW).await;
    let page = visit.get(&format!("/credentials/{id}/rotate")).await;
    let names = page.attributes("#rotate [name]:not([type=hidden]):not(button)", "name");
    assert_eq!(names, ["password"], "the secret alone");
    assert!(page.attributes("#password", "required").len() == 1 && page.texts(".list li")[0].contains("one"));
    assert_eq!(page.attributes(".list a", "href")[0], format!("/integrations/{first}"));
    let before = row(&app, id);
    let page = rotate(&mut visit, id, &[("goal", "save"), ("password", NEW)]).await;
    assert_eq!((page.status, page.location()), (303, format!("/credentials/{id}").as_str()), "{}", page.text("main"));
    assert_eq!(stored(&app, id).get("password"), NEW);
    let after = row(&app, id);
    assert!(after.secret_set_at > before.secret_set_at && after.name == "robot" && after.identity == "robot");
    assert_eq!(actions(&app, id), ["credential.created", "credential.opened", "credential.edited"]);
    for peer in [&one, &two] {
        assert!(!peer.seen().is_empty() && peer.seen().iter().all(|seen| seen.line.starts_with("GET ")));
    }
}

#[actix_web::test]
async fn a_secret_that_fails_somewhere_is_saved_once_that_was_named() {
    let app = TestApp::start();
    let mut visit = app.administrator();
    let id = add(&mut visit, "robot").await;
    let (_knows, _) = registry(&app, "works", id, NEW).await;
    let (_refuses, _) = registry(&app, "refuses", id, OLD).await;
    let page = rotate(&mut visit, id, &[("goal", "save"), ("password", NEW)]).await;
    assert_eq!((page.status, page.attributes("[data-trials]", "data-trials")), (200, vec!["failing".to_owned()]));
    assert_eq!(page.attributes("[data-trial]", "data-trial"), ["bad", "good"]);
    assert!(page.text("#trials .notice.is-warn").contains("refuses"));
    assert!(page.attributes("#password", "value").is_empty() && !page.body.contains(NEW));
    assert_eq!(stored(&app, id).get("password"), OLD, "nothing is saved yet");
    let proof = page.attributes("[data-anyway]", "value").remove(0);
    for (secret, proof) in [("another secret", proof.as_str()), (NEW, "00ff"), (NEW, "no proof")] {
        let page = rotate(&mut visit, id, &[("anyway", proof), ("password", secret)]).await;
        assert_eq!((page.status, page.has("[data-trials=failing]")), (200, true), "tried again: {secret} {proof}");
        assert_eq!(stored(&app, id).get("password"), OLD);
    }
    let page = rotate(&mut visit, id, &[("anyway", &proof), ("password", NEW)]).await;
    assert_eq!(page.status, 303, "{}", page.text("main"));
    assert_eq!(stored(&app, id).get("password"), NEW);
    let mut other = app.user("grace", strongroom::accounts::Role::Operator);
    let page = rotate(&mut other, id, &[("anyway", &proof), ("password", OLD)]).await;
    assert_eq!(page.status, 200, "a proof is for one secret, one version and one user");
}

#[actix_web::test]
async fn a_test_of_a_new_secret_saves_nothing() {
    let app = TestApp::start();
    let mut visit = app.administrator();
    let id = add(&mut visit, "robot").await;
    let (_peer, _) = registry(&app, "one", id, NEW).await;
    let page = rotate(&mut visit, id, &[("goal", "test"), ("password", NEW)]).await;
    assert_eq!((page.status, page.has("[data-trials=well]")), (200, true), "{}", page.text("main"));
    assert_eq!(stored(&app, id).get("password"), OLD);
    let proof = page.attributes("[data-anyway]", "value").remove(0);
    assert_eq!(rotate(&mut visit, id, &[("anyway", &proof), ("password", NEW)]).await.status, 303);
    assert_eq!(stored(&app, id).get("password"), NEW);
}

#[actix_web::test]
async fn a_usage_that_hangs_or_is_off_stops_no_other() {
    let app = TestApp::start();
    let mut visit = app.administrator();
    let id = add(&mut visit, "robot").await;
    let silent = Scripted::start(|_| Reply::Silent).await;
    scan(&app, "a silent one", id, &silent.url());
    let (_knows, _) = registry(&app, "b works", id, NEW).await;
    let (_refuses, off) = registry(&app, "c is off", id, OLD).await;
    app.transaction(|conn| integrations::set_active(conn, &app.services.vault, &Actor::command_line(), off, false));
    let begun = Instant::now();
    let page = rotate(&mut visit, id, &[("goal", "save"), ("password", NEW)]).await;
    assert!(begun.elapsed().as_secs() < 25, "within the time that a browser waits: {:?}", begun.elapsed());
    assert_eq!(page.attributes("[data-trial]", "data-trial"), ["bad", "good", "off"], "{}", page.text("main"));
    let named = page.text("#trials .notice.is-warn");
    assert!(named.contains("a silent one") && !named.contains("c is off"), "{named}");
}

#[actix_web::test]
async fn the_stored_secret_again_and_none_at_all_are_no_rotation() {
    let app = TestApp::start();
    let mut visit = app.administrator();
    let id = add(&mut visit, "robot").await;
    for secret in [OLD, "", " "] {
        let page = rotate(&mut visit, id, &[("goal", "save"), ("password", secret)]).await;
        assert_eq!((page.status, page.has("#password-error")), (422, true), "{secret}");
    }
    let page = rotate(&mut visit, id, &[("goal", "save"), ("password", NEW), ("name", "x"), ("username", "eve")]).await;
    assert_eq!(page.status, 303);
    let after = row(&app, id);
    assert_eq!((after.name.as_str(), after.identity.as_str()), ("robot", "robot"), "the rest stays");
}

#[actix_web::test]
async fn a_rotation_over_an_edit_shows_both_and_goes_on() {
    let app = TestApp::start();
    let mut visit = app.administrator();
    let id = add(&mut visit, "robot").await;
    let seen = row(&app, id).row_version.to_string();
    let theirs = [("name", "renamed"), ("username", "robot"), ("password", "")];
    assert_eq!(edit(&mut visit, id, &theirs).await.status, 303);
    let path = format!("/credentials/{id}/rotate");
    let page = visit.post(&path, &[("row_version", &seen), ("goal", "save"), ("password", NEW)]).await;
    assert_eq!((page.status, page.has(".compare")), (409, true));
    assert!(!page.body.contains(NEW));
    let (action, fields) =
        page.forms().into_iter().find(|(action, _)| action.starts_with("/credentials/")).expect("on");
    assert_eq!(action, path);
    let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let page = visit.post(&path, &fields).await;
    assert_eq!((page.status, page.text("h1")), (200, "Rotate renamed".to_owned()));
    assert_eq!(stored(&app, id).get("password"), OLD);
}

#[actix_web::test]
async fn a_new_access_key_brings_its_id() {
    let app = TestApp::start();
    let mut visit = app.administrator();
    let key = [
        ("kind", "aws"),
        ("name", "key"),
        ("method", "access_key"),
        ("access_key_id", "AKIAIOSFODNN7EXAMPLE"),
        ("secret_access_key", "wJalrXUtnFEMIzK7MDENGzbPxRfiCYEXAMPLEKEY"),
    ];
    let id = add_of(&mut visit, &key).await;
    let page = visit.get(&format!("/credentials/{id}/rotate")).await;
    let names = page.attributes("#rotate [name]:not([type=hidden]):not(button)", "name");
    assert_eq!(names, ["access_key_id", "secret_access_key"]);
    assert_eq!(page.attributes("#access_key_id", "value"), [""]);
    let fields = [("goal", "test"), ("access_key_id", "AKIAIOSFODNN7NEWKEY1"), ("secret_access_key", "")];
    let page = rotate(&mut visit, id, &fields).await;
    assert_eq!((page.status, page.has("#secret_access_key-error")), (422, true));
    assert_eq!(page.attributes("#access_key_id", "value"), ["AKIAIOSFODNN7NEWKEY1"], "what was typed stays");
    let role = [("kind", "aws"), ("name", "role"), ("method", "iam_role")];
    let id = add_of(&mut visit, &role).await;
    assert_eq!(visit.get(&format!("/credentials/{id}/rotate")).await.status, 409, "it holds no secret");
}

#[actix_web::test]
async fn every_type_with_a_secret_has_a_page_that_rotates_it() {
    let app = TestApp::start();
    let mut visit = app.administrator();
    for (number, (kind, values)) in samples::all("x").into_iter().enumerate() {
        let name = format!("{kind} {number}");
        let mut fields = vec![("kind", kind), ("name", name.as_str())];
        fields.extend(values.iter().map(|(name, value)| (*name, value.as_str())));
        let id = add_of(&mut visit, &fields).await;
        let page = visit.get(&format!("/credentials/{id}/rotate")).await;
        let has_secret = !row(&app, id).facts.contains(r#""secrets":[]"#);
        assert_eq!(page.status, if has_secret { 200 } else { 409 }, "{name}");
        assert!(!has_secret || page.has("#rotate [type=password], #rotate textarea"), "{name}");
    }
}

#[actix_web::test]
async fn a_channel_is_not_used_to_try_its_new_address() {
    let app = TestApp::start();
    let mut visit = app.administrator();
    let peer = Scripted::start(|_| Reply::json(serde_json::json!({}))).await;
    let fields = [("kind", "webhook"), ("name", "hook"), ("url", &peer.url().replace("http:", "https:"))];
    let id = add_of(&mut visit, &fields).await;
    channel(&app, id);
    let path = format!("/credentials/{id}/rotate");
    app.give_password_long_ago();
    assert!(visit.get(&path).await.location().starts_with("/account/confirm?next="));
    let url = format!("{}/new", peer.url().replace("http:", "https:"));
    let fields = [("row_version", "1"), ("goal", "save"), ("url", url.as_str())];
    let page = visit.post(&path, &fields).await;
    assert_eq!((page.status, page.has("#confirm #your_password")), (422, true), "before anything is tried");
    let fields = [&fields[..], &[("your_password", crate::support::app::PASSWORD)]].concat();
    assert_eq!(visit.post(&path, &fields).await.status, 303);
    assert_eq!(stored(&app, id).get("url"), url);
    assert!(peer.seen().is_empty());
}

#[actix_web::test]
async fn an_integration_that_was_altered_gets_no_new_secret() {
    let app = TestApp::start();
    let mut visit = app.administrator();
    let id = add(&mut visit, "robot").await;
    let integration = integrate(&app, "altered", id);
    let peer = Scripted::start(|_| Reply::json(serde_json::json!({}))).await;
    super::execute(
        &app,
        &format!("UPDATE integrations SET settings = '{{\"registry\":\"{}\"}}' WHERE id = '{integration}'", peer.url()),
    );
    let page = rotate(&mut visit, id, &[("goal", "save"), ("password", NEW)]).await;
    assert_eq!(page.attributes("[data-trial]", "data-trial"), ["bad"], "{}", page.text("main"));
    assert!(peer.seen().is_empty());
}
