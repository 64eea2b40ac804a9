//! The counts that are kept beside the credentials, against a count of all credentials.

use std::sync::Arc;
use std::thread;

use diesel::connection::SimpleConnection;
use diesel::pg::PgConnection;
use diesel::prelude::*;
use diesel::sql_types::BigInt;
use diesel_migrations::MigrationHarness;
use strongroom::models::credential_limits::Limits;
use strongroom::models::credential_summary::{self, OVER, Summary};
use strongroom::models::due_alerts::Limit;
use strongroom::models::{Conn, DbError, MIGRATIONS, counts, transaction};

use crate::support::app::{TestApp, founded};
use crate::support::db::Database;
use crate::support::sql::count_on;

/// Rows of all sorts, their moments around every bound.
const ADD: &str = "INSERT INTO credentials (id, kind, name, name_key, identity, facts, ages, secret_set_at, expires_at,
        stale_after_days, usage_count, created_by, edited_by, row_mac)
    SELECT gen_random_uuid(), (ARRAY['aws', 'basic', 'certificate'])[1 + floor(random() * 3)], n, n, '', '{}',
        random() < 0.7, now() - random() * interval '200 days',
        CASE WHEN random() < 0.4 THEN now() + (random() * 70 - 20) * interval '1 day' END,
        CASE WHEN random() < 0.3 THEN floor(random() * 4)::int * 45 END, floor(random() * 2)::int, 'a', 'a',
        decode(repeat('00', 32), 'hex')
    FROM (SELECT gen_random_uuid()::text AS n FROM generate_series(1, 1 + floor(random() * 5)::int)) fresh";
const SOME: &str = "WHERE id = ANY (ARRAY(SELECT id FROM credentials WHERE NOT shipped AND random() < 0.02
    LIMIT 3 FOR UPDATE SKIP LOCKED))";
const CHANGES: [&str; 8] = [
    "DELETE FROM credentials",
    "UPDATE credentials SET usage_count = (usage_count + 1) % 2",
    "UPDATE credentials SET secret_set_at = now() - random() * interval '200 days', made_at = NULL",
    "UPDATE credentials SET made_at = now() - random() * interval '200 days'",
    "UPDATE credentials SET stale_after_days = CASE WHEN stale_after_days IS NULL THEN 60 END, ages = NOT ages",
    "UPDATE credentials SET expires_at = now() + (random() * 70 - 20) * interval '1 day', kind = 'basic'",
    "UPDATE credentials SET tested_at = now(), test_verdict = 'refused', test_sentence = '', tested_by = 'a',
        test_failed = random() < 0.5, integrity_failed_at = CASE WHEN random() < 0.3 THEN now() END",
    "UPDATE credentials SET tested_at = NULL, test_verdict = NULL, test_sentence = NULL, tested_by = NULL,
        test_failed = false, last_used_at = now()",
];

#[derive(Debug, PartialEq, Eq, QueryableByName)]
struct Counted {
    #[diesel(sql_type = BigInt)]
    total: i64,
    #[diesel(sql_type = BigInt)]
    stale: i64,
    #[diesel(sql_type = BigInt)]
    aged: i64,
    #[diesel(sql_type = BigInt)]
    unused: i64,
    #[diesel(sql_type = BigInt)]
    expiring: i64,
    #[diesel(sql_type = BigInt)]
    failed_tests: i64,
    #[diesel(sql_type = BigInt)]
    untested: i64,
    #[diesel(sql_type = BigInt)]
    tampered: i64,
}

impl From<&Summary> for Counted {
    fn from(summary: &Summary) -> Self {
        Self {
            total: summary.total(),
            stale: summary.stale,
            aged: summary.ages.iter().sum(),
            unused: summary.unused,
            expiring: summary.expiring,
            failed_tests: summary.failed_tests,
            untested: summary.untested,
            tampered: summary.failed_integrity,
        }
    }
}

/// AWS keys by their nature after 90 days, passwords after 45.
fn limits() -> Limits {
    let limit = |kind: &str, days, by_nature| Limit { kind: kind.to_owned(), days, by_nature };
    Limits(vec![limit("aws", 90, true), limit("basic", 45, false)])
}

/// Every row looked at, by other words than the product's.
const LOOKED_AT: &str = "SELECT count(*) AS total,
        count(*) FILTER (WHERE limit_days > 0 AND aged_from < now() - make_interval(days => limit_days)) AS stale,
        count(*) FILTER (WHERE limit_days > 0) AS aged,
        count(*) FILTER (WHERE usage_count = 0 AND NOT shipped) AS unused,
        count(*) FILTER (WHERE expires_at < now() + interval '30 days') AS expiring,
        count(*) FILTER (WHERE test_failed) AS failed_tests,
        count(*) FILTER (WHERE tested_at IS NULL AND NOT shipped) AS untested,
        count(*) FILTER (WHERE integrity_failed_at IS NOT NULL) AS tampered
    FROM (SELECT *, CASE WHEN stale_after_days IS NOT NULL THEN stale_after_days WHEN shipped THEN 0
        WHEN kind = 'aws' AND ages THEN 90 WHEN kind = 'basic' THEN 45 ELSE 0 END AS limit_days FROM credentials) c";

