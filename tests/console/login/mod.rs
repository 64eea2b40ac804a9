//! Logging in: the password, the answer to whoever has none, the new session. Throttle, sessions, the second factor,
//! the first visit and what guards every request have files of their own.

use strongroom::accounts::Role;
use strongroom::models::events::{self, Actor};
use strongroom::models::trust::Trusted;
use strongroom::models::users::{self, Change};
use strongroom::models::{self, DbError};

use crate::support::app::{PASSWORD, Page, TestApp, Visit};
use crate::support::sql;

mod guard;
mod plain_http;
mod session_end;
mod sessions;
mod setup;
mod strength;
mod throttle;
mod timing;
mod tls;
pub mod two_step;

/// Posts the login form.
pub async fn log_in(visit: &mut Visit, name: &str, password: &str) -> Page {
    visit.post("/login", &[("username", name), ("password", password), ("next", "/")]).await
}

#[actix_web::test]
async fn a_right_password_opens_the_dashboard_and_a_wrong_one_says_so() {
    let app = TestApp::start();
    app.add_user("ada", Role::Administrator);
    let mut visit = app.visitor();
    let page = visit.get("/").await;
    assert_eq!((page.status, page.location()), (302, "/login"));
    let page = log_in(&mut visit, "ada", "wrong").await;
    assert_eq!(page.status, 422);
    assert_eq!(page.text("[role=alert]"), "That user name and password do not match.");
    let page = log_in(&mut visit, " ADA ", PASSWORD).await;
    assert_eq!((page.status, page.location()), (303, "/"));
    assert_eq!(visit.get("/").await.text("h1"), "Dashboard");
    let page = visit.post("/logout", &[]).await;
    assert_eq!((page.status, page.location()), (303, "/login"));
    assert_eq!(page.header("clear-site-data"), "\"cache\", \"storage\"");
    assert_eq!(visit.get("/").await.status, 302);
}

#[actix_web::test]
async fn a_password_typed_as_user_name_is_kept_nowhere() {
    const TYPED: &str = "Tr0ub4dor&3-my-real-password";
    let app = TestApp::start();
    let mut admin = app.administrator();
    for _ in 0..5 {
        assert_eq!(log_in(&mut app.visitor(), TYPED, "wrong").await.status, 422);
    }
    let key = TYPED.to_lowercase();
    for table in ["events", "alerts", "notices", "login_failures", "deliveries"] {
        assert_eq!(sql::count(&app, &format!("{table} t WHERE lower(t::text) LIKE '%{key}%'")), 0, "{table}");
    }
    let unknown = "events WHERE action IN ('login.failed', 'login.locked') AND subject_name = 'an unknown name'";
    assert_eq!(sql::count(&app, unknown), 6);
    for path in ["/audit", "/audit.csv", "/alerts"] {
        let page = admin.get(path).await;
        assert!(page.body.contains("an unknown name") && !page.body.contains("Tr0ub4dor"), "{path}");
    }
}

#[actix_web::test]
async fn an_unknown_a_disabled_and_a_real_user_get_the_same_refusal() {
    let app = TestApp::start();
    let admin = app.add_user("ada", Role::Administrator);
    let olaf = app.add_user("olaf", Role::Auditor);
    let actor = Actor::command_line();
    users::change(&mut app.connect(), &app.services.vault, &actor, olaf, &Change::Disabled(true), None).unwrap();
    assert_ne!(admin, olaf);
    let mut answers = Vec::new();
    for (name, password) in [("ada", "wrong"), ("olaf", PASSWORD), ("nob", "wrong")] {
        let page = log_in(&mut app.visitor(), name, password).await;
        let mut headers: Vec<String> = page.headers.keys().map(ToString::to_string).collect();
        headers.sort();
        answers.push((page.status, headers, page.body.replace(name, "NAME")));
    }
    assert_eq!(answers[0], answers[1]);
    assert_eq!(answers[0], answers[2]);
    assert_eq!(answers[0].0, 422);
}

#[actix_web::test]
async fn a_password_that_nobody_could_hash_in_time_is_refused_unread() {
    let app = TestApp::start();
    let page = log_in(&mut app.visitor(), "ada", &"x".repeat(1025)).await;
    assert_eq!(page.status, 422);
    let page = log_in(&mut app.visitor(), "ada", &"x".repeat(300 << 10)).await;
    assert_eq!(page.status, 413);
    assert_eq!(sql::count(&app, "login_failures"), 0);
}

#[actix_web::test]
async fn a_session_that_somebody_planted_is_never_promoted() {
    let app = TestApp::start();
    app.add_user("ada", Role::Administrator);
    let planted = format!("session={}", "a".repeat(64));
    let mut visit = app.visitor();
    visit.cookie = Some(planted.clone());
    assert_eq!(log_in(&mut visit, "ada", PASSWORD).await.status, 303);
    let first = visit.cookie.clone().unwrap();
    assert_ne!(first, planted);
    // Logging in again ends the session that the browser came with.
    assert_eq!(log_in(&mut visit, "ada", PASSWORD).await.status, 303);
    for old in [planted, first] {
        let mut thief = app.visitor();
        thief.cookie = Some(old);
        assert_eq!(thief.get("/").await.status, 302);
    }
    assert_eq!(visit.get("/").await.status, 200);
}

