//! How many wrong passwords there may be, from where, and for how long the gate is closed then.

use strongroom::accounts::Role;
use strongroom::models::logins::{self, Attempt, Throttle};

use super::log_in;
use crate::support::app::{PASSWORD, TestApp, Visit};
use crate::support::sql;

const BEHIND_PROXY: &str = "--trusted-proxies=127.0.0.1";

fn from(app: &TestApp, address: &str) -> Visit {
    let mut visit = app.visitor();
    visit.headers.push(("x-forwarded-for", address.to_owned()));
    visit
}

#[actix_web::test]
async fn the_fifth_wrong_password_closes_the_gate_on_every_replica_for_fifteen_minutes() {
    let app = TestApp::start();
    let other = TestApp::replica(app.database.clone(), &[]);
    app.add_user("admin", Role::Administrator);
    for (at, name) in ["admin", "ADMIN", " admin", "ａdmin", "admin\u{200b}"].into_iter().enumerate() {
        let replica = if at % 2 == 0 { &app } else { &other };
        assert_eq!(log_in(&mut replica.visitor(), name, "wrong").await.status, 422, "{name:?}");
    }
    for replica in [&app, &other] {
        let page = log_in(&mut replica.visitor(), "admin", PASSWORD).await;
        assert_eq!(page.status, 429);
        let wait: i64 = page.header("retry-after").parse().unwrap();
        assert!((880..=900).contains(&wait), "{wait}");
        assert_eq!(page.text("[role=alert]"), "Too many failed logins. Try again in 15 minutes.");
    }
    assert_eq!(sql::count(&app, "events WHERE action = 'login.locked' AND subject_name = 'admin'"), 1);
    sql::run(&app, "UPDATE login_failures SET at = at - interval '14 minutes'");
    assert_eq!(log_in(&mut app.visitor(), "admin", PASSWORD).await.status, 429);
    sql::run(&app, "UPDATE login_failures SET at = at - interval '1 minute'");
    assert_eq!(log_in(&mut app.visitor(), "admin", PASSWORD).await.status, 303);
    assert_eq!(sql::count(&app, "events WHERE action = 'login.locked'"), 1);
}

#[actix_web::test]
async fn a_password_that_an_administrator_sets_opens_a_locked_account() {
    let app = TestApp::start();
    let mut ada = app.administrator();
    let grace = app.add_user("grace", Role::Operator);
    for _ in 0..5 {
        log_in(&mut app.visitor(), "grace", "wrong").await;
    }
    assert_eq!(log_in(&mut app.visitor(), "grace", PASSWORD).await.status, 429);
    assert_eq!(sql::count(&app, "alerts WHERE trigger = 'lockout' AND closed_at IS NULL"), 1);
    let fresh = "another good passphrase";
    let set = [("password", fresh), ("password_again", fresh)];
    assert_eq!(ada.post(&format!("/users/{grace}/password"), &set).await.status, 303);
    assert_eq!(log_in(&mut app.visitor(), "grace", fresh).await.status, 303);
    assert_eq!(sql::count(&app, "alerts WHERE trigger = 'lockout' AND closed_at IS NULL"), 0);
    let detail = "events WHERE action = 'user.password_changed' AND detail = 'temporary, failed logins cleared'";
    assert_eq!(sql::count(&app, detail), 1);
}

#[actix_web::test]
async fn the_gate_stays_closed_for_fifteen_minutes_from_the_last_failure_and_not_from_the_first() {
    let app = TestApp::start();
    app.add_user("ada", Role::Administrator);
    for _ in 0..4 {
        log_in(&mut app.visitor(), "ada", "wrong").await;
    }
    sql::run(&app, "UPDATE login_failures SET at = at - interval '14 minutes'");
    log_in(&mut app.visitor(), "ada", "wrong").await;
    sql::run(&app, "UPDATE login_failures SET at = at - interval '10 minutes'");
    assert_eq!(log_in(&mut app.visitor(), "ada", PASSWORD).await.status, 429);
}

#[actix_web::test]
async fn twenty_tries_at_once_are_no_more_than_five() {
    let app = TestApp::start();
    app.add_user("ada", Role::Administrator);
    let tries = (0..20).map(|_| async { log_in(&mut app.visitor(), "ada", "wrong").await.status });
    let statuses = futures_util::future::join_all(tries).await;
    assert_eq!(statuses.iter().filter(|status| **status == 422).count(), 5, "{statuses:?}");
    assert_eq!(statuses.iter().filter(|status| **status == 429).count(), 15, "{statuses:?}");
    assert_eq!(sql::count(&app, "events WHERE action = 'login.failed'"), 5);
    assert_eq!(sql::count(&app, "events WHERE action = 'login.locked'"), 1);
}

