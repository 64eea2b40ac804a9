//! API tokens in a real browser: added by hand, readable light and dark, wide and narrow.

use strongroom::accounts::Role;
use strongroom::models::api_tokens::Scope;

use super::token;
use crate::support::app::TestApp;
use crate::support::browser::{Browser, Look, NARROW, WIDE};
use crate::support::signed;

#[actix_web::test]
async fn a_token_is_added_in_a_browser_and_its_pages_are_readable() {
    let app = TestApp::start();
    let olga = app.add_user("olga", Role::Operator);
    token(&app, olga, Scope::Destinations, 5);
    token(&app, olga, Scope::Write, 90);
    signed::run(&app, "UPDATE api_tokens SET expires_at = now() - interval '1 day' WHERE scope = 'write'");
    let looks = [
        ("wide", Look { width: 1440, ..WIDE }),
        ("wide-dark", Look { width: 1440, dark: true, ..WIDE }),
        ("narrow", NARROW),
        ("narrow-dark", Look { dark: true, ..NARROW }),
    ];
    for (name, look) in looks {
        let browser = Browser::open(&app.url, look).await;
        browser.take(app.session_of(olga).cookie.as_deref()).await;
        browser.goto("/account/tokens/new").await;
        check(&browser, &format!("token-new-{name}")).await;
        browser.fill("Name", &format!("terraform {name}")).await;
        browser.choose("Scope", "Read and write").await;
        browser.press("Add token").await;
        browser.sees("shown only once").await;
        check(&browser, &format!("token-once-{name}")).await;
        browser.goto("/account").await;
        browser.sees("terraform").await;
        check(&browser, &format!("token-account-{name}")).await;
        browser.press("Revoke").await;
        check(&browser, &format!("token-end-{name}")).await;
        browser.press("Revoke token").await;
        browser.sees("The API token is revoked.").await;
        browser.goto("/help/api").await;
        check(&browser, &format!("token-help-{name}")).await;
        browser.close().await;
    }
}

async fn check(browser: &Browser, name: &str) {
    browser.picture(name).await;
    assert!(browser.overflow().await <= 0, "{name}");
    assert_eq!(browser.axe().await, Vec::<String>::new(), "{name}");
    assert_eq!(browser.complaints().await, Vec::<String>::new(), "{name}");
}
