//! Calls to webhooks that are none: whatever is wrong has one answer, and the address is known to nobody but the registry.

use reqwest::Method;
use serde_json::json;
use strongroom::models::IntegrationId;

use super::hooks::{call, made, of_webhook, pushed};
use super::{Form, actions, ended};
use crate::support::app::{TestApp, Visit};
use crate::support::sql;

const CLOSED: &str = "http://127.0.0.1:1";

async fn added(app: &TestApp, visit: &mut Visit, name: &str) -> IntegrationId {
    let id = Form::new(name, CLOSED).add(visit).await;
    ended(app, id).await;
    id
}

fn waiting(app: &TestApp) -> i64 {
    sql::count(app, "hooks WHERE due_at IS NOT NULL")
}

#[actix_web::test]
async fn whatever_is_wrong_with_a_call_has_the_same_answer() {
    let app = TestApp::start();
    let mut visit = app.administrator();
    let id = added(&app, &mut visit, "one").await;
    let other = added(&app, &mut visit, "two").await;
    let (address, others) = (made(&mut visit, id).await, made(&mut visit, other).await);
    let part = |address: &str, number: usize| address.split('/').nth(number).unwrap_or_default().to_owned();
    let (hook, secret) = (part(&address, 2), part(&address, 3));
    assert!(secret.len() == 64 && secret != part(&others, 3));
    let mut answers = Vec::new();
    for path in [
        format!("/hooks/{hook}/{}", "0".repeat(64)),
        format!("/hooks/{hook}/{}", part(&others, 3)),
        format!("/hooks/{}/{secret}", part(&others, 2)),
        format!("/hooks/{id}/{secret}"),
        format!("/hooks/00000000-0000-4000-8000-000000000000/{secret}"),
        format!("/hooks/{hook}/{}", &secret[..63]),
        format!("/hooks/{hook}/{}", secret.to_uppercase()),
        format!("/hooks/{hook}/"),
        format!("/hooks/x/{secret}"),
        format!("{address}/more"),
    ] {
        let mut stranger = app.visitor();
        let request = stranger.request(Method::POST, &path).json(&pushed(&["team/app"]));
        let page = stranger.send(request).await;
        assert_eq!(page.status, 404, "{path}");
        assert!(!page.body.contains(&secret), "{path}");
        answers.push(page.text("main").split("Request").next().unwrap_or_default().to_owned());
    }
    assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:?}");
    assert_eq!(app.visitor().get(&address).await.status, 404, "nothing is asked for by GET");
    assert_eq!(waiting(&app), 0);
    assert_eq!(call(&app, &address, &pushed(&["team/app"])).await, 200);
    assert_eq!(waiting(&app), 1);
}

#[actix_web::test]
async fn an_address_ends_when_it_is_replaced_or_switched_off() {
    let app = TestApp::start();
    let mut visit = app.administrator();
    let id = added(&app, &mut visit, "one").await;
    let first = made(&mut visit, id).await;
    let second = made(&mut visit, id).await;
    assert_eq!(call(&app, &first, &json!({})).await, 404);
    let off = visit.post(&format!("/integrations/{id}/webhook/off"), &[]).await;
    assert_eq!((off.status, call(&app, &second, &json!({})).await), (303, 404));
    assert!(visit.get(&format!("/integrations/{id}")).await.text("[data-webhook]").starts_with("Off."));
    let trail = actions(&app, None);
    let of = |action: &str| trail.iter().filter(|known| *known == action).count();
    assert_eq!((of("hook.made"), of("hook.removed")), (2, 2));
    // An integration that is off is asked for nothing.
    let third = made(&mut visit, id).await;
    visit.post(&format!("/integrations/{id}/activation"), &[("active", "")]).await;
    assert_eq!((call(&app, &third, &json!({})).await, waiting(&app)), (200, 0));
    // A row that somebody put back opens nothing.
    sql::run(&app, "CREATE TABLE kept AS SELECT * FROM hooks");
    let fourth = made(&mut visit, id).await;
    sql::run(&app, "DELETE FROM hooks; INSERT INTO hooks SELECT * FROM kept");
    assert_eq!((call(&app, &third, &json!({})).await, call(&app, &fourth, &json!({})).await), (404, 404));
    assert!(visit.get(&format!("/integrations/{id}")).await.text("[data-webhook]").contains("changed outside"));
    sql::run(&app, "DROP TABLE kept");
}

#[actix_web::test]
async fn a_browser_asks_for_nothing_and_a_huge_message_is_not_read() {
    let app = TestApp::start();
    let mut visit = app.administrator();
    let id = added(&app, &mut visit, "one").await;
    let address = made(&mut visit, id).await;
    let cookie = visit.cookie.clone().expect("a session");
    for header in [("cookie", cookie.as_str()), ("origin", "https://evil.example"), ("sec-fetch-site", "cross-site")] {
        let mut stranger = app.visitor();
        let request = stranger.request(Method::POST, &address).header(header.0, header.1).body("{}");
        assert_eq!(stranger.send(request).await.status, 403, "{header:?}");
    }
    let mut stranger = app.visitor();
    let request = stranger.request(Method::POST, &address).body(" ".repeat(256 * 1024 + 1));
    assert_eq!(stranger.send(request).await.status, 413);
    assert_eq!((waiting(&app), of_webhook(&app, id).len()), (0, 0));
    let request = stranger.request(Method::POST, &address).body(" ".repeat(256 * 1024));
    assert_eq!((stranger.send(request).await.status, waiting(&app)), (200, 1));
}

#[actix_web::test]
async fn the_secret_of_an_address_is_stored_nowhere() {
    let app = TestApp::start();
    let mut visit = app.administrator();
    let id = added(&app, &mut visit, "one").await;
    let address = made(&mut visit, id).await;
    let secret = address.rsplit('/').next().expect("a secret");
    assert_eq!(call(&app, &address, &pushed(&["team/app"])).await, 200);
    let tables = sql::texts(
        &app,
        "SELECT relname::text AS text FROM pg_class
        WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'",
    );
    for table in tables {
        let found = sql::count(&app, &format!("{table} t WHERE strpos(to_jsonb(t)::text, '{secret}') > 0"));
        assert_eq!(found, 0, "{table}");
    }
    let page = visit.get(&format!("/integrations/{id}")).await;
    assert!(!page.body.contains(secret));
}
