//! *Test connection* on the form of an integration.

use strongroom::credentials::webhook;
use strongroom::draft::Draft;
use strongroom::form::Values;
use strongroom::models::credentials as stored;
use strongroom::models::events::Actor;

use super::{Form, actions, basic};
use crate::support::app::TestApp;
use crate::support::peers::registry::{Auth, Registry};
use crate::support::peers::scripted::{Reply, Scripted};
use crate::support::sql::count;

const SECRET: &str = "CANARY-7f3a9d52-correct-horse";

#[actix_web::test]
async fn a_connection_is_tested_from_the_form_and_nothing_is_saved() {
    let peer = Registry::start(Auth::Htpasswd { user: "robot", password: SECRET }).await;
    peer.push_image("team/app", &["1.0"]).await;
    let app = TestApp::start();
    let (good, wrong) = (basic(&app, "robot", "robot", SECRET), basic(&app, "old robot", "robot", "another"));
    let mut visit = app.administrator();
    assert_eq!(
        visit.get("/integrations/new?version=docker_v2").await.text("button[value=connection]"),
        "Test connection"
    );
    let form = Form::new("mirror", &peer.url()).with("try", "connection");
    let page = form.clone().with("credential", good).post(&mut visit, "/integrations").await;
    assert_eq!(page.status, 200, "{:?}", page.texts(".error-summary"));
    let said = page.text("main .notice.is-good");
    assert!(said.contains("lists 1 repository on its first page. Nothing is saved yet."), "{said}");
    let page = form.with("credential", wrong).post(&mut visit, "/integrations").await;
    let said = page.text("main .notice.is-bad");
    assert!(said.contains("Signing in failed: the registry refused the user name or password."), "{said}");
    assert_eq!(page.attributes("input[name=name]", "value"), ["mirror"], "what was typed stays");
    assert_eq!((count(&app, "integrations"), count(&app, "runs")), (0, 0));
    assert!(actions(&app, Some(good.0)).contains(&"credential.opened".to_owned()));
    assert!(peer.seen().iter().all(|seen| seen.line.starts_with("GET ")));
}

#[actix_web::test]
async fn a_secret_that_a_registry_sends_back_is_not_shown_by_the_test() {
    let realm = format!(r#"Bearer realm="https://{}.localhost:1/token",service="x""#, SECRET.to_lowercase());
    let peer = Scripted::start(move |_| Reply::status(401).with("WWW-Authenticate", realm.clone())).await;
    let app = TestApp::start();
    let robot = basic(&app, "robot", "robot", SECRET);
    let form = Form::new("mirror", &peer.url()).with("try", "connection").with("credential", robot);
    let page = form.post(&mut app.administrator(), "/integrations").await;
    let said = page.text("main .notice.is-bad");
    assert!(said.contains("the secret, sent back and removed"), "{said}");
    assert!(!page.body.to_lowercase().contains(&SECRET.to_lowercase()));
}

#[actix_web::test]
async fn a_channel_without_a_harmless_call_offers_the_test_alert() {
    let app = TestApp::start();
    let values = Values::from_iter([("url", "https://example.webhook.office.com/workflows/1")]);
    let draft = Draft::new(&webhook::KIND, "Teams".to_owned(), String::new(), &values).expect("a good credential");
    let address =
        app.transaction(|conn| stored::create(conn, &app.services.vault, &Actor::command_line(), &draft.row()));
    let (mut visit, address) = (app.administrator(), address.to_string());
    let fields = [
        ("name", "People"),
        ("version", "teams"),
        ("credential", address.as_str()),
        ("on_stale", "on"),
        ("try", "connection"),
    ];
    let page = visit.post("/integrations", &fields).await;
    let said = page.text("main .notice.is-info");
    assert_eq!(said, "Microsoft Teams has no call that only tests this connection. Send a test alert.");
    assert_eq!(page.text("button[value=on]"), "Send test alert");
    assert_eq!(count(&app, "integrations"), 0);
}
