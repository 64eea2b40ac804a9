//! The superuser of the database, who takes a change back as soon as it is made, or replaces what PostgreSQL answers by:
//! the console remembers what it wrote itself.

use std::time::Duration;

use strongroom::models::events::Actor;
use strongroom::models::trust::Doubt;
use strongroom::models::{self, CredentialId, DbError, chain, credentials, keks, users};
use strongroom::vault::{KeyRing, Vault};

use super::{alerts, basic, change_password, findings, keep, put_back};
use crate::support::app::{TestApp, keyring, quick_hash};
use crate::support::sql;
use crate::support::wait::{until, wait_for};

/// Takes the events out that came after the kept heads, and puts those heads back.
const CUT: &str = "
    DELETE FROM events e USING kept_audit_lanes l WHERE e.lane = l.lane AND e.seq > l.seq;
    UPDATE audit_lanes a SET seq = l.seq, mac = l.mac, head_mac = l.head_mac FROM kept_audit_lanes l WHERE a.lane = l.lane";

/// A vault that remembers nothing yet, and that no console follows the trail for.
fn fresh(app: &TestApp) -> Vault {
    Vault::new(app.services.vault.deployment(), KeyRing::read(&keyring()).expect("a key ring"), None)
}

/// What a console that remembers nothing thinks of a credential.
fn doubt(app: &TestApp, id: CredentialId) -> Option<Doubt> {
    let (mut conn, vault) = (app.connect(), fresh(app));
    models::read(&mut conn, |conn| credentials::find(conn, &vault, id)).expect("a row").doubt()
}

#[actix_web::test]
async fn a_change_that_is_taken_back_at_once_is_found_at_once() {
    let app = TestApp::start();
    let mut ada = app.administrator();
    let id = basic(&app, "robot", "FIRST-1");
    for table in ["credentials", "audit_lanes"] {
        keep(&app, table);
    }
    assert_eq!(change_password(&mut ada, id, "SECOND-2").await.status, 303);
    sql::run(&app, CUT);
    put_back(&app, "credentials", "id");
    assert_eq!(doubt(&app, id), None, "the database alone tells nothing");
    let page = ada.get(&format!("/credentials/{id}")).await;
    assert!(page.has("[data-doubt]"), "{}", page.text("main"));
    let test = ada.post(&format!("/credentials/{id}/test"), &[]).await;
    assert!(!test.body.contains("FIRST-1"));
    until("the alert", || alerts(&app).contains(&"the audit trail".to_owned()).then_some(())).await;
    assert!(app.services.trail.broken().is_some_and(|text| text.contains("while this console ran")));
    assert!(!app.services.trail.is_held());
}

#[actix_web::test]
async fn nothing_is_changed_in_a_lane_that_was_cut() {
    let app = TestApp::start();
    let vault = fresh(&app);
    let add = |name: &str| {
        let actor = Actor::command_line();
        let create = |conn: &mut _| users::create(conn, &vault, &actor, name, "auditor", quick_hash());
        models::transaction::<_, DbError>(&mut app.connect(), &create)
    };
    keep(&app, "audit_lanes");
    add("otto").expect("a user");
    sql::run(&app, CUT);
    // In every lane, whichever is free.
    for lane in 0..strongroom::models::events::LANES {
        let end = strongroom::trail::End { seq: 1_000, link: vec![0; 32] };
        vault.trail.note_end(lane, end);
    }
    assert_eq!(add("olga"), Err(DbError::TrailCut));
    assert_eq!(sql::count(&app, "users WHERE name = 'olga'"), 0);
}

