//! Rows that somebody changed beside Strongroom: their use is refused before anything is sent.

use super::{Form, actions, basic, ended, scan_now};
use crate::support::app::TestApp;
use crate::support::peers::scripted::{Reply, Scripted};
use crate::support::sql;

const SECRET: &str = "CANARY-51cc09";

#[actix_web::test]
async fn an_integration_changed_in_the_database_sends_nothing() {
    let sink = Scripted::start(|_| Reply::json(serde_json::json!({}))).await;
    let app = TestApp::start();
    let credential = basic(&app, "robot", "robot", SECRET);
    let mut visit = app.administrator();
    let id = Form::new("mirror", "http://127.0.0.1:1").with("credential", credential).add(&mut visit).await;
    ended(&app, id).await;
    for change in [
        format!("UPDATE usages SET host = '{}'", sink.url()),
        format!("UPDATE integrations SET settings = replace(settings, 'http://127.0.0.1:1', '{}')", sink.url()),
        format!(
            "UPDATE usages SET host = '{0}'; UPDATE integrations SET settings = '{{\"registry\":\"{0}\"}}'",
            sink.url()
        ),
    ] {
        sql::run(&app, "CREATE TABLE kept AS SELECT i.id, host, settings FROM integrations i, usages");
        sql::run(&app, &change);
        let run = scan_now(&app, &mut visit, id).await;
        assert_eq!((run.state.word(), run.failed_step.as_deref()), ("failed", Some("Checking the integration")));
        let page = visit.get(&format!("/integrations/{id}")).await;
        assert_eq!(page.status, 200);
        assert!(page.text("#failure").contains("nothing was sent"), "{change}");
        assert!(page.text(".notice.is-bad").starts_with("Integrity error"), "{change}");
        sql::run(&app, "UPDATE integrations SET settings = k.settings FROM kept k");
        sql::run(&app, "UPDATE usages SET host = k.host FROM kept k");
        sql::run(&app, "DROP TABLE kept");
    }
    assert!(sink.seen().is_empty());
    let refusals = actions(&app, Some(id.0)).iter().filter(|a| *a == "integration.integrity_failure").count();
    assert_eq!(refusals, 3);
    // Put back as it was, it works again.
    assert_eq!(scan_now(&app, &mut visit, id).await.failed_step.as_deref(), Some("Signing in"));
}

#[actix_web::test]
async fn an_edit_of_a_changed_row_is_refused_so_that_it_does_not_become_genuine() {
    let app = TestApp::start();
    let mut visit = app.administrator();
    let id = Form::new("mirror", "http://127.0.0.1:1").add(&mut visit).await;
    ended(&app, id).await;
    sql::run(&app, "UPDATE usages SET host = 'evil.example'");
    let form = Form::new("mirror", "http://127.0.0.1:1").with("row_version", "1");
    let page = form.post(&mut visit, &format!("/integrations/{id}/edit")).await;
    assert_eq!(page.status, 409);
    assert_eq!(visit.post(&format!("/integrations/{id}/activation"), &[("active", "")]).await.status, 409);
    assert_eq!(visit.post(&format!("/integrations/{id}/delete"), &[]).await.status, 303);
}

#[actix_web::test]
async fn a_credential_changed_in_the_database_is_put_aside_and_others_work() {
    let sink = Scripted::start(|_| Reply::status(404)).await;
    let app = TestApp::start();
    let (bad, good) = (basic(&app, "bad", "robot", SECRET), basic(&app, "good", "robot", SECRET));
    let mut visit = app.administrator();
    let of_bad = Form::new("a", "http://127.0.0.1:1").with("credential", bad).add(&mut visit).await;
    let of_good = Form::new("b", &sink.url()).with("credential", good).add(&mut visit).await;
    ended(&app, of_bad).await;
    ended(&app, of_good).await;
    let before = sink.seen().len();
    // The envelope of one row put into another.
    sql::run(
        &app,
        &format!(
            "UPDATE secrets SET payload = g.payload, wrapped_dek = g.wrapped_dek FROM secrets g
             WHERE g.credential_id = '{good}' AND secrets.credential_id = '{bad}'"
        ),
    );
    let run = scan_now(&app, &mut visit, of_bad).await;
    assert_eq!(run.failed_step.as_deref(), Some("Opening the credential"));
    assert!(run.error.unwrap().contains("page says what to do"));
    assert!(actions(&app, Some(bad.0)).contains(&"credential.integrity_failure".to_owned()));
    let row = strongroom::models::credentials::find(&mut app.connect(), &app.services.vault, bad).unwrap().into_shown();
    assert!(row.integrity_failed_at.is_some());
    scan_now(&app, &mut visit, of_good).await;
    assert!(sink.seen().len() > before);
}
