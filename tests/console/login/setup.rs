//! The first visit: the one-time link makes the first administrator, once.

use strongroom::accounts::Role;
use strongroom::accounts::tokens;
use strongroom::models::logins;

use crate::support::app::TestApp;
use crate::support::sql;

const GOOD: &str = "a much better passphrase";

fn offer(app: &TestApp) -> String {
    offer_for(app, logins::SETUP_MINUTES)
}

fn offer_for(app: &TestApp, minutes: i64) -> String {
    let token = tokens::new_token();
    logins::offer_setup(&mut app.connect(), &app.services.vault, &tokens::hash(&token), minutes).expect("a link");
    token
}

fn fields<'a>(token: &'a str, name: &'a str) -> [(&'a str, &'a str); 4] {
    [("token", token), ("username", name), ("password", GOOD), ("password_again", GOOD)]
}

#[actix_web::test]
async fn the_link_makes_one_administrator_who_is_logged_in_at_once() {
    let app = TestApp::start();
    let token = offer(&app);
    let mut visit = app.visitor();
    assert_eq!(visit.get("/setup").await.status, 404);
    assert_eq!(visit.get(&format!("/setup?token={}", tokens::new_token())).await.status, 404);
    assert_eq!(visit.get(&format!("/setup?token={token}")).await.text("h1"), "Set up Strongroom");
    let page = visit.post("/setup", &fields(&token, "ada")).await;
    assert_eq!((page.status, page.location()), (303, "/"));
    assert_eq!(visit.get("/users").await.texts("tbody th a"), ["ada"]);
    let mut second = app.visitor();
    assert_eq!(second.get(&format!("/setup?token={token}")).await.status, 404);
    assert_eq!(second.post("/setup", &fields(&token, "eve")).await.status, 404);
    assert_eq!(sql::count(&app, "users"), 1);
}

#[actix_web::test]
async fn two_who_use_the_link_at_once_are_exactly_one_administrator() {
    let app = TestApp::start();
    let other = TestApp::replica(app.database.clone(), &[]);
    let token = offer(&app);
    let (mut one, mut two) = (app.visitor(), other.visitor());
    let (first, second) = (fields(&token, "ada"), fields(&token, "eve"));
    let pages = futures_util::future::join(one.post("/setup", &first), two.post("/setup", &second)).await;
    let mut statuses = [pages.0.status, pages.1.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [303, 404]);
    assert_eq!(sql::count(&app, "users"), 1);
}

#[actix_web::test]
async fn a_link_is_good_for_half_an_hour_and_only_while_there_is_no_user() {
    let app = TestApp::start();
    let token = offer_for(&app, 1);
    assert_eq!(app.visitor().get(&format!("/setup?token={token}")).await.status, 200);
    let token = offer_for(&app, 0);
    assert_eq!(app.visitor().get(&format!("/setup?token={token}")).await.status, 404);
    assert_eq!(app.visitor().post("/setup", &fields(&token, "ada")).await.status, 404);
    let token = offer(&app);
    app.add_user("ada", Role::Administrator);
    assert_eq!(app.visitor().get(&format!("/setup?token={token}")).await.status, 404);
    assert_eq!(app.visitor().post("/setup", &fields(&token, "eve")).await.status, 404);
}

#[actix_web::test]
async fn a_first_password_that_everybody_tries_is_refused_and_the_link_still_works() {
    let app = TestApp::start();
    let token = offer(&app);
    for (password, again, field) in [
        ("short", "short", "password"),
        ("prismastrongroom1", "prismastrongroom1", "password"),
        (GOOD, "something else", "password_again"),
    ] {
        let fields =
            [("token", token.as_str()), ("username", "ada"), ("password", password), ("password_again", again)];
        let page = app.visitor().post("/setup", &fields).await;
        assert_eq!(page.status, 422);
        assert!(page.has(&format!("#{field}-error")), "{password}");
        assert!(!page.body.contains(password) || password == "short", "{password}");
    }
    assert_eq!(app.visitor().post("/setup", &fields(&token, "ada")).await.status, 303);
}
