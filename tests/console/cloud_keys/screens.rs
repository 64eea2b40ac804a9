//! The page *Cloud keys* in a real browser: readable by everybody, light and dark, wide and narrow.

use strongroom::accounts::Role;

use super::{ACCOUNT, OLD, account, add, ended, store};
use crate::support::app::TestApp;
use crate::support::browser::{Browser, Look, NARROW, WIDE};

#[actix_web::test]
async fn the_page_of_cloud_keys_is_accessible_in_light_and_dark_wide_and_narrow() {
    let iam = account().await;
    let app = TestApp::start_with(&[&format!("--aws-endpoint-url={}", iam.url())]);
    let mut visit = app.administrator();
    let browser = Browser::open(&app.url, WIDE).await;
    browser.take(visit.cookie.as_deref()).await;
    browser.goto("/cloud-keys").await;
    assert_eq!(browser.axe().await, Vec::<String>::new());
    browser.close().await;

    let credential = store(&mut visit, "The key of ada, who has left and whose jobs go on", OLD).await;
    let integration = add(&mut visit, ACCOUNT, credential).await;
    assert_eq!(ended(&app, integration, 1).await.0, "succeeded");
    let auditor = app.user("otto", Role::Auditor);
    let scan = format!("/integrations/{integration}");
    let pages = [("all", "/cloud-keys"), ("none", "/cloud-keys?q=nothing"), ("scan", scan.as_str())];
    for (name, look) in [
        ("wide", WIDE),
        ("dark", Look { dark: true, ..WIDE }),
        ("narrow", NARROW),
        ("narrow-dark", Look { dark: true, ..NARROW }),
    ] {
        let browser = Browser::open(&app.url, look).await;
        for (who, visit) in [("", &visit), ("-auditor", &auditor)] {
            browser.take(visit.cookie.as_deref()).await;
            for (page, path) in pages {
                browser.goto(path).await;
                browser.picture(&format!("cloud-keys-{page}-{name}{who}")).await;
                assert!(browser.overflow().await <= 0, "{page} {name}{who}");
                assert_eq!(browser.axe().await, Vec::<String>::new(), "{page} {name}{who}");
                assert_eq!(browser.complaints().await, Vec::<String>::new(), "{page} {name}{who}");
            }
        }
        browser.close().await;
    }
}
