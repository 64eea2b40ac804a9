//! Destination binding: a stored secret reaches a new host only when somebody with the password says so.

use strongroom::models::IntegrationId;

use super::{Form, actions, basic, ended, forget_password, row};
use crate::support::app::{PASSWORD, TestApp, Visit};
use crate::support::peers::certificates::Authority;
use crate::support::peers::registry::{Auth, Registry};
use crate::support::peers::scripted::{Reply, Scripted};

const SECRET: &str = "CANARY-19ab77";

async fn sink() -> Scripted {
    Scripted::start(|_| Reply::json(serde_json::json!({}))).await
}

async fn row_version(visit: &mut Visit, id: IntegrationId) -> String {
    visit.get(&format!("/integrations/{id}/edit")).await.attributes("[name=row_version]", "value").remove(0)
}

#[actix_web::test]
async fn a_new_host_for_a_stored_secret_asks_for_the_password_unless_it_was_just_given() {
    let (app, sink) = (TestApp::start(), sink().await);
    let credential = basic(&app, "robot", "robot", SECRET);
    let mut visit = app.administrator();
    forget_password(&app);
    let form = Form::new("mirror", &sink.url()).with("credential", credential);
    let page = form.post(&mut visit, "/integrations").await;
    assert_eq!(page.status, 422);
    assert!(page.text("#destination").contains("would get the stored secret of robot"));
    assert!(page.has("#destination input[type=password]#password") && !page.has("#send_to"));
    let page = form.clone().with("password", "wrong").post(&mut visit, "/integrations").await;
    assert_eq!((page.status, page.text("#password-error")), (422, "Wrong password.".to_owned()));
    assert!(sink.seen().is_empty());
    assert_eq!(actions(&app, None).iter().filter(|action| *action == "integration.destination_refused").count(), 2);
    let id = form.clone().with("password", PASSWORD).add(&mut visit).await;
    ended(&app, id).await;
    assert!(actions(&app, Some(id.0)).contains(&"integration.destination_allowed".to_owned()));
    // The host is known by now, and an integration without a credential tells nobody anything.
    form.clone().with("name", "second").add(&mut visit).await;
    Form::new("open", "http://127.0.0.2:1").add(&mut visit).await;
}

#[actix_web::test]
async fn guessing_at_the_password_is_throttled_like_a_login() {
    let (app, sink) = (TestApp::start(), sink().await);
    let credential = basic(&app, "robot", "robot", SECRET);
    let mut visit = app.administrator();
    forget_password(&app);
    let form = Form::new("mirror", &sink.url()).with("credential", credential).with("password", "wrong");
    for _ in 0..5 {
        assert_eq!(form.post(&mut visit, "/integrations").await.status, 422);
    }
    let page = form.with("password", PASSWORD).post(&mut visit, "/integrations").await;
    assert_eq!(page.status, 429);
    assert!(!page.header("retry-after").is_empty());
    assert!(page.text("#password-error").starts_with("Too many"), "{}", page.text("#password-error"));
    assert_eq!(page.attributes("#name", "value"), ["mirror"], "what was typed is still there");
    assert!(sink.seen().is_empty());
}

