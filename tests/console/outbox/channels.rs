//! What people do with a channel: mend it, and decide about what waits there.

use super::*;

#[actix_web::test]
async fn a_channel_stays_what_it_is_and_so_does_a_scan() {
    let splunk = Splunk::start();
    let app = TestApp::start();
    let id = splunk.add(&app);
    let mut visit = app.administrator();
    let edit = visit.get(&format!("/integrations/{id}/edit?version=docker_v2")).await;
    assert_eq!(edit.attributes("#version option", "value"), ["splunk"], "no other is offered");
    let version = edit.attributes("input[name=row_version]", "value").remove(0);
    for other in ["docker_v2", "slack"] {
        let fields = [("name", "x"), ("version", other), ("registry", "https://r.example"), ("row_version", &version)];
        let page = visit.post(&format!("/integrations/{id}/edit"), &fields).await;
        assert_eq!(page.status, 422, "{other}");
        assert!(!page.text("#version-error").is_empty(), "{other}");
    }
    let row = integrations::find(&mut app.connect(), &app.services.vault, id).unwrap().into_shown();
    assert_eq!((row.family.as_str(), row.version.as_str()), ("alert_profile", "splunk"));
}

#[actix_web::test]
async fn all_that_waits_at_a_channel_is_tried_again_or_given_up_at_once() {
    let pagerduty = PagerDuty::start();
    let app = TestApp::start_with(&[&pagerduty.setting()]);
    let id = pagerduty.add(&app);
    pagerduty.0.say(Said::json(400, &json!({"status": "invalid event", "errors": ["no"]})));
    access_keys(&app, 5, "91 days");
    look_now(&app);
    until("all are refused", || (count(&app, "deliveries WHERE state = 'parked'") == 5).then_some(())).await;
    let mut visit = app.administrator();
    let path = format!("/integrations/{id}/undelivered");
    assert_eq!(visit.post(&path, &[("decision", "retry")]).await.status, 303);
    until("all are refused again", || (pagerduty.0.calls().len() == 10).then_some(())).await;
    until("and wait again", || (count(&app, "deliveries WHERE state = 'parked'") == 5).then_some(())).await;
    assert_eq!(visit.post(&path, &[("decision", "drop")]).await.status, 303);
    assert_eq!(count(&app, "deliveries WHERE state = 'dropped'"), 5);
    assert_eq!(visit.post(&path, &[("decision", "drop")]).await.status, 409, "nothing waits any more");
    look_now(&app);
    until("its alert is closed", || {
        (count(&app, "alerts WHERE trigger = 'delivery' AND closed_at IS NOT NULL") == 1).then_some(())
    })
    .await;
}

#[actix_web::test]
async fn a_channel_that_is_off_says_that_what_it_has_waits() {
    let splunk = Splunk::start();
    let app = TestApp::start();
    let id = splunk.add(&app);
    let mut visit = app.administrator();
    splunk.0.say(Said::Half);
    access_key(&app, "prod-ci", "91 days");
    look_now(&app);
    until("it is tried", || (count(&app, "channels WHERE misses > 0") == 1).then_some(())).await;
    visit.post(&format!("/integrations/{id}/activation"), &[("active", "")]).await;
    let page = visit.get(&format!("/integrations/{id}")).await;
    assert_eq!(count(&app, "channels WHERE misses = 0"), 1, "switching starts again");
    assert!(page.text("#held").contains("a message waits until it is switched on"), "{}", page.text("main"));
    let test = visit.post(&format!("/integrations/{id}/test-alert"), &[]).await;
    assert_eq!(test.status, 409);
    assert!(test.text("main").contains("switched off"), "{}", test.text("main"));
}

#[actix_web::test]
async fn the_lists_say_when_a_channel_last_delivered() {
    let splunk = Splunk::start();
    let app = TestApp::start();
    splunk.add(&app);
    let mut visit = app.administrator();
    assert!(visit.get("/integrations").await.text("tbody").contains("Nothing sent yet"));
    access_key(&app, "prod-ci", "91 days");
    look_now(&app);
    until("it is told", || (splunk.events().len() == 1).then_some(())).await;
    quiet(&app).await;
    let row = visit.get("/integrations").await.text("tbody");
    assert!(row.contains("Delivered") && row.contains("just now"), "{row}");
}

#[actix_web::test]
async fn what_cannot_be_sent_is_refused_at_the_form() {
    let app = TestApp::start();
    let token = credential(&app, &credentials::api_token::KIND, "Bot", &[("token", "xoxb-0123456789")]).to_string();
    let login = [("username", "robot"), ("password", "a-long-password")];
    let login = credential(&app, &credentials::basic::KIND, "Login", &login).to_string();
    let mut visit = app.administrator();
    let slack = [("name", "a"), ("version", "slack"), ("credential", token.as_str()), ("on_stale", "on")];
    let page = visit.post("/integrations", &slack).await;
    assert_eq!((page.status, page.text("#channel-error").is_empty()), (422, false));
    let mail = [
        ("name", "b"),
        ("version", "email"),
        ("host", "127.0.0.1"),
        ("port", "25"),
        ("tls", "none"),
        ("from", "strongroom@example.com"),
        ("credential", login.as_str()),
    ];
    let page = visit.post("/integrations", &mail).await;
    assert_eq!((page.status, page.text("#tls-error").is_empty()), (422, false));
    assert_eq!(count(&app, "integrations"), 0);
}
