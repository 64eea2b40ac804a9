//! Secrets in versions: one is active, the one before is wiped, and nobody makes an old one active by SQL.

use diesel::connection::SimpleConnection;
use strongroom::models::trust::Doubt;

use super::{add, doubt, edit, row, stored};
use crate::support::app::TestApp;
use crate::support::sql;

const SECOND: [(&str, &str); 3] = [("name", "robot"), ("username", "robot"), ("password", "second secret")];

#[actix_web::test]
async fn a_secret_that_is_replaced_is_wiped_and_its_row_stays() {
    let app = TestApp::start();
    let mut visit = app.administrator();
    let id = add(&mut visit, "robot").await;
    assert_eq!(edit(&mut visit, id, &SECOND).await.status, 303);
    let kept =
        format!("SELECT version || ' ' || state AS text FROM secrets WHERE credential_id = '{id}' ORDER BY version");
    assert_eq!(sql::texts(&app, &kept), ["1 retired", "2 active"]);
    let wiped = "secrets WHERE state = 'retired' AND num_nonnulls(kek_id, wrapped_dek, payload) = 0";
    assert_eq!(sql::count(&app, wiped), 1);
    assert_eq!((row(&app, id).secret_version, stored(&app, id).get("password")), (2, "second secret"));
    assert_eq!(doubt(&app, id), None);
    assert_eq!(visit.post(&format!("/credentials/{id}/delete"), &[("name", "robot")]).await.status, 303);
    assert_eq!(sql::count(&app, &format!("secrets WHERE credential_id = '{id}'")), 0);
}

#[actix_web::test]
async fn a_state_that_is_changed_by_sql_puts_the_credential_in_doubt() {
    let app = TestApp::start();
    let mut visit = app.administrator();
    let id = add(&mut visit, "robot").await;
    sql::run(&app, "CREATE TABLE old AS SELECT * FROM secrets");
    assert_eq!(edit(&mut visit, id, &SECOND).await.status, 303);
    let copy = "INSERT INTO secrets SELECT credential_id, 3, 'pending', '', kek_id, wrapped_dek, payload, made_at
                FROM secrets WHERE version = 2";
    let old =
        "UPDATE secrets s SET state = 'active', kek_id = o.kek_id, wrapped_dek = o.wrapped_dek, payload = o.payload
               FROM old o WHERE o.credential_id = s.credential_id AND s.version = 1 AND s.state = 'retired'";
    for change in [
        "UPDATE secrets SET state = 'draining' WHERE version = 2",
        "UPDATE secrets SET key_id = 'AKIA' WHERE version = 2",
        "UPDATE secrets SET version = 9 WHERE version = 2",
        "DELETE FROM secrets WHERE version = 2",
        copy,
        &format!("DELETE FROM secrets WHERE version = 2; {old}"),
        &format!("UPDATE secrets SET state = 'draining' WHERE version = 2; {old}"),
    ] {
        sql::run(&app, "CREATE TABLE kept AS SELECT * FROM secrets");
        sql::run(&app, change);
        assert_eq!(doubt(&app, id), Some(Doubt::Tampered), "{change}");
        sql::run(&app, "DELETE FROM secrets; INSERT INTO secrets SELECT * FROM kept; DROP TABLE kept");
        assert_eq!(doubt(&app, id), None, "{change}");
    }
    assert!(app.connect().batch_execute(old).is_err(), "two are active at once");
}
