//! F9 and F10: names, recovery codes and one-time codes of users.

use strongroom::accounts::Role;

use super::{alerts, findings, keep, put_back};
use crate::login::{log_in, two_step};
use crate::support::app::{PASSWORD, TestApp};
use crate::support::sql;

/// F10
#[actix_web::test]
async fn nobody_acts_under_a_name_that_was_written_by_sql() {
    let app = TestApp::start();
    let mut olga = app.user("olga", Role::Operator);
    sql::run(&app, "UPDATE users SET name = 'carol the auditor' WHERE name = 'olga'");
    let fields = [("kind", "api_token"), ("name", "token"), ("token", "TOKEN-1234567890")];
    assert_eq!(olga.post("/credentials", &fields).await.status, 302);
    assert_eq!(sql::count(&app, "events WHERE actor = 'carol the auditor'"), 0);
    assert!(findings(&app).iter().any(|finding| finding.starts_with("users ")));
}

/// F9
#[actix_web::test]
async fn recovery_codes_belong_to_their_user_and_count_once() {
    let app = TestApp::start();
    let (mut otto, mut olga) = (app.user("otto", Role::Auditor), app.user("olga", Role::Auditor));
    let (_, codes) = two_step::set_up(&app, &mut otto).await;
    two_step::set_up(&app, &mut olga).await;
    // Somebody else's.
    keep(&app, "users");
    let copy = "UPDATE users SET recovery_codes = (SELECT recovery_codes FROM users WHERE name = 'otto')
                WHERE name = 'olga'";
    sql::run(&app, copy);
    assert_eq!(log_in(&mut app.visitor(), "olga", PASSWORD).await.status, 422);
    put_back(&app, "users", "id");
    // One that was used.
    let mut visit = app.visitor();
    log_in(&mut visit, "otto", PASSWORD).await;
    assert_eq!(two_step::post_code(&mut visit, &codes[0]).await.status, 303);
    put_back(&app, "users", "id");
    let mut visit = app.visitor();
    assert_eq!(log_in(&mut visit, "otto", PASSWORD).await.status, 422);
    assert!(alerts(&app).contains(&"otto".to_owned()));
}

/// F9
#[actix_web::test]
async fn a_one_time_code_counts_once_whatever_the_table_says() {
    let app = TestApp::start();
    let mut ada = app.administrator();
    let (secret, _) = two_step::set_up(&app, &mut ada).await;
    let digits = two_step::code(&app, &secret, 1);
    let mut visit = app.visitor();
    log_in(&mut visit, "ada", PASSWORD).await;
    keep(&app, "users");
    assert_eq!(two_step::post_code(&mut visit, &digits).await.status, 303);
    sql::run(&app, "UPDATE users SET totp_last_step = 0");
    assert_eq!(log_in(&mut app.visitor(), "ada", PASSWORD).await.status, 422);
    put_back(&app, "users", "id");
    assert_eq!(log_in(&mut app.visitor(), "ada", PASSWORD).await.status, 422);
}
