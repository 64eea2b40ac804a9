//! Values that Strongroom never writes. The database refuses them of whoever may only write rows; of its owner, who may
//! change tables as well, one such row takes neither a page nor a queue with it.

use diesel::RunQueryDsl;
use diesel::connection::SimpleConnection;
use diesel::sql_types::Text;
use strongroom::accounts::Role;
use strongroom::models::{AlertId, CredentialId, DbError, IntegrationId, ReplicaId, deliveries, runs};
use uuid::Uuid;

use super::{Name, basic, findings};
use crate::support::app::TestApp;
use crate::support::sql;

/// What an owner of the tables does first.
const NO_CHECKS: &str = "DO $$ DECLARE c record; BEGIN
    FOR c IN SELECT conrelid::regclass AS tab, conname FROM pg_constraint WHERE conname LIKE '%\\_finite' LOOP
        EXECUTE format('ALTER TABLE %s DROP CONSTRAINT %I', c.tab, c.conname);
    END LOOP; END $$";

#[actix_web::test]
async fn every_time_in_the_database_is_checked_to_be_one() {
    let app = TestApp::start();
    let unchecked: Vec<Name> = diesel::sql_query(
        "SELECT r.relname || '.' || a.attname AS name FROM pg_attribute a JOIN pg_class r ON r.oid = a.attrelid
         WHERE r.relnamespace = 'public'::regnamespace AND r.relkind = 'r' AND a.attnum > 0 AND NOT a.attisdropped
           AND a.atttypid = 'timestamptz'::regtype AND NOT EXISTS (SELECT 1 FROM pg_constraint
               WHERE conrelid = r.oid AND conname = r.relname || '_' || a.attname || '_finite')",
    )
    .load(&mut app.connect())
    .expect("the catalogue");
    let unchecked: Vec<String> = unchecked.into_iter().map(|column| column.name).collect();
    let add = "its migration must add: CONSTRAINT <table>_<column>_finite CHECK (isfinite(<column>))";
    assert_eq!(unchecked, [""; 0], "{add}");
}

#[actix_web::test]
async fn who_may_write_rows_cannot_store_a_time_that_is_none() {
    let app = TestApp::start();
    basic(&app, "robot", "FIRST-1");
    for attack in [
        "UPDATE credentials SET last_used_at = 'infinity'",
        "UPDATE credentials SET expires_at = '-infinity'",
        "UPDATE credentials SET secret_set_at = '-infinity'",
        "INSERT INTO login_failures (name_key, network, address, at) VALUES ('ada', 'n', 'a', 'infinity')",
    ] {
        let refused = diesel::sql_query(attack).execute(&mut app.connect()).map_err(DbError::from);
        assert!(matches!(&refused, Err(DbError::Check(name)) if name.ends_with("_finite")), "{attack}: {refused:?}");
    }
}

/// A store with something on every page; a credential, an integration, an alert.
fn furnish(app: &TestApp) -> (CredentialId, IntegrationId, AlertId) {
    let (credential, integration, alert) = (basic(app, "robot", "FIRST-1"), IntegrationId::fresh(), AlertId::fresh());
    sql::run(
        app,
        &format!(
            "INSERT INTO integrations (id, family, version, name, name_key, settings, created_by, edited_by, row_mac)
             VALUES ('{integration}', 'image_registry_scan', 'docker_v2', 'mirror', 'mirror', '{{}}', 'ada', 'ada',
                 decode(repeat('00', 33), 'hex'));
             INSERT INTO usages (integration_id, role, credential_id, host)
             VALUES ('{integration}', 'main', '{credential}', 'h');
             INSERT INTO runs (id, integration_id, state, cause, requested_by, ended_at)
             VALUES (gen_random_uuid(), '{integration}', 'failed', 'asked', 'ada', now());
             INSERT INTO items (integration_id, place, name, fingerprint, facts)
             VALUES ('{integration}', 'team/app', '1', 'sha256:0', '{{\"size\": 1, \"platforms\": []}}');
             INSERT INTO provider_facts (credential_id, secret_version) VALUES ('{credential}', 1);
             INSERT INTO alerts (id, trigger, subject_kind, subject_id, subject_name, stage)
             VALUES ('{alert}', 'failed_scan', 'integration', '{integration}', 'mirror', 3);
             INSERT INTO notices (id, alert_id, number, event) VALUES (gen_random_uuid(), '{alert}', 1, 'raised');
             INSERT INTO deliveries (id, kind, integration_id, state)
             VALUES (gen_random_uuid(), 'digest', '{integration}', 'parked');
             INSERT INTO delivery_lines SELECT d.id, 0, n.id FROM deliveries d, notices n"
        ),
    );
    (credential, integration, alert)
}

