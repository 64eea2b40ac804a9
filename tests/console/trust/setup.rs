//! F1: the console is set up once.

use strongroom::accounts::tokens;
use strongroom::models::logins::{self, Setup};

use super::{alerts, keep, look};
use crate::support::app::{PASSWORD, TestApp};
use crate::support::sql;

const FIELDS: [(&str, &str); 3] =
    [("username", "mallory"), ("password", "mallory-is-here-1!x"), ("password_again", "mallory-is-here-1!x")];

#[actix_web::test]
async fn a_set_up_link_that_was_written_by_sql_makes_no_administrator() {
    let app = TestApp::start();
    let forged = "INSERT INTO setup_links VALUES (sha256('attackerchosen'::bytea), now() + interval '1 hour',
        decode(repeat('02', 33), 'hex'))";
    sql::run(&app, forged);
    let fields = [&FIELDS[..], &[("token", "attackerchosen")]].concat();
    assert_eq!(app.visitor().post("/setup", &fields).await.status, 404);
    assert_eq!(sql::count(&app, "users"), 0);
}

#[actix_web::test]
async fn no_link_sets_the_console_up_again_once_there_was_a_user() {
    let app = TestApp::start();
    app.administrator();
    keep(&app, "users");
    sql::run(&app, "DELETE FROM users");
    // Even a link of Strongroom's own.
    let token = tokens::new_token();
    logins::offer_setup(&mut app.connect(), &app.services.vault, &tokens::hash(&token), 30).expect("a link");
    let fields = [&FIELDS[..], &[("token", token.as_str())]].concat();
    assert_eq!(app.visitor().post("/setup", &fields).await.status, 404);
    assert_eq!(logins::setup(&mut app.connect()), Ok(Setup::UsersGone));
    look(&app);
    assert_eq!(alerts(&app), ["the users"]);
    assert!(app.visitor().get("/login").await.has("[data-users-gone]"));
    super::insert_back(&app, "users");
    let login = [("username", "ada"), ("password", PASSWORD)];
    assert_eq!(app.visitor().post("/login", &login).await.status, 303);
    look(&app);
    assert_eq!(alerts(&app), [""; 0]);
}