/// A trigger that runs at the commit takes the event out in the very transaction that wrote it.
#[actix_web::test]
async fn an_event_that_its_own_transaction_takes_out_is_found() {
    let app = TestApp::start();
    let mut ada = app.administrator();
    let id = basic(&app, "robot", "FIRST-1");
    sql::run(
        &app,
        "CREATE TABLE old_heads AS SELECT * FROM audit_lanes;
         CREATE FUNCTION note_head() RETURNS trigger LANGUAGE plpgsql AS
             'BEGIN INSERT INTO old_heads SELECT (OLD).*; RETURN NULL; END';
         CREATE TRIGGER note AFTER UPDATE ON audit_lanes FOR EACH ROW EXECUTE FUNCTION note_head();
         CREATE FUNCTION take_out() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN
             DELETE FROM events WHERE lane = NEW.lane AND seq = NEW.seq;
             UPDATE audit_lanes a SET seq = o.seq, mac = o.mac, head_mac = o.head_mac FROM old_heads o
                 WHERE a.lane = NEW.lane AND o.lane = NEW.lane AND o.seq = NEW.seq - 1;
             RETURN NULL; END';
         CREATE CONSTRAINT TRIGGER take_out AFTER INSERT ON events DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
             WHEN (NEW.action = 'credential.edited') EXECUTE FUNCTION take_out()",
    );
    assert_eq!(change_password(&mut ada, id, "SECOND-2").await.status, 303);
    assert_eq!(sql::count(&app, "events WHERE action = 'credential.edited'"), 0, "the attack works");
    until("the alert", || alerts(&app).contains(&"the audit trail".to_owned()).then_some(())).await;
    sql::run(&app, "DROP TRIGGER take_out ON events");
    let changes = async || change_password(&mut ada, id, "THIRD-3").await.status == 303;
    wait_for("the next change", Duration::from_secs(20), changes).await;
    let gap = format!("audit trail: the event about version 2 of credential {id} was taken out");
    assert!(findings(&app).contains(&gap), "{:?}", findings(&app));
    // What the operator has accepted is found no more.
    let vault = fresh(&app);
    let walk = chain::verify(&mut app.connect(), &vault).expect("it answers");
    app.transaction(|conn| chain::accept(conn, &vault, &walk));
    assert!(!findings(&app).contains(&gap), "{:?}", findings(&app));
}

#[actix_web::test]
async fn a_replaced_aggregate_does_not_make_an_older_row_good() {
    let app = TestApp::start();
    let mut ada = app.administrator();
    let id = basic(&app, "robot", "FIRST-1");
    keep(&app, "credentials");
    assert_eq!(change_password(&mut ada, id, "SECOND-2").await.status, 303);
    put_back(&app, "credentials", "id");
    sql::run(&app, "CREATE OR REPLACE AGGREGATE pg_catalog.max(bigint) (SFUNC = int8smaller, STYPE = bigint)");
    assert_eq!(sql::count(&app, "(SELECT max(v) AS m FROM (VALUES (1::bigint), (2)) AS t (v)) AS x WHERE m = 1"), 1);
    assert_eq!(doubt(&app, id), Some(Doubt::PutBack));
    let page = ada.get(&format!("/credentials/{id}")).await;
    assert!(page.has("[data-doubt]"), "{}", page.text("main"));
}

#[actix_web::test]
async fn a_row_that_was_seen_once_is_never_older_again() {
    let app = TestApp::start();
    let mut ada = app.administrator();
    let id = basic(&app, "robot", "FIRST-1");
    keep(&app, "credentials");
    assert_eq!(change_password(&mut ada, id, "SECOND-2").await.status, 303);
    // A console that follows no trail, and has read the row.
    let (mut conn, vault) = (app.connect(), fresh(&app));
    let mut seen = || models::read(&mut conn, |conn| credentials::find(conn, &vault, id)).expect("a row").doubt();
    assert_eq!(seen(), None);
    sql::run(&app, "UPDATE events SET subject_id = NULL, subject_version = NULL WHERE subject_version > 1");
    put_back(&app, "credentials", "id");
    assert_eq!(doubt(&app, id), None, "the attack works");
    assert_eq!(seen(), Some(Doubt::PutBack));
}

#[actix_web::test]
async fn what_a_transaction_took_back_is_not_remembered() {
    let app = TestApp::start();
    let (mut conn, vault) = (app.connect(), fresh(&app));
    let take_back = |conn: &mut _| {
        keks::set_verified(conn, &vault, &Actor::system(), "by the test")?;
        keks::active(conn, &vault)?;
        Err::<(), DbError>(DbError::Stale)
    };
    assert_eq!(models::transaction(&mut conn, &take_back), Err(DbError::Stale));
    assert_eq!(models::transaction::<_, DbError>(&mut conn, &|conn| keks::active(conn, &vault)), Ok(1));
}
