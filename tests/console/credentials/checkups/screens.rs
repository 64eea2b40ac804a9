//! The Test button as people see it, before and after saving.

use strongroom::accounts::Role;
use strongroom::checkup;
use strongroom::models::events::Actor;
use strongroom::providers::probe::{Finding, Verdict};

use super::sample;
use crate::credentials::id_in;
use crate::support::app::TestApp;
use crate::support::browser::{Browser, Look, NARROW, WIDE};

#[actix_web::test]
async fn the_button_answers_beside_itself_and_what_was_typed_stays() {
    let app = TestApp::start();
    let visit = app.user("olga", Role::Operator);
    let browser = Browser::open(&app.url, WIDE).await;
    browser.take(visit.cookie.as_deref()).await;
    browser.goto("/credentials/new?kind=certificate").await;
    browser.press("Test").await;
    browser.sees("Not tested.").await;
    browser.fill("Name", "pair").await;
    let pair = sample("certificate").into_iter().find(|(name, _)| *name == "certificate").expect("a pair").1;
    browser.fill("Client certificate with private key", &pair).await;
    browser.press("Test").await;
    browser.sees("The certificate is valid until").await;
    browser.picture("test-unsaved").await;
    assert!(!browser.source().await.contains("Enter the name."), "what was mended is no longer complained of");
    assert!(browser.axe().await.is_empty());
    // The key is still in its field.
    browser.press("Save").await;
    browser.sees("Not tested yet.").await;
    let path = browser.path().await;
    browser.press("Test").await;
    browser.sees("The certificate is valid until").await;
    browser.picture("test-saved").await;
    assert!(browser.axe().await.is_empty() && browser.complaints().await.is_empty());
    let id = id_in(&path);
    let mut found = Finding::new(
        Verdict::NotTrusted,
        "The role scanner of account 123456789012 does not trust this key.",
        "Add this statement to the trust policy of the role.",
    );
    found.facts.push(("Account", "123456789012".to_owned()));
    found.snippets.push(("Trust policy of scanner".to_owned(), "{ \"Effect\": \"Allow\" }".to_owned()));
    checkup::record(&app.services, Actor::system(), id, 1, &found).await.expect("recorded");
    for (name, look) in
        [("narrow", NARROW), ("dark", Look { dark: true, ..WIDE }), ("large", Look { width: 1600, ..WIDE })]
    {
        let browser = Browser::open(&app.url, look).await;
        browser.take(visit.cookie.as_deref()).await;
        for (page, path) in [("page", path.as_str()), ("table", "/credentials"), ("alerts", "/alerts")] {
            browser.goto(path).await;
            browser.picture(&format!("test-{page}-{name}")).await;
            assert!(browser.overflow().await <= 0, "{page} {name}");
            assert_eq!(browser.axe().await, Vec::<String>::new(), "{page} {name}");
        }
        browser.goto(&path).await;
        browser.press("Test").await;
        browser.sees("The certificate is valid until").await;
        browser.picture(&format!("test-found-{name}")).await;
        checkup::record(&app.services, Actor::system(), id, 1, &found).await.expect("recorded");
        browser.close().await;
    }
    browser.close().await;
}
