//! The account page: one's own password and preferences. Sessions and the second factor are tested with the login.

use strongroom::accounts::Role;

use crate::support::app::{PASSWORD, TestApp};
use crate::support::sql;

#[actix_web::test]
async fn a_new_password_must_be_typed_twice_be_uncommon_and_come_with_the_old_one() {
    let app = TestApp::start();
    let mut visit = app.user("ada", Role::Auditor);
    let good = "a much better passphrase";
    for (current, new, again, field, message) in [
        (
            PASSWORD,
            "short",
            "short",
            "password",
            "Use at least 12 characters; a few words in a row are easy to remember.",
        ),
        (
            PASSWORD,
            "adaadaadaada1",
            "adaadaadaada1",
            "password",
            "That is one of the first things to be tried. Use something less common.",
        ),
        (PASSWORD, good, "another passphrase", "password_again", "The two passwords differ."),
        ("wrong", good, good, "current", "Wrong password."),
    ] {
        let page = visit
            .post("/account/password", &[("current", current), ("password", new), ("password_again", again)])
            .await;
        assert_eq!(page.status, 422);
        assert_eq!(page.text(&format!("#{field}-error")), message);
        assert!(page.attributes("input[type=password]", "value").is_empty());
    }
    assert_eq!(sql::count(&app, "users WHERE password_version > 1"), 0);
}

#[actix_web::test]
async fn guessing_at_the_current_password_brings_the_form_back_with_a_pause() {
    let app = TestApp::start();
    let mut visit = app.user("ada", Role::Auditor);
    let good = "a much better passphrase";
    let fields = [("current", "wrong"), ("password", good), ("password_again", good)];
    for _ in 0..5 {
        assert_eq!(visit.post("/account/password", &fields).await.status, 422);
    }
    let page = visit.post("/account/password", &fields).await;
    assert_eq!((page.status, page.has("#current-error")), (429, true));
    assert!(!page.header("retry-after").is_empty());
}

#[actix_web::test]
async fn a_password_is_not_cut_off_anywhere() {
    let app = TestApp::start();
    let mut visit = app.user("ada", Role::Auditor);
    let long = format!("{}b", "correct horse ".repeat(9));
    let fields = [("current", PASSWORD), ("password", long.as_str()), ("password_again", long.as_str())];
    assert_eq!(visit.post("/account/password", &fields).await.status, 303);
    assert_eq!(crate::login::log_in(&mut app.visitor(), "ada", &long[..long.len() - 1]).await.status, 422);
    assert_eq!(crate::login::log_in(&mut app.visitor(), "ada", &long).await.status, 303);
}

#[actix_web::test]
async fn theme_and_shortcuts_follow_the_user_and_not_the_browser() {
    let app = TestApp::start();
    let mut visit = app.user("ada", Role::Auditor);
    let page = visit.get("/account").await;
    assert_eq!(page.attributes("html", "data-theme"), ["system"]);
    assert_eq!(page.attributes("body", "data-shortcuts"), ["on"]);
    let page = visit.post("/account/preferences", &[("theme", "dark")]).await;
    assert_eq!((page.status, page.location()), (303, "/account"));
    let page = visit.get("/account").await;
    assert_eq!(page.attributes("html", "data-theme"), ["dark"]);
    assert_eq!(page.attributes("body", "data-shortcuts"), ["off"]);
    assert_eq!(page.attributes("input[name=theme][checked]", "value"), ["dark"]);
    assert!(!page.has("#shortcuts-on[checked]"));
}
