//! Editing: what is kept, what starts the clock, who comes second.

use super::{actions, add, add_of, edit, execute, row, stored, version};
use crate::support::app::TestApp;

const FIRST: &str = "first secret";

#[actix_web::test]
async fn a_blank_secret_keeps_the_stored_one_and_opens_nothing() {
    let app = TestApp::start();
    let mut visit = app.administrator();
    let id = add(&mut visit, "robot").await;
    let before = row(&app, id);
    let fields = [("name", "renamed"), ("description", "new"), ("username", "robot"), ("password", "")];
    let page = edit(&mut visit, id, &fields).await;
    assert_eq!((page.status, page.location()), (303, format!("/credentials/{id}").as_str()));
    let after = row(&app, id);
    assert_eq!(stored(&app, id).get("password"), FIRST);
    assert_eq!((after.name.as_str(), after.note.as_str()), ("renamed", "new"));
    assert_eq!((after.secret_set_at, after.secret_version), (before.secret_set_at, before.secret_version));
    assert_eq!(actions(&app, id), ["credential.created", "credential.edited"]);
    assert!(page.header("set-cookie").starts_with("notice=saved"));
}

#[actix_web::test]
async fn a_new_secret_starts_the_clock_again_and_the_same_one_does_not() {
    let app = TestApp::start();
    let mut visit = app.administrator();
    let id = add(&mut visit, "robot").await;
    let before = row(&app, id);
    let fields = |password| [("name", "robot"), ("username", "robot"), ("password", password)];
    assert_eq!(edit(&mut visit, id, &fields(FIRST)).await.status, 303);
    assert_eq!(row(&app, id).secret_set_at, before.secret_set_at);
    assert_eq!(edit(&mut visit, id, &fields("second secret")).await.status, 303);
    let after = row(&app, id);
    assert!(after.secret_set_at > before.secret_set_at);
    assert_eq!(after.secret_version, before.secret_version + 1);
    assert_eq!(stored(&app, id).get("password"), "second secret");
    let trail = actions(&app, id);
    assert_eq!(trail.iter().filter(|action| *action == "credential.opened").count(), 2);
}

#[actix_web::test]
async fn a_setting_beside_the_secret_is_saved_without_starting_the_clock() {
    let app = TestApp::start();
    let mut visit = app.administrator();
    let (_, sample) = super::samples::all("token").into_iter().find(|(kind, _)| *kind == "gcp").expect("a sample");
    let mut fields = vec![("kind", "gcp"), ("name", "project")];
    fields.extend(sample.iter().map(|(name, value)| (*name, value.as_str())));
    let id = add_of(&mut visit, &fields).await;
    let before = (row(&app, id), stored(&app, id));
    let page = edit(&mut visit, id, &[("name", "project"), ("level", "project")]).await;
    assert_eq!(page.status, 303, "{:?}", page.texts(".error-summary"));
    let after = (row(&app, id), stored(&app, id));
    assert_eq!(after.1.get("level"), "project");
    assert_eq!(after.1.get("service_account"), before.1.get("service_account"));
    assert_eq!(after.0.secret_set_at, before.0.secret_set_at);
    assert_eq!(after.0.secret_version, before.0.secret_version + 1);
}

#[actix_web::test]
async fn a_changed_identity_asks_for_the_secret_again() {
    let app = TestApp::start();
    let mut visit = app.administrator();
    let id = add(&mut visit, "robot").await;
    let page = edit(&mut visit, id, &[("name", "robot"), ("username", "somebody"), ("password", "")]).await;
    assert_eq!(page.status, 422);
    assert!(page.text("#password-error").contains("has changed"));
    assert_eq!(page.attributes("#username", "value"), ["somebody"]);
    assert_eq!(stored(&app, id).get("username"), "robot");
    let page = edit(&mut visit, id, &[("name", "robot"), ("username", "somebody"), ("password", "other")]).await;
    assert_eq!(page.status, 303);
    assert_eq!(row(&app, id).identity, "somebody");
}

#[actix_web::test]
async fn the_form_shows_what_is_stored_but_no_secret_and_writes_nothing() {
    let app = TestApp::start();
    let mut visit = app.administrator();
    let id = add(&mut visit, "robot").await;
    let page = visit.get(&format!("/credentials/{id}/edit")).await;
    assert_eq!(page.text("h1"), "Edit robot");
    assert_eq!(page.attributes("#username", "value"), ["robot"]);
    assert!(page.attributes("#password", "placeholder")[0].contains("leave blank to keep"));
    assert!(page.attributes("#password", "value").is_empty());
    assert!(!page.body.contains(FIRST));
    assert_eq!(actions(&app, id), ["credential.created"]);
}

