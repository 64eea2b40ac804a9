//! A trail that was broken while no console ran: the next one reads it before it does anything, uses no secret and
//! changes nothing, until the operator has accepted the break.

use std::time::Duration;

use diesel::connection::SimpleConnection;
use serde_json::json;
use strongroom::accounts::Role;
use strongroom::models::events::Actor;
use strongroom::models::runs;

use super::{add_scan, alerts, basic, change_password, findings, has_event, keep, put_back, settled};
use crate::support::app::{TestApp, Visit};
use crate::support::binary::Strongroom;
use crate::support::peers::scripted::{Reply, Scripted};
use crate::support::sql;
use crate::support::wait::{until, wait_for};

#[actix_web::test]
async fn a_trail_broken_before_the_start_holds_the_store() {
    let registry = Scripted::start(|_| Reply::json(json!({"repositories": []}))).await;
    let before = TestApp::start();
    let mut ada = before.administrator();
    let robot = basic(&before, "robot", "FIRST-1");
    let scan = add_scan(&mut ada, "reg one", &registry.url(), robot).await;
    settled(&before).await;
    keep(&before, "credentials");
    assert_eq!(change_password(&mut ada, robot, "SECOND-2").await.status, 303);
    let database = before.database.clone();
    sql::run(&before, "UPDATE events SET subject_id = NULL, subject_version = NULL WHERE action = 'credential.edited'");
    put_back(&before, "credentials", "id");
    drop(before);
    let sent = registry.seen().len();

    let app = TestApp::replica(database, &[]);
    assert!(app.services.trail.is_held());
    let said = app.services.trail.broken().expect("what is broken");
    assert!(said.contains("lane ") && said.contains("audit accept"), "{said}");
    until("the alert", || (alerts(&app) == ["the audit trail"]).then_some(())).await;
    // People come in and look, and nothing else.
    let olga = app.transaction(|conn| {
        let seen = strongroom::models::users::find_by_key(conn, &app.services.vault, "ada")?;
        Ok(seen.expect("a user").shown().id)
    });
    let mut ada = app.session_of(olga);
    assert_eq!(ada.get("/credentials").await.status, 200);
    let fields = [("kind", "api_token"), ("name", "new"), ("token", "TOKEN-1234567890")];
    let refused = ada.post("/credentials", &fields).await;
    assert_eq!(refused.status, 503);
    assert!(refused.text("main").contains("strongroom audit accept"), "{}", refused.text("main"));
    assert_eq!(sql::count(&app, "credentials WHERE name = 'new'"), 0);
    assert_eq!(ada.post(&format!("/credentials/{robot}/test"), &[]).await.status, 200);
    let queue = |conn: &mut _| runs::queue(conn, &app.services.vault, scan, "asked", &Actor::system().name);
    app.transaction(queue).expect("a run waits");
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert_eq!(sql::count(&app, "runs WHERE state = 'queued'"), 1);
    assert_eq!(registry.seen().len(), sent, "a secret left");
    assert!(!has_event(&app, "credential.tested"));
    assert_eq!(ada.post("/logout", &[]).await.status, 303);
}

#[actix_web::test]
async fn the_operator_accepts_a_broken_trail_by_command() {
    let strongroom = Strongroom::founded();
    strongroom.visit("ada", Role::Administrator);
    strongroom.visit("otto", Role::Auditor);
    assert_eq!(strongroom.run(&["audit", "accept"]).status, 0, "nothing is broken");
    strongroom.sql("UPDATE events SET detail = 'as auditor' WHERE action = 'user.created' AND subject_name = 'ada'");
    let serving = strongroom.serve();
    let mut otto = Visit::to(&serving.url);
    otto.cookie = strongroom.visit("olga", Role::Auditor).cookie;
    let asked = strongroom.run(&["audit", "accept"]);
    assert!(asked.status == 1 && asked.out.contains("audit trail: lane") && asked.err.contains("--yes"), "{asked:?}");
    let accepted = strongroom.run(&["audit", "accept", "--yes"]);
    assert!(accepted.status == 0 && accepted.out.contains("1 accepted"), "{accepted:?}");
    let verified = strongroom.run(&["audit", "verify"]);
    assert!(verified.status == 0 && verified.out.contains("1 accepted break"), "{verified:?}");
    assert!(strongroom.run(&["verify"]).status == 0);
    drop(serving);
    // Known at the next start; any other break is not.
    for (attack, held) in [
        ("SELECT 1", false),
        ("UPDATE events SET detail = 'x' WHERE action = 'user.created' AND subject_name = 'otto'", true),
    ] {
        strongroom.sql(attack);
        let ran = strongroom.run(&["audit", "accept"]);
        assert_eq!(ran.status == 1, held, "{attack}: {ran:?}");
    }
    strongroom.run(&["audit", "accept", "--yes"]);
    // Not even the event that was accepted as it is.
    strongroom.sql("UPDATE events SET detail = 'y' WHERE action = 'user.created' AND subject_name = 'otto'");
    assert_eq!(strongroom.run(&["audit", "accept"]).status, 1);
}

