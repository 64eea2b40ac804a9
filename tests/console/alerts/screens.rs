//! The Alerts pages in a real browser: readable by everybody, light and dark, wide and narrow, with and without
//! scripts.

use strongroom::accounts::Role;

use super::list::parked;
use super::{key, old_key, raise};
use crate::support::app::TestApp;
use crate::support::browser::{Browser, Look, NARROW, WIDE};
use crate::support::sql;

#[actix_web::test]
async fn the_pages_are_accessible_in_light_and_dark_wide_and_narrow() {
    let app = TestApp::start();
    let mut visit = app.administrator();
    let empty = Browser::open(&app.url, WIDE).await;
    empty.take(visit.cookie.as_deref()).await;
    empty.goto("/alerts").await;
    empty.picture("alerts-empty").await;
    empty.close().await;

    let (credential, alert) = old_key(&app, &mut visit, "prod-ci, the one that deploys everything").await;
    let soon = key(&mut visit, "next").await;
    super::age(&app, soon, "80 days");
    super::decide(&app).await;
    raise(&app, "lockout", "mallory", "from 203.0.113.7");
    raise(&app, "integrity", "vault robot", "");
    let fields = [
        ("name", "Registry of production"),
        ("version", "docker_v2"),
        ("registry", "http://127.0.0.1:1"),
        ("schedule", "off"),
    ];
    assert_eq!(visit.post("/integrations", &fields).await.status, 303);
    sql::run(&app, &format!("UPDATE usages SET credential_id = '{credential}'"));
    let channel = super::list::channel(&app, "Pager of the platform team");
    parked(&app, channel, alert);
    sql::run(&app, "UPDATE deliveries SET state = 'sent', error = NULL");
    parked(&app, channel, alert);
    visit.post(&format!("/alerts/{alert}/snooze"), &[("days", "7")]).await;
    visit.post(&format!("/alerts/{alert}/acknowledge"), &[]).await;
    let closed = raise(&app, "failed_test", "gone", "The key is not known.");
    sql::run(
        &app,
        &format!("UPDATE alerts SET closed_at = now(), closed_why = 'it was tested well' WHERE id = '{closed}'"),
    );

    let one = format!("/alerts/{alert}");
    let credential = format!("/credentials/{credential}");
    let pages = [
        ("list", "/alerts"),
        ("snoozed", "/alerts?state=snoozed"),
        ("group", "/alerts?trigger=lockout"),
        ("closed", "/alerts?state=closed"),
        ("one", one.as_str()),
        ("settings", "/alerts/settings"),
        ("credential", credential.as_str()),
    ];
    let auditor = app.user("otto", Role::Auditor);
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
                browser.picture(&format!("alerts-{page}-{name}{who}")).await;
                assert!(browser.overflow().await <= 0, "{page} {name}{who}");
                assert_eq!(browser.axe().await, Vec::<String>::new(), "{page} {name}{who}");
                assert_eq!(browser.complaints().await, Vec::<String>::new(), "{page} {name}{who}");
            }
        }
        browser.close().await;
    }
}

#[actix_web::test]
async fn everything_works_without_scripts_and_filtering_keeps_the_place_with_them() {
    let app = TestApp::start();
    let mut visit = app.administrator();
    let (_, alert) = old_key(&app, &mut visit, "prod-ci").await;
    raise(&app, "lockout", "mallory", "from 203.0.113.7");
    for script in [false, true] {
        let browser = Browser::open(&app.url, Look { script, ..WIDE }).await;
        browser.take(visit.cookie.as_deref()).await;
        browser.goto("/alerts?trigger=lockout").await;
        assert!(!browser.source().await.contains("prod-ci"));
        browser.press("All triggers").await;
        browser.sees("prod-ci").await;
        assert_eq!(browser.path().await, "/alerts");
        browser.goto(&format!("/alerts/{alert}")).await;
        if !script {
            browser.press("Acknowledge").await;
            browser.sees("You're now the owner.").await;
        }
        browser.press("7 days").await;
        browser.sees("Snoozed by").await;
        browser.press("Stop snoozing").await;
        browser.sees("No longer snoozed.").await;
        browser.close().await;
    }
}
