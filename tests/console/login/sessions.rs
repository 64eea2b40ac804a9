//! How long a session lives and what ends it.

use strongroom::accounts::Role;

use super::log_in;
use crate::support::app::{PASSWORD, TestApp, Visit};
use crate::support::signed;
use crate::support::sql;

/// Reading may rely on a memory of milliseconds: true once the visitor is out, false when it never happens.
async fn is_sent_to_the_login(visit: &mut Visit) -> bool {
    for _ in 0..500 {
        if visit.get("/account").await.status == 302 {
            return true;
        }
    }
    false
}

#[actix_web::test]
async fn a_session_ends_after_fifteen_idle_minutes_and_after_eight_hours_in_any_case() {
    let app = TestApp::start();
    for (set, status) in [
        ("last_seen_at = now() - interval '14 minutes'", 200),
        ("last_seen_at = now() - interval '16 minutes'", 302),
        ("last_seen_at = now(), created_at = now() - interval '7 hours 59 minutes'", 200),
        ("last_seen_at = now(), created_at = now() - interval '8 hours 1 minute'", 302),
    ] {
        sql::run(&app, "DELETE FROM users");
        let mut visit = app.user("ada", Role::Auditor);
        signed::run(&app, &format!("UPDATE sessions SET {set}"));
        assert_eq!(visit.get("/account").await.status, status, "{set}");
    }
}

#[actix_web::test]
async fn a_visit_counts_as_activity() {
    let app = TestApp::start();
    let mut visit = app.user("ada", Role::Auditor);
    signed::run(&app, "UPDATE sessions SET last_seen_at = now() - interval '10 minutes'");
    assert_eq!(visit.get("/account").await.status, 200);
    assert_eq!(sql::count(&app, "sessions WHERE last_seen_at > now() - interval '1 minute'"), 1);
}

#[actix_web::test]
async fn a_fragment_without_a_session_is_refused_and_leaves_the_page_as_it_is() {
    let app = TestApp::start();
    let page = app.visitor().fragment("/audit").await;
    assert_eq!((page.status, page.header("hx-redirect"), page.body.as_str()), (401, "", ""));
}

#[actix_web::test]
async fn a_cookie_that_was_logged_out_is_worth_nothing_on_any_replica() {
    let app = TestApp::start();
    let other = TestApp::replica(app.database.clone(), &[]);
    app.add_user("ada", Role::Auditor);
    let mut visit = app.visitor();
    log_in(&mut visit, "ada", PASSWORD).await;
    let mut replays: Vec<Visit> = [&app, &other].map(|replica| replica.visitor()).into();
    for replay in &mut replays {
        replay.cookie = visit.cookie.clone();
        assert_eq!(replay.get("/account").await.status, 200);
    }
    visit.post("/logout", &[]).await;
    for replay in &mut replays {
        let page = replay.post("/account/preferences", &[("theme", "dark")]).await;
        assert_eq!((page.status, page.location()), (302, "/login?ended=yes"));
        assert!(is_sent_to_the_login(replay).await);
    }
    assert_eq!(sql::count(&app, "users WHERE theme = 'dark'"), 0);
}

#[actix_web::test]
async fn changing_the_password_ends_every_other_session_and_renews_this_one() {
    let app = TestApp::start();
    app.add_user("ada", Role::Auditor);
    let (mut one, mut two) = (app.visitor(), app.visitor());
    log_in(&mut one, "ada", PASSWORD).await;
    log_in(&mut two, "ada", PASSWORD).await;
    let before = one.cookie.clone();
    let new = "a much better passphrase";
    let page =
        one.post("/account/password", &[("current", PASSWORD), ("password", new), ("password_again", new)]).await;
    assert_eq!((page.status, page.location()), (303, "/account"));
    assert_ne!(one.cookie, before);
    assert_eq!(two.get("/account").await.status, 302);
    assert_eq!(one.get("/account").await.status, 200);
    let mut replay = app.visitor();
    replay.cookie = before;
    assert_eq!(replay.get("/account").await.status, 302);
    assert_eq!(log_in(&mut app.visitor(), "ada", PASSWORD).await.status, 422);
    assert_eq!(log_in(&mut app.visitor(), "ada", new).await.status, 303);
}

#[actix_web::test]
async fn another_role_or_being_disabled_ends_the_sessions_at_once() {
    let app = TestApp::start();
    let mut admin = app.administrator();
    let id = app.add_user("grace", Role::Operator);
    for (path, field) in [("role", ("role", "auditor")), ("disabled", ("disabled", "on"))] {
        let mut grace = app.visitor();
        assert_eq!(log_in(&mut grace, "grace", PASSWORD).await.status, 303);
        assert_eq!(grace.get("/account").await.status, 200);
        assert_eq!(admin.post(&format!("/users/{id}/{path}"), &[field]).await.status, 303);
        assert_eq!(grace.get("/account").await.status, 302);
    }
    assert_eq!(log_in(&mut app.visitor(), "grace", PASSWORD).await.status, 422);
}

