//! What a stolen session token must not do: take a stored secret to a host of the thief's.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::Method;
use serde_json::json;
use strongroom::accounts::Role;
use strongroom::api::vendor::ROUTES;
use strongroom::models::api_tokens::Scope;
use strongroom::models::events::Actor;
use strongroom::models::integrations::{self, NewIntegration};
use strongroom::models::{CredentialId, credential_names};

use super::{Program, basic, error, events, value};
use crate::support::app::{PASSWORD, TestApp};
use crate::support::peers::scripted::{Reply, Scripted};
use crate::support::sql;

const CANARY: &str = "CANARY-api-7f31c0de";

fn id(app: &TestApp, name: &str) -> CredentialId {
    credential_names::find(&mut app.connect(), name).expect("read").expect("a credential").0
}

#[actix_web::test]
async fn a_stolen_session_takes_no_stored_secret_to_another_host() {
    let sink = Scripted::start(|_| Reply::json(json!({}))).await;
    let app = TestApp::start();
    let owner = Program::new(&app, Role::Administrator, Scope::Write).await;
    assert_eq!(owner.post("/credentials", &basic("robot", "harbor", CANARY)).await.status, 200);
    let git = json!({"_id": "git", "type": "gitlabToken", "url": "https://gitlab.example.com",
        "secret": {"plain": "glpat-CANARYCANARYCANARY12"}});
    assert_eq!(owner.post("/credentials", &git).await.status, 200);
    let settings = json!({"registry": "https://registry.example.com"}).to_string();
    let new = NewIntegration {
        family: "registry_scan",
        version: "docker_v2",
        name: "mirror",
        credential_id: Some(id(&app, "robot")),
        host: "registry.example.com",
        further: &[],
        settings: &settings,
        every_hours: None,
    };
    let mirror = app.transaction(|conn| integrations::create(conn, &app.services.vault, &Actor::command_line(), &new));
    app.add_user("otto", Role::Administrator);
    let by_password = Program::by(&app, "otto", PASSWORD).await;
    let there = json!({"id": mirror, "version": "2", "registry": sink.url(), "credentialID": "robot"});
    for thief in [&owner, &by_password] {
        for (method, path, body) in [
            (Method::PUT, "/settings/registry", json!({"specifications": [there]})),
            (Method::POST, "/settings/registry", there.clone()),
            (
                Method::POST,
                "/settings/registry",
                json!({"version": "harbor", "registry": sink.url(), "credentialId": "robot"}),
            ),
            (
                Method::POST,
                "/credentials",
                json!({"_id": "git", "type": "gitlabToken", "url": "https://evil.example.com"}),
            ),
            (Method::POST, "/credentials", json!({"_id": "robot", "type": "apiToken", "secret": {}})),
        ] {
            let page = thief.call(method.clone(), path, Some(&body)).await;
            assert_eq!(page.status, 400, "{method} {path} {body}: {}", page.body);
            assert!(!page.body.contains(CANARY), "{}", page.body);
        }
        let page = thief.post("/settings/registry", &there).await;
        assert!(error(&page).contains("hasn't been sent to"), "{}", page.body);
        assert_eq!(thief.post("/registry/scan", &json!({})).await.status, 200);
    }
    tokio::time::sleep(std::time::Duration::from_secs(1)).await;
    assert!(sink.seen().is_empty(), "nothing has reached the thief");
    assert!(!events(&app, "integration.destination_refused").is_empty());
    let meant = Program::new(&app, Role::Operator, Scope::Destinations).await;
    assert_eq!(meant.post("/settings/registry", &there).await.status, 200, "a token that was made for it");
    let allowed = events(&app, "integration.destination_allowed");
    assert!(allowed.iter().all(|event| event.actor == "operator-destinations (API token destinations)"), "{allowed:?}");
    assert_eq!(allowed.len(), 1);
}

#[actix_web::test]
async fn a_channel_is_silenced_only_by_a_token_that_stands_for_the_password() {
    let app = TestApp::start();
    let settings = r#"{"host":"127.0.0.1","port":"1","tls":"none","from":"a@example.com"}"#;
    let channel = NewIntegration {
        family: "alert_profile",
        version: "email",
        name: "on call",
        credential_id: None,
        host: "127.0.0.1:1",
        further: &[],
        settings,
        every_hours: None,
    };
    app.transaction(|conn| integrations::create(conn, &app.services.vault, &Actor::command_line(), &channel));
    let writer = Program::new(&app, Role::Operator, Scope::Write).await;
    assert_eq!(value(&writer.get("/alert-profiles/names").await), json!(["on call"]));
    assert_eq!(writer.delete("/alert-profiles/on%20call").await.status, 403);
    let meant = Program::new(&app, Role::Operator, Scope::Destinations).await;
    assert_eq!(meant.delete("/alert-profiles/on%20call").await.status, 200);
    assert_eq!(value(&writer.get("/alert-profiles").await), json!([]));
}

#[actix_web::test]
async fn a_browsers_session_is_none_here_and_a_cookie_is_refused() {
    let app = TestApp::start();
    let mut ada = app.administrator();
    assert_eq!(ada.get("/api/v1/credentials").await.status, 400);
    ada.cookie = None;
    let page = ada.get("/api/v1/credentials").await;
    assert_eq!((page.status, page.headers.get("set-cookie")), (401, None));
    assert_eq!(ada.get("/%61pi/v1/credentials").await.status, 404, "a path that is written in escapes");
}

#[actix_web::test]
async fn no_answer_holds_a_secret_or_what_is_sealed() {
    let app = TestApp::start();
    let program = Program::new(&app, Role::Administrator, Scope::Write).await;
    assert_eq!(program.post("/credentials", &basic("robot", "harbor", CANARY)).await.status, 200);
    let there = json!({"version": "2", "registry": "https://127.0.0.1:1"});
    assert_eq!(program.post("/settings/registry", &there).await.status, 200);
    let sealed = sql::texts(
        &app,
        "SELECT encode(payload, 'hex') AS text FROM secrets UNION ALL SELECT encode(wrapped_dek, 'hex') FROM secrets",
    );
    assert!(sealed.len() > 2);
    for (_, path) in ROUTES.iter().filter(|(method, _)| *method == "get") {
        let page = program.get(&path.replace("{name:.*}", "robot")).await;
        assert_eq!(page.status, 200, "{path}");
        for secret in std::iter::once(CANARY.to_owned()).chain(sealed.iter().cloned()) {
            let bytes = hex::decode(&secret).unwrap_or_else(|_| secret.clone().into_bytes());
            let encoded = [secret, STANDARD.encode(&bytes), hex::encode(&bytes)];
            // The end of a text in base64 depends on what follows.
            let found = encoded.iter().any(|form| page.body.contains(form.trim_end_matches('=')));
            assert!(!found, "{path}");
        }
    }
}