/// Both counts at one moment.
fn counts(conn: &mut PgConnection) -> (Counted, Counted) {
    let both = |conn: &mut Conn| {
        let kept = credential_summary::summary(conn, &limits())?;
        assert_eq!(kept.stale, kept.ages[OVER..].iter().sum::<i64>());
        Ok::<_, DbError>((Counted::from(&kept), diesel::sql_query(LOOKED_AT).get_result(conn)?))
    };
    transaction(conn, &both).expect("both counts")
}

fn change(database: &Database, turns: usize) {
    let mut conn = database.connect();
    for turn in 0..turns {
        // Half of the turns are one statement; the others several in one transaction, some of which end in nothing.
        let change = CHANGES[turn % CHANGES.len()];
        let statements = match turn % 4 {
            0 | 2 => format!("{ADD}; {ADD}; {change} {SOME}"),
            1 => format!("BEGIN; {ADD}; {change} {SOME}; {ADD}; COMMIT"),
            _ => format!("BEGIN; {ADD}; {change} {SOME}; ROLLBACK"),
        };
        conn.batch_execute(&statements).expect("no change waits for a counter");
    }
}

#[test]
fn counts_are_those_of_all_credentials_after_thousands_of_changes() {
    let database = Arc::new(founded());
    let changing: Vec<_> = (0..4)
        .map(|_| {
            let database = database.clone();
            thread::spawn(move || change(&database, 300))
        })
        .collect();
    let mut conn = database.connect();
    while changing.iter().any(|changing| !changing.is_finished()) {
        transaction(&mut conn, &counts::fold).expect("folded");
        assert_eq!(transaction(&mut conn, &counts::recount).expect("counted"), 0);
    }
    for changing in changing {
        changing.join().expect("every change was made");
    }
    let (kept, all) = counts(&mut conn);
    assert_eq!(kept, all);
    assert!(all.total > 500 && all.stale > 50 && all.expiring > 50 && all.failed_tests > 5, "{all:?}");
    while transaction(&mut conn, &counts::fold).expect("folded") > 0 {}
    let several = "(SELECT FROM credential_counts GROUP BY kind, what, own_limit, day HAVING count(*) > 1) several";
    assert_eq!(count_on(&mut conn, several), 0);
    assert_eq!(counts(&mut conn), (kept, all));
}

#[test]
fn counts_that_somebody_changed_are_mended() {
    let database = founded();
    let mut conn = database.connect();
    for _ in 0..30 {
        conn.batch_execute(ADD).expect("credentials");
    }
    conn.batch_execute(
        "DELETE FROM credential_counts WHERE what = 'all'; UPDATE credential_counts SET number = number + 7",
    )
    .expect("somebody with SQL");
    let (kept, all) = counts(&mut conn);
    assert!(kept != all);
    assert!(transaction(&mut conn, &counts::recount).expect("mended") > 0);
    let (kept, all) = counts(&mut conn);
    assert_eq!(kept, all);
    assert_eq!(transaction(&mut conn, &counts::recount).expect("counted"), 0);
}

#[test]
fn counts_are_made_from_what_is_stored_on_the_way_up() {
    let database = founded();
    let mut conn = database.connect();
    while conn.applied_migrations().expect("versions").iter().any(|applied| applied.to_string() == "20261127103000") {
        conn.revert_last_migration(MIGRATIONS).expect("down");
    }
    for _ in 0..50 {
        conn.batch_execute(ADD).expect("credentials of the release before");
    }
    conn.run_pending_migrations(MIGRATIONS).expect("up");
    let (kept, all) = counts(&mut conn);
    assert_eq!(kept, all);
    assert!(all.total > 50);
}

#[actix_web::test]
async fn a_console_folds_its_counts_and_the_sidebar_has_them() {
    let app = TestApp::start();
    let mut visit = app.administrator();
    for name in ["one", "two", "three"] {
        let fields = [("kind", "basic"), ("name", name), ("username", "robot"), ("password", "a secret")];
        assert_eq!(visit.post("/credentials", &fields).await.status, 303);
    }
    let totals = async |visit: &mut crate::support::app::Visit| visit.get("/audit").await.texts("[data-total]");
    crate::support::wait::wait_for("the sidebar counts", std::time::Duration::from_secs(30), async || {
        totals(&mut visit.clone()).await == ["4", "0"]
    })
    .await;
    assert_eq!(visit.get("/").await.text("[data-figure=credentials] strong"), "4");
}
