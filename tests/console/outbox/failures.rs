//! What does not work is tried again or waits for a person; nothing is lost, and it is told through the others.

use super::*;
use crate::support::signed;

#[actix_web::test]
async fn what_cannot_be_sent_waits_until_the_peer_is_back() {
    let splunk = Splunk::start();
    let app = TestApp::start();
    let id = splunk.add(&app);
    splunk.0.say(Said::Half);
    access_key(&app, "prod-ci", "91 days");
    look_now(&app);
    until("it is tried", || (count(&app, "channels WHERE misses > 0") == 1).then_some(())).await;
    let mut ada = app.administrator();
    let page = ada.get(&format!("/integrations/{id}")).await;
    assert!(page.text("#away").contains("Nothing is lost"), "{}", page.text("main"));
    let state = ada.get("/integrations").await.text("#results tbody tr .state");
    assert_eq!(state, "Retrying", "its first message is on its way");
    assert_eq!(count(&app, "deliveries WHERE state = 'ready' AND attempts = 1"), 1);
    splunk.0.say(Said::json(200, &json!({"text": "Success", "code": 0})));
    signed::run(&app, "UPDATE channels SET not_before = now()");
    quiet(&app).await;
    assert_eq!(count(&app, "deliveries WHERE state = 'sent'"), 1);
    assert_eq!(count(&app, "channels WHERE misses = 0 AND failing_since IS NULL"), 1);
}

#[actix_web::test]
async fn what_is_refused_waits_for_a_person_and_is_told_through_the_others() {
    let (splunk, pagerduty) = (Splunk::start(), PagerDuty::start());
    let app = TestApp::start_with(&[&pagerduty.setting()]);
    let broken = splunk.add(&app);
    pagerduty.add(&app);
    splunk.0.say(Said::json(403, &json!({"text": "Invalid token", "code": 4})));
    access_key(&app, "prod-ci", "91 days");
    look_now(&app);
    until("the refusal is told", || (pagerduty.events().len() == 2).then_some(())).await;
    assert_eq!(count(&app, "deliveries WHERE state = 'parked'"), 1);
    let told: Vec<Value> = pagerduty.0.calls().iter().map(|call| call.json()["payload"]["summary"].clone()).collect();
    assert!(told.iter().any(|title| title.as_str().unwrap().contains("Messages through “splunk” are not delivered")));
    let mut visit = app.administrator();
    let page = visit.get(&format!("/integrations/{broken}")).await;
    assert!(page.text("table").contains("Splunk does not know the token"), "{}", page.text("table"));
    assert!(!page.text("main").contains("Invalid token"), "no upstream words");
    splunk.0.say(Said::json(200, &json!({"text": "Success", "code": 0})));
    let retry = page.attributes("form[action$=retry]", "action").remove(0);
    assert_eq!(visit.post(&retry, &[]).await.status, 303);
    until("it is delivered and told to be well", || (pagerduty.events().len() == 3).then_some(())).await;
    assert_eq!(pagerduty.events()[2].0, "resolve");
}

#[actix_web::test]
async fn a_channel_that_refuses_twenty_times_in_a_row_is_switched_off_and_that_is_told() {
    let (splunk, pagerduty) = (Splunk::start(), PagerDuty::start());
    let app = TestApp::start_with(&[&pagerduty.setting()]);
    let alive = splunk.add(&app);
    let broken = pagerduty.add(&app);
    pagerduty.0.say(Said::json(400, &json!({"status": "invalid event", "errors": ["no"]})));
    access_keys(&app, 30, "91 days");
    look_now(&app);
    until("it is switched off", || (count(&app, "integrations WHERE NOT active") == 1).then_some(())).await;
    until("that is told", || {
        splunk.titles().keys().any(|title| title.contains("switched off after 20 refusals")).then_some(())
    })
    .await;
    assert_eq!(pagerduty.0.calls().len(), 20, "and nothing more is sent there");
    let find = |id| integrations::find(&mut app.connect(), &app.services.vault, id).unwrap().into_shown();
    assert_eq!((find(alive).active, find(broken).active), (true, false));
}

/// A console whose one message broke off on its way.
async fn broken_off() -> (Splunk, TestApp) {
    let splunk = Splunk::start();
    let app = TestApp::start();
    splunk.add(&app);
    splunk.0.say(Said::Half);
    access_key(&app, "prod-ci", "91 days");
    look_now(&app);
    until("it is tried", || (count(&app, "channels WHERE misses > 0") == 1).then_some(())).await;
    (splunk, app)
}

#[actix_web::test]
async fn what_a_dead_replica_had_claimed_is_sent_by_another() {
    let (splunk, app) = broken_off().await;
    run(
        &app,
        "UPDATE deliveries SET state = 'sending', replica_id = gen_random_uuid(), lease_until = now() - interval '1 second';
         UPDATE channels SET not_before = now()",
    );
    splunk.0.say(Said::json(200, &json!({"text": "Success", "code": 0})));
    until("it is sent", || (count(&app, "deliveries WHERE state = 'sent'") == 1).then_some(())).await;
}

