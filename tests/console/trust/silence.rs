//! Somebody who alters the store and then the alert about it.

use strongroom::models::altered;
use strongroom::models::events::Actor;
use strongroom::models::{DbError, store_health};
use strongroom::trail::Break;

use super::{alerts, basic, look};
use crate::support::app::TestApp;
use crate::support::sql;
use crate::support::wait::until;

/// Switches reminders off by SQL: one of the rows on which everything rests does not hold from here on.
fn tamper(app: &TestApp) {
    sql::run(
        app,
        "INSERT INTO alert_settings (kind_days, ahead, remind, failed_scans, edited_at, edited_by, row_version, row_mac)
         VALUES ('{}', true, false, 3, now(), 'ada', 1, decode(repeat('00', 33), 'hex'))",
    );
}

/// The open alert that says that the settings were tampered with, and that nobody is kept from hearing of.
fn said(app: &TestApp) -> Vec<String> {
    sql::texts(
        app,
        "SELECT a.id::text AS text FROM alerts a JOIN notices n ON n.alert_id = a.id AND n.event = 'raised'
         WHERE a.trigger = 'integrity' AND a.subject_id = '00000000-0000-0000-0000-00005702e003'
            AND a.closed_at IS NULL AND a.stage = 3
            AND a.acknowledged_at IS NULL AND a.snoozed_until IS NULL",
    )
}

/// What the console remembers of a look, as its job does it.
fn remember(app: &TestApp) {
    let health = store_health::examine(&mut app.connect(), &app.services.vault);
    app.services.alerts.set_found(&health);
    let Ok(health) = health else { return };
    let conn = &mut app.connect();
    let saved =
        diesel::Connection::transaction(conn, |conn| store_health::tell(conn, &app.services.vault, &health, true));
    app.services.alerts.set_silenced(&saved);
}

#[actix_web::test]
async fn an_alert_written_beforehand_silences_nothing() {
    let app = TestApp::start();
    tamper(&app);
    look(&app);
    let first = said(&app);
    sql::run(&app, "UPDATE alerts SET row_mac = '\\x02'; UPDATE notices SET digest_id = gen_random_uuid()");
    look(&app);
    assert!(first.len() == 1 && said(&app).len() == 1 && said(&app) != first);
    assert_eq!(alerts(&app).len(), 1);
}

#[actix_web::test]
async fn an_alert_that_was_silenced_by_sql_is_raised_anew() {
    for attack in [
        "DELETE FROM alerts",
        "DELETE FROM notices",
        "UPDATE alerts SET closed_at = now(), closed_why = 'the whole store was verified'",
        "UPDATE alerts SET acknowledged_at = now(), acknowledged_by = 'ada'",
        "UPDATE alerts SET snoozed_until = now() + interval '30 days', snoozed_by = 'ada'",
        "UPDATE alerts SET stage = 1",
        "UPDATE alerts SET subject_id = gen_random_uuid()",
        "UPDATE alerts SET trigger = 'lockout'",
    ] {
        let app = TestApp::start();
        tamper(&app);
        look(&app);
        let first = said(&app);
        sql::run(&app, attack);
        look(&app);
        let again = said(&app);
        assert!(first.len() == 1 && again.len() == 1 && again != first, "{attack}");
        look(&app);
        assert_eq!((said(&app), sql::count(&app, "alerts") <= 2), (again, true), "{attack}");
    }
}

#[actix_web::test]
async fn who_looks_after_an_integrity_alert_is_signed() {
    let app = TestApp::start();
    let mut ada = app.administrator();
    tamper(&app);
    look(&app);
    let id = sql::texts(&app, "SELECT id::text AS text FROM alerts").remove(0);
    for (what, fields) in [("acknowledge", [].as_slice()), ("snooze", &[("days", "7")])] {
        assert_eq!(ada.post(&format!("/alerts/{id}/{what}"), fields).await.status, 303, "{what}");
    }
    look(&app);
    assert_eq!(sql::count(&app, "alerts WHERE acknowledged_by = 'ada' AND snoozed_by = 'ada'"), 1);
    assert_eq!(sql::count(&app, "alerts"), 1, "nothing is raised again");
    // Nobody looks after a forgery.
    sql::run(&app, "UPDATE alerts SET acknowledged_at = NULL, acknowledged_by = NULL");
    let page = ada.post(&format!("/alerts/{id}/acknowledge"), &[]).await;
    assert_eq!((page.status, page.text("h1").as_str()), (409, "That is not possible now"));
}

#[actix_web::test]
async fn a_credential_that_stays_refused_stays_alerted_about() {
    let app = TestApp::start();
    let id = basic(&app, "robot", "FIRST-1");
    let refuse = || {
        app.transaction(|conn| altered::quarantine(conn, &app.services.vault, &Actor::system(), id));
        alerts(&app)
    };
    assert_eq!(refuse(), ["robot"]);
    sql::run(&app, "DELETE FROM alerts");
    assert_eq!(refuse(), ["robot"]);
}

#[actix_web::test]
async fn every_page_says_that_the_store_was_tampered_with() {
    let app = TestApp::start();
    let mut ada = app.administrator();
    remember(&app);
    assert!(!ada.get("/").await.has("[data-store-trouble]"));
    // Alerts are swallowed.
    tamper(&app);
    sql::run(&app, "CREATE RULE swallow AS ON INSERT TO alerts DO INSTEAD NOTHING");
    remember(&app);
    for path in ["/", "/credentials", "/integrations", "/alerts", "/audit", "/users", "/account"] {
        let said = ada.get(path).await.texts("[data-store-trouble]").concat();
        assert!(
            said.contains("alert settings were tampered with") && said.contains("could not be saved"),
            "{path}: {said}"
        );
    }
    assert!(!app.visitor().get("/login").await.has("[data-store-trouble]"));
    sql::run(&app, "DROP RULE swallow ON alerts; DELETE FROM alert_settings");
    remember(&app);
    app.services.trail.look.notify_one();
    until("the table is a table again", || app.services.trail.broken().is_none().then_some(())).await;
    assert!(!ada.get("/").await.has("[data-store-trouble]"));
    // A look that fails is said as well.
    sql::run(&app, "ALTER TABLE keks RENAME TO kept");
    remember(&app);
    assert!(ada.get("/account").await.texts("[data-store-trouble]").concat().contains("strongroom verify"));
    app.services.alerts.set_found(&Err(DbError::Unavailable));
    assert!(ada.get("/account").await.has("[data-store-trouble]"), "a database that is away says nothing");
}

#[actix_web::test]
async fn a_broken_trail_is_on_every_page_and_its_alert_comes_back() {
    let app = TestApp::start();
    let mut ada = app.administrator();
    app.services.trail.note_break(Break { lane: 3, seq: 40, on: 41, link: Vec::new() }, false);
    assert!(ada.get("/credentials").await.text("[data-store-trouble]").contains("lane 3 at event 40"));
    for _ in 0..2 {
        sql::run(&app, "DELETE FROM alerts");
        look(&app);
        assert_eq!(alerts(&app), ["the audit trail"]);
    }
}
