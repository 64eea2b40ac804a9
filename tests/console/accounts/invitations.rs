//! An invitation: from the form to the first login, sent again, withdrawn, over.

use super::*;
use crate::login::log_in;
use crate::support::{signed, sql};

/// Invites grace; the path of the link that she gets.
async fn invited(all: &Mailing, ada: &mut Visit) -> (UserId, String) {
    let before = all.server.steps("mail").len();
    let new = [("username", "grace"), ("role", "operator"), ("email", "grace@example.com"), ("first", "invitation")];
    let page = ada.post("/users/new", &new).await;
    assert_eq!(page.status, 303, "{:?}", page.texts("main"));
    let id = page.location().rsplit('/').next().unwrap().parse().unwrap();
    let mail = all.mails(before + 1).await.remove(before);
    assert_eq!(mail.header("To"), "grace@example.com");
    assert!(mail.header("Subject").starts_with("ada invited you"), "{mail:?}");
    (id, all.link(&mail))
}

async fn state(ada: &mut Visit, id: UserId) -> String {
    ada.get("/users").await.text(&format!("[data-row='{id}'] [data-state]"))
}

#[actix_web::test]
async fn an_invited_user_chooses_a_password_by_the_link() {
    let all = Mailing::start();
    let mut ada = all.app.administrator();
    let (id, link) = invited(&all, &mut ada).await;
    assert_eq!(state(&mut ada, id).await, "Invited");
    let mut grace = all.app.visitor();
    for _ in 0..2 {
        let page = grace.get(&link).await;
        assert_eq!((page.status, page.text("h1")), (200, "Welcome, grace".to_owned()), "opening it uses nothing up");
    }
    let page = choose(&mut grace, &link, "short").await;
    assert_eq!((page.status, page.has("#password-error")), (422, true));
    let page = choose(&mut grace, &link, GOOD).await;
    assert_eq!((page.status, page.location()), (303, "/login?chosen=on"));
    assert!(grace.get("/login?chosen=on").await.has("[data-chosen]"));
    assert_eq!(log_in(&mut grace, "grace", GOOD).await.location(), "/", "no other password is asked for");
    assert_eq!(grace.get("/credentials").await.status, 200);
    assert_eq!(state(&mut ada, id).await, "Active");
    for page in [grace.get(&link).await, choose(&mut all.app.visitor(), &link, BETTER).await] {
        assert_eq!((page.status, page.has("[data-over]")), (410, true));
    }
    assert_eq!(log_in(&mut all.app.visitor(), "grace", BETTER).await.status, 422);
    all.quiet().await;
    assert_eq!(all.server.steps("mail").len(), 1, "a first password needs no notice");
}

#[actix_web::test]
async fn an_invitation_sent_again_ends_the_link_of_before() {
    let all = Mailing::start();
    let mut ada = all.app.administrator();
    let (id, first) = invited(&all, &mut ada).await;
    assert_eq!(ada.post(&format!("/users/{id}/invitation"), &[("do", "send")]).await.status, 303);
    let second = all.link(&all.mails(2).await[1]);
    assert_ne!(first, second);
    assert_eq!(all.app.visitor().get(&first).await.status, 410);
    assert_eq!(all.app.visitor().get(&second).await.status, 200);
}

#[actix_web::test]
async fn a_withdrawn_invitation_stays_so_whatever_is_put_back() {
    let all = Mailing::start();
    let mut ada = all.app.administrator();
    let (id, link) = invited(&all, &mut ada).await;
    sql::run(&all.app, "CREATE TABLE kept AS SELECT * FROM account_letters");
    assert_eq!(ada.post(&format!("/users/{id}/invitation"), &[("do", "withdraw")]).await.status, 303);
    assert_eq!(all.app.visitor().get(&link).await.status, 410);
    assert_eq!(state(&mut ada, id).await, "First login pending");
    sql::run(&all.app, "INSERT INTO account_letters SELECT * FROM kept");
    assert_eq!(all.app.visitor().get(&link).await.status, 410);
    assert_eq!(choose(&mut all.app.visitor(), &link, GOOD).await.status, 410);
    // Neither does the reset of a password that was never chosen let them in.
    all.app.visitor().post("/password/forgot", &[("who", "grace")]).await;
    all.quiet().await;
    assert_eq!(all.server.steps("mail").len(), 1);
    sql::run(&all.app, "DROP TABLE kept");
}

#[actix_web::test]
async fn an_invitation_is_over_after_seven_days() {
    let all = Mailing::start();
    let mut ada = all.app.administrator();
    let (id, link) = invited(&all, &mut ada).await;
    let back = |span: &str| {
        let moved = "UPDATE account_letters SET made_at = made_at - interval";
        signed::run(&all.app, &format!("{moved} '{span}', expires_at = expires_at - interval '{span}'"));
    };
    back("6 days 23 hours 59 minutes");
    assert_eq!(all.app.visitor().get(&link).await.status, 200);
    back("2 minutes");
    assert_eq!(all.app.visitor().get(&link).await.status, 410);
    assert_eq!(choose(&mut all.app.visitor(), &link, GOOD).await.status, 410);
    assert_eq!(state(&mut ada, id).await, "Invitation expired");
    sql::run(&all.app, "UPDATE account_letters SET expires_at = now() + interval '1 day'");
    assert_eq!(all.app.visitor().get(&link).await.status, 410, "nobody prolongs it in the database");
}

#[actix_web::test]
async fn another_address_or_a_disabled_user_ends_an_invitation() {
    let all = Mailing::start();
    let mut ada = all.app.administrator();
    let (id, link) = invited(&all, &mut ada).await;
    assert_eq!(ada.post(&format!("/users/{id}/disabled"), &[("disabled", "on")]).await.status, 303);
    assert_eq!(all.app.visitor().get(&link).await.status, 410);
    assert_eq!(ada.post(&format!("/users/{id}/disabled"), &[("disabled", "off")]).await.status, 303);
    assert_eq!(all.app.visitor().get(&link).await.status, 200);
    assert_eq!(ada.post(&format!("/users/{id}/email"), &[("email", "other@example.com")]).await.status, 303);
    assert_eq!(all.app.visitor().get(&link).await.status, 410);
    assert_eq!(choose(&mut all.app.visitor(), &link, GOOD).await.status, 410);
}
