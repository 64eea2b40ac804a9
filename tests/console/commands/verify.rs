//! `strongroom verify`, and the job that does it every night.

use super::{ask, credentials};
use crate::login::log_in;
use crate::support::app::{PASSWORD, TestApp};
use crate::support::binary::Strongroom;
use crate::support::process::{PATIENCE, wait_for};
use crate::support::signed;
use crate::support::sql;
use strongroom::accounts::Role;
use strongroom::jobs::verify;
use strongroom::models::DbError;
use strongroom::models::events::Actor;
use strongroom::models::users::{self, Change};
use strongroom::verification;

#[test]
fn a_whole_store_is_opened_value_by_value_and_left_as_it_is() {
    let strongroom = Strongroom::founded();
    strongroom.visit("root", Role::Administrator);
    credentials(&mut strongroom.connect(), &strongroom.vault(), 0..250);
    let before = strongroom.dump();
    let said = strongroom.done(&["verify"]);
    // 250 credentials and the shipped one, and one password; with the user a session, the master key and the deployment.
    assert!(said.starts_with("252 sealed values opened, 255 rows checked, 254 audit events"), "{said}");
    assert!(said.ends_with("all is well\n"), "{said}");
    assert_eq!(strongroom.dump(), before);
}

#[test]
fn every_row_that_was_tampered_with_is_named_by_table_and_id_only() {
    let strongroom = Strongroom::founded();
    strongroom.visit("root", Role::Administrator);
    let mut conn = strongroom.connect();
    let ids = credentials(&mut conn, &strongroom.vault(), 0..4);
    let user = ask(&mut conn, "SELECT id FROM users");
    for statement in [
        format!(
            "UPDATE secrets SET payload = set_byte(payload, 40, 255 - get_byte(payload, 40)) WHERE credential_id = '{}'",
            ids[0]
        ),
        format!(
            "UPDATE secrets s SET wrapped_dek = o.wrapped_dek, payload = o.payload FROM secrets o
             WHERE o.credential_id = '{}' AND s.credential_id = '{}'",
            ids[2], ids[1]
        ),
        format!("UPDATE credentials SET identity = 'mallory' WHERE id = '{}'", ids[3]),
        "UPDATE users SET role = 'auditor'".to_owned(),
        "UPDATE events SET detail = 'nothing' WHERE action = 'user.created'".to_owned(),
    ] {
        strongroom.sql(&statement);
    }
    let ran = strongroom.run(&["verify"]);
    assert_eq!(ran.status, 1, "{ran:?}");
    for line in [
        format!("credentials {}: the sealed payload does not open", ids[0]),
        format!("credentials {}: the sealed payload does not open", ids[1]),
        format!("credentials {}: the row is not what was saved", ids[3]),
        format!("users {user}: the row is not what was saved"),
    ] {
        assert!(ran.out.lines().any(|said| said == line), "{line} in {ran:?}");
    }
    assert!(ran.out.contains("audit trail: lane "), "{ran:?}");
    assert!(ran.err.contains("5 failures") && !ran.out.contains("mallory"), "{ran:?}");
}

#[actix_web::test]
async fn the_nightly_check_quarantines_what_does_not_open_and_one_replica_does_it() {
    let app = TestApp::start();
    let ids = credentials(&mut app.connect(), &app.services.vault, 0..3);
    let mut conn = app.connect();
    diesel::connection::SimpleConnection::batch_execute(
        &mut conn,
        &format!(
            "UPDATE secrets SET payload = set_byte(payload, 40, 255 - get_byte(payload, 40)) WHERE credential_id = '{}'",
            ids[1]
        ),
    )
    .expect("tampered");
    assert!(!verify::check(&app.services).await.expect("it answers"), "a store of today needs no check");
    signed::run(&app, "UPDATE deployment SET created_at = now() - interval '25 hours'");
    let (one, two) = tokio::join!(verify::check(&app.services), verify::check(&app.services));
    assert!(!(one.expect("it answers") && two.expect("it answers")), "one of them does it");
    // Or the console's own job, when it came first.
    let done = "SELECT count(*) FROM events WHERE action = 'store.verification_failed'";
    wait_for("it is done", PATIENCE, async || ask(&mut app.connect(), done) == "1").await;
    let marked =
        ask(&mut conn, "SELECT string_agg(id::text, ' ') FROM credentials WHERE integrity_failed_at IS NOT NULL");
    assert_eq!(marked, ids[1].to_string());
    let trail = "SELECT string_agg(action, ' ' ORDER BY at) FROM events WHERE actor = 'Strongroom'
                 AND action NOT IN ('credential.created', 'key.added')";
    assert_eq!(
        ask(&mut conn, trail),
        "store.verification_started credential.integrity_failure store.verification_failed"
    );
    assert!(!verify::check(&app.services).await.expect("it answers"), "once a day is enough");
}