#[actix_web::test]
async fn a_login_leads_nowhere_but_to_this_console() {
    let app = TestApp::start();
    app.add_user("ada", Role::Administrator);
    for (next, to) in [
        ("/audit?who=ada", "/audit?who=ada"),
        ("//evil", "/"),
        ("/\\evil", "/"),
        ("https:evil", "/"),
        ("https://evil/", "/"),
        ("%2f%2fevil", "/"),
        ("/%2fevil", "/"),
        ("/%09/evil", "/"),
        ("/\t/evil", "/"),
        ("javascript:alert(1)", "/"),
        ("", "/"),
    ] {
        let fields = [("username", "ada"), ("password", PASSWORD), ("next", next)];
        let page = app.visitor().post("/login", &fields).await;
        assert_eq!((page.status, page.location()), (303, to), "{next:?}");
    }
    let page = app.visitor().get("/login?next=//evil").await;
    assert_eq!(page.attributes("input[name=next]", "value"), ["/"]);
}

#[actix_web::test]
async fn a_login_that_began_before_a_change_of_the_user_does_not_outlive_it() {
    let app = TestApp::start();
    let id = app.add_user("ada", Role::Auditor);
    let (mut connection, vault) = (app.connect(), app.services.vault.clone());
    let mut find = || users::find(&mut connection, &vault, id).unwrap().trust().unwrap();
    let checked = find();
    let change = Change::TotpRequired(true);
    app.transaction(|conn| users::change(conn, &vault, &Actor::command_line(), id, &change, None));
    let now = find();
    let log_in = |conn: &mut _, user: Trusted<users::User>| {
        let mut ledger = events::open(conn)?;
        users::log_in(conn, &vault, &Actor::command_line(), &mut ledger, user, None).map(drop)
    };
    let mut connection = app.connect();
    assert_eq!(users::lock_unchanged(&mut connection, &checked), Err(DbError::Stale));
    let late = models::transaction(&mut connection, &|conn: &mut _| log_in(conn, checked.clone()));
    assert_eq!(late, Err(DbError::Stale));
    assert_eq!(users::lock_unchanged(&mut connection, &now), Ok(()));
    app.transaction(|conn| log_in(conn, now.clone()));
}

#[actix_web::test]
async fn a_role_that_was_written_into_the_database_lets_nobody_in() {
    let app = TestApp::start();
    let mut grace = app.user("grace", Role::Auditor);
    assert_eq!(grace.get("/account").await.status, 200);
    sql::run(&app, "UPDATE users SET role = 'administrator' WHERE name = 'grace'");
    assert_eq!(grace.get("/users").await.status, 302);
    assert_eq!(sql::count(&app, "sessions"), 0);
    assert_eq!(log_in(&mut grace, "grace", PASSWORD).await.status, 422);
    assert!(sql::count(&app, "events WHERE action = 'user.integrity_failure'") >= 2);
}

#[actix_web::test]
async fn the_hash_of_one_user_is_worth_nothing_on_another() {
    let app = TestApp::start();
    app.add_user("ada", Role::Administrator);
    let other = app.services.gate.hasher.hash("another long password").await.unwrap();
    app.transaction(|conn| users::create(conn, &app.services.vault, &Actor::command_line(), "bob", "auditor", &other));
    sql::run(
        &app,
        "UPDATE users SET (password_wrapped_dek, password_payload) = (SELECT password_wrapped_dek, password_payload
             FROM users WHERE name = 'bob') WHERE name = 'ada'",
    );
    for password in [PASSWORD, "another long password"] {
        assert_eq!(log_in(&mut app.visitor(), "ada", password).await.status, 422);
    }
    assert_eq!(sql::count(&app, "events WHERE action = 'user.integrity_failure'"), 2);
    assert_eq!(sql::count(&app, "alerts WHERE trigger = 'integrity' AND subject_kind = 'user'"), 1);
}

#[actix_web::test]
async fn a_session_that_was_written_into_the_database_opens_nothing() {
    let app = TestApp::start();
    let id = app.add_user("ada", Role::Administrator);
    let mut eve = app.user("eve", Role::Auditor);
    assert_eq!(eve.get("/users").await.status, 403);
    // Her own session, moved to somebody who may do more.
    sql::run(&app, &format!("UPDATE sessions SET user_id = '{id}'"));
    assert_eq!(eve.get("/users").await.status, 302);
    assert_eq!(sql::count(&app, "sessions"), 0);
    // A new one, by all that the database alone can know; also one that only lacks a code.
    for awaits_code in [false, true] {
        let mut eve = app.visitor();
        let token = hex::encode(strongroom::vault::random::<32>());
        let hash = hex::encode(strongroom::accounts::tokens::hash(&token));
        eve.cookie = Some(format!("session={token}"));
        sql::run(
            &app,
            &format!(
                "INSERT INTO sessions (token_hash, id, user_id, awaits_code, address, agent, row_mac, user_version,
                    row_version, login_lane, login_seq)
                 SELECT '\\x{hash}', gen_random_uuid(), '{id}', {awaits_code}, 'x', 'x', decode('02' || repeat('00', 32), 'hex'),
                    1, 1, e.lane, e.seq
                 FROM (VALUES (1)) AS one LEFT JOIN events e ON NOT {awaits_code} AND e.action = 'login.succeeded'"
            ),
        );
        assert_eq!(eve.get("/users").await.status, 302);
        let page = eve.post("/login/code", &[("code", "000000"), ("next", "/")]).await;
        assert_eq!(page.location(), "/login", "{awaits_code}");
    }
    assert_eq!(
        sql::count(&app, "alerts WHERE trigger = 'integrity' AND subject_kind = 'store' AND closed_at IS NULL"),
        1
    );
    assert!(sql::count(&app, "events WHERE action = 'session.integrity_failure'") >= 2);
    // Nobody else is kept out, and the alert stays until the store is verified.
    assert_eq!(log_in(&mut app.visitor(), "ada", PASSWORD).await.status, 303);
    assert_eq!(sql::count(&app, "alerts WHERE trigger = 'integrity' AND closed_at IS NULL"), 1);
}
