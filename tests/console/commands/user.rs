//! `strongroom user`.

use strongroom::accounts::Role;

use super::ask;
use crate::login::log_in;
use crate::support::app::{PASSWORD, Visit};
use crate::support::binary::Strongroom;

async fn may_log_in(url: &str, name: &str, password: &str) -> bool {
    let mut visit = Visit::to(url);
    visit.post("/login", &[("username", name), ("password", password), ("next", "/")]).await.status == 303
}

#[actix_web::test]
async fn a_user_added_before_the_first_start_logs_in_and_no_setup_link_is_printed() {
    let strongroom = Strongroom::empty();
    let added = strongroom.run_with(
        &["user", "add", "Alice", "--role", "operator", "--email", "a@example.com"],
        &format!("{PASSWORD}\n"),
    );
    assert_eq!((added.status, added.out.as_str()), (0, "Alice can log in as operator\n"), "{added:?}");
    let bob = ["user", "add", "bob", "--role", "auditor", "--temporary"];
    assert_eq!(strongroom.run_with(&bob, &format!("{PASSWORD}\n")).status, 0);
    let serving = strongroom.serve();
    serving.ready().await;
    assert!(may_log_in(&serving.url, "alice", PASSWORD).await);
    let mut visit = Visit::to(&serving.url);
    log_in(&mut visit, "bob", PASSWORD).await;
    assert_eq!(visit.get("/").await.location(), "/account/password");
    let ran = serving.stop();
    assert_eq!((ran.status, ran.out.as_str()), (0, ""));
}

#[actix_web::test]
async fn a_disabled_user_and_one_with_another_role_or_password_are_logged_out_of_a_running_console() {
    let strongroom = Strongroom::founded();
    strongroom.visit("root", Role::Administrator);
    let serving = strongroom.serve();
    serving.ready().await;
    for (name, arguments, input, said) in [
        ("alice", vec!["user", "disable", "ALICE"], "", "alice can no longer log in"),
        ("bob", vec!["user", "roles", "bob", "auditor"], "", "bob is auditor now"),
        ("carol", vec!["user", "password", "carol"], "another long passphrase\r\n", "carol has a new password"),
    ] {
        let mut visit = strongroom.visit(name, Role::Operator);
        visit.url.clone_from(&serving.url);
        assert_eq!(visit.get("/").await.status, 200);
        let ran = strongroom.run_with(&arguments, input);
        assert!(ran.status == 0 && ran.out.starts_with(said), "{ran:?}");
        // The console hears of it from the database, a moment later.
        let told = async || visit.clone().get("/").await.status == 302;
        crate::support::process::wait_for("the session has ended", std::time::Duration::from_secs(5), told).await;
    }
    assert!(may_log_in(&serving.url, "carol", "another long passphrase").await);
    assert!(!may_log_in(&serving.url, "alice", PASSWORD).await);
    let role = ask(&mut strongroom.connect(), "SELECT role FROM users WHERE name = 'bob'");
    assert_eq!(role, "auditor");
    let trail = "SELECT string_agg(action, ' ' ORDER BY at) FROM events WHERE actor = 'command line' AND subject_name IN \
                 ('alice', 'bob', 'carol') AND action <> 'user.created'";
    assert_eq!(ask(&mut strongroom.connect(), trail), "user.disabled user.role_changed user.password_changed");
}

#[test]
fn a_refusal_says_why_and_changes_nothing() {
    let strongroom = Strongroom::founded();
    strongroom.visit("root", Role::Administrator);
    let before = strongroom.dump();
    for (arguments, input, said) in [
        (vec!["user", "disable", "nobody"], "", "there is no user nobody"),
        (vec!["user", "disable", "root"], "", "root is the last administrator"),
        (vec!["user", "roles", "root", "auditor"], "", "root is the last administrator"),
        (vec!["user", "add", "ROOT", "--role", "auditor"], PASSWORD, "there is a user ROOT already"),
        (vec!["user", "add", "eve", "--role", "auditor", "--email", "eve"], PASSWORD, "Enter one e-mail address"),
        (vec!["user", "add", "eve", "--role", "auditor"], "short", "Use at least 12 characters"),
        (vec!["user", "add", "eve", "--role", "auditor"], "", "Use at least 12 characters"),
        (vec!["user", "add", "e\u{202e}ve", "--role", "auditor"], PASSWORD, "invisible characters"),
        (vec!["user", "password", "root"], "prismastrongroom1", "first things to be tried"),
    ] {
        let ran = strongroom.run_with(&arguments, input);
        assert!(ran.status == 1 && ran.err.contains(said) && ran.out.is_empty(), "{arguments:?}: {ran:?}");
        assert!(input.is_empty() || !ran.err.contains(input), "the password is not repeated: {ran:?}");
    }
    assert_eq!(strongroom.dump(), before);
}
