//! Old events that were exported and removed: the trail stays whole, and nobody removes others in their name.

use chrono::{TimeDelta, Utc};
use strongroom::audit_export::{self, ExportFailure};
use strongroom::models::events::{self, Action, Actor, NewEvent};
use strongroom::models::exported::{self, Chunk};
use strongroom::models::{DbError, chain};

use super::{basic, change_password};
use crate::support::app::TestApp;
use crate::support::sql;

/// Uses of a credential, changes of it between them.
async fn busy() -> TestApp {
    let app = TestApp::start();
    let mut ada = app.administrator();
    let robot = basic(&app, "robot", "FIRST-1");
    for turn in 0..60 {
        if turn % 20 == 7 {
            assert_eq!(change_password(&mut ada, robot, &format!("OTHER-{turn}")).await.status, 303);
        }
        let event = NewEvent {
            action: Action::CredentialOpened,
            subject_kind: "credential",
            subject_id: Some(robot.0),
            subject_name: "robot",
            detail: format!("turn {turn}"),
        };
        app.transaction(|conn| events::record(conn, &app.services.vault, &Actor::system(), &event));
    }
    app
}

/// What is due in an hour.
fn due(app: &TestApp) -> Chunk {
    let before = Utc::now() + TimeDelta::hours(1);
    app.transaction(|conn| exported::due(conn, &app.services.vault, before))
}

fn remove(app: &TestApp, chunk: &Chunk) -> Result<u64, DbError> {
    remove_to(app, chunk, "old.jsonl")
}

fn remove_to(app: &TestApp, chunk: &Chunk, name: &str) -> Result<u64, DbError> {
    let remove = |conn: &mut _| exported::remove(conn, &app.services.vault, &Actor::system(), chunk, name);
    strongroom::models::transaction(&mut app.connect(), &remove)
}

/// Events that hold, exported ones, and places where the trail breaks.
fn walked(app: &TestApp) -> (u64, u64, usize) {
    let walk = chain::verify(&mut app.connect(), &app.services.vault).expect("a walk");
    (walk.count, walk.exported, walk.broken.len() + walk.gaps.len() + walk.missing.len())
}

#[actix_web::test]
async fn exported_events_leave_a_trail_that_holds_and_a_file_that_proves_them() {
    let (app, place) = (busy().await, tempfile::tempdir().expect("a directory"));
    let (before, _, broken) = walked(&app);
    let chunk = due(&app);
    assert!(chunk.len() > 2 && broken == 0, "changes stand between the uses");
    let file = audit_export::write(&chunk, place.path(), Utc::now()).expect("a file");
    let name = file.file_name().expect("a name").to_string_lossy().into_owned();
    let count = remove_to(&app, &chunk, &name).expect("removed");
    assert!(count > 20, "{count}");
    assert_eq!(walked(&app), (before - count + 1, count, 0), "and one event tells of it");
    assert_eq!(sql::count(&app, "events WHERE action = 'credential.edited'"), 3, "changes stay");
    let checked = audit_export::verify(&mut app.connect(), &app.services.vault, &file);
    assert_eq!(checked.expect("a good file"), count);
    // A console that starts now reads the trail and holds nothing; what is written later is exported later.
    let other = TestApp::replica(app.database.clone(), &[]);
    assert!(!other.services.trail.is_held() && other.services.trail.broken().is_none());
    assert_eq!(other.visitor().get("/login").await.status, 200);
    let more = remove(&app, &due(&app)).expect("removed");
    assert_eq!((walked(&app).1, walked(&app).2), (count + more, 0));
    let text = std::fs::read_to_string(&file).expect("text");
    let verify = |text: &str| {
        std::fs::write(&file, text).expect("changed");
        audit_export::verify(&mut app.connect(), &app.services.vault, &file)
    };
    let changed = verify(&text.replacen("turn 3\"", "turn 4\"", 1));
    assert!(matches!(changed, Err(ExportFailure::Differs(..))), "{changed:?}");
    let header = text.lines().next().expect("a header");
    let cut = verify(&format!("{header}\n"));
    assert!(matches!(cut, Err(ExportFailure::Count(_, 0, _))), "{cut:?}");
}

#[actix_web::test]
async fn a_chunk_is_removed_once_however_many_consoles_export() {
    let app = busy().await;
    let chunk = due(&app);
    let count = remove(&app, &chunk).expect("removed");
    let events = sql::count(&app, "events");
    assert!(matches!(remove(&app, &chunk), Err(DbError::Stale)));
    assert_eq!((sql::count(&app, "events"), walked(&app).1), (events, count));
}

#[actix_web::test]
async fn nobody_removes_events_by_writing_such_rows_themselves() {
    for attack in [
        "UPDATE exported_events SET last = last + 1 WHERE (lane, first) IN (SELECT lane, first FROM exported_events
             ORDER BY last - first DESC LIMIT 1)",
        "DELETE FROM exported_events WHERE ctid IN (SELECT ctid FROM exported_events LIMIT 1)",
        "UPDATE exported_events SET last_mac = sha256('another')
             WHERE ctid IN (SELECT ctid FROM exported_events LIMIT 1)",
        "WITH gone AS (DELETE FROM events WHERE (lane, seq) IN
             (SELECT e.lane, e.seq FROM events e JOIN audit_lanes l USING (lane) WHERE e.seq < l.seq LIMIT 1)
             RETURNING lane, seq, mac)
         INSERT INTO exported_events SELECT lane, seq, seq, mac, mac, mac FROM gone",
    ] {
        let app = busy().await;
        remove(&app, &due(&app)).expect("removed");
        assert_eq!(walked(&app).2, 0);
        sql::run(&app, attack);
        assert!(walked(&app).2 > 0, "{attack}");
    }
}
