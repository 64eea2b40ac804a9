//! The pages of a store in a browser: the form, its entries, the choice of what to import and what it is, on a phone and
//! on a desk, light and dark.

use strongroom::models::IntegrationId;

use super::story::store;
use crate::screens::FAULTS;
use crate::support::app::TestApp;
use crate::support::browser::{Browser, Look, NARROW, WIDE};
use crate::support::peers::openbao::OpenBao;

async fn filled() -> OpenBao {
    let bao = OpenBao::start().await;
    let long = "team/a-rather-long-name-of-a-folder/and-one-more/database-of-the-customer-portal-production";
    let pair = serde_json::json!({"access_key_id": "AKIAIOSFODNN7EXAMPLE",
        "secret_access_key": "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"});
    bao.holds("aws/ci", pair).await;
    bao.holds(long, serde_json::json!({"username": "portal", "password": "not-shown-0815"})).await;
    bao.holds("chat/slack", serde_json::json!({"token": "not-shown-token-0123456789"})).await;
    bao.holds("odd", serde_json::json!({"host": "db.example.com", "port": 5432})).await;
    bao
}

async fn look(browser: &Browser, name: &str) {
    browser.picture(&format!("store-{name}")).await;
    assert!(browser.overflow().await <= 0, "{name} is wider than the window");
    let faults = browser.script(FAULTS, vec![]).await;
    assert_eq!(faults.as_array().map(Vec::len), Some(0), "{name}: {faults}");
    assert_eq!(browser.axe().await, Vec::<String>::new(), "{name}");
    assert_eq!(browser.complaints().await, Vec::<String>::new(), "{name}");
}

async fn walk(browser: &Browser, id: IntegrationId, suffix: &str) {
    let at = |name: &str| format!("{name}-{suffix}");
    browser.goto("/integrations/new?version=vault_kv").await;
    look(browser, &at("form")).await;
    browser.goto("/integrations/new?version=cyberark_ccp").await;
    look(browser, &at("form-cyberark")).await;
    browser.goto(&format!("/integrations/{id}")).await;
    look(browser, &at("page")).await;
    browser.goto(&format!("/integrations/{id}/import")).await;
    look(browser, &at("choose")).await;
    let tick = "document.querySelectorAll('input.is-picked').forEach(box => { box.checked = true; }); return 0;";
    browser.script(tick, vec![]).await;
    browser.press("Preview").await;
    browser.sees("Left out").await;
    look(browser, &at("look")).await;
    browser.goto("/help/stores").await;
    look(browser, &at("help")).await;
}

#[actix_web::test]
async fn the_pages_of_a_store_fit_a_phone_and_a_desk() {
    let bao = filled().await;
    let app = TestApp::start();
    let mut visit = app.administrator();
    let id = store(&app, &mut visit, &bao).await;
    let desk = Look { width: 1440, ..WIDE };
    let looks = [("desk", desk), ("desk-dark", Look { dark: true, ..desk }), ("phone", NARROW)];
    for (suffix, look) in [&looks[..], &[("phone-dark", Look { dark: true, ..NARROW })]].concat() {
        let browser = Browser::open(&app.url, look).await;
        browser.take(visit.cookie.as_deref()).await;
        walk(&browser, id, suffix).await;
        browser.close().await;
    }
}

#[actix_web::test]
async fn a_store_is_added_and_its_entries_imported_in_a_browser() {
    let bao = filled().await;
    let app = TestApp::start();
    let mut visit = app.administrator();
    let id = store(&app, &mut visit, &bao).await;
    let browser = Browser::open(&app.url, WIDE).await;
    browser.take(visit.cookie.as_deref()).await;
    browser.goto(&format!("/integrations/{id}")).await;
    browser.press("Import entries").await;
    browser.sees("Choose entries.").await;
    browser.script("document.querySelector('input[value=\"secret/aws/ci\"]').click(); return 0;", vec![]).await;
    browser.press("Preview").await;
    browser.sees("AKIAIOSFODNN7EXAMPLE").await;
    browser.press("Import selected").await;
    browser.sees("1 of 1 imported").await;
}
