//! F4 and F14: sessions that were put in, moved, prolonged or put back.

use strongroom::accounts::Role;

use super::{alerts, findings, insert_back, keep, put_back};
use crate::support::app::TestApp;
use crate::support::sql;

/// F4
#[actix_web::test]
async fn a_demoted_administrator_who_is_put_back_with_a_session_gets_nowhere() {
    let app = TestApp::start();
    let mut ada = app.administrator();
    let mut bob = app.user("bob", Role::Administrator);
    assert_eq!(bob.get("/users").await.status, 200);
    for table in ["users", "sessions"] {
        keep(&app, table);
    }
    let bob_id = sql::texts(&app, "SELECT id::text AS text FROM users WHERE name = 'bob'").remove(0);
    assert_eq!(ada.post(&format!("/users/{bob_id}/role"), &[("role", "auditor")]).await.status, 303);
    assert_eq!(bob.get("/users").await.status, 302);
    put_back(&app, "users", "id");
    insert_back(&app, "sessions");
    assert_eq!(bob.get("/users").await.status, 302);
    let made = bob.post("/users/new", &[("username", "evilop"), ("role", "operator")]).await;
    assert_eq!((made.status, sql::count(&app, "users WHERE name = 'evilop'")), (302, 0));
    assert_eq!(alerts(&app), ["bob"]);
}

/// F14
#[actix_web::test]
async fn the_times_of_a_session_cannot_be_moved() {
    for set in [
        "created_at = '2099-01-01'",
        "last_seen_at = '2099-01-01'",
        "authenticated_at = now() + interval '1 day'",
        "user_version = user_version + 1",
        "login_seq = login_seq + 1",
        "row_version = 0",
    ] {
        let app = TestApp::start();
        let mut ada = app.administrator();
        assert_eq!(ada.get("/account").await.status, 200);
        sql::run(&app, &format!("UPDATE sessions SET {set}"));
        assert_eq!(findings(&app).len(), 1, "{set}");
        assert_eq!(ada.get("/account").await.status, 302, "{set}");
        assert_eq!(alerts(&app), ["the sessions"], "{set}");
    }
}

#[actix_web::test]
async fn a_session_that_ended_is_worth_nothing_when_it_is_put_back() {
    let app = TestApp::start();
    // Logged out, ended by its owner elsewhere, and given another token.
    for end in ["/logout", "/account/sessions/end-others", "/account/confirm"] {
        let mut ada = app.user(end, Role::Administrator);
        let id = sql::texts(&app, &format!("SELECT id::text AS text FROM users WHERE name = '{end}'")).remove(0);
        let mut other = app.session_of(id.parse().expect("an id"));
        keep(&app, "sessions");
        let fields: &[(&str, &str)] = if end == "/account/confirm" {
            &[("password", crate::support::app::PASSWORD), ("next", "/account")]
        } else {
            &[]
        };
        let cookie = ada.cookie.clone();
        let mut acting = if end == "/account/sessions/end-others" { other.clone() } else { ada.clone() };
        assert_eq!(acting.post(end, fields).await.status, 303, "{end}");
        insert_back(&app, "sessions");
        ada.cookie = cookie;
        assert_eq!(ada.get("/account").await.status, 302, "{end}");
        assert_eq!(other.get("/account").await.status, 200, "{end}: the others go on");
    }
}

#[actix_web::test]
async fn a_session_whose_login_is_not_in_the_trail_opens_nothing() {
    let app = TestApp::start();
    let mut ada = app.administrator();
    sql::run(&app, "DELETE FROM events WHERE action = 'login.succeeded'");
    assert!(findings(&app).iter().any(|finding| finding.starts_with("sessions ")), "{:?}", findings(&app));
    assert_eq!(ada.get("/account").await.status, 302);
}
