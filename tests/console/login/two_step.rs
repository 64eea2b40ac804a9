//! The second factor: set up by its owner, asked for at login, used once, required by an administrator, lost and reset.

use strongroom::accounts::Role;
use strongroom::models::users;

use super::log_in;
use crate::support::app::{PASSWORD, Page, TestApp, Visit};
use crate::support::signed;
use crate::support::sql;

/// What the authenticator shows: now, or some steps of 30 seconds later.
pub fn code(app: &TestApp, secret: &str, later: u64) -> String {
    code_at(&mut app.connect(), secret, later)
}

pub fn code_at(conn: &mut diesel::pg::PgConnection, secret: &str, later: u64) -> String {
    let seconds = u64::try_from(users::seconds(conn).expect("the clock")).expect("after 1970");
    let secret = totp_rs::Secret::try_from_base32(secret.replace(' ', "")).expect("a secret");
    let totp = totp_rs::Builder::new().with_secret(secret.as_bytes().to_vec()).build().expect("an authenticator");
    totp.generate(seconds + 30 * later).to_string()
}

/// Sets it up for a visitor; the secret and the recovery codes.
pub async fn set_up(app: &TestApp, visit: &mut Visit) -> (String, Vec<String>) {
    let page = visit.get("/account/two-step").await;
    let secret = page.text("#secret");
    let page = visit.post("/account/two-step", &[("code", &code(app, &secret, 0))]).await;
    assert_eq!(page.status, 200, "{}", page.body);
    (secret, page.texts("#codes li"))
}

pub async fn post_code(visit: &mut Visit, code: &str) -> Page {
    visit.post("/login/code", &[("code", code), ("next", "/account")]).await
}

#[actix_web::test]
async fn a_first_code_turns_it_on_and_from_then_on_a_password_alone_opens_nothing() {
    let app = TestApp::start();
    let mut visit = app.user("ada", Role::Auditor);
    let page = visit.get("/account/two-step").await;
    assert!(page.has(".qr svg path"));
    let secret = page.text("#secret");
    assert_eq!(visit.get("/account/two-step").await.text("#secret"), secret);
    assert_eq!(sql::count(&app, "users WHERE totp_payload IS NOT NULL"), 0);
    let page = visit.post("/account/two-step", &[("code", "000000")]).await;
    assert_eq!((page.status, page.text("#secret")), (422, secret));
    let mut other = app.visitor();
    log_in(&mut other, "ada", PASSWORD).await;
    let (secret, codes) = set_up(&app, &mut visit).await;
    assert_eq!(codes.len(), 10);
    assert_eq!(visit.get("/account").await.status, 200);
    assert_eq!(other.get("/account").await.status, 302);

    let mut visit = app.visitor();
    let page = log_in(&mut visit, "ada", PASSWORD).await;
    assert_eq!((page.status, page.location()), (303, "/login/code?next=%2F"));
    assert_eq!(visit.get("/account").await.status, 302);
    let between = visit.cookie.clone();
    let digits = code(&app, &secret, 1);
    let page = post_code(&mut visit, &format!(" {} {} ", &digits[..3], &digits[3..])).await;
    assert_eq!((page.status, page.location()), (303, "/account"));
    assert_ne!(visit.cookie, between);
    assert_eq!(visit.get("/account").await.status, 200);
    // The session between password and code is gone.
    let mut replay = app.visitor();
    replay.cookie = between;
    assert_eq!(post_code(&mut replay, &digits).await.location(), "/login");
}

#[actix_web::test]
async fn a_session_whose_password_is_long_ago_neither_sees_nor_sets_a_secret() {
    let app = TestApp::start();
    let mut visit = app.user("ada", Role::Auditor);
    let secret = visit.get("/account/two-step").await.text("#secret");
    app.give_password_long_ago();
    for guess in ["000000", &code(&app, &secret, 0)] {
        let page = visit.post("/account/two-step", &[("code", guess)]).await;
        assert_eq!((page.status, page.location()), (303, "/account/confirm?next=%2Faccount%2Ftwo-step"));
        assert!(!page.body.contains(&secret) && !page.has("#secret"));
    }
    assert_eq!(sql::count(&app, "users WHERE totp_payload IS NOT NULL"), 0);
    visit.post("/account/confirm", &[("password", PASSWORD), ("next", "/account/two-step")]).await;
    assert_eq!(visit.get("/account/two-step").await.text("#secret"), secret, "what was scanned already still counts");
    let mut other = app.visitor();
    log_in(&mut other, "ada", PASSWORD).await;
    assert_ne!(other.get("/account/two-step").await.text("#secret"), secret);
    set_up(&app, &mut visit).await;
}