#[actix_web::test]
async fn another_subtype_may_be_chosen_while_editing() {
    let app = TestApp::start();
    let mut visit = app.administrator();
    let fields = [
        ("kind", "aws"),
        ("name", "key"),
        ("method", "access_key"),
        ("access_key_id", "AKIAIOSFODNN7EXAMPLE"),
        ("secret_access_key", "wJalrXUtnFEMIzK7MDENGzbPxRfiCYEXAMPLEKEY"),
    ];
    let id = add_of(&mut visit, &fields).await;
    let fragment = visit.fragment(&format!("/credentials/{id}/edit?method=access_key")).await;
    assert_eq!(fragment.attributes("#access_key_id", "value"), ["AKIAIOSFODNN7EXAMPLE"]);
    let fragment = visit.fragment(&format!("/credentials/{id}/edit?method=iam_role")).await;
    assert!(fragment.has("#role_arn") && !fragment.has("#access_key_id"));
    let page = edit(&mut visit, id, &[("name", "key"), ("method", "iam_role")]).await;
    assert_eq!(page.status, 303, "{:?}", page.texts(".error-summary"));
    assert!(!stored(&app, id).contains("secret_access_key"));
    assert!(!row(&app, id).ages);
}

#[actix_web::test]
async fn the_second_of_two_tabs_sees_both_versions_and_loses_nothing() {
    let app = TestApp::start();
    let mut visit = app.administrator();
    let mut other = app.user("grace", strongroom::accounts::Role::Operator);
    let id = add(&mut visit, "robot").await;
    let seen = version(&mut visit, id).await;
    let theirs = [("name", "robot"), ("description", "from Grace"), ("username", "robot"), ("password", "")];
    assert_eq!(edit(&mut other, id, &theirs).await.status, 303);
    let mine = [
        ("row_version", seen.as_str()),
        ("name", "robot two"),
        ("description", "from Ada"),
        ("username", "robot"),
        ("password", "typed secret"),
    ];
    let page = visit.post(&format!("/credentials/{id}/edit"), &mine).await;
    assert_eq!(page.status, 409);
    let sides = page.texts(".compare section");
    assert!(sides[0].contains("Saved by grace") && sides[0].contains("from Grace"));
    assert!(sides[1].contains("robot two") && sides[1].contains("from Ada") && sides[1].contains("not shown"));
    assert!(!page.body.contains("typed secret") && !page.body.contains(FIRST));
    assert_eq!(row(&app, id).note, "from Grace");
    // On with mine, on top of theirs.
    let mut fields: Vec<(String, String)> = Vec::new();
    for name in page.attributes("main form input", "name") {
        let value = page.attributes(&format!("main form input[name={name}]"), "value").remove(0);
        fields.push((name, value));
    }
    for name in page.attributes("main form textarea", "name") {
        fields.push((name.clone(), page.text(&format!("main form textarea[name={name}]"))));
    }
    let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let form = visit.post(&format!("/credentials/{id}/edit"), &fields).await;
    assert_eq!(form.status, 200);
    assert_eq!(form.attributes("#name", "value"), ["robot two"]);
    assert_eq!(form.text("#description"), "from Ada");
    let newer = form.attributes("input[name=row_version]", "value").remove(0);
    let mut again = mine;
    again[0].1 = &newer;
    assert_eq!(visit.post(&format!("/credentials/{id}/edit"), &again).await.status, 303);
    assert_eq!((row(&app, id).note.as_str(), stored(&app, id).get("password")), ("from Ada", "typed secret"));
}

#[actix_web::test]
async fn an_edit_that_names_no_version_or_a_field_too_many_is_refused() {
    let app = TestApp::start();
    let mut visit = app.administrator();
    let id = add(&mut visit, "robot").await;
    let path = format!("/credentials/{id}/edit");
    for version in ["", "x", "1.5", "99999999999999999999"] {
        let fields = [("row_version", version), ("name", "x"), ("username", "robot")];
        assert_eq!(visit.post(&path, &fields).await.status, 422, "{version}");
    }
    let page = edit(&mut visit, id, &[("name", "x"), ("username", "robot"), ("secret_version", "7")]).await;
    assert_eq!(page.status, 422);
    assert_eq!(row(&app, id).name, "robot");
}

#[actix_web::test]
async fn a_name_that_is_taken_is_refused_on_its_field() {
    let app = TestApp::start();
    let mut visit = app.administrator();
    let id = add(&mut visit, "robot").await;
    add(&mut visit, "other").await;
    let page = edit(&mut visit, id, &[("name", "OTHER"), ("username", "robot"), ("password", "new secret")]).await;
    assert_eq!(page.status, 422);
    assert!(page.text("#name-error").contains("already"));
    assert!(!page.body.contains("new secret"));
    assert_eq!(stored(&app, id).get("password"), FIRST);
}

#[actix_web::test]
async fn a_credential_that_is_gone_cannot_be_saved() {
    let app = TestApp::start();
    let mut visit = app.administrator();
    let id = add(&mut visit, "robot").await;
    execute(&app, &format!("DELETE FROM credentials WHERE id = '{id}'"));
    let fields = [("row_version", "1"), ("name", "robot"), ("username", "robot"), ("password", "p")];
    assert_eq!(visit.post(&format!("/credentials/{id}/edit"), &fields).await.status, 404);
}
