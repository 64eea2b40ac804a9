//! Users, as an administrator sees and changes them.

use strongroom::accounts::Role;
use strongroom::models::UserId;
use strongroom::models::users;

use crate::login::log_in;
use crate::support::app::{PASSWORD, TestApp};
use crate::support::sql;

fn id(app: &TestApp, name: &str) -> UserId {
    users::find_by_key(&mut app.connect(), &app.services.vault, name).unwrap().unwrap().shown().id
}

#[actix_web::test]
async fn an_administrator_adds_a_user_with_a_typed_password() {
    let app = TestApp::start();
    let mut admin = app.administrator();
    let good = "a much better passphrase";
    let fields = [("username", " Grace Hopper "), ("role", "operator"), ("password", good), ("password_again", good)];
    let page = admin.post("/users/new", &fields).await;
    assert_eq!((page.status, page.location().to_owned()), (303, format!("/users/{}", id(&app, "grace hopper"))));
    let page = admin.get("/users").await;
    assert_eq!(page.texts("tbody th a"), ["ada", "Grace Hopper"]);
    assert_eq!(log_in(&mut app.visitor(), "grace hopper", good).await.status, 303);
    let page = admin.post("/users/new", &fields).await;
    assert_eq!((page.status, page.text("#username-error")), (422, "A user with this name already exists.".into()));
}

#[actix_web::test]
async fn a_password_left_blank_is_made_here_and_shown_once() {
    let app = TestApp::start();
    let mut admin = app.administrator();
    let page = admin.post("/users/new", &[("username", "grace"), ("role", "auditor")]).await;
    assert_eq!((page.status, page.text("h1")), (200, "grace has been added".to_owned()));
    let first = page.text("#generated");
    assert_eq!(log_in(&mut app.visitor(), "grace", &first).await.status, 303);
    let user = format!("/users/{}", id(&app, "grace"));
    assert!(!admin.get(&user).await.body.contains(&first));
    let page = admin.post(&format!("{user}/password"), &[]).await;
    assert_eq!((page.status, page.text("h1")), (200, "New password of grace".to_owned()));
    assert_eq!(log_in(&mut app.visitor(), "grace", &first).await.status, 422);
    assert_eq!(log_in(&mut app.visitor(), "grace", &page.text("#generated")).await.status, 303);
}

#[actix_web::test]
async fn whoever_got_a_password_chooses_their_own_before_anything_else() {
    let app = TestApp::start();
    let mut admin = app.administrator();
    let page = admin.post("/users/new", &[("username", "grace"), ("role", "operator")]).await;
    let given = page.text("#generated");
    let user = format!("/users/{}", id(&app, "grace"));
    assert!(admin.get(&user).await.body.contains("to be replaced at the next login"));
    assert_eq!(admin.get("/account/password").await.location(), "/account", "for those who must only");

    let mut grace = app.visitor();
    log_in(&mut grace, "grace", &given).await;
    for path in ["/", "/credentials", "/account", "/account/two-step"] {
        let page = grace.get(path).await;
        assert_eq!((page.status, page.location()), (302, "/account/password"), "{path}");
    }
    let page = grace.post("/account/preferences", &[("theme", "dark")]).await;
    assert_eq!((page.status, page.location()), (302, "/account/password"));
    assert_eq!(grace.get("/account/password").await.text("h1"), "Choose your own password");

    let own = "a much better passphrase";
    let form = |current: &str, new: &str, again: &str| {
        [("current", current), ("password", new), ("password_again", again)].map(|(k, v)| (k, v.to_owned()))
    };
    for (fields, field, sentence) in [
        (form(&given, &given, &given), "password", "Choose a password that differs from the current one."),
        (form(&given, own, "something else"), "password_again", "The two passwords differ."),
        (form("not the one at all", own, own), "current", "Wrong password."),
    ] {
        let fields = fields.each_ref().map(|(k, v)| (*k, v.as_str()));
        let page = grace.post("/account/password", &fields).await;
        assert_eq!((page.status, page.text(&format!("#{field}-error"))), (422, sentence.to_owned()));
        assert_eq!(page.text("h1"), "Choose your own password");
    }
    let fields = form(&given, own, own);
    let page = grace.post("/account/password", &fields.each_ref().map(|(k, v)| (*k, v.as_str()))).await;
    assert_eq!((page.status, page.location()), (303, "/"));
    assert_eq!(grace.get("/credentials").await.status, 200);
    assert!(!admin.get(&user).await.body.contains("to be replaced"));

    // A password that an administrator sets again is as temporary as the first.
    let page = admin.post(&format!("{user}/password"), &[]).await;
    let mut grace = app.visitor();
    log_in(&mut grace, "grace", &page.text("#generated")).await;
    assert_eq!(grace.get("/").await.location(), "/account/password");
    // Whoever unsets that in the database lets nobody in.
    sql::run(&app, "UPDATE users SET password_temporary = false WHERE name = 'grace'");
    assert_eq!(grace.get("/").await.location(), "/login");
}

