//! The page of a scan that cannot read everything, and of one that waits, in a browser.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::json;
use strongroom::models::IntegrationId;

use super::{Form, ended};
use crate::support::app::{TestApp, Visit};
use crate::support::browser::{Browser, Look};
use crate::support::peers::receiver::{Receiver, Said};
use crate::support::peers::shelf::Shelf;

/// A registry that is read whole, and then with many gaps.
fn registry(is_partly: Arc<AtomicBool>) -> Receiver {
    let mut shelf = Shelf::default().with("payments/checkout-service", "2.14.1").with("payments/ledger", "1.9");
    for number in 0..14 {
        shelf = shelf.with("platform/base", &format!("3.{number}"));
    }
    let shelf = shelf.with("team/app", "1.0").with("team/web", "5.2");
    Receiver::start(move |call| match call.path() {
        _ if !is_partly.load(Ordering::SeqCst) => shelf.answer(call),
        path if path.starts_with("/v2/payments/ledger/") => Said::json(403, &json!({})),
        path if path.starts_with("/v2/platform/base/manifests/3.") && !path.ends_with("3.1") => Said::html(200),
        path if path.starts_with("/v2/team/web/manifests/") => Said::json(404, &json!({})),
        _ => shelf.answer(call),
    })
}

async fn look(app: &TestApp, visit: &Visit, id: IntegrationId, name: &str) {
    for (width, dark) in [(1440, false), (1440, true), (360, false), (360, true)] {
        let browser = Browser::open(&app.url, Look { width, height: 900, dark, script: true }).await;
        browser.take(visit.cookie.as_deref()).await;
        browser.goto(&format!("/integrations/{id}")).await;
        let scheme = if dark { "dark" } else { "light" };
        browser.picture(&format!("{name}-{width}-{scheme}")).await;
        assert!(browser.overflow().await <= 0, "{name} {width} {scheme}");
        assert_eq!(browser.axe().await, Vec::<String>::new(), "{name} {width} {scheme}");
        assert_eq!(browser.complaints().await, Vec::<String>::new(), "{name} {width} {scheme}");
        browser.close().await;
    }
}

#[actix_web::test]
async fn field_r03_gaps_are_readable_in_light_and_dark_wide_and_narrow() {
    let is_partly = Arc::new(AtomicBool::new(false));
    let peer = registry(Arc::clone(&is_partly));
    let app = TestApp::start();
    let mut visit = app.administrator();
    let id = Form::new("Harbor, all teams", &peer.url()).with("cap", "0").add(&mut visit).await;
    ended(&app, id).await;
    is_partly.store(true, Ordering::SeqCst);
    let run = super::scan_now(&app, &mut visit, id).await;
    assert_eq!((run.state.word(), run.gaps), ("partly", 15));
    look(&app, &visit, id, "gaps").await;
}

#[actix_web::test]
async fn field_r07_a_waiting_scan_is_readable_in_light_and_dark_wide_and_narrow() {
    let shelf = Shelf::default().with("team/app", "1.0");
    let peer = Receiver::start(move |call| match call.path().contains("/manifests/") {
        true => Said::json(429, &json!({})).with("Retry-After", "840"),
        false => shelf.answer(call),
    });
    let app = TestApp::start();
    let mut visit = app.administrator();
    let id = Form::new("Harbor, all teams", &peer.url()).add(&mut visit).await;
    super::until_page("it waits", &mut visit, id, "#run .progress strong", "Waiting until ").await;
    look(&app, &visit, id, "gaps-waiting").await;
    visit.post(&format!("/integrations/{id}/stop"), &[]).await;
    ended(&app, id).await;
}
