//! A session that ends while somebody types: what they typed stays, also the secret, and is saved after a login over
//! the page.

use serde_json::json;

use crate::support::app::{PASSWORD, TestApp};
use crate::support::browser::{Browser, WIDE};
use crate::support::sql;

/// The clock of the page goes ahead by so many minutes.
const LATER: &str = "
    const now = Date.now.bind(Date), ahead = arguments[0] * 60_000;
    window.true_now ??= now;
    Date.now = () => window.true_now() + ahead;
    document.dispatchEvent(new Event('visibilitychange'));";

const STATE: &str =
    "const dialog = document.getElementById('session'); return dialog.open ? dialog.dataset.state : '';";

/// A button of the dialog.
async fn press(browser: &Browser, button: &str) {
    browser.script("document.querySelector('#session ' + arguments[0]).click()", vec![json!(button)]).await;
}

#[actix_web::test]
async fn a_form_outlives_its_session_and_is_saved_after_a_login_over_it() {
    let app = TestApp::start();
    let visit = app.administrator();
    let browser = Browser::open(&app.url, WIDE).await;
    browser.take(visit.cookie.as_deref()).await;
    browser.goto("/credentials/new?kind=basic").await;
    browser.fill("Name", "Typed before the end").await;
    browser.fill("Username", "robot").await;
    browser.fill("Password", "a secret of the form").await;
    sql::run(&app, "DELETE FROM sessions");
    app.services.sessions.forget();
    browser.script(LATER, vec![json!(16)]).await;
    assert_eq!(browser.script(STATE, vec![]).await, "ended");
    browser.script("document.getElementById('session-password').value = arguments[0]", vec![json!("wrong")]).await;
    press(&browser, "form[action] button").await;
    browser.sees("do not match").await;
    browser.script("document.getElementById('session-password').value = arguments[0]", vec![json!(PASSWORD)]).await;
    press(&browser, "form[action] button").await;
    browser.sees("You're logged in again").await;
    assert_eq!(browser.script(STATE, vec![]).await, "");
    browser.press("Save").await;
    browser.sees("Usages").await;
    assert_eq!(sql::count(&app, "credentials WHERE name = 'Typed before the end'"), 1);
    browser.close().await;
}

#[actix_web::test]
async fn a_page_warns_two_minutes_before_its_session_ends() {
    let app = TestApp::start();
    let visit = app.administrator();
    let browser = Browser::open(&app.url, WIDE).await;
    browser.take(visit.cookie.as_deref()).await;
    browser.goto("/credentials").await;
    assert_eq!(browser.script(STATE, vec![]).await, "");
    browser.script(LATER, vec![json!(14)]).await;
    assert_eq!(browser.script(STATE, vec![]).await, "warning");
    assert_eq!(browser.axe().await, Vec::<String>::new());
    press(&browser, "[data-stay]").await;
    for _ in 0..50 {
        if browser.script(STATE, vec![]).await == "" {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    assert_eq!(browser.script(STATE, vec![]).await, "");
    browser.close().await;
}

#[actix_web::test]
async fn a_form_posted_after_the_end_says_so_and_leads_back_to_itself() {
    let app = TestApp::start();
    let mut visit = app.visitor();
    visit.headers.push(("referer", format!("{}/credentials/new?kind=basic", app.url)));
    let page = visit.post("/credentials", &[("kind", "basic")]).await;
    assert_eq!((page.status, page.location()), (302, "/login?next=%2Fcredentials%2Fnew%3Fkind%3Dbasic&ended=yes"));
    assert!(visit.get("/login?ended=yes").await.body.contains("data-ended"));
}
