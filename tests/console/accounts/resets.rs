//! A forgotten password: asked for by anybody, mailed to its owner alone.

use std::time::{Duration, Instant};

use super::*;
use crate::login::log_in;
use crate::login::two_step::{code, post_code, set_up};
use crate::support::app::PASSWORD;
use crate::support::{signed, sql};

#[actix_web::test]
async fn a_forgotten_password_is_reset_by_name_and_by_address() {
    let all = Mailing::start();
    let grace = all.user_at("grace", Role::Operator, "grace@example.com");
    let mut session = all.app.session_of(grace);
    let by_name = all.reset_link("Grace").await;
    let by_address = all.reset_link("GRACE@example.com").await;
    assert_eq!(all.app.visitor().get(&by_name).await.status, 410, "the newer link takes its place");
    let mut visit = all.app.visitor();
    assert_eq!(visit.get(&by_address).await.text("h1"), "Choose a new password");
    assert_eq!(session.get("/account").await.status, 200, "nothing has happened yet");
    let page = choose(&mut visit, &by_address, GOOD).await;
    assert_eq!((page.status, page.location()), (303, "/login?chosen=on"));
    assert_eq!(session.get("/account").await.status, 302, "all sessions have ended");
    assert_eq!(log_in(&mut all.app.visitor(), "grace", PASSWORD).await.status, 422);
    assert_eq!(log_in(&mut all.app.visitor(), "grace", GOOD).await.location(), "/");
    let notice = all.mails(3).await.remove(2);
    assert_eq!((notice.header("To"), notice.body("text/plain").contains("was reset")), ("grace@example.com", true));
    let changed = "events WHERE action = 'user.password_changed' AND actor = 'grace' AND detail LIKE 'by a link%'";
    assert_eq!(sql::count(&all.app, changed), 1);
    assert_eq!(sql::count(&all.app, "events WHERE action = 'user.reset_asked' AND actor = 'somebody'"), 2);
}

#[actix_web::test]
async fn the_second_step_is_still_asked_after_a_reset() {
    let all = Mailing::start();
    let grace = all.user_at("grace", Role::Operator, "grace@example.com");
    let (secret, _) = set_up(&all.app, &mut all.app.session_of(grace)).await;
    let link = all.reset_link("grace").await;
    assert_eq!(choose(&mut all.app.visitor(), &link, GOOD).await.status, 303);
    let mut visit = all.app.visitor();
    assert_eq!(log_in(&mut visit, "grace", GOOD).await.location(), "/login/code?next=%2F");
    assert_eq!(visit.get("/account").await.status, 302);
    assert_eq!(post_code(&mut visit, &code(&all.app, &secret, 1)).await.location(), "/account");
}

#[actix_web::test]
async fn the_answer_is_the_same_for_everybody_and_takes_as_long() {
    let all = Mailing::start();
    all.user_at("grace", Role::Operator, "grace@example.com");
    let off = all.user_at("olga", Role::Operator, "olga@example.com");
    all.app.add_user("no address", Role::Operator);
    all.app.invited("ivy", Role::Auditor);
    let (vault, actor) = (all.app.services.vault.clone(), Actor::command_line());
    all.app.transaction(|conn| users::change(conn, &vault, &actor, off, &users::Change::Disabled(true), None));
    let mut answers = Vec::new();
    for who in ["grace", "nobody", "olga", "olga@example.com", "no address", "ivy", "nobody@example.com", "x'; --"] {
        let mut visit = all.app.visitor();
        visit.get("/livez").await;
        let started = Instant::now();
        let page = visit.post("/password/forgot", &[("who", who)]).await;
        let took = started.elapsed();
        assert!(took >= Duration::from_millis(500), "{who}: {took:?}");
        answers.push((page.status, page.body, page.headers.len()));
    }
    assert!(answers.windows(2).all(|pair| pair[0] == pair[1]), "{answers:?}");
    all.quiet().await;
    assert_eq!(all.server.recipients(), ["grace@example.com"]);
    let told =
        "SELECT detail AS text FROM events WHERE action = 'user.reset_asked' AND subject_name = 'an unknown name'";
    assert_eq!(sql::texts(&all.app, told), ["nothing sent: no such user"; 3]);
}

