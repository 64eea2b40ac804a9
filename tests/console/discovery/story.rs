//! The whole story in a real browser, with moto: a credential, a scan of its account, what nobody scans yet, *Add scan*,
//! and everything is covered.

use crate::support::app::TestApp;
use crate::support::browser::{Browser, WIDE};
use crate::support::peers::moto::{ACCOUNT, Moto};

async fn scan_account(browser: &Browser) {
    browser.goto("/discovery").await;
    browser.press("Add a cloud scan").await;
    browser.fill("Name", "Production account").await;
    browser.fill("Account ID", ACCOUNT).await;
    browser.fill("Regions", "us-east-1, eu-west-1").await;
    browser.choose("Credential", "Scanner key").await;
    browser.press("Add and scan").await;
    browser.sees("lambda/us-east-1").await;
}

/// Presses *Add scan* of the first thing that is not covered, and adds it as the form is filled in.
pub(super) async fn add_scan(browser: &Browser, kind: &str, found: &str) {
    browser.goto(&format!("/discovery?kind={kind}&covered=no")).await;
    let href = browser.script("return document.querySelector('a[data-add]').getAttribute('href')", Vec::new()).await;
    browser.goto(href.as_str().expect("an address")).await;
    browser.press("Add and scan").await;
    browser.sees(found).await;
}

#[actix_web::test]
async fn what_nobody_scans_is_found_and_covered_with_a_click() {
    let moto = Moto::start().await;
    moto.repository("team/app").await;
    moto.image("team/app", "1.0").await;
    let (id, secret) = moto.user("scanner").await;
    moto.function("pay", "environment-canary").await;
    let app = TestApp::start_with(&[&format!("--aws-endpoint-url={}", moto.url())]);
    let visit = app.administrator();
    let browser = Browser::open(&app.url, WIDE).await;
    browser.take(visit.cookie.as_deref()).await;
    browser.goto("/credentials/new?kind=aws").await;
    browser.fill("Name", "Scanner key").await;
    browser.fill("Access key ID", &id).await;
    browser.fill("Secret access key", &secret).await;
    browser.press("Save").await;
    browser.sees("Usages").await;
    let credential = browser.path().await;

    scan_account(&browser).await;
    browser.goto("/").await;
    browser.sees("registries and regions with functions are not scanned").await;
    browser.picture("discovery-story-dashboard").await;
    browser.goto("/discovery?covered=no").await;
    browser.sees("Not covered").await;
    browser.picture("discovery-story-not-covered").await;

    add_scan(&browser, "registries", "team/app").await;
    browser.goto("/").await;
    browser.sees("region with functions is not scanned").await;
    add_scan(&browser, "functions", "pay").await;
    browser.goto("/discovery?covered=no").await;
    browser.sees("Everything is covered").await;
    browser.goto("/discovery").await;
    browser.sees(&format!("AWS Lambda {ACCOUNT} us-east-1")).await;
    browser.picture("discovery-story-covered").await;
    assert_eq!(browser.axe().await, Vec::<String>::new());
    browser.goto("/").await;
    assert!(!browser.source().await.contains("not scanned"));
    // Every use of the key is on its page.
    browser.goto(&credential).await;
    for label in ["Cloud Scan", "Registry Scan", "Serverless Scan"] {
        browser.sees(label).await;
    }
    browser.close().await;
}
