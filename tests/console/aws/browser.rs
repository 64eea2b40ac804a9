//! The whole story in a real browser, with moto enforcing: a key without any permission, a role that does not trust it,
//! both right, the images, the key replaced. Each step reads what *Test* says on the credential's page.

use super::arn;
use crate::support::app::TestApp;
use crate::support::browser::{Browser, Look, NARROW, WIDE};
use crate::support::peers::moto::{ACCOUNT, Moto};

async fn enter_key(browser: &Browser, (id, secret): &(String, String)) {
    browser.fill("Access key ID", id).await;
    browser.fill("Secret access key", secret).await;
    browser.press("Save").await;
    browser.sees("Usages").await;
}

async fn add_registry(browser: &Browser) {
    browser.goto("/integrations/new?version=ecr&sts=on").await;
    browser.fill("Name", "Prod registry").await;
    browser.fill("Registry", &format!("{ACCOUNT}.dkr.ecr.us-east-1.amazonaws.com")).await;
    browser.choose("Credential", "Scanner key").await;
    browser.fill("Role to assume", "registry-reader").await;
    browser.press("Add and scan").await;
    browser.sees("Signing in failed").await;
}

/// Presses *Test* and waits for a sentence.
async fn tested(browser: &Browser, page: &str, sentence: &str, picture: &str) {
    browser.goto(page).await;
    browser.press("Test").await;
    browser.sees(sentence).await;
    browser.picture(picture).await;
    assert!(browser.overflow().await <= 0, "{picture}");
    assert_eq!(browser.axe().await, Vec::<String>::new(), "{picture}");
}

#[actix_web::test]
async fn a_key_that_may_do_nothing_but_assume_a_role_is_brought_to_scan_a_registry() {
    let moto = Moto::start().await;
    moto.repository("team/app").await;
    moto.image("team/app", "1.0").await;
    let first = moto.user("scanner").await;
    let role = moto.role("registry-reader", &arn("somebody-else")).await;
    let app = TestApp::start_with(&[&format!("--aws-endpoint-url={}", moto.url())]);
    let visit = app.administrator();
    let browser = Browser::open(&app.url, WIDE).await;
    browser.take(visit.cookie.as_deref()).await;

    browser.goto("/credentials/new?kind=aws").await;
    browser.fill("Name", "Scanner key").await;
    enter_key(&browser, &first).await;
    let credential = browser.path().await;
    tested(&browser, &credential, "The key is valid", "ecr-key-alone").await;
    add_registry(&browser).await;
    let integration = browser.path().await;

    // Without any permission; then with the permission, but the role trusts somebody else.
    tested(&browser, &credential, &format!("doesn't let the key assume {role}"), "ecr-no-permission").await;
    browser.sees(&format!("Policy of {}: may assume the role", arn("scanner"))).await;
    moto.allow("scanner", "sts:AssumeRole", &role).await;
    tested(&browser, &credential, "Role of the integration", "ecr-not-trusted").await;
    browser.sees(&format!("Trust policy of {role}")).await;
    let narrow = Browser::open(&app.url, NARROW).await;
    narrow.take(visit.cookie.as_deref()).await;
    tested(&narrow, &credential, "Role of the integration", "ecr-not-trusted-narrow").await;
    narrow.close().await;

    moto.trust("registry-reader", &arn("scanner")).await;
    tested(&browser, &credential, "The role that its integrations name may be assumed.", "ecr-works").await;
    browser.goto(&integration).await;
    browser.press("Scan now").await;
    browser.sees("team/app").await;
    browser.picture("ecr-scanned").await;

    // The key is replaced on the credential's page: the next scan signs with the new one.
    let second = moto.key("scanner").await;
    browser.goto(&format!("{credential}/edit")).await;
    enter_key(&browser, &second).await;
    moto.image("team/app", "2.0").await;
    browser.goto(&integration).await;
    browser.press("Scan now").await;
    browser.sees("2.0").await;
    let seen = moto.seen();
    let last = seen.iter().rfind(|request| request.action == "AssumeRole").expect("a call");
    assert!(last.authorization.contains(&second.0));
    assert_eq!(app.services.aws.len(), 1, "the session of the old key is gone");

    let dark = Browser::open(&app.url, Look { dark: true, ..WIDE }).await;
    dark.take(visit.cookie.as_deref()).await;
    tested(&dark, &credential, "Role of the integration", "ecr-works-dark").await;
    dark.close().await;
    let source = browser.source().await;
    assert!(!source.contains(&first.1) && !source.contains(&second.1));
    assert_eq!(browser.complaints().await, Vec::<String>::new());
    browser.close().await;
}
