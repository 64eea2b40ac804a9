//! Ends in order and ends without: SIGTERM, a second console, `kill -9` beside the private Postgres.

use std::fs;
use std::time::Duration;

use diesel::connection::SimpleConnection;
use rustix::process::Signal;
use strongroom::accounts::Role;

use super::credentials;
use crate::support::app::{PASSWORD, Visit};
use crate::support::binary::Strongroom;
use crate::support::process::wait_for;
use crate::support::proxy::Proxy;

#[actix_web::test]
async fn a_request_that_is_under_way_at_sigterm_is_answered_before_the_console_ends() {
    let mut strongroom = Strongroom::founded();
    let mut visit = strongroom.visit("ada", Role::Administrator);
    credentials(&mut strongroom.connect(), &strongroom.vault(), 0..1);
    let proxy = Proxy::before(strongroom.database.as_ref().expect("a database"));
    strongroom.url = Some(proxy.url().to_owned());
    let mut serving = strongroom.serve();
    serving.ready().await;
    visit.url.clone_from(&serving.url);
    assert_eq!(visit.get("/").await.status, 200);
    proxy.freeze();
    let under_way = actix_web::rt::spawn(async move { visit.get("/").await });
    // Probes that came after the request are answered by every worker: the request is with the database.
    for _ in 0..20 {
        assert_eq!(serving.status("/livez").await, Some(200));
    }
    serving.signal(Signal::TERM);
    serving.wait_for_line("stopping: requests and runs have ten seconds to finish");
    let closed = async || serving.status("/livez").await.is_none();
    wait_for("nobody new is let in", Duration::from_secs(5), closed).await;
    assert!(!under_way.is_finished());
    proxy.mend();
    assert_eq!(under_way.await.expect("answered").status, 200);
    let ran = serving.ended();
    assert_eq!(ran.status, 0, "{ran:?}");
    assert!(ran.took < Duration::from_secs(10), "{ran:?}");
}

#[actix_web::test]
async fn the_last_heads_of_the_trail_are_in_the_log_after_a_stop() {
    let strongroom = Strongroom::founded();
    let serving = strongroom.serve();
    serving.ready().await;
    let mut conn = strongroom.connect();
    conn.batch_execute("CREATE TABLE kept AS SELECT * FROM audit_lanes").expect("a copy");
    strongroom.visit("ada", Role::Administrator);
    let ran = serving.stop();
    let line = ran.err.lines().rfind(|line| line.contains("the heads of the audit trail")).expect("the heads");
    let log = strongroom.directory.path.join("log");
    fs::write(&log, line).expect("kept");
    let path = log.display().to_string();
    strongroom.done(&["audit", "verify", "--anchor", &path]);
    let back = "DELETE FROM events e USING kept k WHERE e.lane = k.lane AND e.seq > k.seq;
        UPDATE audit_lanes a SET seq = k.seq, mac = k.mac, head_mac = k.head_mac FROM kept k WHERE a.lane = k.lane";
    conn.batch_execute(back).expect("rolled back");
    let ran = strongroom.run(&["audit", "verify", "--anchor", &path]);
    assert!(ran.status != 0 && ran.err.contains("rolled back"), "{ran:?}");
}

/// Its command line is empty once it is dead, though its parent may not have asked for its end.
fn alive(pid: &str) -> bool {
    fs::read(format!("/proc/{pid}/cmdline")).is_ok_and(|line| !line.is_empty())
}

fn postmaster(strongroom: &Strongroom) -> String {
    started(strongroom).expect("a pid file")
}

/// The same while it may just be starting.
fn started(strongroom: &Strongroom) -> Option<String> {
    let path = strongroom.directory.path.join("postgres/cluster/postmaster.pid");
    fs::read_to_string(path).ok()?.lines().next().map(str::to_owned)
}