#[actix_web::test]
async fn who_asks_too_often_waits_whether_the_name_is_known_or_not() {
    let all = Mailing::start();
    all.user_at("grace", Role::Operator, "grace@example.com");
    for who in ["grace", "nobody"] {
        let mut visit = all.app.visitor();
        for _ in 0..5 {
            assert_eq!(visit.post("/password/forgot", &[("who", who)]).await.status, 200);
        }
        let page = visit.post("/password/forgot", &[("who", who)]).await;
        assert_eq!((page.status, page.header("retry-after").is_empty()), (429, false), "{who}");
    }
    // By another spelling, and from elsewhere, the same person gets no more mail within the hour.
    sql::run(&all.app, "DELETE FROM login_failures WHERE network <> 'mails'");
    assert_eq!(all.app.visitor().post("/password/forgot", &[("who", "grace@example.com")]).await.status, 200);
    all.quiet().await;
    assert!(all.server.steps("mail").len() <= 5, "{:?}", all.server.recipients());
    assert_eq!(sql::count(&all.app, "events WHERE detail = 'nothing sent: too many within an hour'"), 1);
    assert_eq!(log_in(&mut all.app.visitor(), "grace", PASSWORD).await.status, 303, "logging in is not held up");
}

#[actix_web::test]
async fn a_reset_is_over_after_half_an_hour() {
    let all = Mailing::start();
    all.user_at("grace", Role::Operator, "grace@example.com");
    let link = all.reset_link("grace").await;
    let back = |span: &str| {
        let moved = "UPDATE account_letters SET made_at = made_at - interval";
        signed::run(&all.app, &format!("{moved} '{span}', expires_at = expires_at - interval '{span}'"));
    };
    back("29 minutes");
    assert_eq!(all.app.visitor().get(&link).await.status, 200);
    back("61 seconds");
    assert_eq!(all.app.visitor().get(&link).await.status, 410);
    assert_eq!(choose(&mut all.app.visitor(), &link, GOOD).await.status, 410);
}

#[actix_web::test]
async fn an_address_changed_in_the_database_gets_no_reset() {
    let mut all = Mailing::start();
    all.user_at("grace", Role::Operator, "grace@example.com");
    sql::run(&all.app, "UPDATE users SET email = 'eve@example.com' WHERE name = 'grace'");
    for who in ["grace", "eve@example.com"] {
        let page = all.app.visitor().post("/password/forgot", &[("who", who)]).await;
        assert_eq!((page.status, page.has("[data-asked]")), (200, true));
    }
    all.quiet().await;
    assert_eq!(all.server.recipients(), [""; 0]);
    let refused = "events WHERE action = 'user.integrity_failure' AND detail LIKE 'password reset refused%'";
    assert_eq!(sql::count(&all.app, refused), 2);
    // Nor where it is changed while the mail waits, in the user's row or in the letter's.
    sql::run(&all.app, "UPDATE users SET email = 'grace@example.com' WHERE name = 'grace'");
    for tamper in [
        "UPDATE account_letters SET address = 'eve@example.com'",
        "UPDATE users SET email = 'eve@example.com' WHERE name = 'grace'",
    ] {
        all.server.stop();
        assert_eq!(all.app.visitor().post("/password/forgot", &[("who", "grace")]).await.status, 200);
        let parked = sql::count(&all.app, "deliveries WHERE state = 'parked'");
        sql::run(&all.app, tamper);
        all.server.start_again();
        let waits = async || sql::count(&all.app, "deliveries WHERE state = 'parked'") == parked + 1;
        wait_for("the mail is not sent", PATIENCE, waits).await;
    }
    assert_eq!(all.server.recipients(), [""; 0]);
}
