//! What is written for a visitor, or by a job, is written in a transaction: only those tell the truth about time-outs.

use std::time::Duration;

use diesel::connection::SimpleConnection;
use strongroom::accounts::Role;
use strongroom::models::{Conn, DbError};

use crate::support::app::{PASSWORD, TestApp, Visit};
use crate::support::peers::scripted::{Reply, Scripted};
use crate::support::process::wait_for;
use crate::support::sql;

/// Writes down each statement of the console that is its own transaction. Those have the search path of the session,
/// which is another than that of transactions here.
const WATCHED: &str = "CREATE TABLE alone (statement text);
    CREATE FUNCTION watched() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        IF current_setting('search_path') = 'public' AND current_setting('application_name') = 'strongroom' THEN
            INSERT INTO alone VALUES (current_query());
        END IF;
        RETURN NULL;
    END $$;
    DO $$ DECLARE name text; BEGIN
        FOR name IN SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'alone' LOOP
            EXECUTE format('CREATE TRIGGER watched AFTER INSERT OR UPDATE OR DELETE ON %I EXECUTE FUNCTION watched()',
                name);
        END LOOP;
    END $$";

async fn login(app: &TestApp, password: &str) -> Visit {
    let mut visit = app.visitor();
    visit.post("/login", &[("username", "ada"), ("password", password), ("next", "/")]).await;
    visit
}

#[actix_web::test]
async fn every_write_of_the_console_is_in_a_transaction() {
    let app = TestApp::start_with(&["--db-pool=1"]);
    app.add_user("ada", Role::Administrator);
    sql::run(&app, WATCHED);
    let db = &app.services.db;
    db.run(|conn| execute(conn, "SET search_path = public")).await.expect("the one connection is marked");
    login(&app, "wrong").await;
    let mut visit = login(&app, PASSWORD).await;
    let secret = [("kind", "basic"), ("name", "new"), ("username", "robot"), ("password", "first secret")];
    let peer = Scripted::start(|_| Reply::json(serde_json::json!({"repositories": []}))).await;
    let url = peer.url();
    let mirror = [("name", "mirror"), ("version", "docker_v2"), ("registry", url.as_str()), ("schedule", "off")];
    let posts: [(&str, &[(&str, &str)]); 5] = [
        ("/account/preferences", &[("theme", "dark")]),
        ("/account/confirm", &[("password", PASSWORD), ("next", "/")]),
        ("/credentials", &secret),
        ("/integrations", &mirror),
        ("/logout", &[]),
    ];
    for (path, fields) in posts {
        let page = visit.post(path, fields).await;
        assert!(matches!(page.status, 302 | 303), "{path}: {page:?}");
    }
    wait_for("the scan has ended", Duration::from_secs(30), async || {
        sql::count(&app, "runs WHERE state = 'succeeded'") == 1
    })
    .await;
    let mut conn = app.connect();
    let alone = super::ask(&mut conn, "SELECT coalesce(string_agg(DISTINCT statement, E'\\n'), '') FROM alone");
    assert_eq!(alone, "");
    // The watch itself works.
    db.run(|conn| execute(conn, "DELETE FROM login_failures")).await.expect("it writes");
    assert_eq!(sql::count(&app, "alone"), 1);
}

fn execute(conn: &mut Conn, statement: &str) -> Result<(), DbError> {
    Ok(conn.batch_execute(statement)?)
}
