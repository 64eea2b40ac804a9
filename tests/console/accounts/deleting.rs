//! A user who is deleted: out at once, gone from the lists, and never taken for somebody else.

use super::*;
use crate::login::log_in;
use crate::support::app::PASSWORD;
use crate::support::sql;

async fn delete(visit: &mut Visit, id: UserId, name: &str) -> Page {
    visit.post(&format!("/users/{id}/delete"), &[("name", name)]).await
}

#[actix_web::test]
async fn a_deleted_user_is_out_and_the_name_stays_theirs() {
    let app = TestApp::start();
    let (mut ada, grace) = (app.administrator(), app.add_user("Grace", Role::Operator));
    let mut session = app.session_of(grace);
    assert_eq!(ada.post(&format!("/users/{grace}/email"), &[("email", "grace@example.com")]).await.status, 303);
    let page = ada.get(&format!("/users/{grace}/delete")).await;
    assert!(page.status == 200 && page.has("#name"));
    let page = delete(&mut ada, grace, "grac").await;
    assert_eq!(
        (page.status, page.has("#name-error"), page.attributes("#name", "value")),
        (422, true, vec!["grac".into()])
    );
    assert_eq!(session.get("/account").await.status, 200);
    let page = delete(&mut ada, grace, "grace").await;
    assert_eq!((page.status, page.location()), (303, "/users"));
    assert_eq!(session.get("/account").await.status, 302);
    assert_eq!(log_in(&mut app.visitor(), "grace", PASSWORD).await.status, 422);
    assert_eq!(ada.get("/users").await.texts("tbody th a"), ["ada"]);
    let again = [("username", "grace"), ("role", "auditor")];
    let page = ada.post("/users/new", &again).await;
    assert_eq!((page.status, page.has("#username-error")), (422, true));
    assert_eq!(ada.post("/account/email", &[("email", "grace@example.com")]).await.status, 303, "the address is free");
    assert!(ada.get(&format!("/users/{grace}")).await.has("[data-deleted]"));
    let history = ada.get(&format!("/audit?subject={grace}")).await;
    assert!(history.body.contains("deleted the user") && history.body.contains("Grace"));
    assert_eq!(delete(&mut ada, grace, "grace").await.status, 404);
    assert_eq!(ada.post(&format!("/users/{grace}/disabled"), &[("disabled", "off")]).await.status, 404);
}

#[actix_web::test]
async fn nobody_deletes_themselves_nor_the_last_administrator() {
    let app = TestApp::start();
    let (mut ada, mut eve) = (app.administrator(), app.user("eve", Role::Administrator));
    let id =
        |name: &str| users::find_by_key(&mut app.connect(), &app.services.vault, name).unwrap().unwrap().shown().id;
    let page = delete(&mut ada, id("ada"), "ada").await;
    assert_eq!((page.status, page.has("#name-error")), (422, true));
    futures_util::future::join(delete(&mut ada, id("eve"), "eve"), delete(&mut eve, id("ada"), "ada")).await;
    assert_eq!(sql::count(&app, "users WHERE deleted_at IS NULL"), 1);
}

#[actix_web::test]
async fn a_deleted_user_is_not_brought_back_by_sql() {
    let app = TestApp::start();
    let (mut ada, grace) = (app.administrator(), app.add_user("grace", Role::Operator));
    sql::run(&app, "CREATE TABLE kept AS SELECT * FROM users WHERE name = 'grace'");
    assert_eq!(delete(&mut ada, grace, "grace").await.status, 303);
    sql::run(&app, "UPDATE users SET deleted_at = NULL, disabled = false WHERE name = 'grace'");
    assert_eq!(log_in(&mut app.visitor(), "grace", PASSWORD).await.status, 422);
    // The whole row of before.
    sql::run(
        &app,
        "UPDATE users u SET password_payload = k.password_payload, password_wrapped_dek = k.password_wrapped_dek,
             password_version = k.password_version, row_version = k.row_version, row_mac = k.row_mac
         FROM kept k WHERE k.id = u.id; DROP TABLE kept",
    );
    assert_eq!(log_in(&mut app.visitor(), "grace", PASSWORD).await.status, 422);
}

#[actix_web::test]
async fn what_a_deleted_user_looked_after_is_said_and_their_alerts_are_free() {
    let app = TestApp::start();
    let (mut ada, grace) = (app.administrator(), app.add_user("grace", Role::Operator));
    let new = [("kind", "basic"), ("name", "robot"), ("username", "robot"), ("password", "a"), ("owner", "grace")];
    assert_eq!(ada.post("/credentials", &new).await.status, 303);
    let alert = uuid::Uuid::now_v7();
    sql::run(
        &app,
        &format!(
            "INSERT INTO alerts (id, trigger, subject_kind, subject_id, subject_name, stage, acknowledged_at,
                 acknowledged_by) VALUES ('{alert}', 'lockout', 'user', '{alert}', 'somebody', 3, now(), 'grace')"
        ),
    );
    let page = ada.get(&format!("/users/{grace}/delete")).await;
    assert_eq!(page.attributes("[data-owned] a", "href"), ["/credentials?owner=grace"]);
    assert_eq!(delete(&mut ada, grace, "grace").await.status, 303);
    assert_eq!(sql::count(&app, "alerts WHERE acknowledged_by IS NOT NULL"), 0);
    assert_eq!(sql::count(&app, "credentials WHERE owner = 'grace'"), 1);
    assert_eq!(sql::count(&app, "events WHERE action = 'user.deleted' AND detail LIKE '1 open alert%'"), 1);
}
