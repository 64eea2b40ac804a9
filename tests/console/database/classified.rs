//! Each error of PostgreSQL means the same to the console whether the server writes English or German. The console's
//! role is no superuser here, so that it cannot choose the language itself.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier};
use std::time::Duration;

use diesel::connection::SimpleConnection;
use diesel::pg::PgConnection;
use diesel::{Connection, RunQueryDsl, sql_query};
use strongroom::models::{Conn, Db, DbError, Route};
use strongroom::postgres::Private;

use super::ask;
use crate::support::app::{Page, TestApp, Visit, founded_in_german};
use crate::support::db::Scratch;
use crate::support::process::wait_for;

/// By `lc_messages`, with a part of what a lock time-out is called.
const LANGUAGES: [(&str, &str); 2] = [("de_DE.UTF-8", "Zeitüberschreitung einer Sperre"), ("C", "lock timeout")];

/// A console whose role owns nothing and may do what it needs, on a server that speaks this language.
async fn console(language: &str) -> TestApp {
    let app = TestApp::replica(Arc::new(founded_in_german()), &[]);
    let (database, role) = (&app.database, format!("clerk_{}", uuid::Uuid::new_v4().simple()));
    let grants = format!(
        "CREATE ROLE {role}; GRANT USAGE ON SCHEMA public TO {role}; GRANT ALL ON ALL TABLES IN SCHEMA public TO {role}"
    );
    database.connect().batch_execute(&grants).expect("a role");
    let name = database.name();
    database.administer(&format!("ALTER DATABASE {name} SET role = '{role}'"));
    database.administer(&format!("ALTER DATABASE {name} SET lc_messages = '{language}'"));
    database
        .administer(&format!("SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = '{name}'"));
    wait_for("the console has connections of that role", Duration::from_secs(20), async || {
        let asked = (0..8).map(|_| app.services.db.run(|conn| Ok::<_, DbError>(sql_query("SELECT 1").execute(conn)?)));
        futures_util::future::join_all(asked).await.iter().all(Result::is_ok)
    })
    .await;
    app
}

/// Lets the clerk do something, or no longer.
fn administer(app: &TestApp, statements: &str) {
    let mut conn = app.connect();
    conn.batch_execute("SET role = none").expect("it is the superuser again");
    conn.batch_execute(statements).expect(statements);
}

fn execute(conn: &mut Conn, statement: &str) -> Result<(), DbError> {
    Ok(conn.batch_execute(statement)?)
}

async fn choose_dark(visit: &mut Visit) -> Page {
    visit.post("/account/preferences", &[("theme", "dark")]).await
}

#[actix_web::test]
async fn locks_and_statements_that_take_too_long_are_unavailable() {
    for (language, words) in LANGUAGES {
        let app = console(language).await;
        let mut visit = app.administrator();
        let mut holder = app.connect();
        holder.batch_execute("BEGIN; LOCK TABLE users IN EXCLUSIVE MODE").expect("a lock");
        let said = app.connect().batch_execute("SET lock_timeout = 10; LOCK TABLE users IN EXCLUSIVE MODE");
        assert!(said.as_ref().is_err_and(|said| said.to_string().contains(words)), "{said:?}");
        let page = choose_dark(&mut visit).await;
        assert_eq!((page.status, page.text("h1").as_str()), (503, "The database does not answer"), "{page:?}");
        drop(holder);
        let db = &app.services.db;
        let quick = "SET LOCAL lock_timeout = 10; SET LOCAL statement_timeout = 10";
        for slow in ["SELECT pg_sleep(5)", "DO $$ BEGIN PERFORM pg_sleep(5); END $$"] {
            let slept = db.transaction(move |conn| execute(conn, quick).and(execute(conn, slow))).await;
            assert_eq!(slept, Err(DbError::Unavailable), "{language}");
        }
        let read = db.run(|conn| execute(conn, "SET statement_timeout = 10").and(execute(conn, "SELECT pg_sleep(5)")));
        assert_eq!(read.await, Err(DbError::Unavailable), "{language}");
    }
}