#[actix_web::test]
async fn a_row_that_was_put_back_whole_is_older_than_the_trail_tells_of() {
    let app = TestApp::start();
    let mut ada = app.administrator();
    let fields = [("kind", "basic"), ("name", "robot"), ("username", "robot"), ("password", "first secret")];
    let edited = ada.post("/credentials", &fields).await.location().to_owned();
    let deleted = ada.post("/credentials", &[fields[0], ("name", "gone"), fields[2], fields[3]]).await;
    let deleted = deleted.location().to_owned();
    let failures = || {
        let walk = verification::verify(&mut app.connect(), &app.services.vault).expect("it answers");
        walk.failures.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    sql::run(&app, "CREATE TABLE kept AS SELECT * FROM credentials WHERE NOT shipped");
    sql::run(&app, "CREATE TABLE kept_secrets AS SELECT * FROM secrets WHERE credential_id IN (SELECT id FROM kept)");
    let fields = [("row_version", "1"), ("name", "robot"), ("username", "robot"), ("password", "second secret")];
    assert_eq!(ada.post(&format!("{edited}/edit"), &fields).await.status, 303);
    assert_eq!(ada.post(&format!("{deleted}/delete"), &[("name", "gone")]).await.status, 303);
    assert_eq!(failures(), [""; 0]);
    sql::run(
        &app,
        "DO $$ DECLARE names text;
         BEGIN
            SELECT string_agg(column_name, ', ') INTO names FROM information_schema.columns
                WHERE table_name = 'credentials' AND is_generated = 'NEVER';
            DELETE FROM credentials WHERE NOT shipped;
            EXECUTE format('INSERT INTO credentials (%s) SELECT %s FROM kept', names, names);
         END $$;
         INSERT INTO secrets SELECT * FROM kept_secrets;
         DROP TABLE kept, kept_secrets",
    );
    // What was put back is not made newer by a change that looks at something else, and is by its secret entered anew.
    let renamed = [("row_version", "1"), ("name", "other"), ("username", "robot"), ("password", "")];
    let refused = ada.post(&format!("{edited}/edit"), &renamed).await;
    assert!(refused.status != 303 && refused.status < 500, "{refused:?}");
    let mut expected = [edited.clone(), deleted.clone()].map(|path| {
        let id = path.rsplit('/').next().expect("an id").to_owned();
        format!("credentials {id}: the row is an older one, put back after a change that the audit trail records")
    });
    expected.sort();
    let mut found = failures();
    found.sort();
    assert_eq!(found, expected);
    let healed = [("row_version", "1"), ("name", "robot"), ("username", "robot"), ("password", "third secret")];
    assert_eq!(ada.post(&format!("{edited}/edit"), &healed).await.status, 303);
    assert_eq!(failures().len(), 1);
    assert!(failures()[0].contains(deleted.rsplit('/').next().expect("an id")));
}

#[actix_web::test]
async fn a_user_whose_row_was_put_back_does_not_come_in() {
    let app = TestApp::start();
    let id = app.add_user("bob", Role::Administrator);
    let disable = Change::Disabled(true);
    let vault = &app.services.vault;
    sql::run(&app, "CREATE TABLE kept AS SELECT * FROM users");
    app.transaction(|conn| users::change(conn, vault, &Actor::system(), id, &Change::TotpRequired(true), None));
    app.add_user("ada", Role::Administrator);
    app.transaction(|conn| users::change(conn, vault, &Actor::system(), id, &disable, None));
    sql::run(
        &app,
        "UPDATE users u SET disabled = k.disabled, totp_required = k.totp_required, row_version = k.row_version,
            row_mac = k.row_mac FROM kept k WHERE k.id = u.id; DROP TABLE kept",
    );
    let mut bob = app.visitor();
    let page = log_in(&mut bob, "bob", PASSWORD).await;
    assert_eq!(page.status, 422, "{page:?}");
    assert_eq!(bob.get("/account").await.status, 302);
    assert_eq!(
        sql::count(&app, "alerts WHERE trigger = 'integrity' AND subject_kind = 'user' AND closed_at IS NULL"),
        1
    );
    // Nor does a change of something else make the row look new.
    let change = |change: &Change| {
        strongroom::models::transaction(&mut app.connect(), &|conn| {
            users::change(conn, vault, &Actor::system(), id, change, None)
        })
    };
    assert_eq!(change(&Change::TotpRequired(true)), Err(DbError::Integrity));
    // A role, given anew, is.
    assert_eq!(change(&Change::Role("auditor".to_owned())), Ok(()));
    let open = "SELECT subject_name AS text FROM alerts WHERE trigger = 'integrity' AND closed_at IS NULL";
    assert_eq!(sql::texts(&app, open), [""; 0]);
    assert_eq!(log_in(&mut bob, "bob", PASSWORD).await.location(), "/");
}