#[actix_web::test]
async fn a_channel_that_was_altered_in_the_database_is_told_nothing() {
    let (splunk, thief) = (Splunk::start(), Splunk::start());
    let app = TestApp::start();
    splunk.add(&app);
    let (theirs, ours) = (thief.0.url(), splunk.0.url());
    run(&app, &format!("UPDATE integrations SET settings = replace(settings, '{ours}', '{theirs}')"));
    access_key(&app, "prod-ci", "91 days");
    look_now(&app);
    until("that is an alert", || (count(&app, "alerts WHERE trigger = 'integrity'") == 1).then_some(())).await;
    quiet(&app).await;
    assert_eq!(count(&app, "alerts WHERE trigger = 'stale'"), 1, "the key was found");
    assert_eq!((thief.0.calls().len(), splunk.0.calls().len()), (0, 0));
}

#[actix_web::test]
async fn a_peer_with_a_passing_trouble_is_not_switched_off() {
    let (splunk, pagerduty) = (Splunk::start(), PagerDuty::start());
    let app = TestApp::start_with(&[&pagerduty.setting()]);
    splunk.add(&app);
    let troubled = pagerduty.add(&app);
    pagerduty.0.say(Said::html(502));
    access_keys(&app, 30, "91 days");
    look_now(&app);
    until("it is told", || {
        splunk.titles().keys().any(|title| title.starts_with("Messages through “pagerduty”")).then_some(())
    })
    .await;
    assert!(
        integrations::find(&mut app.connect(), &app.services.vault, troubled).unwrap().shown().active,
        "and nothing is switched off"
    );
    let ok = json!({"status": "success", "message": "Event processed", "dedup_key": "x"});
    pagerduty.0.say(Said::json(202, &ok));
    assert_eq!(count(&app, "deliveries WHERE state = 'parked'"), 0);
}

#[actix_web::test]
async fn a_message_that_all_others_pass_by_waits_for_a_person_after_a_day() {
    let (splunk, app) = broken_off().await;
    splunk.0.say(Said::html(502));
    // Unreachable for two days: whose fault that is, is plain.
    let days = "UPDATE deliveries SET attempts = 60, put_offs = 19, not_before = now(),
        created_at = now() - interval '2 days'";
    let failing = "UPDATE channels SET not_before = now(), failing_since = now() - interval '2 days'";
    signed::run(&app, &format!("{days}; {failing}"));
    until("it is put off", || (count(&app, "deliveries WHERE state = 'ready' AND put_offs = 20") == 1).then_some(()))
        .await;
    // And after an outage as long, at the first put-off, with the channel looked at anew.
    let again = "UPDATE channels SET not_before = now(), misses = 0, failing_since = NULL";
    signed::run(&app, &format!("{days}; UPDATE deliveries SET put_offs = 0; {again}"));
    until("it is put off", || (count(&app, "deliveries WHERE state = 'ready' AND put_offs = 1") == 1).then_some(()))
        .await;
    // The same while others got through until an hour ago.
    run(&app, &format!("{days}; UPDATE channels SET not_before = now(), failing_since = now() - interval '1 hour'"));
    until("it is parked", || (count(&app, "deliveries WHERE state = 'parked'") == 1).then_some(())).await;
    assert_eq!(count(&app, "alerts WHERE trigger = 'delivery' AND closed_at IS NULL"), 1);
}

#[actix_web::test]
async fn what_this_replica_lost_sight_of_is_sent_though_it_works_on_other_channels() {
    let (splunk, app) = broken_off().await;
    let replica = app.services.replica;
    run(
        &app,
        &format!(
            "UPDATE deliveries SET state = 'sending', replica_id = '{replica}', lease_until = now() + interval '1 hour';
             UPDATE channels SET not_before = now();
             INSERT INTO deliveries (id, kind, integration_id) SELECT gen_random_uuid(), 'test', id FROM integrations"
        ),
    );
    splunk.0.say(Said::json(200, &json!({"text": "Success", "code": 0})));
    until("both are sent", || (count(&app, "deliveries WHERE state = 'sent'") == 2).then_some(())).await;
}

