//! What is stored of a password: at today's cost after the next login, and worth nothing where Strongroom did not write
//! it.

use strongroom::accounts::Role;
use strongroom::models::users;

use super::log_in;
use crate::support::app::{PASSWORD, TestApp, quick_hash};
use crate::support::sql;

fn stored(app: &TestApp, name: &str) -> String {
    let user = users::find_by_key(&mut app.connect(), &app.services.vault, name).unwrap().unwrap();
    let user = user.trust().expect("the row is whole");
    let opened = app.services.vault.open(&user.password_context(), &user.sealed_password()).expect("it opens");
    String::from_utf8(opened.to_vec()).unwrap()
}

#[actix_web::test]
async fn a_weak_hash_is_made_anew_at_the_next_login_and_no_session_ends() {
    let app = TestApp::start();
    let mut before = app.user("ada", Role::Administrator);
    assert_eq!(stored(&app, "ada"), quick_hash());
    assert_eq!(log_in(&mut app.visitor(), "ada", "wrong password").await.status, 422);
    assert_eq!(stored(&app, "ada"), quick_hash(), "a wrong password changes nothing");
    let mut visit = app.visitor();
    assert_eq!(log_in(&mut visit, "ada", PASSWORD).await.status, 303);
    let strong = stored(&app, "ada");
    assert!(strong.starts_with("$argon2id$v=19$m=65536,t=3,p=1$"), "{strong}");
    for visit in [&mut before, &mut visit] {
        assert_eq!(visit.get("/account").await.status, 200);
    }
    assert_eq!(log_in(&mut app.visitor(), "ada", PASSWORD).await.status, 303);
    assert_eq!(stored(&app, "ada"), strong, "once is enough");
    assert_eq!(sql::count(&app, "events WHERE action = 'user.password_rehashed'"), 1);
}

#[actix_web::test]
async fn a_new_hash_never_overtakes_a_changed_password() {
    let app = TestApp::start();
    let id = app.add_user("ada", Role::Administrator);
    let (mut connection, vault) = (app.connect(), app.services.vault.clone());
    let actor = strongroom::models::events::Actor::command_line();
    let checked = users::find(&mut connection, &vault, id).unwrap().trust().unwrap();
    let change = users::Change::Password("$new".to_owned());
    users::change(&mut connection, &vault, &actor, id, &change, None).unwrap();
    let late = users::rehash(&mut connection, &vault, &actor, checked, "$old");
    assert_eq!(late.err(), Some(strongroom::models::DbError::Stale));
    assert_eq!(stored(&app, "ada"), "$new");
}

#[actix_web::test]
async fn a_user_that_was_written_into_the_database_cannot_log_in() {
    let app = TestApp::start();
    app.add_user("ada", Role::Administrator);
    let forge = "CREATE TEMP TABLE forged AS SELECT * FROM users WHERE name = 'ada';
         UPDATE forged SET id = gen_random_uuid(), name = 'eve', name_key = 'eve';
         INSERT INTO users SELECT * FROM forged";
    diesel::connection::SimpleConnection::batch_execute(&mut app.connect(), forge).expect("the database takes it");
    assert_eq!(sql::count(&app, "users WHERE name = 'eve'"), 1);
    assert_eq!(log_in(&mut app.visitor(), "eve", PASSWORD).await.status, 422);
    let forged = users::find_by_key(&mut app.connect(), &app.services.vault, "eve").unwrap().unwrap();
    assert!(forged.trust().is_err(), "so no session can be made for it");
    assert_eq!(log_in(&mut app.visitor(), "ada", PASSWORD).await.status, 303);
}
