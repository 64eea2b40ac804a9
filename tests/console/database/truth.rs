//! "Nothing was changed" is said only when nothing will be, however the locks fall.

use std::time::{Duration, Instant};

use diesel::connection::SimpleConnection;

use super::ask;
use crate::support::app::{Page, TestApp, Visit};
use crate::support::sql;
use crate::support::wait::until;

const SAVED: &str = "credentials WHERE name = 'new'";
/// Less than a lock may take, so that no wait ends by itself.
const TURN: f64 = 1.8;

async fn save(visit: &mut Visit) -> Page {
    let fields = [("kind", "basic"), ("name", "new"), ("username", "robot"), ("password", "first secret")];
    visit.post("/credentials", &fields).await
}

/// Takes a lock at once and gives it up after so many seconds.
fn hold(app: &TestApp, lock: &str, seconds: f64) -> std::thread::JoinHandle<()> {
    let mut conn = app.connect();
    conn.batch_execute(&format!("BEGIN; {lock}")).expect(lock);
    std::thread::spawn(move || {
        conn.batch_execute(&format!("SELECT pg_sleep({seconds}); ROLLBACK")).expect("it is given up");
    })
}

/// Until no transaction of the console is open.
async fn settled(app: &TestApp) {
    let busy = "pg_stat_activity WHERE datname = current_database() AND application_name = 'strongroom'
        AND xact_start IS NOT NULL";
    until("the console's transactions end", || (sql::count(app, busy) == 0).then_some(())).await;
}

#[actix_web::test]
async fn a_save_that_times_out_between_locks_changes_nothing() {
    let app = TestApp::start();
    let mut visit = app.administrator();
    let holders = [
        hold(&app, "SELECT * FROM audit_lanes FOR UPDATE", TURN),
        // Whoever saves that name has to wait whether this one keeps it.
        hold(&app, "UPDATE credentials SET name_key = 'new' WHERE shipped", 2.0 * TURN),
        hold(&app, "LOCK TABLE events IN EXCLUSIVE MODE", 3.0 * TURN),
    ];
    let start = Instant::now();
    let page = save(&mut visit).await;
    assert_eq!((page.status, page.text("h1").as_str()), (503, "The database does not answer"), "{page:?}");
    assert!(page.body.contains("Nothing was changed"), "{}", page.body);
    // It did wait for the third lock, which no single time-out ends before the deadline does.
    assert!(start.elapsed() > Duration::from_secs_f64(2.0 * TURN), "{:?}", start.elapsed());
    for holder in holders {
        holder.join().expect("it ends");
    }
    settled(&app).await;
    assert_eq!(sql::count(&app, SAVED), 0);
    assert_eq!(save(&mut visit).await.status, 303, "afterwards all is well");
}

/// Has the commit of every new credential run a statement.
fn on_commit(app: &TestApp, statement: &str) {
    sql::run(
        app,
        &format!(
            "CREATE FUNCTION committing() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {statement}; RETURN NULL; END $$;
             CREATE CONSTRAINT TRIGGER committing AFTER INSERT ON credentials DEFERRABLE INITIALLY DEFERRED
             FOR EACH ROW EXECUTE FUNCTION committing()"
        ),
    );
}

#[actix_web::test]
async fn a_commit_that_is_slow_is_waited_for_and_its_result_told() {
    let app = TestApp::start();
    let mut visit = app.administrator();
    on_commit(&app, "PERFORM pg_sleep(4)");
    let holder = hold(&app, "SELECT * FROM audit_lanes FOR UPDATE", TURN);
    let start = Instant::now();
    assert_eq!(save(&mut visit).await.status, 303);
    assert!(start.elapsed() > Duration::from_secs(5), "it was within the deadline: {:?}", start.elapsed());
    assert_eq!(sql::count(&app, SAVED), 1);
    holder.join().expect("it ends");
}

#[actix_web::test]
async fn a_commit_that_takes_too_long_leaves_the_outcome_unknown() {
    let app = TestApp::start();
    let mut visit = app.administrator();
    // PostgreSQL ends no commit by its statement_timeout.
    on_commit(&app, "PERFORM pg_sleep(11)");
    let page = save(&mut visit).await;
    assert_eq!((page.status, page.text("h1").as_str()), (503, "We don't know if this was saved"), "{page:?}");
    assert!(page.body.contains("audit trail") && !page.body.contains("Nothing was changed"), "{}", page.body);
    assert_eq!(sql::count(&app, SAVED), 0, "it still commits");
    until("it is saved", || (sql::count(&app, SAVED) == 1).then_some(())).await;
}

#[actix_web::test]
async fn a_connection_lost_in_a_commit_leaves_the_outcome_unknown() {
    let app = TestApp::start();
    let mut visit = app.administrator();
    // A sequence keeps its value also when the transaction is rolled back.
    sql::run(&app, "CREATE SEQUENCE commits");
    on_commit(&app, "PERFORM nextval('commits'); PERFORM pg_terminate_backend(pg_backend_pid()); PERFORM pg_sleep(1)");
    let page = save(&mut visit).await;
    assert_eq!((page.status, page.text("h1").as_str()), (503, "We don't know if this was saved"), "{page:?}");
    assert!(page.body.contains("audit trail") && !page.body.contains("Nothing was changed"), "{}", page.body);
    assert_eq!(page.header("retry-after"), "", "nobody should try again unasked");
    assert_eq!(ask(&mut app.connect(), "SELECT last_value FROM commits"), "1", "it was not tried again");
}
