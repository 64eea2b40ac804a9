//! Through PgBouncer in transaction mode, as large installations have it: pages, saves, jobs, commands, two consoles.
//! `script/test` runs further tests this way, by STRONGROOM_TEST_POOLER.

use std::sync::Arc;
use std::time::{Duration, Instant};

use diesel::connection::SimpleConnection;
use strongroom::accounts::Role;
use strongroom::models::{self, DbError, Route};

use super::ask;
use crate::support::app::{PASSWORD, TestApp, Visit, founded};
use crate::support::binary::Strongroom;
use crate::support::peers::scripted::{Reply, Scripted};
use crate::support::pgbouncer::PgBouncer;
use crate::support::process::wait_for;
use crate::support::sql;

/// The same browser at another console.
fn at(visit: &Visit, console: &TestApp) -> Visit {
    let mut visit = visit.clone();
    visit.url.clone_from(&console.url);
    visit
}

async fn saves(mut visit: Visit, console: usize) {
    for number in 0..30 {
        let name = format!("robot {console}-{number}");
        let secret = [("kind", "basic"), ("name", &name), ("username", "robot"), ("password", "a secret")];
        let page = visit.post("/credentials", &secret.map(|(name, value): (&str, &str)| (name, value))).await;
        assert_eq!(page.status, 303, "{name}: {page:?}");
    }
}

async fn reads(mut visit: Visit) {
    for path in
        ["/", "/credentials", "/integrations", "/audit", "/users", "/alerts", "/account", "/credentials?q=robot"]
    {
        for _ in 0..6 {
            let page = visit.get(path).await;
            assert_eq!(page.status, 200, "{path}: {page:?}");
        }
    }
}

#[actix_web::test]
async fn field_d01_two_consoles_work_through_a_transaction_pooler() {
    let one = TestApp::pooled(Arc::new(founded()), &[]);
    let other = TestApp::pooled(one.database.clone(), &[]);
    let ada = one.administrator();
    let at_other = at(&ada, &other);
    tokio::join!(saves(ada.clone(), 0), saves(at_other.clone(), 1), reads(ada.clone()), reads(at_other.clone()));
    assert_eq!(sql::count(&one, "credentials WHERE name LIKE 'robot %'"), 60);
    // A scan: queued by a page, run by a job, its images staged in a temporary table.
    let peer = Scripted::start(|_| Reply::json(serde_json::json!({"repositories": []}))).await;
    let url = peer.url();
    let mirror = [("name", "mirror"), ("version", "docker_v2"), ("registry", url.as_str()), ("schedule", "off")];
    assert_eq!(ada.clone().post("/integrations", &mirror).await.status, 303);
    wait_for("the scan has ended", Duration::from_secs(30), async || {
        sql::count(&one, "runs WHERE state = 'succeeded'") == 1
    })
    .await;
    let prepared = |conn: &mut models::Conn| Ok::<_, DbError>(ask(conn, "SELECT count(*) FROM pg_prepared_statements"));
    assert_eq!(one.services.db.run(prepared).await, Ok("0".to_owned()), "statements have no names");
}

#[actix_web::test]
async fn field_d01_a_direct_connection_keeps_named_statements() {
    let app = TestApp::replica(Arc::new(founded()), &["--db-pool=1"]);
    assert_eq!(app.administrator().get("/credentials").await.status, 200);
    let prepared =
        |conn: &mut models::Conn| Ok::<_, DbError>(ask(conn, "SELECT count(*) > 5 FROM pg_prepared_statements"));
    assert_eq!(app.services.db.run(prepared).await, Ok("true".to_owned()));
}

#[test]
fn field_d01_a_pooler_is_found_out_at_the_start() {
    let database = founded();
    assert_eq!(models::route(database.url()), Ok(Route::Direct));
    let with_options = format!("{}&options=-c%20work_mem%3D8MB", database.url());
    assert_eq!(models::route(&with_options), Ok(Route::Direct), "the operator's own options stay");
    // PgBouncer refuses options, or drops them if it is told to.
    for more in ["", "ignore_startup_parameters = options", "server_round_robin = 1"] {
        let pooler = PgBouncer::before(database.url(), more);
        assert_eq!(models::route(&pooler.url(database.url())), Ok(Route::Pooled), "{more}: {}", pooler.log());
    }
}

/// How long after its end a session is still good at another console, with what is read there all the time.
async fn outlives(ended_at: &TestApp, seen_at: &TestApp, name: &str) -> Duration {
    ended_at.add_user(name, Role::Auditor);
    let mut visit = ended_at.visitor();
    let login = [("username", name), ("password", PASSWORD), ("next", "/")];
    assert_eq!(visit.post("/login", &login).await.status, 303);
    let mut reader = at(&visit, seen_at);
    assert_eq!(reader.get("/account").await.status, 200);
    assert_eq!(visit.post("/logout", &[]).await.status, 303);
    let start = Instant::now();
    while reader.get("/account").await.status == 200 {
        assert!(start.elapsed() < Duration::from_secs(10), "it never ends");
    }
    start.elapsed()
}