#[actix_web::test]
async fn a_lockout_by_one_network_does_not_lock_the_owner_out_elsewhere() {
    let app = TestApp::start_with(&[BEHIND_PROXY]);
    app.add_user("ada", Role::Administrator);
    for last in 1..=5 {
        log_in(&mut from(&app, &format!("198.51.100.{last}")), "ada", "wrong").await;
    }
    assert_eq!(log_in(&mut from(&app, "198.51.100.200"), "ada", PASSWORD).await.status, 429);
    assert_eq!(log_in(&mut from(&app, "203.0.113.7"), "ada", PASSWORD).await.status, 303);
    // Success there does not open the gate here.
    assert_eq!(log_in(&mut from(&app, "198.51.100.200"), "ada", PASSWORD).await.status, 429);
}

#[actix_web::test]
async fn an_address_that_the_visitor_claims_counts_only_when_a_trusted_proxy_says_it() {
    let app = TestApp::start();
    for claim in 1..=6 {
        let mut visit = from(&app, &format!("203.0.{claim}.1"));
        visit.headers.push(("forwarded", format!("for=203.0.{claim}.1")));
        let page = log_in(&mut visit, "ada", "wrong").await;
        assert_eq!(page.status, if claim == 6 { 429 } else { 422 });
    }
    assert_eq!(sql::count(&app, "login_failures WHERE address <> '127.0.0.1'"), 0);
}

#[actix_web::test]
async fn behind_a_proxy_the_last_hop_that_is_no_proxy_counts() {
    let app = TestApp::start_with(&["--trusted-proxies=127.0.0.1,10.0.0.0/8"]);
    for (header, address) in [
        ("203.0.113.9", "203.0.113.9"),
        ("1.2.3.4, 203.0.113.10", "203.0.113.10"),
        ("1.2.3.4, 203.0.113.11, 10.1.1.1", "203.0.113.11"),
        ("::ffff:203.0.113.12", "203.0.113.12"),
        ("203.0.113.13:50123", "203.0.113.13"),
        ("1.2.3.4, \"203.0.113.14:50123\", 10.1.1.1:443", "203.0.113.14"),
        ("nonsense", "127.0.0.1"),
        ("1.2.3.4, nonsense, 10.1.1.1", "127.0.0.1"),
    ] {
        sql::run(&app, "DELETE FROM login_failures");
        log_in(&mut from(&app, header), "ada", "wrong").await;
        assert_eq!(sql::count(&app, &format!("login_failures WHERE address = '{address}'")), 1, "{header}");
    }
}

#[actix_web::test]
async fn field_p02_a_port_behind_the_address_locks_no_stranger_out() {
    let app = TestApp::start_with(&[BEHIND_PROXY]);
    app.add_user("ada", Role::Administrator);
    for port in 50_001..=50_005 {
        log_in(&mut from(&app, &format!("198.51.100.9:{port}")), "ada", "wrong").await;
    }
    assert_eq!(log_in(&mut from(&app, "198.51.100.9:50006"), "ada", PASSWORD).await.status, 429);
    assert_eq!(log_in(&mut from(&app, "203.0.113.8:40123"), "ada", PASSWORD).await.status, 303);
}

#[actix_web::test]
async fn field_p02_only_the_header_that_the_setting_names_counts() {
    let app = TestApp::start_with(&["--trusted-proxies=127.0.0.1,10.0.0.0/8", "--forwarded-header=forwarded"]);
    for (header, address) in [
        ("for=203.0.113.9", "203.0.113.9"),
        ("for=1.2.3.4, For=\"[2001:db8:cafe::17]:4711\";proto=https", "2001:db8:cafe::17"),
        ("for=203.0.113.10;by=\"a,b\", for=10.1.1.1", "203.0.113.10"),
        ("for=unknown", "127.0.0.1"),
        ("for=_hidden, proto=https", "127.0.0.1"),
    ] {
        sql::run(&app, "DELETE FROM login_failures");
        let mut visit = from(&app, "192.0.2.99");
        visit.headers.push(("forwarded", header.to_owned()));
        log_in(&mut visit, "ada", "wrong").await;
        let counted = sql::count(&app, "login_failures");
        let network = if address.contains(':') { "2001:db8:cafe::/64" } else { address };
        assert_eq!(
            (counted, sql::count(&app, &format!("login_failures WHERE address = '{network}'"))),
            (1, 1),
            "{header}"
        );
    }
    let by_default = TestApp::start_with(&[BEHIND_PROXY]);
    let mut visit = by_default.visitor();
    visit.headers.push(("forwarded", "for=203.0.113.9".to_owned()));
    log_in(&mut visit, "ada", "wrong").await;
    assert_eq!(sql::count(&by_default, "login_failures WHERE address = '127.0.0.1'"), 1);
}

