//! Logging in to the API: by which secret, for how long, and what ends it.

use reqwest::Method;
use strongroom::accounts::Role;
use strongroom::models::UserId;
use strongroom::models::api_tokens::{self, Scope};
use strongroom::models::events::Actor;
use strongroom::models::users::{self, Change};

use super::{Program, error, events, log_in, token, value};
use crate::support::app::{PASSWORD, TestApp, quick_hash};
use crate::support::signed;

#[actix_web::test]
async fn a_token_takes_the_place_of_the_password_and_only_for_its_user() {
    let app = TestApp::start();
    let (olga, _) = (app.add_user("olga", Role::Operator), app.add_user("otto", Role::Auditor));
    let token = token(&app, olga, Scope::Read, 1);
    let page = log_in(&app, "Olga", &token.text).await;
    assert_eq!(page.status, 200, "{}", page.body);
    assert_eq!(value(&page)["token"].as_str().map(|token| token.split('.').count()), Some(3), "it is a JWT");
    let wrong = [("otto", token.text.clone()), ("nobody", token.text.clone()), ("olga", format!("{}0", token.text))];
    for (name, secret) in wrong.iter().chain([&("olga", token.text.replace("sra_", "srt_"))]) {
        let page = log_in(&app, name, secret).await;
        assert_eq!(page.status, 401, "{name}");
        assert!(error(&page).starts_with("Not logged in"), "{}", page.body);
    }
    let logged_in = events(&app, "login.succeeded");
    assert!(logged_in.iter().any(|event| event.detail == "to the API, with the token read"), "{logged_in:?}");
}

#[actix_web::test]
async fn wrong_tokens_are_throttled_and_right_ones_are_not() {
    let app = TestApp::start();
    let olga = app.add_user("olga", Role::Operator);
    let right = token(&app, olga, Scope::Read, 1);
    let wrong = format!("sra_{}_{}", right.id.0.simple(), "0".repeat(64));
    let mut statuses = Vec::new();
    for _ in 0..7 {
        statuses.push(log_in(&app, "olga", &wrong).await.status);
    }
    assert_eq!(statuses, [401, 401, 401, 401, 401, 429, 429]);
    assert_eq!(log_in(&app, "olga", &right.text).await.status, 200);
    assert_eq!(log_in(&app, "olga", PASSWORD).await.status, 200, "people are counted apart");
    assert!(events(&app, "login.failed").iter().all(|event| event.detail == "API token"));
}

#[actix_web::test]
async fn a_password_alone_does_not_do_where_the_login_has_two_steps() {
    let app = TestApp::start();
    let olga = app.add_user("olga", Role::Operator);
    let change = Change::TotpRequired(true);
    let by_password = Program::by(&app, "olga", PASSWORD).await;
    let first = token(&app, olga, Scope::Write, 1);
    let by_token = Program::by(&app, "olga", &first.text).await;
    app.transaction(|conn| users::change(conn, &app.services.vault, &Actor::command_line(), olga, &change, None));
    let token = token(&app, olga, Scope::Read, 1);
    for secret in [PASSWORD, &token.text] {
        let page = log_in(&app, "olga", secret).await;
        assert!(page.status == 401 && error(&page).contains("set up two-step"), "{}", page.body);
    }
    for program in [&by_password, &by_token] {
        assert_eq!(program.get("/credentials").await.status, 401, "what began before has ended");
    }
    with_two_steps(&app, olga);
    assert_eq!(log_in(&app, "olga", &token.text).await.status, 200);
    let page = log_in(&app, "olga", PASSWORD).await;
    assert!(page.status == 401 && error(&page).contains("API token"), "{}", page.body);
}

fn with_two_steps(app: &TestApp, user: UserId) {
    let added = Change::TotpAdded { secret: vec![7; 20], step: 1, recovery_codes: Vec::new() };
    app.transaction(|conn| users::change(conn, &app.services.vault, &Actor::command_line(), user, &added, None));
}

#[actix_web::test]
async fn a_right_password_that_does_not_do_is_recorded_and_clears_no_failures() {
    let app = TestApp::start();
    let olga = app.add_user("olga", Role::Operator);
    with_two_steps(&app, olga);
    let mut statuses = Vec::new();
    for secret in ["wrong", "wrong", "wrong", "wrong", PASSWORD, PASSWORD, "wrong", "wrong"] {
        statuses.push(log_in(&app, "olga", secret).await.status);
    }
    assert_eq!(statuses, [401, 401, 401, 401, 401, 401, 401, 429]);
    let failed = events(&app, "login.failed");
    let right: Vec<_> = failed.iter().filter(|event| event.detail == "right password, API token needed").collect();
    assert_eq!((right.len(), failed.len()), (1, 6), "once a minute: {failed:?}");
}