#[actix_web::test]
async fn an_edit_to_another_host_sends_nothing_until_it_is_said_twice() {
    let peer = Registry::start(Auth::Htpasswd { user: "robot", password: SECRET }).await;
    peer.push_image("app", &["1.0"]).await;
    let (app, sink) = (TestApp::start(), sink().await);
    let credential = basic(&app, "harbor robot", "robot", SECRET);
    let mut visit = app.administrator();
    let id = Form::new("mirror", &peer.url()).with("credential", credential).add(&mut visit).await;
    ended(&app, id).await;
    let (path, host) = (format!("/integrations/{id}/edit"), row(&app, id).host);
    let version = row_version(&mut visit, id).await;
    let form = Form::new("mirror", &sink.url()).with("credential", credential).with("row_version", version);
    // Though the password was given a moment ago.
    let page = form.post(&mut visit, &path).await;
    assert_eq!(page.status, 422);
    let sink_host = format!("http://{}", sink.address);
    assert!(page.text("#destination").contains(&format!("{sink_host} would get the stored secret of harbor robot")));
    assert_eq!(page.text("label[for=send_to]"), format!("Send the stored secret to {sink_host}"));
    assert!(actions(&app, Some(id.0)).contains(&"integration.destination_refused".to_owned()));
    let yes = page.attributes("#send_to", "value").remove(0);

    // The password alone, the box alone, and a box that was ticked for another host are not enough.
    let alone = form.clone().with("password", PASSWORD).post(&mut visit, &path).await;
    assert_eq!((alone.status, alone.has("#send_to-error")), (422, true));
    let alone = form.clone().with("send_to", &yes).post(&mut visit, &path).await;
    assert_eq!((alone.status, alone.has("#password-error")), (422, true));
    let other = form.clone().with("registry", "http://127.0.0.3:1").with("send_to", &yes).with("password", PASSWORD);
    assert_eq!(other.post(&mut visit, &path).await.status, 422);
    let wrong = form.clone().with("send_to", &yes).with("password", "wrong");
    assert_eq!(wrong.post(&mut visit, &path).await.status, 422);
    assert_eq!(row(&app, id).host, host);
    visit.post(&format!("/integrations/{id}/runs"), &[]).await;
    ended(&app, id).await;
    assert!(sink.seen().is_empty());

    let page = form.with("send_to", &yes).with("password", PASSWORD).post(&mut visit, &path).await;
    assert_eq!(page.status, 303);
    assert_eq!(row(&app, id).host, sink_host);
    let trail = actions(&app, Some(id.0));
    assert!(trail.contains(&"integration.destination_allowed".to_owned()));
    visit.post(&format!("/integrations/{id}/runs"), &[]).await;
    super::until("the confirmed host is asked", || (!sink.seen().is_empty()).then_some(())).await;
}

#[actix_web::test]
async fn another_secret_for_the_same_host_is_asked_about_too_and_other_edits_are_not() {
    let (app, sink) = (TestApp::start(), sink().await);
    let (first, second) = (basic(&app, "first", "a", SECRET), basic(&app, "second", "b", SECRET));
    let mut visit = app.administrator();
    let id = Form::new("mirror", &sink.url()).with("credential", first).add(&mut visit).await;
    let path = format!("/integrations/{id}/edit");
    let form = Form::new("mirror", &sink.url()).with("row_version", row_version(&mut visit, id).await);
    assert_eq!(form.clone().with("credential", second).post(&mut visit, &path).await.status, 422);
    let renamed = form.clone().with("name", "renamed").with("credential", first);
    assert_eq!(renamed.post(&mut visit, &path).await.status, 303);
    let form = form.with("row_version", row_version(&mut visit, id).await);
    assert_eq!(form.with("credential", "").post(&mut visit, &path).await.status, 303, "taking it away tells nobody");
}

#[actix_web::test]
async fn another_authority_for_the_same_host_is_asked_about_too() {
    let peer = Registry::start(Auth::Token { user: "robot", password: SECRET }).await;
    let app = TestApp::start();
    let credential = basic(&app, "robot", "robot", SECRET);
    let mut visit = app.administrator();
    let form = Form::new("mirror", &peer.url()).with("credential", credential);
    let id = form.clone().with("ca_certificate", peer.ca_certificate()).add(&mut visit).await;
    let path = format!("/integrations/{id}/edit");
    let form = form.with("row_version", row_version(&mut visit, id).await);
    let page = form.clone().with("ca_certificate", &Authority::new().pem).post(&mut visit, &path).await;
    assert_eq!(page.status, 422);
    assert!(page.text("#destination").contains("under another CA certificate"));
    assert_eq!(form.with("ca_certificate", peer.ca_certificate()).post(&mut visit, &path).await.status, 303);
}

#[actix_web::test]
async fn a_page_warns_when_a_secret_goes_over_plain_http() {
    let (app, sink) = (TestApp::start(), sink().await);
    let credential = basic(&app, "robot", "robot", SECRET);
    let mut visit = app.administrator();
    let open = Form::new("open", &sink.url()).add(&mut visit).await;
    assert!(!visit.get(&format!("/integrations/{open}")).await.has(".notice.is-warn"));
    let id = Form::new("mirror", &sink.url()).with("credential", credential).add(&mut visit).await;
    for path in [format!("/integrations/{id}"), format!("/integrations/{id}/edit")] {
        let page = visit.get(&path).await;
        assert!(page.text(".notice.is-warn").starts_with("Unencrypted (http)"), "{path}");
    }
}