#[actix_web::test]
async fn field_d01_a_session_ended_elsewhere_ends_within_a_second_or_so() {
    let one = TestApp::pooled(Arc::new(founded()), &[]);
    let other = TestApp::pooled(one.database.clone(), &[]);
    let took = outlives(&one, &other, "grace").await;
    assert!(took < Duration::from_millis(1_500), "{took:?}");
    let direct = format!("--database-direct-url={}", one.database.url());
    let hears = TestApp::pooled(one.database.clone(), &[&direct]);
    for name in ["alan", "edsger", "barbara"] {
        let took = outlives(&one, &hears, name).await;
        assert!(took < Duration::from_millis(900), "it was announced: {took:?}");
    }
}

#[test]
fn field_d01_a_direct_url_that_is_none_is_refused() {
    let mut strongroom = Strongroom::founded();
    let direct = strongroom.url.clone().expect("a database");
    let pooler = PgBouncer::before(&direct, "");
    let elsewhere = founded();
    elsewhere.connect().batch_execute("UPDATE deployment SET id = gen_random_uuid()").expect("another store");
    strongroom.url = Some(pooler.url(&direct));
    for (url, words) in [
        (pooler.url(&direct), "leads through a pooler, too"),
        (elsewhere.url().to_owned(), "another database"),
        (direct.replace("strongroom@", "nobody9@"), "STRONGROOM_DATABASE_DIRECT_URL fails"),
    ] {
        let ran = strongroom.try_serve(&[&format!("--database-direct-url={url}")]).map(|_| ()).expect_err(words);
        assert!(ran.status == 78 && ran.err.contains(words), "{ran:?}");
    }
    let ran =
        Strongroom::private().try_serve(&[&format!("--database-direct-url={direct}")]).map(|_| ()).expect_err("alone");
    assert!(ran.status == 78 && ran.err.contains("STRONGROOM_DATABASE_DIRECT_URL"), "{ran:?}");
}

/// Another role's look-alikes are in front of everything, wherever the search path is not set.
const EVIL: &str = "CREATE SCHEMA evil;
    CREATE FUNCTION evil.same(uuid, uuid) RETURNS bool LANGUAGE sql IMMUTABLE AS 'SELECT true';
    CREATE OPERATOR evil.= (leftarg = uuid, rightarg = uuid, function = evil.same)";

#[actix_web::test]
async fn field_d01_every_command_works_through_a_transaction_pooler() {
    let mut strongroom = Strongroom::empty();
    let database = strongroom.database.clone().expect("a database");
    database.connect().batch_execute(EVIL).expect("the look-alikes are made");
    database.administer(&format!("ALTER DATABASE {} SET search_path = evil, pg_catalog, public", database.name()));
    let pooler = PgBouncer::before(database.url(), "default_pool_size = 3");
    strongroom.url = Some(pooler.url(database.url()));
    let serving = strongroom.serve();
    serving.ready().await;
    assert!(serving.log.contains("leads through a pooler"), "{}", serving.log);
    let ran = strongroom.run_with(&["user", "add", "eve", "--role", "auditor"], "a long enough passphrase");
    assert_eq!(ran.status, 0, "{ran:?}");
    strongroom.done(&["key", "add"]);
    // The console reads the key ring again within ten seconds.
    let activated = async || strongroom.run(&["key", "activate", "2"]).status == 0;
    wait_for("key 2 is active", Duration::from_secs(40), activated).await;
    for arguments in [
        &["key", "rewrap"][..],
        &["key", "retire", "1"],
        &["key", "list"],
        &["verify"],
        &["audit", "verify"],
        &["user", "disable", "eve"],
    ] {
        strongroom.done(arguments);
    }
    let other = strongroom::rewrap::lock(models::connect(&pooler.url(database.url())).expect("it answers"));
    let ran = strongroom.run(&["key", "rewrap"]);
    assert!(ran.status == 1 && ran.err.contains("another re-wrap is at work"), "{ran:?}");
    drop(other);
    strongroom.done(&["key", "rewrap"]);
    assert_eq!(serving.stop().status, 0);
    let mut conn = database.connect();
    assert_eq!(ask(&mut conn, "SELECT count(*) FROM pg_tables WHERE schemaname = 'evil'"), "0");
    assert_eq!(ask(&mut conn, "SELECT count(*) FROM public.deployment"), "1");
}