#[actix_web::test]
async fn the_private_postgres_ends_with_its_console_outlives_its_kill_and_has_one_master() {
    let strongroom = Strongroom::private();
    let serving = strongroom.serve();
    serving.ready().await;
    let server = postmaster(&strongroom);

    let ran = strongroom.try_serve(&[]).map(|_| ()).expect_err("the data directory is taken");
    assert_eq!(ran.status, 78);
    assert!(ran.err.contains(&format!("another Strongroom (process {})", serving.pid())), "{ran:?}");
    let added = strongroom.run_with(&["user", "add", "ada", "--role", "auditor"], "a long enough passphrase");
    assert_eq!(added.status, 0, "commands share the server: {added:?}");
    assert!(alive(&server));

    serving.kill();
    assert!(alive(&server));
    let serving = strongroom.serve();
    serving.ready().await;
    assert_eq!(postmaster(&strongroom), server, "the running server is adopted");
    assert_eq!(strongroom.run(&["verify"]).status, 0);

    let ran = serving.stop();
    assert_eq!(ran.status, 0, "{ran:?}");
    assert_eq!(ran.out, "", "there is a user, so there is no set-up link");
    assert!(!alive(&server));
    let said = strongroom.done(&["verify"]);
    assert!(said.contains("all is well"), "{said}");
    assert!(
        !strongroom.directory.path.join("postgres/cluster/postmaster.pid").exists(),
        "a command stops what it started"
    );
}

/// Path and query of the one set-up link in what a console printed.
fn setup_link(out: &str, url: &str) -> String {
    let links: Vec<&str> = out.lines().filter(|line| line.starts_with(&format!("{url}/setup?token="))).collect();
    assert_eq!(links.len(), 1, "{out}");
    links[0][url.len()..].to_owned()
}

#[actix_web::test]
async fn the_setup_link_stands_alone_on_its_line_and_makes_one_administrator() {
    let strongroom = Strongroom::empty();
    let serving = strongroom.serve();
    let url = serving.url.clone();
    let first = setup_link(&serving.stop().out, &url);
    let serving = strongroom.serve();
    let url = serving.url.clone();
    let mut visit = Visit::to(&url);
    assert_eq!(visit.get("/setup?token=0").await.status, 404);
    assert_eq!(visit.get(&first).await.status, 200, "a restart does not spoil the link");
    let token = first.rsplit('=').next().expect("a token");
    let fields = [("token", token), ("username", "ada"), ("password", PASSWORD), ("password_again", PASSWORD)];
    assert_eq!(visit.post("/setup", &fields).await.status, 303);
    assert_eq!(visit.get("/").await.status, 200);
    assert_eq!(visit.get(&first).await.status, 404);
    let second = setup_link(&serving.stop().out, &url);
    let serving = strongroom.serve();
    assert_eq!(Visit::to(&serving.url).get(&second).await.status, 404);
    assert_eq!(serving.stop().out, "");
}

#[actix_web::test]
async fn a_private_postgres_that_is_killed_is_started_again_and_nothing_saved_is_lost() {
    let strongroom = Strongroom::private();
    let added = strongroom.run_with(&["user", "add", "ada", "--role", "administrator"], PASSWORD);
    assert_eq!(added.status, 0, "{added:?}");
    let mut serving = strongroom.serve();
    serving.ready().await;
    let mut visit = Visit::to(&serving.url);
    let login = [("username", "ada"), ("password", PASSWORD), ("next", "/")];
    assert_eq!(visit.post("/login", &login).await.status, 303);
    for turn in 0..2 {
        let name = format!("saved in turn {turn}");
        let fields = [("kind", "basic"), ("name", name.as_str()), ("username", "robot"), ("password", "first secret")];
        let page = visit.post("/credentials", &fields).await;
        assert_eq!(page.status, 303);
        let server = postmaster(&strongroom);
        let pid = server.parse().ok().and_then(rustix::process::Pid::from_raw).expect("a pid");
        rustix::process::kill_process(pid, Signal::KILL).expect("killed");
        // A request may well wait until the new one answers, and never be refused.
        let back = async || {
            assert_eq!(serving.status("/livez").await, Some(200));
            let status = visit.clone().get(page.location()).await.status;
            assert!(matches!(status, 200 | 503), "{status}");
            status == 200 && started(&strongroom).is_some_and(|pid| pid != server)
        };
        let took = wait_for("the console is back", Duration::from_secs(20), back).await;
        println!("back after {took:?}");
        assert!(took < Duration::from_secs(8), "back after {took:?}");
        for _ in 0..10 {
            assert_eq!(visit.get("/").await.status, 200);
        }
        assert_ne!(postmaster(&strongroom), server);
    }
    serving.wait_for_line("the private Postgres has died: starting it again");
    assert_eq!(strongroom.run(&["verify"]).status, 0);
    let server = postmaster(&strongroom);
    assert_eq!(serving.stop().status, 0);
    assert!(!alive(&server), "the new one ends with the console");
}