#[actix_web::test]
async fn one_sees_where_one_is_logged_in_and_ends_it() {
    let app = TestApp::start();
    app.add_user("ada", Role::Auditor);
    let (mut here, mut phone, mut desk) = (app.visitor(), app.visitor(), app.visitor());
    here.headers.push(("user-agent", "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0".into()));
    phone.headers.push(("user-agent", "Mozilla/5.0 (Linux; Android 16) Chrome/141.0 Mobile Safari/537.36".into()));
    for visit in [&mut here, &mut phone, &mut desk] {
        log_in(visit, "ada", PASSWORD).await;
    }
    let page = here.get("/account").await;
    let names = page.texts(".list strong");
    assert_eq!(names.len(), 3);
    assert!(names.contains(&"Chrome on Android".to_owned()), "{names:?}");
    assert_eq!(page.texts(".list li:has(.badge) strong"), ["Firefox on Linux"]);
    assert!(page.text(".list small").starts_with("127.0.0.1 · last seen just now"));
    let ends = page.attributes("form:has([aria-label='End the session of Chrome on Android'])", "action");
    assert_eq!(here.post(&ends[0], &[]).await.status, 303);
    assert_eq!(phone.get("/account").await.status, 302);
    assert_eq!(desk.get("/account").await.status, 200);
    assert_eq!(here.post("/account/sessions/end-others", &[]).await.status, 303);
    assert_eq!(desk.get("/account").await.status, 302);
    assert_eq!(here.get("/account").await.status, 200);
    assert_eq!(sql::count(&app, "events WHERE action = 'session.ended'"), 2);
}

#[actix_web::test]
async fn nobody_ends_the_session_of_somebody_else() {
    let app = TestApp::start();
    let mut ada = app.user("ada", Role::Administrator);
    let mut eve = app.user("eve", Role::Administrator);
    let id = session_of(&app, "ada");
    assert_eq!(eve.post(&format!("/account/sessions/{id}/end"), &[]).await.status, 404);
    assert_eq!(ada.get("/account").await.status, 200);
}

fn session_of(app: &TestApp, name: &str) -> String {
    let mut connection = app.connect();
    let user = strongroom::models::users::find_by_key(&mut connection, &app.services.vault, name)
        .unwrap()
        .unwrap()
        .into_shown();
    let limits = app.services.session_limits();
    strongroom::models::sessions::of(&mut connection, user.id, limits).unwrap()[0].id.to_string()
}

#[actix_web::test]
async fn what_a_hijacked_session_must_not_do_asks_for_the_password_first() {
    let app = TestApp::start();
    let mut admin = app.administrator();
    let id = app.add_user("grace", Role::Operator);
    signed::run(&app, "UPDATE sessions SET authenticated_at = now() - interval '6 minutes'");
    let before = sql::count(&app, "events");
    let user = format!("/users/{id}");
    let sensitive = [
        (format!("{user}/disabled"), vec![("disabled", "on")], user.as_str()),
        (format!("{user}/password"), vec![], user.as_str()),
        (format!("{user}/two-step"), vec![("two_step", "required")], user.as_str()),
        ("/account/two-step/off".to_owned(), vec![], "/account/two-step"),
        ("/account/two-step/codes".to_owned(), vec![], "/account/two-step"),
    ];
    for (path, fields, back) in &sensitive {
        let page = admin.post(path, fields).await;
        let to = format!("/account/confirm?next={}", back.replace('/', "%2F"));
        assert_eq!((page.status, page.location()), (303, to.as_str()), "{path}");
    }
    // These forms ask themselves, so that what was typed is kept.
    let page = admin.post(&format!("{user}/role"), &[("role", "auditor")]).await;
    assert_eq!((page.status, page.has("#confirm input[type=password]")), (422, true));
    let page = admin.post("/users/new", &[("username", "eve"), ("role", "administrator")]).await;
    assert_eq!((page.status, page.has("#confirm input[type=password]")), (422, true));
    for path in ["/users/new", "/account/two-step", "/audit.csv"] {
        assert!(admin.get(path).await.location().starts_with("/account/confirm?next="), "{path}");
    }
    let page = admin.fragment("/users/new").await;
    assert_eq!((page.status, page.header("hx-redirect")), (401, "/account/confirm?next=%2Fusers%2Fnew"));
    assert_eq!((sql::count(&app, "events"), sql::count(&app, "users")), (before, 2));

    let cookie = admin.cookie.clone();
    let page = admin.post("/account/confirm", &[("password", "wrong"), ("next", &user)]).await;
    assert_eq!((page.status, page.text("[role=alert]")), (422, "Wrong password.".to_owned()));
    let page = admin.post("/account/confirm", &[("password", PASSWORD), ("next", &user)]).await;
    assert_eq!((page.status, page.location()), (303, user.as_str()));
    assert_ne!(admin.cookie, cookie);
    let mut replay = app.visitor();
    replay.cookie = cookie;
    assert_eq!(replay.get("/account").await.status, 302);
    // What was posted before was not done; now it is.
    assert_eq!(sql::count(&app, "users WHERE role = 'operator'"), 1);
    assert_eq!(admin.post(&format!("{user}/role"), &[("role", "auditor")]).await.status, 303);
    assert_eq!(sql::count(&app, "users WHERE role = 'auditor'"), 1);
}

#[actix_web::test]
async fn the_password_of_an_open_session_cannot_be_guessed_by_confirming() {
    let app = TestApp::start();
    let mut visit = app.user("ada", Role::Auditor);
    for _ in 0..5 {
        let page = visit.post("/account/confirm", &[("password", "wrong"), ("next", "/")]).await;
        assert_eq!(page.status, 422);
    }
    assert_eq!(visit.post("/account/confirm", &[("password", PASSWORD), ("next", "/")]).await.status, 429);
    let new = "a much better passphrase";
    let fields = [("current", PASSWORD), ("password", new), ("password_again", new)];
    assert_eq!(visit.post("/account/password", &fields).await.status, 429);
}
