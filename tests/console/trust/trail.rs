//! F6, F7 and F12: the audit trail, and the check that follows it every night.

use strongroom::jobs::verify;
use strongroom::models::{deployment, store_health};

use super::{alerts, basic, findings, has_event, keep, look};
use crate::support::app::TestApp;
use crate::support::{signed, sql};

/// Lets the store be as old as that, as Strongroom would have founded it then.
fn age(app: &TestApp, hours: u32) {
    signed::run(app, &format!("UPDATE deployment SET created_at = now() - interval '{hours} hours'"));
}

/// F6
#[actix_web::test]
async fn the_nightly_check_is_not_put_off_by_sql() {
    for attack in [
        "UPDATE deployment SET created_at = '2099-01-01'",
        "INSERT INTO events (lane, seq, at, actor, action, subject_kind, subject_name, detail, address, mac)
         SELECT lane, 999999, now() + interval '99 years', 'Strongroom', 'store.verified', '', '', '', '',
            decode(repeat('00', 32), 'hex') FROM audit_lanes",
        "UPDATE events SET action = 'store.verified', at = now()",
        "UPDATE events SET action = 'store.verification_started', at = now()",
    ] {
        let app = TestApp::start();
        basic(&app, "robot", "FIRST-1");
        age(&app, 25);
        sql::run(&app, attack);
        let due = app.transaction(|conn| deployment::claim_verification(conn, &app.services.vault));
        // Or the console's own job has begun, which only then is no sign of the attack.
        assert!(
            due || sql::count(&app, "events WHERE action = 'store.verification_started' AND detail = ''") > 0,
            "{attack}"
        );
    }
}

#[actix_web::test]
async fn nothing_is_done_of_which_no_event_is_kept() {
    let app = TestApp::start();
    let mut ada = app.administrator();
    for table in ["events", "audit_lanes"] {
        sql::run(
            &app,
            &format!(
                "CREATE FUNCTION swallow_{table}() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
                 CREATE TRIGGER swallow BEFORE INSERT OR UPDATE ON {table}
                 FOR EACH ROW EXECUTE FUNCTION swallow_{table}()"
            ),
        );
        let fields = [("kind", "api_token"), ("name", "unseen"), ("token", "TOKEN-1234567890")];
        assert_eq!(ada.post("/credentials", &fields).await.status, 503, "{table}");
        sql::run(&app, &format!("DROP TRIGGER swallow ON {table}"));
        assert_eq!(sql::count(&app, "credentials WHERE NOT shipped"), 0, "{table}");
    }
}

/// F7
#[actix_web::test]
async fn every_finding_of_the_nightly_check_raises_an_alert() {
    let app = TestApp::start();
    app.administrator();
    age(&app, 25);
    sql::run(&app, "UPDATE events SET detail = 'as auditor' WHERE action = 'user.created'");
    while !has_event(&app, "store.verification_failed") {
        verify::check(&app.services).await.expect("it answers");
    }
    assert_eq!(alerts(&app), ["the audit trail"]);
    let page = app.user("otto", strongroom::accounts::Role::Auditor).get("/alerts").await;
    assert!(page.text("main").contains("audit trail: lane"), "{}", page.text("main"));
}

#[actix_web::test]
async fn all_lanes_are_followed_also_after_a_broken_one() {
    let app = TestApp::start();
    for number in 0..40 {
        basic(&app, &format!("robot {number}"), "FIRST-1");
    }
    let lanes = sql::count(&app, "audit_lanes WHERE seq > 0");
    sql::run(&app, "UPDATE events SET detail = 'x' WHERE seq = 1");
    let broken = findings(&app).iter().filter(|finding| finding.starts_with("audit trail: lane")).count();
    assert_eq!(broken as i64, lanes);
}

/// F12
#[actix_web::test]
async fn a_trail_that_was_cut_is_found_by_the_rows_that_it_forgot() {
    let app = TestApp::start();
    let mut ada = app.administrator();
    let robot = basic(&app, "robot", "FIRST-1");
    keep(&app, "audit_lanes");
    assert_eq!(super::change_password(&mut ada, robot, "SECOND-2").await.status, 303);
    app.add_user("ghost", strongroom::accounts::Role::Administrator);
    sql::run(
        &app,
        "DELETE FROM events e USING kept_audit_lanes l WHERE e.lane = l.lane AND e.seq > l.seq;
         UPDATE audit_lanes a SET seq = l.seq, mac = l.mac, head_mac = l.head_mac
         FROM kept_audit_lanes l WHERE a.lane = l.lane",
    );
    let found = findings(&app);
    assert!(
        found.iter().any(|finding| finding.starts_with(&format!("credentials {robot}: the row is newer"))),
        "{found:?}"
    );
    assert!(found.iter().any(|finding| finding.starts_with("users ") && finding.contains("no event")), "{found:?}");
}

#[actix_web::test]
async fn a_store_that_was_not_verified_for_two_days_is_alerted_about() {
    let app = TestApp::start();
    let mut ada = app.administrator();
    look(&app);
    assert_eq!(alerts(&app), [""; 0]);
    age(&app, 49);
    let verified = app.transaction(|conn| store_health::verified(conn, &app.services.vault));
    assert!(verified.is_late());
    look(&app);
    assert_eq!(alerts(&app), ["the verification of the store"]);
    assert!(ada.get("/alerts").await.has("[data-verified]"));
    while !has_event(&app, "store.verified") {
        verify::check(&app.services).await.expect("it answers");
    }
    assert_eq!(alerts(&app), [""; 0]);
}