#[actix_web::test]
async fn deadlocks_are_resolved_by_another_try() {
    for (language, _) in LANGUAGES {
        let app = console(language).await;
        administer(
            &app,
            "CREATE TABLE forks (id int, taken int DEFAULT 0); GRANT ALL ON forks TO PUBLIC;
             INSERT INTO forks VALUES (1), (2)",
        );
        let (both, tries) = (Arc::new(Barrier::new(2)), Arc::new(AtomicUsize::new(0)));
        let philosopher = |first: i32, second: i32| {
            let (both, tries, eaten) = (Arc::clone(&both), Arc::clone(&tries), AtomicUsize::new(0));
            app.services.db.transaction(move |conn| {
                tries.fetch_add(1, Ordering::SeqCst);
                execute(conn, &format!("UPDATE forks SET taken = taken + 1 WHERE id = {first}"))?;
                if eaten.fetch_add(1, Ordering::SeqCst) == 0 {
                    both.wait();
                }
                execute(conn, &format!("UPDATE forks SET taken = taken + 1 WHERE id = {second}"))
            })
        };
        let (one, other) = tokio::join!(philosopher(1, 2), philosopher(2, 1));
        assert_eq!((one, other), (Ok(()), Ok(())), "{language}");
        assert!(tries.load(Ordering::SeqCst) > 2, "{language}: there was no deadlock");
        assert_eq!(ask(&mut app.connect(), "SELECT sum(taken) FROM forks"), "4");
    }
}

#[actix_web::test]
async fn connections_that_the_server_ends_are_unavailable() {
    for (language, _) in LANGUAGES {
        let app = console(language).await;
        let database = Arc::clone(&app.database);
        let ended = app.services.db.transaction(move |conn| {
            let pid = ask(conn, "SELECT pg_backend_pid()");
            database.administer(&format!("SELECT pg_terminate_backend({pid}, 5000)"));
            execute(conn, "SELECT 1")
        });
        assert_eq!(ended.await, Err(DbError::Unavailable), "{language}");
        let cancelled = app.services.db.transaction(|conn| {
            let words = "storniere Anfrage wegen Benutzeraufforderung";
            execute(conn, &format!("DO $$ BEGIN RAISE query_canceled USING MESSAGE = '{words}'; END $$"))
        });
        assert_eq!(cancelled.await, Err(DbError::Unavailable), "{language}");
    }
}

#[actix_web::test]
async fn writes_that_the_server_refuses_are_read_only() {
    for (language, _) in LANGUAGES {
        let app = console(language).await;
        let mut visit = app.administrator();
        administer(&app, &format!("REVOKE UPDATE ON users FROM {}", clerk(&app)));
        let page = choose_dark(&mut visit).await;
        let refused = (503, "Nothing can be saved at the moment".to_owned());
        assert_eq!((page.status, page.text("h1")), refused, "{language}: {page:?}");
        let standby = app.services.db.transaction(|conn| {
            execute(conn, "SET LOCAL transaction_read_only = on")?;
            execute(conn, "DELETE FROM login_failures")
        });
        assert_eq!(standby.await, Err(DbError::ReadOnly), "{language}");
    }
}

fn clerk(app: &TestApp) -> String {
    ask(&mut app.connect(), "SELECT current_user")
}

#[actix_web::test]
async fn a_server_with_too_many_clients_is_unavailable() {
    let scratch = Scratch::new();
    let programs = std::env::var_os("STRONGROOM_POSTGRES_PROGRAMS").map(std::path::PathBuf::from);
    let start = || Private::start(&scratch.path, programs.as_deref()).expect("a server starts");
    let server = start();
    let mut conn = PgConnection::establish(&server.url()).expect("it answers");
    for setting in ["max_connections = 6", "max_wal_senders = 0", "lc_messages = 'de_DE.UTF-8'"] {
        sql_query(format!("ALTER SYSTEM SET {setting}")).execute(&mut conn).expect(setting);
    }
    drop(conn);
    server.stop().expect("it stops");
    let server = start();
    let mut crowd = Vec::new();
    let said = loop {
        match PgConnection::establish(&server.url()) {
            Ok(conn) => crowd.push(conn),
            Err(said) => break said.to_string(),
        }
        assert!(crowd.len() < 10, "it has no limit");
    };
    assert!(said.contains("schon zu viele Verbindungen"), "{said}");
    let db = Db::new(&server.url(), 2, Route::Direct);
    assert_eq!(db.run(|conn| execute(conn, "SELECT 1")).await, Err(DbError::Unavailable));
    assert_eq!(db.transaction(|conn| execute(conn, "SELECT 1")).await, Err(DbError::Unavailable));
    drop(crowd);
    drop(server);
}
