//! Deletion: refused while in use, confirmed by the name otherwise.

use diesel::prelude::*;
use strongroom::models::schema::credentials;

use super::{actions, add, execute, integrate};
use crate::support::app::TestApp;

#[actix_web::test]
async fn a_credential_in_use_is_not_deleted_and_the_refusal_lists_its_usages() {
    let app = TestApp::start();
    let mut visit = app.administrator();
    let id = add(&mut visit, "robot").await;
    let integrations = ["ecr", "harbor"].map(|name| integrate(&app, name, id));
    execute(&app, &format!("UPDATE integrations SET active = false WHERE id = '{}'", integrations[1]));
    let path = format!("/credentials/{id}/delete");
    let page = visit.get(&path).await;
    assert!(page.text("h1").contains("in use") && !page.has("form[action$='/delete']"));
    let page = visit.post(&path, &[("name", "robot")]).await;
    assert_eq!(page.status, 409);
    assert_eq!(page.text("h2#usages"), "Usages");
    assert_eq!(page.attributes(".list a", "href"), integrations.map(|id| format!("/integrations/{id}")));
    assert!(page.texts(".list li")[0].contains("Registry Scan"));
    assert!(page.texts(".list li")[1].contains("switched off"));
    assert_eq!(actions(&app, id), ["credential.created", "credential.delete_refused"]);
    let there: i64 = credentials::table.find(id).count().get_result(&mut app.connect()).expect("a count");
    assert_eq!(there, 1);
}

#[actix_web::test]
async fn an_unused_credential_is_deleted_once_its_name_is_typed() {
    let app = TestApp::start();
    let mut visit = app.administrator();
    let id = add(&mut visit, "old robot").await;
    let path = format!("/credentials/{id}/delete");
    let page = visit.get(&path).await;
    assert_eq!(page.texts("main form button"), ["Delete"]);
    for wrong in ["", "old", "OLD ROBOT", "old robot!"] {
        let page = visit.post(&path, &[("name", wrong)]).await;
        assert_eq!(page.status, 422, "{wrong}");
        assert!(page.has("#name-error"));
    }
    let page = visit.post(&path, &[("name", " old robot ")]).await;
    assert_eq!((page.status, page.location()), (303, "/credentials"));
    assert!(page.header("set-cookie").starts_with("notice=deleted"));
    assert_eq!(visit.get(&format!("/credentials/{id}")).await.status, 404);
    assert_eq!(visit.post(&path, &[("name", "old robot")]).await.status, 404);
    assert_eq!(actions(&app, id), ["credential.created", "credential.deleted"]);
}

#[actix_web::test]
async fn a_credential_that_changed_after_the_question_is_not_deleted() {
    let app = TestApp::start();
    let mut visit = app.administrator();
    let id = add(&mut visit, "robot").await;
    let path = format!("/credentials/{id}/delete");
    let seen = visit.get(&path).await.attributes("input[name=row_version]", "value").remove(0);
    let fields = [("row_version", seen.as_str()), ("name", "robot"), ("username", "robot"), ("password", "a new one")];
    assert_eq!(visit.post(&format!("/credentials/{id}/edit"), &fields).await.status, 303);
    let page = visit.post(&path, &[("name", "robot"), ("row_version", &seen)]).await;
    assert_eq!(page.status, 409);
    assert!(page.text("#name-error").contains("changed after you opened this page"), "{}", page.text("#name-error"));
    let now = page.attributes("input[name=row_version]", "value").remove(0);
    assert_eq!(visit.post(&path, &[("name", "robot"), ("row_version", &now)]).await.status, 303);
}
