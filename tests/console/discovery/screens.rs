//! The page *Discovery* in a real browser: readable by everybody, light and dark, wide and narrow.

use serde_json::json;
use strongroom::accounts::Role;

use super::{ESTATE, add, ended, store};
use crate::support::app::TestApp;
use crate::support::browser::{Browser, Look, NARROW, WIDE};
use crate::support::peers::estate::Estate;
use crate::support::peers::lambda::{KEY, SECRET};

#[actix_web::test]
async fn the_page_of_discovery_is_accessible_in_light_and_dark_wide_and_narrow() {
    let estate = Estate::start();
    estate.repositories("eu-central-1", &["team/a", "team/b"]).repositories("us-east-1", &["web"]);
    estate.eks("eu-central-1", "production-of-the-payments-team", &json!({})).ecs("us-east-1", "batch");
    estate.lambda.holds("eu-central-1", "pay", &json!({}));
    let app = TestApp::start_with(&[&format!("--aws-endpoint-url={}", estate.url())]);
    let mut visit = app.administrator();
    let browser = Browser::open(&app.url, WIDE).await;
    browser.take(visit.cookie.as_deref()).await;
    browser.goto("/discovery").await;
    assert_eq!(browser.axe().await, Vec::<String>::new());
    browser.close().await;

    let credential = store(&mut visit, (KEY, SECRET)).await;
    let found_by = add(&mut visit, credential, &ESTATE).await;
    let form = [("name", "Functions"), ("version", "lambda"), ("regions", "aws"), ("versions", "latest")];
    let form = [&form[..], &[("exclude_functions", "dev-*")]].concat();
    let scan = add(&mut visit, credential, &form).await;
    assert_eq!(
        (ended(&app, found_by, 1).await.0, ended(&app, scan, 1).await.0),
        ("succeeded".into(), "succeeded".into())
    );
    let auditor = app.user("otto", Role::Auditor);
    let scan = format!("/integrations/{found_by}");
    let pages = [("all", "/discovery"), ("none", "/discovery?q=nothing"), ("scan", scan.as_str()), ("dashboard", "/")];
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
                browser.picture(&format!("discovery-{page}-{name}{who}")).await;
                assert!(browser.overflow().await <= 0, "{page} {name}{who}");
                assert_eq!(browser.axe().await, Vec::<String>::new(), "{page} {name}{who}");
                assert_eq!(browser.complaints().await, Vec::<String>::new(), "{page} {name}{who}");
            }
        }
        browser.close().await;
    }
}