#[actix_web::test]
async fn an_accepted_break_lets_a_running_console_go_on() {
    for attack in [
        "UPDATE events SET detail = 'x' WHERE action = 'user.created'",
        "DELETE FROM events WHERE action = 'user.created'",
        "DELETE FROM events e USING audit_lanes l WHERE e.lane = l.lane AND e.seq = l.seq",
        "ALTER TABLE events ALTER detail DROP NOT NULL; UPDATE events SET detail = NULL WHERE action = 'user.created'",
        "UPDATE audit_lanes SET mac = decode(repeat('00', 32), 'hex') WHERE seq > 0",
    ] {
        let before = TestApp::start();
        let id = before.add_user("ada", Role::Administrator);
        let database = before.database.clone();
        drop(before);
        let app = {
            let connection = &mut database.connect();
            connection.batch_execute(attack).expect(attack);
            TestApp::replica(database.clone(), &[])
        };
        assert!(app.services.trail.is_held(), "{attack}");
        let mut ada = app.session_of(id);
        let mut conn = app.connect();
        let walk = strongroom::models::chain::verify(&mut conn, &app.services.vault).expect("it answers");
        app.transaction(|conn| strongroom::models::chain::accept(conn, &app.services.vault, &walk));
        until("the console goes on", || (!app.services.trail.is_held()).then_some(())).await;
        let fields = [("kind", "api_token"), ("name", "new"), ("token", "TOKEN-1234567890")];
        assert_eq!(ada.post("/credentials", &fields).await.status, 303, "{attack}");
        let next = TestApp::replica(database, &[]);
        assert!(!next.services.trail.is_held(), "{attack}: {:?}", next.services.trail.broken());
        let found: Vec<String> = findings(&next).into_iter().filter(|finding| finding.contains("lane")).collect();
        assert_eq!(found, [""; 0], "{attack}");
    }
}

#[actix_web::test]
async fn nothing_is_done_before_the_trail_was_read() {
    let strongroom = Strongroom::founded();
    let mut ada = strongroom.visit("ada", Role::Administrator);
    let mut conn = strongroom.connect();
    conn.batch_execute("BEGIN; LOCK TABLE audit_lanes IN ACCESS EXCLUSIVE MODE").expect("a lock");
    let serving = strongroom.serve();
    ada.url = serving.url.clone();
    assert_eq!(ada.get("/livez").await.status, 200);
    let ready = ada.get("/readyz").await;
    assert!(ready.status == 503 && ready.body.contains("reading the audit trail"), "{ready:?}");
    let page = ada.get("/credentials").await;
    assert!(page.status == 503 && page.text("main").contains("audit trail is being read"), "{}", page.text("main"));
    conn.batch_execute("ROLLBACK").expect("no lock");
    wait_for("the trail is read", Duration::from_secs(20), async || ada.get("/readyz").await.status == 200).await;
    assert_eq!(ada.get("/credentials").await.status, 200);
    let log = serving.stop().err;
    let answered = log.lines().filter(|line| line.contains("503") && line.contains("answered"));
    assert!(answered.clone().count() > 1 && answered.clone().all(|line| line.contains("INFO")), "{log}");
}