#[actix_web::test]
async fn a_hundred_failures_of_one_address_within_an_hour_close_it_for_every_name() {
    let app = TestApp::start_with(&[BEHIND_PROXY]);
    app.add_user("ada", Role::Administrator);
    sql::run(
        &app,
        "INSERT INTO login_failures (name_key, network, address, at)
         SELECT 'name' || n, '198.51.100.0/24', '198.51.100.1', now() - interval '20 minutes' FROM generate_series(1, 99) n",
    );
    assert_eq!(log_in(&mut from(&app, "198.51.100.1"), "nobody", "wrong").await.status, 422);
    assert_eq!(sql::count(&app, "events WHERE action = 'login.locked'"), 1);
    let page = log_in(&mut from(&app, "198.51.100.1"), "ada", PASSWORD).await;
    assert_eq!(page.status, 429);
    let wait: i64 = page.header("retry-after").parse().unwrap();
    assert!((2_300..=2_400).contains(&wait), "{wait}");
    // The neighbour in the same network is not the one.
    assert_eq!(log_in(&mut from(&app, "198.51.100.2"), "ada", PASSWORD).await.status, 303);
    sql::run(&app, "UPDATE login_failures SET at = at - interval '41 minutes'");
    assert_eq!(log_in(&mut from(&app, "198.51.100.1"), "ada", PASSWORD).await.status, 303);
}

/// A visitor with IPv6 has 2^64 addresses of their own.
#[actix_web::test]
async fn all_addresses_of_one_ipv6_network_are_one_visitor() {
    let app = TestApp::start_with(&[BEHIND_PROXY]);
    for number in 0..30 {
        app.add_user(&format!("user{number}"), Role::Auditor);
    }
    let mut statuses = Vec::new();
    for number in 0..150 {
        let mut visit = from(&app, &format!("2001:db8:1:2:{number:x}:{number:x}::{number:x}"));
        statuses.push(log_in(&mut visit, &format!("user{}", number / 5), "wrong").await.status);
    }
    assert_eq!((&statuses[..100], &statuses[100..]), (&[422; 100][..], &[429; 50][..]));
    assert_eq!(log_in(&mut from(&app, "2001:db8:1:2::ffff"), "user29", PASSWORD).await.status, 429);
    assert_eq!(log_in(&mut from(&app, "2001:db8:1:3::1"), "user29", PASSWORD).await.status, 303);
    assert_eq!(sql::count(&app, "login_failures WHERE address <> '2001:db8:1:2::/64'"), 0);
}

#[actix_web::test]
async fn an_account_that_is_tried_from_everywhere_gets_slow_and_is_never_locked() {
    let app = TestApp::start();
    sql::run(
        &app,
        "INSERT INTO login_failures (name_key, network, address)
         SELECT 'ada', '10.' || n || '.0.0/24', '10.' || n || '.0.1' FROM generate_series(1, 50) n",
    );
    let attempt = Attempt::new("ada", "192.0.2.0/24".to_owned(), "192.0.2.1".to_owned());
    assert_eq!(logins::count(&mut app.connect(), &attempt), Ok(Throttle::Slow { closes: false }));
    let attempt = Attempt::new("bob", "192.0.2.0/24".to_owned(), "192.0.2.1".to_owned());
    assert_eq!(logins::count(&mut app.connect(), &attempt), Ok(Throttle::Open { closes: false }));
}

#[actix_web::test]
async fn a_right_password_clears_what_was_counted() {
    let app = TestApp::start();
    app.add_user("ada", Role::Administrator);
    for _ in 0..3 {
        for _ in 0..4 {
            assert_eq!(log_in(&mut app.visitor(), "ada", "wrong").await.status, 422);
        }
        assert_eq!(log_in(&mut app.visitor(), "ada", PASSWORD).await.status, 303);
    }
}