#[actix_web::test]
async fn a_code_opens_once() {
    let app = TestApp::start();
    let mut visit = app.user("ada", Role::Auditor);
    let secret = visit.get("/account/two-step").await.text("#secret");
    // The code that turns it on is used up by that.
    let (first, next) = (code(&app, &secret, 0), code(&app, &secret, 1));
    assert_eq!(visit.post("/account/two-step", &[("code", &first)]).await.status, 200);
    let mut visit = app.visitor();
    log_in(&mut visit, "ada", PASSWORD).await;
    assert_eq!(post_code(&mut visit, &first).await.status, 422);
    assert_eq!(post_code(&mut visit, &next).await.status, 303);
    let mut visit = app.visitor();
    log_in(&mut visit, "ada", PASSWORD).await;
    let page = post_code(&mut visit, &format!("{} {}", &next[..3], &next[3..])).await;
    assert_eq!(page.status, 422);
    assert_eq!(page.text("[role=alert]"), "That code is wrong or already used. Wait for the next one.");
}

#[actix_web::test]
async fn five_wrong_codes_close_it_and_the_password_does_not_open_it_again() {
    let app = TestApp::start();
    let mut visit = app.user("ada", Role::Auditor);
    let (secret, _) = set_up(&app, &mut visit).await;
    for wrong in ["000000", "0 0 0 0 0 0", "nonsense", "", "00000"] {
        // A right password in between clears nothing of the codes.
        let mut visit = app.visitor();
        log_in(&mut visit, "ada", PASSWORD).await;
        assert_eq!(post_code(&mut visit, wrong).await.status, 422, "{wrong:?}");
    }
    let mut visit = app.visitor();
    log_in(&mut visit, "ada", PASSWORD).await;
    let page = post_code(&mut visit, &code(&app, &secret, 1)).await;
    assert_eq!(page.status, 429);
    assert!(!page.header("retry-after").is_empty());
    assert_eq!(sql::count(&app, "events WHERE action = 'login.locked'"), 1);
    assert_eq!(sql::count(&app, "events WHERE action = 'login.failed' AND detail = 'one-time code'"), 5);
}

#[actix_web::test]
async fn a_recovery_code_opens_once_and_new_ones_replace_it() {
    let app = TestApp::start();
    let mut visit = app.user("ada", Role::Auditor);
    let (_, codes) = set_up(&app, &mut visit).await;
    let mut other = app.visitor();
    log_in(&mut other, "ada", PASSWORD).await;
    assert_eq!(post_code(&mut other, &codes[0].to_uppercase()).await.status, 303);
    let mut other = app.visitor();
    log_in(&mut other, "ada", PASSWORD).await;
    assert_eq!(post_code(&mut other, &codes[0]).await.status, 422);
    assert!(visit.get("/account").await.body.contains("9 recovery"));
    let page = visit.post("/account/two-step/codes", &[]).await;
    assert_eq!((page.status, page.texts("#codes li").len()), (200, 10));
    assert_eq!(post_code(&mut other, &codes[1]).await.status, 422);
    assert_eq!(post_code(&mut other, &page.texts("#codes li")[9]).await.status, 303);
    assert_eq!(sql::count(&app, "events WHERE action = 'user.recovery_code_used'"), 2);
    assert_eq!(sql::count(&app, "events WHERE action = 'user.recovery_codes_made'"), 1);
}

#[actix_web::test]
async fn a_recovery_code_opens_nobody_elses_account() {
    let app = TestApp::start();
    let (mut ada, mut eve) = (app.user("ada", Role::Administrator), app.user("eve", Role::Auditor));
    set_up(&app, &mut ada).await;
    let (_, codes) = set_up(&app, &mut eve).await;
    // Even where the check of the row holds, as if Strongroom had signed what somebody moved.
    let moved =
        "UPDATE users SET recovery_codes = (SELECT recovery_codes FROM users WHERE name = 'eve') WHERE name = 'ada'";
    signed::run(&app, moved);
    let mut other = app.visitor();
    log_in(&mut other, "ada", PASSWORD).await;
    assert_eq!(post_code(&mut other, &codes[0]).await.status, 422);
    let mut other = app.visitor();
    log_in(&mut other, "eve", PASSWORD).await;
    assert_eq!(post_code(&mut other, &codes[0]).await.status, 303);
}

