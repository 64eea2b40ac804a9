//! The address of a user: who sets it, and what follows.

use super::*;
use crate::login::log_in;
use crate::support::app::PASSWORD;
use crate::support::sql;

#[actix_web::test]
async fn an_administrator_and_the_user_set_the_address() {
    let app = TestApp::start();
    let (mut ada, grace) = (app.administrator(), app.add_user("grace", Role::Auditor));
    let page = ada.post(&format!("/users/{grace}/email"), &[("email", " Grace@Example.com ")]).await;
    assert_eq!((page.status, page.location().to_owned()), (303, format!("/users/{grace}")));
    assert_eq!(ada.get(&format!("/users/{grace}")).await.attributes("#email", "value"), ["Grace@example.com"]);
    let row = ada.get("/users").await.texts(&format!("[data-row='{grace}'] [data-label='E-mail address']"));
    assert_eq!(row, ["Grace@example.com"]);

    let mut own = app.session_of(grace);
    assert_eq!(own.post("/account/email", &[("email", "grace@example.org")]).await.location(), "/account");
    assert_eq!(own.get("/account").await.attributes("#email", "value"), ["grace@example.org"]);
    assert_eq!(own.post("/account/email", &[("email", "")]).await.status, 303);
    assert_eq!(sql::count(&app, "users WHERE email IS NOT NULL"), 0);
    assert_eq!(sql::count(&app, "events WHERE action = 'user.email_changed'"), 3);
    assert_eq!(own.get("/account").await.status, 200, "the session goes on");
}

#[actix_web::test]
async fn an_address_is_of_one_user_however_it_is_written() {
    let app = TestApp::start();
    let (mut ada, grace) = (app.administrator(), app.add_user("grace", Role::Auditor));
    assert_eq!(ada.post("/account/email", &[("email", "team@example.com")]).await.status, 303);
    let page = ada.post(&format!("/users/{grace}/email"), &[("email", "TEAM@Example.COM")]).await;
    assert_eq!((page.status, page.has("#email-error")), (422, true));
    assert_eq!(page.attributes("#email", "value"), ["TEAM@Example.COM"], "what was typed stays");
    let page = app.session_of(grace).post("/account/email", &[("email", "Team@example.com")]).await;
    assert_eq!((page.status, page.has("#email-error")), (422, true));
    let new = [("username", "eve"), ("role", "auditor"), ("email", "teAm@example.com")];
    let page = ada.post("/users/new", &new).await;
    assert_eq!((page.status, page.has("#email-error"), page.has("#username-error")), (422, true, false));
    let page = ada.post(&format!("/users/{grace}/email"), &[("email", "not an address")]).await;
    assert_eq!((page.status, page.attributes("#email", "value")), (422, vec!["not an address".to_owned()]));
}

#[actix_web::test]
async fn the_former_address_hears_of_a_change() {
    let all = Mailing::start();
    let grace = all.user_at("grace", Role::Operator, "grace@example.com");
    let mut own = all.app.session_of(grace);
    assert_eq!(own.post("/account/email", &[("email", "grace@example.org")]).await.status, 303);
    let mail = all.mails(1).await.remove(0);
    assert_eq!(mail.header("To"), "grace@example.com");
    assert!(mail.body("text/plain").contains("grace changed the e-mail address of grace"), "{mail:?}");
    assert!(!mail.body("text/plain").contains("token="), "{mail:?}");
    let listed = all.app.administrator().get(&format!("/integrations/{}", all.channel)).await;
    assert!(listed.texts("tbody th").iter().any(|text| text.contains("grace@example.com")), "{}", listed.body);
}

#[actix_web::test]
async fn an_address_changed_in_the_database_lets_nobody_in() {
    let app = TestApp::start();
    let mut ada = app.administrator();
    assert_eq!(ada.post("/account/email", &[("email", "ada@example.com")]).await.status, 303);
    sql::run(&app, "UPDATE users SET email = 'eve@example.com'");
    assert_eq!(ada.get("/account").await.location(), "/login?next=%2Faccount");
    assert_eq!(log_in(&mut app.visitor(), "ada", PASSWORD).await.status, 422);
    sql::run(&app, "UPDATE users SET email = 'ada@example.com'");
    assert_eq!(log_in(&mut app.visitor(), "ada", PASSWORD).await.status, 303);
}