#[actix_web::test]
async fn logging_out_everywhere_ends_what_the_password_began_at_the_api() {
    let app = TestApp::start();
    let olga = app.add_user("olga", Role::Operator);
    let token = token(&app, olga, Scope::Read, 1);
    let (mut own, mut admin) = (app.session_of(olga), app.administrator());
    let by_token = Program::by(&app, "olga", &token.text).await;
    let of_user = format!("/users/{olga}/sessions/end");
    for (browser, path) in [(&mut own, "/account/sessions/end-others"), (&mut admin, &of_user)] {
        let by_password = Program::by(&app, "olga", PASSWORD).await;
        assert_eq!(by_password.get("/credentials").await.status, 200);
        assert_eq!(browser.post(path, &[]).await.status, 303);
        assert_eq!(by_password.get("/credentials").await.status, 401, "{path}");
        assert_eq!(by_password.get("/authenticate/renew").await.status, 401, "{path}");
        assert_eq!(by_token.get("/credentials").await.status, 200, "a token is revoked by itself");
        assert_eq!(browser.get("/account").await.status, 200, "{path}: one's own goes on");
    }
    assert_eq!(own.get("/account").await.status, 302);
    assert_eq!(events(&app, "user.api_sessions_ended").len(), 2);
}

#[actix_web::test]
async fn basic_authentication_works_with_each_call() {
    let app = TestApp::start();
    let olga = app.add_user("olga", Role::Operator);
    let token = token(&app, olga, Scope::Read, 1);
    for (secret, status) in [(token.text.as_str(), 200), (PASSWORD, 200), (PASSWORD, 200), ("wrong", 401)] {
        let mut visitor = app.visitor();
        let request = visitor.request(Method::GET, "/api/v34.04/credentials").basic_auth("olga", Some(secret));
        assert_eq!(visitor.send(request).await.status, status, "{secret}");
    }
    let logged_in = events(&app, "login.succeeded");
    assert_eq!(logged_in.len(), 1, "the password is recorded once a minute: {logged_in:?}");
    assert_eq!(logged_in[0].detail, "to the API, with the password");
}

#[actix_web::test]
async fn a_session_ends_with_what_began_it() {
    let app = TestApp::start();
    let vault = app.services.vault.clone();
    let change = |id, change: Change| {
        app.transaction(|conn| users::change(conn, &vault, &Actor::command_line(), id, &change, None));
    };
    for (name, what, ends) in [
        ("a", Change::Disabled(true), true),
        ("b", Change::TemporaryPassword(quick_hash().to_owned()), true),
        ("c", Change::PasswordByMail(quick_hash().to_owned()), true),
        ("d", Change::Deleted(quick_hash().to_owned()), true),
        ("e", Change::Password(quick_hash().to_owned()), false),
        ("f", Change::Role("auditor".to_owned()), false),
    ] {
        let id = app.add_user(name, Role::Operator);
        let token = token(&app, id, Scope::Read, 1);
        let (by_token, by_password) =
            (Program::by(&app, name, &token.text).await, Program::by(&app, name, PASSWORD).await);
        change(id, what.clone());
        let expected = if ends { 401 } else { 200 };
        assert_eq!(by_token.get("/credentials").await.status, expected, "{what:?}");
        assert_eq!(log_in(&app, name, &token.text).await.status, expected, "{what:?}");
        assert_eq!(by_password.get("/credentials").await.status, 401, "{what:?}");
    }
    let id = app.add_user("g", Role::Operator);
    let token = token(&app, id, Scope::Read, 1);
    let program = Program::by(&app, "g", &token.text).await;
    app.transaction(|conn| {
        let user = users::find(conn, &vault, id)?.into_shown();
        api_tokens::end(conn, &vault, &Actor::command_line(), &user, token.id)
    });
    assert_eq!(program.get("/credentials").await.status, 401);
    assert_eq!(program.get("/authenticate/renew").await.status, 401);
}

#[actix_web::test]
async fn a_token_that_is_over_or_tampered_with_opens_nothing() {
    let app = TestApp::start();
    let olga = app.add_user("olga", Role::Operator);
    let over = token(&app, olga, Scope::Read, 1);
    let program = Program::by(&app, "olga", &over.text).await;
    signed::run(&app, "UPDATE api_tokens SET expires_at = now() - interval '1 minute'");
    assert_eq!(log_in(&app, "olga", &over.text).await.status, 401);
    assert_eq!(program.get("/credentials").await.status, 401);
    let lifted = token(&app, olga, Scope::Write, 1);
    let program = Program::by(&app, "olga", &lifted.text).await;
    crate::support::sql::run(&app, "UPDATE api_tokens SET scope = 'destinations' WHERE scope = 'write'");
    assert_eq!(log_in(&app, "olga", &lifted.text).await.status, 401);
    assert_eq!(program.get("/credentials").await.status, 401);
    assert!(!events(&app, "user.integrity_failure").is_empty());
}

#[actix_web::test]
async fn a_session_is_renewed_and_a_forged_one_is_none() {
    let app = TestApp::start();
    let program = Program::new(&app, Role::Operator, Scope::Read).await;
    let page = program.get("/authenticate/renew").await;
    assert_eq!(page.status, 200, "{}", page.body);
    let renewed = Program { app: &app, session: value(&page)["token"].as_str().expect("a token").to_owned() };
    assert_eq!(renewed.get("/credentials").await.status, 200);
    let parts: Vec<&str> = program.session.split('.').collect();
    let none = "eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0";
    for forged in [
        format!("{none}.{}.", parts[1]),
        format!("{}.{}.{}", parts[0], parts[1], "A".repeat(43)),
        format!("{}.{}", parts[0], parts[1]),
        String::new(),
        "x".repeat(5_000),
    ] {
        let forged = Program { app: &app, session: forged };
        assert_eq!(forged.get("/credentials").await.status, 401);
        assert_eq!(forged.get("/authenticate/renew").await.status, 401);
    }
}