#[actix_web::test]
async fn a_recovery_code_of_the_release_before_stays_good() {
    let app = TestApp::start();
    let mut ada = app.user("ada", Role::Administrator);
    set_up(&app, &mut ada).await;
    let kept = hex::encode(app.services.vault.mac("recovery", &[b"k3f9x2m8qw"]));
    signed::run(&app, &format!("UPDATE users SET recovery_codes = ARRAY['\\x{kept}'::bytea]"));
    for status in [303, 422] {
        let mut other = app.visitor();
        log_in(&mut other, "ada", PASSWORD).await;
        assert_eq!(post_code(&mut other, "k3f9x-2m8qw").await.status, status);
    }
}

#[actix_web::test]
async fn codes_posted_at_once_by_one_user_wait_for_no_deadlock() {
    let app = TestApp::start();
    let mut visit = app.user("ada", Role::Auditor);
    let (_, codes) = set_up(&app, &mut visit).await;
    for code in &codes[..4] {
        let (mut one, mut other) = (app.visitor(), app.visitor());
        log_in(&mut one, "ada", PASSWORD).await;
        log_in(&mut other, "ada", PASSWORD).await;
        let (one, other) = futures_util::future::join(post_code(&mut one, code), post_code(&mut other, code)).await;
        assert!([one.status, other.status].contains(&303) && one.status.max(other.status) < 500, "one of them is in");
    }
    let deadlocks = "pg_stat_database WHERE datname = current_database() AND deadlocks > 0";
    assert_eq!(sql::count(&app, deadlocks), 0);
}

#[actix_web::test]
async fn whoever_must_set_it_up_gets_nowhere_else_until_it_is_done() {
    let app = TestApp::start();
    let mut admin = app.administrator();
    let mut grace = app.user("grace", Role::Operator);
    let id = users::find_by_key(&mut app.connect(), &app.services.vault, "grace").unwrap().unwrap().shown().id;
    let page = admin.post(&format!("/users/{id}/two-step"), &[("two_step", "required")]).await;
    assert_eq!(page.status, 303);
    for path in ["/", "/account", "/audit"] {
        let page = grace.get(path).await;
        assert_eq!((page.status, page.location()), (302, "/account/two-step"), "{path}");
    }
    let page = grace.post("/account/preferences", &[("theme", "dark")]).await;
    assert_eq!((page.status, page.location()), (302, "/account/two-step"));
    // Also when the password was given too long ago.
    signed::run(&app, "UPDATE sessions SET authenticated_at = now() - interval '6 minutes'");
    assert_eq!(grace.get("/account/two-step").await.location(), "/account/confirm?next=%2Faccount%2Ftwo-step");
    let fields = [("password", PASSWORD), ("next", "/account/two-step")];
    assert_eq!(grace.post("/account/confirm", &fields).await.location(), "/account/two-step");
    set_up(&app, &mut grace).await;
    assert_eq!(grace.get("/").await.status, 200);
}

#[actix_web::test]
async fn its_owner_turns_it_off_and_an_administrator_resets_a_lost_one() {
    let app = TestApp::start();
    let mut admin = app.administrator();
    let mut grace = app.user("grace", Role::Operator);
    let id = users::find_by_key(&mut app.connect(), &app.services.vault, "grace").unwrap().unwrap().shown().id;
    let (first, _) = set_up(&app, &mut grace).await;
    let page = grace.post("/account/two-step/off", &[]).await;
    assert_eq!((page.status, page.location()), (303, "/account"));
    assert_eq!(log_in(&mut app.visitor(), "grace", PASSWORD).await.location(), "/");
    let (second, _) = set_up(&app, &mut grace).await;
    assert_ne!(first, second);
    assert_eq!(admin.post(&format!("/users/{id}/two-step"), &[("two_step", "reset")]).await.status, 303);
    assert_eq!(grace.get("/account").await.status, 302);
    assert_eq!(log_in(&mut app.visitor(), "grace", PASSWORD).await.location(), "/");
    assert_eq!(sql::count(&app, "users WHERE recovery_codes <> '{}'"), 0);
}
