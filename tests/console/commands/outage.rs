//! A database that is away or silent: what visitors and probes are told meanwhile, and how soon all is well again.

use std::time::{Duration, Instant};

use strongroom::accounts::Role;

use super::{ask, credentials};
use crate::support::app::{PASSWORD, Visit};
use crate::support::binary::Strongroom;
use crate::support::process::{Serving, wait_for};
use crate::support::proxy::Proxy;

const LIMIT: Duration = Duration::from_millis(5_500);

async fn behind_a_proxy() -> (Strongroom, Proxy, Serving, Visit) {
    let mut strongroom = Strongroom::founded();
    let mut visit = strongroom.visit("ada", Role::Administrator);
    credentials(&mut strongroom.connect(), &strongroom.vault(), 0..3);
    let proxy = Proxy::before(strongroom.database.as_ref().expect("a database"));
    strongroom.url = Some(proxy.url().to_owned());
    let serving = strongroom.serve();
    serving.ready().await;
    visit.url.clone_from(&serving.url);
    assert_eq!(visit.get("/").await.status, 200);
    (strongroom, proxy, serving, visit)
}

/// What everybody is told while the database is away: many visitors at once, none waits for long.
async fn all_are_told_to_come_back(serving: &Serving, visit: &Visit) {
    let visitors = (0..40).map(|number| {
        let mut visit = visit.clone();
        async move {
            let start = Instant::now();
            let page = match number % 4 {
                0 => visit.post("/login", &[("username", "ada"), ("password", "x"), ("next", "/")]).await,
                1 => visit.get("/readyz").await,
                _ => visit.get("/").await,
            };
            (page, start.elapsed(), number % 4 == 1)
        }
    });
    let live = async {
        let start = Instant::now();
        (serving.status("/livez").await, start.elapsed())
    };
    let (pages, (live, took)) = tokio::join!(futures_util::future::join_all(visitors), live);
    assert_eq!(live, Some(200));
    assert!(took < Duration::from_secs(1), "/livez took {took:?}");
    for (page, took, probe) in pages {
        assert_eq!(page.status, 503, "{page:?}");
        assert!(took < LIMIT, "{took:?}");
        assert!(probe || page.header("retry-after") == "2", "{page:?}");
        assert!(probe || page.text("h1") == "The database does not answer", "{page:?}");
    }
}

/// After the first good answer there is no bad one, and the session is still there.
async fn all_is_well_within_five_seconds(visit: &Visit) {
    let well = async || visit.clone().get("/").await.status == 200;
    let took = wait_for("the console is back", Duration::from_secs(30), well).await;
    assert!(took < Duration::from_secs(5), "back after {took:?}");
    for _ in 0..5 {
        let again = futures_util::future::join_all((0..10).map(|_| {
            let mut visit = visit.clone();
            async move { visit.get("/").await.status }
        }));
        assert_eq!(again.await, [200; 10]);
    }
}

#[actix_web::test]
async fn while_the_database_is_cut_off_everybody_is_told_to_come_back_and_then_all_is_well() {
    let (_strongroom, proxy, serving, visit) = behind_a_proxy().await;
    proxy.cut();
    for _ in 0..2 {
        all_are_told_to_come_back(&serving, &visit).await;
    }
    proxy.mend();
    all_is_well_within_five_seconds(&visit).await;
    assert_eq!(serving.stop().status, 0);
}

#[actix_web::test]
async fn a_database_that_falls_silent_holds_nobody_for_long_and_piles_up_no_threads() {
    let (_strongroom, proxy, serving, visit) = behind_a_proxy().await;
    all_is_well_within_five_seconds(&visit).await;
    let before = serving.threads();
    proxy.freeze();
    for _ in 0..2 {
        all_are_told_to_come_back(&serving, &visit).await;
    }
    let during = serving.threads();
    assert!(during <= before + 20, "{before} threads before, {during} during");
    proxy.mend();
    all_is_well_within_five_seconds(&visit).await;
    assert_eq!(serving.stop().status, 0);
}

#[actix_web::test]
async fn connections_that_the_server_ended_are_replaced_without_a_visitor_noticing_twice() {
    let (strongroom, _proxy, serving, visit) = behind_a_proxy().await;
    all_is_well_within_five_seconds(&visit).await;
    strongroom
        .database
        .as_ref()
        .map(|database| {
            diesel::connection::SimpleConnection::batch_execute(
                &mut database.connect(),
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()
                 AND datname = current_database()",
            )
        })
        .expect("a database")
        .expect("ended");
    // A server's restart: nobody sees more than "come back".
    for _ in 0..3 {
        let statuses = futures_util::future::join_all((0..10).map(|_| {
            let mut visit = visit.clone();
            async move { visit.get("/").await.status }
        }));
        for status in statuses.await {
            assert!(matches!(status, 200 | 503), "{status}");
        }
    }
    all_is_well_within_five_seconds(&visit).await;
    assert_eq!(serving.stop().status, 0);
}

