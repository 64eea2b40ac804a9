//! The Test button of a saved credential, on its page and on its edit form: what is opened, recorded and shown of it.

use strongroom::accounts::Role;
use strongroom::checkup;
use strongroom::models::events::Actor;
use strongroom::providers::probe::{Finding, Verdict};

use super::{CANARY, add_certificate, borrowed, certificate, last, pressed, sample};
use crate::credentials::{actions, add, add_of, doubt, execute, row, stored, version};
use crate::support::app::{Page, TestApp};

#[actix_web::test]
async fn a_test_of_a_saved_credential_is_recorded_and_audited() {
    let app = TestApp::start();
    let mut visit = app.user("olga", Role::Operator);
    let id = add_certificate(&mut visit, "pair").await;
    assert_eq!(visit.get(&format!("/credentials/{id}")).await.text("#test-result"), "Not tested yet.");
    let page = visit.post(&format!("/credentials/{id}/test"), &[]).await;
    assert_eq!((page.status, page.text("h1")), (200, "pair".to_owned()));
    assert_eq!(page.text("#test-result .badge"), "Works");
    assert!(page.text("#test-result").contains("by olga"));
    assert!(!page.body.contains("PRIVATE KEY"));
    let recorded = last(&app, id).expect("a record");
    assert_eq!((recorded.verdict.as_str(), recorded.by.as_str()), ("ok", "olga"));
    assert_eq!(actions(&app, id), ["credential.created", "credential.opened", "credential.tested"]);
    assert_eq!(doubt(&app, id), None);
    let fragment = pressed(&mut visit, &format!("/credentials/{id}/test"), &[]).await;
    assert_eq!(fragment.text(".finding .badge"), "Works");
    assert!(!fragment.body.contains("<h1"));
    // Shown from then on, to everybody.
    let mut auditor = app.user("otto", Role::Auditor);
    let page = auditor.get(&format!("/credentials/{id}")).await;
    assert_eq!(page.text("#test-result .badge"), "Works");
    assert!(page.texts(".timeline li").iter().any(|line| line.starts_with("Tested by olga")));
    let table = auditor.get("/credentials?q=pair").await;
    assert!(table.attributes("#results .state", "title")[0].starts_with("Works, tested"));
    assert!(auditor.get("/audit").await.body.contains("tested the credential"));
}

#[actix_web::test]
async fn a_type_without_a_test_of_its_own_opens_and_records_nothing() {
    let app = TestApp::start();
    let mut visit = app.user("olga", Role::Operator);
    let id = add(&mut visit, "robot").await;
    let page = visit.post(&format!("/credentials/{id}/test"), &[]).await;
    assert_eq!(page.text("#test-result .badge"), "Can't be tested on its own");
    assert_eq!((last(&app, id), actions(&app, id)), (None, vec!["credential.created".to_owned()]));
}

#[actix_web::test]
async fn an_auditor_sees_no_button_and_may_not_test() {
    let app = TestApp::start();
    let id = add_certificate(&mut app.administrator(), "pair").await;
    let mut visit = app.user("otto", Role::Auditor);
    assert!(!visit.get(&format!("/credentials/{id}")).await.texts("main button").contains(&"Test".to_owned()));
    assert_eq!(visit.post(&format!("/credentials/{id}/test"), &[]).await.status, 403);
    assert_eq!(visit.post("/credentials/test", &borrowed(&certificate("pair"))).await.status, 403);
    assert_eq!(last(&app, id), None);
}

#[actix_web::test]
async fn an_edit_form_is_tested_with_the_stored_secret_and_with_what_was_typed() {
    let app = TestApp::start();
    let mut visit = app.administrator();
    let id = add_certificate(&mut visit, "pair").await;
    let version = version(&mut visit, id).await;
    let path = format!("/credentials/{id}/test");
    // Blank: the stored one, opened and audited.
    let page = visit.post(&path, &[("row_version", &version), ("name", "renamed"), ("certificate", "")]).await;
    assert_eq!((page.status, page.text("#test-result .badge")), (200, "Works".to_owned()));
    assert_eq!(page.text("h1"), "Edit pair");
    assert!(page.body.contains("What is stored stays as it is") && !page.body.contains("enter it again"));
    assert_eq!(actions(&app, id), ["credential.created", "credential.opened"]);
    // Typed: nothing is opened.
    let pair = sample("certificate").into_iter().find(|(name, _)| *name == "certificate").expect("a pair").1;
    let fields = [("row_version", version.as_str()), ("name", "renamed"), ("certificate", pair.as_str())];
    let page = visit.post(&path, &fields).await;
    assert_eq!((page.status, page.text("#test-result .badge")), (200, "Works".to_owned()));
    assert_eq!(actions(&app, id).len(), 2);
    assert!(page.body.contains("enter it again before you save"));
    let after = row(&app, id);
    assert_eq!((after.name.as_str(), after.row_version), ("pair", 1), "nothing is saved");
    assert_eq!(last(&app, id), None, "what is on the screen is not what is saved");
    // Somebody saved meanwhile.
    assert_eq!(visit.post(&path, &[("row_version", "7"), ("name", "x")]).await.status, 409);
}