#[actix_web::test]
async fn what_was_closed_meanwhile_is_not_raised_when_it_is_tried_again() {
    let pagerduty = PagerDuty::start();
    let app = TestApp::start_with(&[&pagerduty.setting()]);
    let id = pagerduty.add(&app);
    pagerduty.0.say(Said::json(400, &json!({"status": "invalid event", "errors": ["no"]})));
    access_key(&app, "prod-ci", "91 days");
    look_now(&app);
    until("it is refused", || (count(&app, "deliveries WHERE state = 'parked'") == 1).then_some(())).await;
    run(&app, "UPDATE alerts SET closed_at = now(), closed_why = 'its secret was replaced' WHERE trigger = 'stale'");
    let mut visit = app.administrator();
    let retried = visit.post(&format!("/integrations/{id}/undelivered"), &[("decision", "retry")]).await;
    assert_eq!(retried.status, 303);
    assert_eq!(count(&app, "deliveries WHERE state = 'dropped'"), 1);
    assert_eq!(count(&app, "events WHERE action = 'delivery.dropped'"), 1);
    assert!(retried.header("set-cookie").contains("nothing-to-retry"), "{}", retried.header("set-cookie"));
    assert_eq!(pagerduty.0.calls().len(), 1, "no incident is opened that nobody would close");
}

#[actix_web::test]
async fn a_test_alert_says_on_the_page_how_it_went() {
    let splunk = Splunk::start();
    let app = TestApp::start();
    let id = splunk.add(&app);
    let mut visit = app.administrator();
    let sent = visit.post(&format!("/integrations/{id}/test-alert"), &[]).await;
    assert_eq!(sent.status, 303);
    let page = visit.get(&format!("/integrations/{id}")).await;
    assert!(page.text("#tested").contains("was delivered"), "{}", page.text("#tested"));
    assert_eq!(splunk.events()[0]["event"]["title"], "This is a test alert from Strongroom.");
    splunk.0.say(Said::html(502));
    visit.post(&format!("/integrations/{id}/test-alert"), &[]).await;
    let page = visit.get(&format!("/integrations/{id}")).await;
    assert!(page.text("#tested").contains("was not delivered"), "{}", page.text("#tested"));
    assert_eq!(count(&app, "deliveries WHERE state = 'parked'"), 0, "a failed test asks nobody for anything");
    // One that waits for a person stands above all others, and is the last one no more.
    run(&app, "UPDATE deliveries SET state = 'parked' WHERE error IS NOT NULL");
    splunk.0.say(Said::json(200, &json!({"text": "Success", "code": 0})));
    visit.post(&format!("/integrations/{id}/test-alert"), &[]).await;
    let page = visit.get(&format!("/integrations/{id}")).await;
    assert!(page.text("#tested").contains("was delivered"), "{}", page.text("#tested"));
}

#[actix_web::test]
async fn a_test_alert_before_saving_stores_nothing_but_the_use_of_the_secret() {
    let splunk = Splunk::start();
    let app = TestApp::start();
    let token = credential(&app, &credentials::api_token::KIND, "HEC", &[("token", "8f4a5e2c-splunk")]);
    let (url, token) = (splunk.0.url(), token.to_string());
    let fields = [
        ("name", "Events"),
        ("version", "splunk"),
        ("url", url.as_str()),
        ("source", "strongroom"),
        ("credential", token.as_str()),
        ("on_stale", "on"),
        ("try", "on"),
    ];
    let page = app.administrator().post("/integrations", &fields).await;
    assert_eq!(page.status, 200, "{:?}", page.texts(".error-summary"));
    assert!(page.text("main").contains("The test alert was delivered. Nothing is saved yet."), "{}", page.text("main"));
    assert_eq!(splunk.events().len(), 1);
    assert_eq!(count(&app, "integrations"), 0);
}

#[actix_web::test]
async fn scans_that_fail_often_enough_in_a_row_raise_an_alert_and_a_good_one_closes_it() {
    let splunk = Splunk::start();
    let app = TestApp::start();
    splunk.add(&app);
    let registry = Receiver::start(|_| Said::html(500));
    let new = NewIntegration {
        family: "registry_scan",
        version: "docker_v2",
        name: "images",
        credential_id: None,
        host: &registry.address.to_string(),
        further: &[],
        settings: &json!({"registry": registry.url()}).to_string(),
        every_hours: None,
    };
    let id = app.transaction(|conn| integrations::create(conn, &app.services.vault, &Actor::command_line(), &new));
    let mut visit = app.administrator();
    for failed in 1..=3 {
        assert_eq!(count(&app, "alerts"), 0, "not after {} failures", failed - 1);
        assert_eq!(visit.post(&format!("/integrations/{id}/runs"), &[]).await.status, 303);
        until("the scan fails", || (count(&app, "runs WHERE state = 'failed'") == failed).then_some(())).await;
    }
    until("it is told", || (splunk.events().len() == 1).then_some(())).await;
    let title = splunk.events()[0]["event"]["title"].as_str().unwrap().to_owned();
    assert!(title.starts_with("“images” keeps failing: "), "{title}");
    registry.say(Said::json(200, &json!({"repositories": []})));
    visit.post(&format!("/integrations/{id}/runs"), &[]).await;
    until("that it is well is told", || (splunk.events().len() == 2).then_some(())).await;
}
