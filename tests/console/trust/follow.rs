//! S1 and S4: somebody who hides events, or rolls the whole trail back, under a running console.

use strongroom::models::CredentialId;
use strongroom::models::follow::Follower;
use strongroom::trail::Break;

use super::{basic, change_password, keep, put_back};
use crate::support::app::TestApp;
use crate::support::sql;

/// Follows the trail for a turn; the lanes that do not go on.
fn turn(app: &TestApp, follower: &mut Follower) -> Vec<Break> {
    while follower.step(&mut app.connect(), &app.services.vault).expect("it answers") {}
    std::mem::take(&mut follower.found).breaks
}

/// The version that the console knows a row by.
fn known(app: &TestApp, id: CredentialId) -> i64 {
    app.services.trail.latest_version(id.0, std::time::Instant::now())
}

/// S1
#[actix_web::test]
async fn a_row_stays_refused_when_the_events_after_it_are_hidden() {
    for hide in [
        "UPDATE events SET subject_id = NULL, subject_version = NULL WHERE subject_version > 1",
        "DELETE FROM events WHERE subject_version > 1",
        "UPDATE events SET subject_version = 1",
    ] {
        let app = TestApp::start();
        let mut ada = app.administrator();
        let id = basic(&app, "robot", "FIRST-1");
        keep(&app, "credentials");
        assert_eq!(change_password(&mut ada, id, "SECOND-2").await.status, 303);
        let mut follower = Follower::default();
        assert!(turn(&app, &mut follower).is_empty());
        sql::run(&app, hide);
        put_back(&app, "credentials", "id");
        let page = change_password(&mut ada, id, "THIRD-3").await;
        assert_eq!(page.status, 303, "a secret that is entered again heals");
        put_back(&app, "credentials", "id");
        sql::run(&app, hide);
        let page = ada.get(&format!("/credentials/{id}")).await;
        assert!(page.has("[data-doubt]"), "{hide}: {}", page.text("main"));
    }
}

/// S4
#[actix_web::test]
async fn a_trail_that_is_rolled_back_under_a_running_console_is_found() {
    let app = TestApp::start();
    let mut ada = app.administrator();
    let id = basic(&app, "robot", "FIRST-1");
    for table in ["credentials", "events", "audit_lanes"] {
        keep(&app, table);
    }
    for number in 0..40 {
        assert_eq!(change_password(&mut ada, id, &format!("SECOND-{number}")).await.status, 303);
    }
    let mut follower = Follower::default();
    assert!(turn(&app, &mut follower).is_empty());
    sql::run(
        &app,
        "DELETE FROM events e WHERE NOT EXISTS (SELECT FROM kept_events k WHERE (k.lane, k.seq) = (e.lane, e.seq))",
    );
    put_back(&app, "audit_lanes", "lane");
    put_back(&app, "credentials", "id");
    assert!(!turn(&app, &mut follower).is_empty());
    assert!(turn(&app, &mut follower).is_empty(), "each lane is told once");
    let page = ada.get(&format!("/credentials/{id}")).await;
    assert!(page.has("[data-doubt]"), "{}", page.text("main"));
}

#[actix_web::test]
async fn a_trail_that_only_grows_is_followed_to_its_end() {
    let app = TestApp::start();
    let mut ada = app.administrator();
    let mut follower = Follower::default();
    for number in 0..3 {
        let id = basic(&app, &format!("robot {number}"), "FIRST-1");
        assert_eq!(change_password(&mut ada, id, "SECOND-2").await.status, 303);
        assert!(turn(&app, &mut follower).is_empty());
        assert_eq!(known(&app, id), 2);
    }
    assert!(follower.found.is_empty());
}

/// What another replica has committed is known within a turn.
#[actix_web::test]
async fn a_change_by_another_replica_is_known_within_seconds() {
    let app = TestApp::start();
    let id = basic(&app, "robot", "FIRST-1");
    let other = TestApp::replica(app.database.clone(), &[]);
    assert_eq!(change_password(&mut other.administrator(), id, "SECOND-2").await.status, 303);
    assert_eq!(known(&other, id), 2);
    crate::support::wait::until("the change is known", || (known(&app, id) == 2).then_some(())).await;
}

/// S6
#[actix_web::test]
async fn a_row_that_was_deleted_by_sql_is_named_by_the_verification() {
    let app = TestApp::start();
    let mut ada = app.administrator();
    let (gone, deleted) = (basic(&app, "robot", "FIRST-1"), basic(&app, "old robot", "FIRST-1"));
    let page = ada.post(&format!("/credentials/{deleted}/delete"), &[("name", "old robot")]).await;
    assert_eq!(page.status, 303, "{:?}", page.texts("[role=alert]"));
    assert_eq!(super::findings(&app), [""; 0]);
    sql::run(&app, &format!("DELETE FROM credentials WHERE id = '{gone}'"));
    let findings = super::findings(&app);
    assert!(
        findings.len() == 1 && findings[0].starts_with(&format!("credentials {gone}: the row is gone")),
        "{findings:?}"
    );
}

/// S8
#[actix_web::test]
async fn a_value_that_cannot_be_read_does_not_end_the_verification() {
    let app = TestApp::start();
    let mut ada = app.administrator();
    let id = basic(&app, "robot", "FIRST-1");
    assert_eq!(change_password(&mut ada, id, "SECOND-2").await.status, 303);
    sql::run(
        &app,
        "ALTER TABLE events DROP CONSTRAINT events_at_finite; ALTER TABLE credentials ALTER created_by DROP NOT NULL;
         UPDATE events SET at = 'infinity' WHERE action = 'credential.edited'; UPDATE credentials SET created_by = NULL",
    );
    sql::run(&app, "ALTER TABLE users DROP CONSTRAINT users_role_check; UPDATE users SET role = 'owner'");
    let findings = super::findings(&app).join("; ");
    for part in ["the row cannot be read", "users", "audit trail: lane"] {
        assert!(findings.contains(part), "{part}: {findings}");
    }
}
