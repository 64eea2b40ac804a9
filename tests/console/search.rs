//! *Search or jump*: credentials, integrations, pages and actions by their words, as a page and as a palette.

use serde_json::json;
use strongroom::accounts::Role;

use crate::support::app::TestApp;
use crate::support::browser::{Browser, WIDE};

const STORED: [(&str, &str); 4] =
    [("kind", "basic"), ("name", "Harbor robot, staging"), ("username", "robot$ci"), ("password", "pass")];

#[actix_web::test]
async fn a_word_finds_credentials_pages_and_what_can_be_added() {
    let app = TestApp::start();
    let mut visit = app.user("olga", Role::Operator);
    let id = visit.post("/credentials", &STORED).await.location().to_owned();
    let body = visit.get("/search?q=harbor").await.body;
    assert!(body.contains(&format!("href=\"{id}\"")) && body.contains("/integrations/new?version=harbor"), "{body}");
    assert!(visit.get("/search?q=audit").await.body.contains("href=\"/audit\" data-hit"));
    assert!(visit.get("/search?q=zzz-nothing").await.body.contains("data-nothing"));
    let mut auditor = app.user("aude", Role::Auditor);
    let body = auditor.get("/search?q=").await.body;
    assert!(
        body.contains("data-hit") && !body.contains("href=\"/users\" data-hit") && !body.contains("/new\" data-hit")
    );
}

#[actix_web::test]
async fn ctrl_k_leads_from_any_page_to_what_is_typed() {
    let app = TestApp::start();
    let mut visit = app.administrator();
    let id = visit.post("/credentials", &STORED).await.location().to_owned();
    let browser = Browser::open(&app.url, WIDE).await;
    browser.take(visit.cookie.as_deref()).await;
    browser.goto("/audit").await;
    let press = "document.body.dispatchEvent(new KeyboardEvent('keydown', { key: 'k', ctrlKey: true, bubbles: true }))";
    browser.script(press, vec![]).await;
    browser.sees("Add credential").await;
    assert_eq!(browser.axe().await, Vec::<String>::new());
    let typed = "const input = document.querySelector('#palette input'); input.value = arguments[0];
        input.dispatchEvent(new Event('input', { bubbles: true }))";
    browser.script(typed, vec![json!("robot")]).await;
    browser.sees("robot$ci").await;
    let enter = "document.querySelector('#palette input').dispatchEvent(
        new KeyboardEvent('keydown', { key: 'Enter', bubbles: true, cancelable: true }))";
    browser.script(enter, vec![]).await;
    browser.sees("Where it is used").await;
    assert_eq!(browser.path().await, id);
    assert_eq!(browser.complaints().await, Vec::<String>::new());
    browser.close().await;
}