#[actix_web::test]
async fn pages_show_what_they_have_beside_a_time_that_is_none() {
    let app = TestApp::start();
    let mut ada = app.administrator();
    let olga = app.add_user("olga", Role::Operator);
    app.session_of(olga);
    let (credential, integration, alert) = furnish(&app);
    sql::run(&app, NO_CHECKS);
    sql::run(
        &app,
        "ALTER TABLE alerts ALTER opened_at DROP NOT NULL; ALTER TABLE runs ALTER queued_at DROP NOT NULL;
         ALTER TABLE items ALTER first_seen_at DROP NOT NULL",
    );
    let pages = [
        "/".to_owned(),
        "/credentials".to_owned(),
        "/integrations".to_owned(),
        "/alerts".to_owned(),
        "/audit".to_owned(),
        "/users".to_owned(),
        "/account".to_owned(),
        format!("/credentials/{credential}"),
        format!("/credentials/{credential}/delete"),
        format!("/integrations/{integration}"),
        format!("/alerts/{alert}"),
        format!("/users/{olga}"),
    ];
    for value in ["'infinity'", "'-infinity'", "'294276-12-31'", "NULL"] {
        // Where NULL has a meaning, it is one of Strongroom's own.
        let hard = if value == "NULL" { "now()" } else { value };
        sql::run(
            &app,
            &format!(
                "UPDATE alerts SET opened_at = {value}; UPDATE items SET first_seen_at = {value};
                 UPDATE credentials SET last_used_at = {hard}, integrity_failed_at = {value};
                 UPDATE runs SET queued_at = {value}, started_at = {value}, ended_at = {value};
                 UPDATE provider_facts SET made_at = {value}, used_at = {value};
                 UPDATE users SET last_login_at = {value};
                 UPDATE deliveries SET created_at = {hard}, ended_at = {value};
                 UPDATE sessions SET last_seen_at = {hard} WHERE user_id = '{olga}'"
            ),
        );
        for path in &pages {
            assert_eq!(ada.get(path).await.status, 200, "{path} with {value}");
        }
    }
}

#[actix_web::test]
async fn a_row_that_cannot_be_read_is_named_and_the_others_are_checked() {
    let app = TestApp::start();
    let ids: Vec<CredentialId> = (0..7).map(|number| basic(&app, &format!("robot {number}"), "FIRST-1")).collect();
    sql::run(
        &app,
        &format!(
            "ALTER TABLE credentials ALTER created_by DROP NOT NULL;
             UPDATE credentials SET created_by = NULL WHERE id IN ('{}', '{}');
             UPDATE credentials SET note = 'altered' WHERE id = '{}'",
            ids[2], ids[5], ids[6]
        ),
    );
    let (found, unreadable) = (findings(&app), |id| format!("credentials {id}: the row cannot be read"));
    for id in [ids[2], ids[5]] {
        assert!(found.iter().any(|finding| finding.starts_with(&unreadable(id))), "{found:?}");
    }
    assert!(found.contains(&format!("credentials {}: the row is not what was saved", ids[6])), "{found:?}");
    assert_eq!(found.len(), 3, "{found:?}");
    // Its page says so.
    let page = app.administrator().get(&format!("/credentials/{}", ids[2])).await;
    assert!(page.status == 409 && page.text(".problem p").contains("strongroom verify"), "{page:?}");
}

#[actix_web::test]
async fn a_message_that_cannot_be_read_is_parked_and_the_others_are_claimed() {
    let app = TestApp::start();
    let (_, channel, _) = furnish(&app);
    let (bad, replica) = (Uuid::new_v4(), ReplicaId(Uuid::new_v4()));
    sql::run(
        &app,
        &format!(
            "ALTER TABLE deliveries ALTER kind DROP NOT NULL;
             INSERT INTO deliveries (id, kind, integration_id, attempts) VALUES ('{bad}', NULL, '{channel}', 0),
                 (gen_random_uuid(), 'test', '{channel}', 1000000)"
        ),
    );
    let claimed = deliveries::claim(&mut app.connect(), channel, replica, 10, false).expect("a claim");
    assert_eq!((claimed.deliveries.len(), claimed.unreadable), (1, 1));
    let parked = format!("deliveries WHERE id = '{bad}' AND state = 'parked' AND error LIKE '%cannot be read%'");
    assert_eq!(sql::count(&app, &parked), 1);
    assert_eq!(app.administrator().get(&format!("/integrations/{channel}")).await.status, 200);
}

#[actix_web::test]
async fn a_run_that_cannot_be_read_ends_and_the_queue_goes_on() {
    let app = TestApp::start();
    let (_, integration, _) = furnish(&app);
    let bad = Uuid::new_v4();
    let mut conn = app.connect();
    // In one transaction, so that the console's own queue does not come first.
    diesel::Connection::test_transaction::<_, DbError, _>(&mut conn, |conn| {
        conn.batch_execute(&format!(
            "ALTER TABLE runs ALTER requested_by DROP NOT NULL; DROP INDEX runs_one_unfinished;
             INSERT INTO runs (id, integration_id, state, cause, requested_by, queued_at)
             VALUES ('{bad}', '{integration}', 'queued', 'asked', NULL, now() - interval '1 hour'),
                 (gen_random_uuid(), '{integration}', 'queued', 'asked', 'olga', now())"
        ))?;
        let claimed = runs::claim(conn, ReplicaId(Uuid::new_v4()), runs::RunAction::SCANS)?.expect("the other run");
        assert_eq!(claimed.requested_by, "olga");
        let ended: Vec<Name> =
            diesel::sql_query("SELECT error AS name FROM runs WHERE id = $1::uuid AND state = 'failed'")
                .bind::<Text, _>(bad.to_string())
                .load(conn)?;
        assert!(ended.len() == 1 && ended[0].name.contains("cannot be read"));
        Ok(())
    });
}

#[actix_web::test]
async fn nobody_tries_passwords_where_failures_are_not_counted() {
    let app = TestApp::start();
    app.administrator();
    sql::run(&app, "CREATE RULE swallow AS ON INSERT TO login_failures DO INSTEAD NOTHING");
    let page = crate::login::log_in(&mut app.visitor(), "ada", crate::support::app::PASSWORD).await;
    assert_eq!(page.status, 503);
}