#[actix_web::test]
async fn a_stored_secret_never_goes_to_an_address_that_came_with_the_request() {
    let app = TestApp::start();
    let mut visit = app.administrator();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.set_nonblocking(true).expect("an option");
    let mut fields = vec![("kind", "github_token".to_owned()), ("name", "hub".to_owned())];
    fields.extend(sample("github_token"));
    let id = add_of(&mut visit, &borrowed(&fields)).await;
    let version = version(&mut visit, id).await;
    let elsewhere = format!("https://{}", listener.local_addr().expect("an address"));
    let fields = [("row_version", version.as_str()), ("name", "hub"), ("server_url", &elsewhere), ("token", "")];
    let page = visit.post(&format!("/credentials/{id}/test"), &fields).await;
    assert_eq!(page.status, 422);
    assert!(page.text("#token-error").contains("has changed"), "{:?}", page.texts(".error-summary"));
    assert_eq!(actions(&app, id), ["credential.created"], "nothing was opened");
    assert!(listener.accept().is_err(), "somebody connected");
    assert_eq!(stored(&app, id).get("token"), CANARY);
}

#[actix_web::test]
async fn an_altered_credential_is_not_tested() {
    let app = TestApp::start();
    let mut visit = app.administrator();
    let id = add_certificate(&mut visit, "pair").await;
    execute(&app, &format!("UPDATE credentials SET identity = 'mallory' WHERE id = '{id}'"));
    for _ in 0..2 {
        assert_eq!(visit.post(&format!("/credentials/{id}/test"), &[]).await.status, 409);
    }
    assert!(row(&app, id).integrity_failed_at.is_some());
    assert_eq!(last(&app, id), None);
}

#[actix_web::test]
async fn new_values_are_untested_until_they_are_tested() {
    let app = TestApp::start();
    let mut visit = app.administrator();
    let id = add_certificate(&mut visit, "pair").await;
    visit.post(&format!("/credentials/{id}/test"), &[]).await;
    let first = version(&mut visit, id).await;
    let rename = [("row_version", first.as_str()), ("name", "renamed"), ("certificate", "")];
    let mut fields = sample("certificate");
    fields.retain(|(name, _)| *name == "ca_certificate");
    let mut fields: Vec<(&str, &str)> = borrowed(&fields);
    fields.extend(rename);
    assert_eq!(visit.post(&format!("/credentials/{id}/edit"), &fields).await.status, 303);
    let second = version(&mut visit, id).await;
    let other = sample("certificate");
    let mut fields = borrowed(&other);
    fields.extend([("row_version", second.as_str()), ("name", "renamed")]);
    assert_eq!(visit.post(&format!("/credentials/{id}/edit"), &fields).await.status, 303);
    assert_eq!(last(&app, id), None);
}

#[actix_web::test]
async fn a_failed_test_asks_for_attention_until_one_goes_well() {
    let app = TestApp::start();
    let mut visit = app.administrator();
    let id = add_certificate(&mut visit, "pair").await;
    let quiet = |page: &Page| !page.body.contains("pair");
    assert!(quiet(&visit.get("/alerts").await) && quiet(&visit.get("/").await));
    let found = Finding::new(Verdict::NotTrusted, "The role does not trust this key.", "");
    let actor = Actor::system();
    checkup::record(&app.services, actor, id, 1, &found).await.expect("recorded");
    let page = visit.get("/alerts").await;
    assert_eq!(
        page.attributes("[data-alert] a", "title"),
        ["The test of “pair” failed: The role does not trust this key."]
    );
    assert_eq!(visit.get(&format!("/credentials/{id}")).await.texts(".timeline li.is-bad").len(), 1);
    let page = visit.get("/").await;
    assert!(page.text("[data-need=tests]").contains("pair"), "{}", page.text("main"));
    visit.post(&format!("/credentials/{id}/test"), &[]).await;
    assert!(quiet(&visit.get("/alerts").await) && quiet(&visit.get("/").await));
}

#[actix_web::test]
async fn an_expiry_that_the_provider_told_is_kept_in_the_row_without_disturbing_an_edit() {
    let app = TestApp::start();
    let mut visit = app.administrator();
    let fields = [("kind", "gitlab_token"), ("name", "lab"), ("token", CANARY)];
    let id = add_of(&mut visit, &fields).await;
    let version = version(&mut visit, id).await;
    let mut found = Finding::ok("The token works.");
    let told = row(&app, id).created_at + chrono::Duration::days(9) + chrono::Duration::nanoseconds(7);
    found.expires_at = Some(told);
    let actor = Actor::system();
    checkup::record(&app.services, actor.clone(), id, 1, &found).await.expect("recorded");
    let after = row(&app, id);
    assert_eq!(after.expires_at.map(|at| at.timestamp()), Some(told.timestamp()));
    assert_eq!(doubt(&app, id), None);
    assert!(visit.get("/credentials?state=expiring").await.body.contains("lab"));
    // The edit that was under way goes through.
    let fields = [("row_version", version.as_str()), ("name", "renamed"), ("token", "")];
    assert_eq!(visit.post(&format!("/credentials/{id}/edit"), &fields).await.status, 303);
    assert!(row(&app, id).expires_at.is_some());
    // A test of values that are no longer saved changes nothing.
    found.expires_at = None;
    checkup::record(&app.services, actor, id, 7, &Finding::ok("Late.")).await.expect("told");
    assert_eq!(last(&app, id).expect("the first").sentence, "The token works.");
}