#[actix_web::test]
async fn a_bad_form_says_what_is_wrong_and_keeps_what_was_typed_but_the_password() {
    let app = TestApp::start();
    let mut admin = app.administrator();
    let fields =
        [("username", "gra\u{200b}ce"), ("role", "emperor"), ("password", "short"), ("password_again", "short")];
    let page = admin.post("/users/new", &fields).await;
    assert_eq!(page.status, 422);
    assert!(page.has("#username-error") && page.has("#password-error"));
    assert_eq!(page.attributes("#username", "value"), ["gra\u{200b}ce"]);
    assert!(page.attributes("input[type=password]", "value").is_empty());
    assert!(page.body.contains("Choose a role."));
    assert_eq!(admin.post("/users/new", &[("username", "eve"), ("disabled", "on")]).await.status, 422);
    assert_eq!(sql::count(&app, "users"), 1);
}

#[actix_web::test]
async fn nobody_is_called_what_the_trail_calls_something_else() {
    let app = TestApp::start();
    let mut admin = app.administrator();
    for name in ["Strongroom", "strongroom", "somebody", "Command line"] {
        let page = admin.post("/users/new", &[("username", name), ("role", "auditor")]).await;
        assert_eq!((page.status, page.has("#username-error")), (422, true), "{name}");
    }
    assert_eq!(sql::count(&app, "users"), 1);
}

#[actix_web::test]
async fn the_last_administrator_can_be_neither_demoted_nor_disabled() {
    let app = TestApp::start();
    let mut admin = app.administrator();
    app.add_user("grace", Role::Operator);
    let user = format!("/users/{}", id(&app, "ada"));
    for (path, field) in [("role", ("role", "auditor")), ("disabled", ("disabled", "on"))] {
        let page = admin.post(&format!("{user}/{path}"), &[field]).await;
        assert_eq!(page.status, 422);
        let says = "This is the last administrator who can log in. Make someone else an administrator first.";
        assert_eq!(page.text("[role=alert]"), says);
    }
    assert_eq!(sql::count(&app, "users WHERE role = 'administrator' AND NOT disabled"), 1);
    let grace = format!("/users/{}", id(&app, "grace"));
    assert_eq!(admin.post(&format!("{grace}/role"), &[("role", "administrator")]).await.status, 303);
    assert_eq!(admin.post(&format!("{user}/role"), &[("role", "auditor")]).await.status, 303);
    assert_eq!(admin.get("/users").await.status, 302);
}

#[actix_web::test]
async fn two_administrators_who_demote_each_other_at_once_leave_one() {
    let app = TestApp::start();
    let (mut ada, mut eve) = (app.administrator(), app.user("eve", Role::Administrator));
    let (of_ada, of_eve) = (format!("/users/{}/role", id(&app, "ada")), format!("/users/{}/role", id(&app, "eve")));
    let role = [("role", "auditor")];
    futures_util::future::join(ada.post(&of_eve, &role), eve.post(&of_ada, &role)).await;
    assert_eq!(sql::count(&app, "users WHERE role = 'administrator'"), 1);
}

#[actix_web::test]
async fn a_disabled_user_is_out_until_enabled_again() {
    let app = TestApp::start();
    let mut admin = app.administrator();
    app.add_user("grace", Role::Operator);
    let user = format!("/users/{}", id(&app, "grace"));
    assert_eq!(admin.post(&format!("{user}/disabled"), &[("disabled", "on")]).await.status, 303);
    assert_eq!(admin.get(&user).await.text("h1"), "grace Disabled");
    assert_eq!(log_in(&mut app.visitor(), "grace", PASSWORD).await.status, 422);
    assert_eq!(admin.post(&format!("{user}/disabled"), &[("disabled", "off")]).await.status, 303);
    assert_eq!(log_in(&mut app.visitor(), "grace", PASSWORD).await.status, 303);
    assert_eq!(admin.post(&format!("{user}/disabled"), &[("disabled", "perhaps")]).await.status, 400);
}

#[actix_web::test]
async fn an_administrator_logs_a_user_out_everywhere() {
    let app = TestApp::start();
    let mut admin = app.administrator();
    let mut grace = app.user("grace", Role::Operator);
    let user = format!("/users/{}", id(&app, "grace"));
    assert_eq!(admin.get(&user).await.texts(".list strong"), ["test"]);
    assert_eq!(admin.post(&format!("{user}/sessions/end"), &[]).await.status, 303);
    assert_eq!(grace.get("/account").await.status, 302);
    assert_eq!(admin.get("/users").await.status, 200);
}

#[actix_web::test]
async fn a_user_who_is_not_there_is_no_page() {
    let app = TestApp::start();
    let mut admin = app.administrator();
    let nobody = uuid::Uuid::nil();
    for path in [format!("/users/{nobody}"), "/users/1".to_owned(), "/users/new/x".to_owned()] {
        assert_eq!(admin.get(&path).await.status, 404, "{path}");
    }
    assert_eq!(admin.post(&format!("/users/{nobody}/role"), &[("role", "auditor")]).await.status, 404);
    assert_eq!(admin.post(&format!("/users/{nobody}/sessions/end"), &[]).await.status, 404);
}