#[actix_web::test]
async fn a_database_that_falls_silent_in_a_commit_leaves_the_outcome_unknown() {
    let (strongroom, proxy, serving, mut visit) = behind_a_proxy().await;
    let mut conn = strongroom.connect();
    let slow =
        "CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(1); RETURN NULL; END $$;
        CREATE CONSTRAINT TRIGGER slow AFTER INSERT ON credentials DEFERRABLE INITIALLY DEFERRED
        FOR EACH ROW EXECUTE FUNCTION slow()";
    diesel::connection::SimpleConnection::batch_execute(&mut conn, slow).expect("a slow commit");
    let fields = [("kind", "basic"), ("name", "new"), ("username", "robot"), ("password", "first secret")];
    let freeze = async {
        let committing = "SELECT count(*) FROM pg_stat_activity WHERE query = 'COMMIT' AND state = 'active'
            AND datname = current_database()";
        wait_for("it commits", LIMIT, async || ask(&mut conn, committing) == "1").await;
        proxy.freeze();
    };
    let (page, ()) = tokio::join!(visit.post("/credentials", &fields), freeze);
    assert_eq!((page.status, page.text("h1").as_str()), (503, "We don't know if this was saved"), "{page:?}");
    assert!(!page.body.contains("Nothing was changed"), "{}", page.body);
    proxy.mend();
    all_is_well_within_five_seconds(&visit).await;
    assert_eq!(ask(&mut strongroom.connect(), "SELECT count(*) FROM credentials WHERE name = 'new'"), "1");
    assert_eq!(serving.stop().status, 0);
}

/// Sets whether the database takes writes, as a failover does: from now on, and for whoever is connected.
fn writable(strongroom: &Strongroom, writable: bool) {
    let mode = if writable { "off" } else { "on" };
    let name = ask(&mut strongroom.connect(), "SELECT current_database()");
    strongroom.sql_all(&format!(
        "SET default_transaction_read_only = off;
         ALTER DATABASE {name} SET default_transaction_read_only = {mode};
         SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()
             AND datname = current_database()"
    ));
}

#[actix_web::test]
async fn a_database_that_takes_no_writes_is_still_read_and_says_so_to_who_saves() {
    let strongroom = Strongroom::founded();
    let mut visit = strongroom.visit("ada", Role::Administrator);
    let id = credentials(&mut strongroom.connect(), &strongroom.vault(), 0..1)[0];
    // A channel that is not what was saved is told of by jobs, and not by whoever looks.
    strongroom.sql(
        "INSERT INTO integrations (id, family, version, name, name_key, settings, created_by, edited_by, row_mac)
         VALUES (gen_random_uuid(), 'alert_profile', 'splunk', 'x', 'x', '{}', 'x', 'x', decode(repeat('00', 32), 'hex'))",
    );
    let serving = strongroom.serve();
    serving.ready().await;
    visit.url.clone_from(&serving.url);
    assert_eq!(visit.get("/").await.status, 200);
    writable(&strongroom, false);
    all_is_well_within_five_seconds(&visit).await;
    for path in ["/credentials", "/integrations", "/audit", &format!("/credentials/{id}"), "/account", "/alerts"] {
        assert_eq!(visit.get(path).await.status, 200, "{path}");
    }
    let fields = [("kind", "basic"), ("name", "new"), ("username", "robot"), ("password", "first secret")];
    let posts: [(&str, &[(&str, &str)]); 3] = [
        ("/credentials", &fields),
        ("/account/preferences", &[("theme", "dark")]),
        ("/login", &[("username", "ada"), ("password", PASSWORD), ("next", "/")]),
    ];
    for (path, fields) in posts {
        let page = visit.clone().post(path, fields).await;
        assert_eq!((page.status, page.header("retry-after")), (503, "2"), "{path}: {page:?}");
        assert_eq!(page.text("h1"), "Nothing can be saved at the moment", "{path}");
    }
    writable(&strongroom, true);
    let saves = async || visit.clone().post("/credentials", &fields).await.status == 303;
    let took = wait_for("it is saved", Duration::from_secs(20), saves).await;
    assert!(took < Duration::from_secs(5), "{took:?}");
    assert_eq!(ask(&mut strongroom.connect(), "SELECT count(*) FROM credentials WHERE name = 'new'"), "1");
    assert_eq!(serving.stop().status, 0);
}

#[actix_web::test]
async fn what_cannot_be_audited_does_not_happen() {
    let strongroom = Strongroom::founded();
    let mut visit = strongroom.visit("ada", Role::Administrator);
    let serving = strongroom.serve();
    serving.ready().await;
    visit.url.clone_from(&serving.url);
    let fields = [("kind", "basic"), ("name", "new"), ("username", "robot"), ("password", "first secret")];
    // The console's role in the database may do everything but add to the trail.
    let role = format!("clerk_{}", uuid::Uuid::new_v4().simple());
    let database = ask(&mut strongroom.connect(), "SELECT current_database()");
    strongroom.sql_all(&format!(
        "CREATE ROLE {role}; GRANT USAGE ON SCHEMA public TO {role}; GRANT ALL ON ALL TABLES IN SCHEMA public TO {role};
         REVOKE INSERT ON events FROM {role}; ALTER DATABASE {database} SET role = '{role}';
         SELECT pg_terminate_backend(pid) FROM pg_stat_activity
            WHERE datname = current_database() AND pid <> pg_backend_pid()"
    ));
    all_is_well_within_five_seconds(&visit).await;
    assert_eq!(visit.get("/credentials").await.status, 200);
    let page = visit.post("/credentials", &fields).await;
    assert_eq!((page.status, page.header("retry-after")), (503, "2"), "{page:?}");
    assert_eq!(page.text("h1"), "Nothing can be saved at the moment");
    assert_eq!(ask(&mut strongroom.connect(), "SELECT count(*) FROM credentials WHERE name = 'new'"), "0");
}
