//! A real browser at plain http and a name that is not this machine's own: it sends no Sec-Fetch-Site there, only the
//! origin, and takes no cookie that is for https.

use crate::support::app::TestApp;
use crate::support::browser::{Browser, Look, WIDE};
use crate::support::peers::free_port;

const PASSWORD: &str = "a much better passphrase";

fn at_a_name() -> TestApp {
    let port = free_port();
    let flags = [format!("--listen=127.0.0.1:{port}"), format!("--public-url=http://strongroom.test:{port}")];
    TestApp::start_with(&flags.each_ref().map(String::as_str))
}

async fn set_up(app: &TestApp, look: Look) -> Browser {
    let browser = Browser::open(app.services.public_url.as_str().trim_end_matches('/'), look).await;
    browser.goto(app.setup_link.as_ref().expect("a fresh console").as_str()).await;
    browser.sees("Unencrypted (http)").await;
    browser.fill("User name", "ada").await;
    browser.fill("Password", PASSWORD).await;
    browser.fill("Password again", PASSWORD).await;
    browser.press("Create administrator").await;
    browser.sees("Welcome. Add the first credential").await;
    browser
}

#[actix_web::test]
async fn field_p03_a_browser_sets_up_and_logs_in_over_plain_http_at_a_name() {
    let app = at_a_name();
    let first = set_up(&app, WIDE).await;
    first.sees("Unencrypted (http)").await;
    first.goto("/account").await;
    first.choose("Theme", "Dark").await;
    first.press("Save").await;
    first.sees("Saved.").await;
    // As htmx posts: a request of a script.
    let posted = "return fetch('/account/preferences', {method: 'POST', mode: 'same-origin',
        body: new URLSearchParams({theme: 'light', shortcuts: 'on'})}).then(answer => answer.status)";
    assert_eq!(first.script(posted, Vec::new()).await, 200);
    first.close().await;

    let second = Browser::open(app.services.public_url.as_str().trim_end_matches('/'), WIDE).await;
    second.goto("/login").await;
    second.sees("Unencrypted (http)").await;
    second.picture("login-in-clear").await;
    assert!(second.overflow().await <= 0);
    assert_eq!(second.axe().await, Vec::<String>::new());
    second.fill("User name", "ada").await;
    second.fill("Password", PASSWORD).await;
    second.press("Log in").await;
    second.sees("Needs attention").await;
    second.picture("dashboard-in-clear").await;
    second.close().await;
}

#[actix_web::test]
async fn field_p03_without_the_script_plain_http_at_a_name_works_too() {
    let app = at_a_name();
    let browser = set_up(&app, Look { script: false, ..WIDE }).await;
    browser.goto("/account").await;
    browser.press("Save").await;
    browser.sees("Saved.").await;
    browser.close().await;
}

#[actix_web::test]
async fn field_p03_only_what_really_is_in_clear_is_called_so() {
    let shown = async |app: &TestApp, headers: &[(&'static str, &str)]| {
        let mut visit = app.visitor();
        visit.headers.extend(headers.iter().map(|(name, value)| (*name, (*value).to_owned())));
        visit.get("/login").await.has("[data-in-clear]")
    };
    let app = TestApp::start();
    assert!(!shown(&app, &[]).await && !shown(&app, &[("host", "localhost:1")]).await);
    assert!(shown(&app, &[("host", "10.0.0.5:8080")]).await);
    assert!(shown(&app, &[("host", "10.0.0.5:8080"), ("x-forwarded-proto", "https")]).await);
    let behind = TestApp::start_with(&["--trusted-proxies=127.0.0.1"]);
    assert!(!shown(&behind, &[("host", "10.0.0.5"), ("x-forwarded-proto", "https")]).await);
    let by_https = TestApp::start_with(&["--public-url=https://strongroom.test"]);
    assert!(!shown(&by_https, &[("host", "strongroom.test")]).await);
}
