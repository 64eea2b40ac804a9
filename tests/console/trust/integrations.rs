//! Put-back and altered rows of what uses credentials, and of the credentials themselves.

use serde_json::json;
use strongroom::accounts::Role;

use super::{add_scan, alerts, basic, change_password, findings, keep, put_back, settled};
use crate::support::app::TestApp;
use crate::support::peers::scripted::{Reply, Scripted};
use crate::support::sql;

async fn sink() -> Scripted {
    Scripted::start(|_| Reply::json(json!({"repositories": []}))).await
}

/// F3
#[actix_web::test]
async fn an_integration_that_was_put_back_sends_nothing_to_the_former_host() {
    let (former, now) = (sink().await, sink().await);
    let app = TestApp::start();
    let mut ada = app.administrator();
    let robot = basic(&app, "robot", "FIRST-1");
    let id = add_scan(&mut ada, "reg one", &former.url(), robot).await;
    settled(&app).await;
    keep(&app, "integrations");
    let page = format!("/integrations/{id}/edit");
    let version = ada.get(&page).await.attributes("input[name=row_version]", "value").remove(0);
    let (robot_id, host) = (robot.to_string(), now.url());
    let mut fields = vec![
        ("row_version", version.as_str()),
        ("name", "reg one"),
        ("version", "docker_v2"),
        ("registry", host.as_str()),
        ("credential", robot_id.as_str()),
        ("schedule", "off"),
    ];
    let asked = ada.post(&page, &fields).await;
    let ticked = asked.attributes("input[name=send_to]", "value").remove(0);
    fields.extend([("send_to", ticked.as_str()), ("confirm_password", crate::support::app::PASSWORD)]);
    let password = asked.attributes("input[type=password]", "name").remove(0);
    let fields: Vec<(&str, &str)> = fields
        .iter()
        .map(|(name, value)| (if *name == "confirm_password" { &password } else { *name }, *value))
        .collect();
    assert_eq!(ada.post(&page, &fields).await.status, 303);
    assert_eq!(change_password(&mut ada, robot, "SECOND-2").await.status, 303);
    let before = former.seen().len();

    put_back(&app, "integrations", "id");
    ada.post(&format!("/integrations/{id}/runs"), &[]).await;
    settled(&app).await;
    assert_eq!(former.seen().len(), before, "the former host got something");
    let shown = ada.get(&format!("/integrations/{id}")).await;
    assert!(shown.has("[data-doubt]") && shown.text("#failure").contains("nothing was sent"), "{}", shown.text("main"));
    assert_eq!(alerts(&app), ["reg one"]);
    assert!(findings(&app).iter().any(|finding| finding.contains("an older one, put back")), "{:?}", findings(&app));
    // Whoever saves it again has looked at it.
    let version = ada.get(&page).await.attributes("input[name=row_version]", "value").remove(0);
    let fields: Vec<(&str, &str)> =
        fields.iter().map(|(name, value)| (*name, if *name == "row_version" { &*version } else { *value })).collect();
    assert_eq!(ada.post(&page, &fields).await.status, 303);
    ada.post(&format!("/integrations/{id}/runs"), &[]).await;
    settled(&app).await;
    assert!(!now.seen().is_empty() && former.seen().len() == before);
    assert_eq!(alerts(&app), [""; 0]);
}

#[actix_web::test]
async fn a_credential_that_was_put_back_is_not_sent_and_stays_refused() {
    let registry = sink().await;
    let app = TestApp::start();
    let mut ada = app.administrator();
    let robot = basic(&app, "robot", "FIRST-1");
    let id = add_scan(&mut ada, "reg one", &registry.url(), robot).await;
    settled(&app).await;
    keep(&app, "credentials");
    assert_eq!(change_password(&mut ada, robot, "SECOND-2").await.status, 303);
    let before = registry.seen().len();
    put_back(&app, "credentials", "id");
    for _ in 0..2 {
        ada.post(&format!("/integrations/{id}/runs"), &[]).await;
        settled(&app).await;
        assert_eq!(registry.seen().len(), before);
        // The mark of the quarantine is only what the list shows.
        sql::run(&app, "UPDATE credentials SET integrity_failed_at = NULL");
    }
    assert!(ada.get(&format!("/credentials/{robot}")).await.has("[data-doubt]"));
    assert!(alerts(&app).contains(&"robot".to_owned()));
    assert_eq!(change_password(&mut ada, robot, "").await.status, 422, "a note heals nothing");
    assert_eq!(change_password(&mut ada, robot, "THIRD-3").await.status, 303);
    ada.post(&format!("/integrations/{id}/runs"), &[]).await;
    settled(&app).await;
    assert!(registry.seen().len() > before);
}

#[actix_web::test]
async fn genuine_bytes_do_not_end_a_quarantine() {
    let registry = sink().await;
    let app = TestApp::start();
    let mut ada = app.administrator();
    let robot = basic(&app, "robot", "FIRST-1");
    let id = add_scan(&mut ada, "reg one", &registry.url(), robot).await;
    settled(&app).await;
    let before = registry.seen().len();
    keep(&app, "credentials");
    sql::run(
        &app,
        "UPDATE secrets SET payload = set_byte(payload, 40, get_byte(payload, 40) # 1)
         WHERE credential_id IN (SELECT id FROM credentials WHERE kind = 'basic')",
    );
    ada.post(&format!("/integrations/{id}/runs"), &[]).await;
    settled(&app).await;
    put_back(&app, "credentials", "id");
    ada.post(&format!("/integrations/{id}/runs"), &[]).await;
    settled(&app).await;
    assert_eq!(registry.seen().len(), before);
    assert!(findings(&app).iter().any(|finding| finding.contains("put back")));
}

/// W12
#[actix_web::test]
async fn the_test_button_notices_tampering_also_where_nothing_is_opened() {
    let app = TestApp::start();
    let mut ada = app.administrator();
    let fields = [("kind", "api_token"), ("name", "token"), ("token", "TOKEN-1234567890")];
    let page = ada.post("/credentials", &fields).await.location().to_owned();
    sql::run(&app, "UPDATE credentials SET note = 'mallory was here' WHERE kind = 'api_token'");
    assert_eq!(ada.post(&format!("{page}/test"), &[]).await.status, 409);
    assert_eq!(alerts(&app), ["token"]);
}

/// F10
#[actix_web::test]
async fn a_run_whose_asker_was_changed_names_nobody_in_the_trail() {
    let app = TestApp::start();
    let mut olga = app.user("olga", Role::Operator);
    let robot = basic(&app, "robot", "FIRST-1");
    let id = add_scan(&mut olga, "reg one", "http://127.0.0.1:1", robot).await;
    settled(&app).await;
    let opened = "events WHERE action = 'credential.opened'";
    let before = sql::count(&app, opened);
    // The trigger is quicker than any hand.
    sql::run(
        &app,
        "CREATE FUNCTION mallory() RETURNS trigger LANGUAGE plpgsql AS
            $$ BEGIN NEW.requested_by := 'carol the auditor'; RETURN NEW; END $$;
         CREATE TRIGGER mallory BEFORE INSERT ON runs FOR EACH ROW EXECUTE FUNCTION mallory()",
    );
    olga.post(&format!("/integrations/{id}/runs"), &[]).await;
    settled(&app).await;
    assert_eq!(sql::count(&app, opened), before);
    assert_eq!(sql::count(&app, "events WHERE actor = 'carol the auditor' AND action = 'credential.opened'"), 0);
}
