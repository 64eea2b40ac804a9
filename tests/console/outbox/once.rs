//! Everything is told once.

use std::sync::Arc;

use super::*;

#[actix_web::test]
async fn a_key_that_passes_its_limit_is_told_by_every_channel_and_its_rotation_too() {
    let (splunk, pagerduty) = (Splunk::start(), PagerDuty::start());
    let app = TestApp::start_with(&[&pagerduty.setting()]);
    splunk.add(&app);
    pagerduty.add(&app);
    let id = access_key(&app, "prod-ci", "90 days 1 hour");
    look_now(&app);
    until("both are told", || (splunk.events().len() == 1 && pagerduty.events().len() == 1).then_some(())).await;
    let event = &splunk.events()[0]["event"];
    assert_eq!(event["title"], "The access key of “prod-ci” is 90 days old; its limit is 90 days.");
    assert!(event["remedy"].as_str().unwrap().contains("Create a second access key"), "{event}");
    let whole = event.to_string();
    assert!(!whole.contains("AKIAIOSFODNN7EXAMPLE") && !whole.contains("wJalr"), "{whole}");
    let mut visit = app.administrator();
    let edit = visit.get(&format!("/credentials/{id}/edit")).await;
    let version = edit.attributes("input[name=row_version]", "value").remove(0);
    let fields = [
        ("kind", "aws"),
        ("row_version", version.as_str()),
        ("name", "prod-ci"),
        ("method", "access_key"),
        ("access_key_id", "AKIAI44QH8DHBEXAMPLE"),
        ("secret_access_key", "je7MtGbClwBF/2Zp9Utk/h3yCo8nvbEXAMPLEKEY"),
    ];
    let saved = visit.post(&format!("/credentials/{id}/edit"), &fields).await;
    assert_eq!(saved.status, 303, "{:?}", saved.texts("[role=alert]"));
    until("both hear of the rotation", || (splunk.events().len() == 2 && pagerduty.events().len() == 2).then_some(()))
        .await;
    assert_eq!(
        splunk.events()[1]["event"]["title"],
        "Old access key of “prod-ci”: closed, since its secret was replaced."
    );
    let events = pagerduty.events();
    assert_eq!((events[0].0.as_str(), events[1].0.as_str()), ("trigger", "resolve"));
    assert_eq!(events[0].1, events[1].1, "the same incident");
}

#[actix_web::test]
async fn a_key_is_stale_when_it_is_strictly_older_than_its_limit() {
    let splunk = Splunk::start();
    let app = TestApp::start();
    splunk.add(&app);
    // By the database's clock at the moment of looking, so exactly 90 days have passed when it looks.
    access_key(&app, "young", "89 days 23 hours 59 minutes");
    access_key(&app, "old", "90 days 1 second");
    look_now(&app);
    until("the old one is told", || (!splunk.events().is_empty()).then_some(())).await;
    quiet(&app).await;
    let titles: Vec<String> = splunk.titles().into_keys().collect();
    assert_eq!(
        titles,
        [
            "The access key of “old” is 90 days old; its limit is 90 days.",
            "The access key of “young” passes its limit of 90 days in 1 day.",
        ]
    );
}

#[actix_web::test]
async fn a_thousand_keys_and_two_replicas_make_each_line_once_in_every_channel() {
    let replicas = 2;
    let (splunk, pagerduty) = (Splunk::start(), PagerDuty::start());
    let app = TestApp::start_with(&[&pagerduty.setting()]);
    let setting = pagerduty.setting();
    let others: Vec<TestApp> =
        (1..replicas).map(|_| TestApp::replica(Arc::clone(&app.database), &[&setting])).collect();
    splunk.add(&app);
    pagerduty.add(&app);
    access_keys(&app, 1_000, "91 days");
    for replica in others.iter().chain([&app]) {
        look_now(replica);
    }
    until("all are told", || (pagerduty.0.calls().len() >= 1_000).then_some(())).await;
    quiet(&app).await;
    let titles = splunk.titles();
    assert_eq!(titles.len(), 1_000, "none is missing");
    assert!(titles.values().all(|times| *times == 1), "none twice");
    let at_once = strongroom::integrations::alerts::channel("splunk").unwrap().lines_at_once;
    assert_eq!(splunk.0.calls().len(), 1_000_usize.div_ceil(at_once), "one digest, in as few calls as it takes");
    let mut keys: Vec<String> = pagerduty.events().into_iter().map(|(_, key)| key).collect();
    keys.sort();
    keys.dedup();
    assert_eq!((keys.len(), pagerduty.events().len()), (1_000, 1_000));
}

#[actix_web::test]
async fn an_alert_that_stays_open_is_told_again_after_a_week_and_not_while_it_is_snoozed() {
    let splunk = Splunk::start();
    let app = TestApp::start();
    splunk.add(&app);
    access_key(&app, "prod-ci", "91 days");
    look_now(&app);
    until("it is told", || (splunk.events().len() == 1).then_some(())).await;
    quiet(&app).await;
    run(
        &app,
        "UPDATE alerts SET told_at = now() - interval '8 days', snoozed_until = now() + interval '1 day', snoozed_by = 'ada'",
    );
    strongroom::alerting::find_due(&app.services).await.unwrap();
    assert_eq!(count(&app, "notices"), 1, "nobody is told while it is snoozed");
    run(&app, "UPDATE alerts SET snoozed_until = now() - interval '1 second'");
    look_now(&app);
    until("it is told again", || (splunk.events().len() == 2).then_some(())).await;
    let again = &splunk.events()[1]["event"];
    assert_eq!(again["title"], "The access key of “prod-ci” is 99 days old; its limit is 90 days.");
    quiet(&app).await;
    assert_eq!(count(&app, "alerts"), 1);
}

#[actix_web::test]
async fn a_channel_hears_only_of_what_it_is_ticked_for() {
    let splunk = Splunk::start();
    let app = TestApp::start();
    let id = splunk.add(&app);
    let mut visit = app.administrator();
    let edit = visit.get(&format!("/integrations/{id}/edit")).await;
    let (version, credential) = (
        edit.attributes("input[name=row_version]", "value").remove(0),
        edit.attributes("#credential option[selected]", "value").remove(0),
    );
    let url = splunk.0.url();
    let fields = [
        ("name", "splunk"),
        ("version", "splunk"),
        ("url", url.as_str()),
        ("source", "strongroom"),
        ("credential", credential.as_str()),
        ("on_integrity", "on"),
        ("row_version", version.as_str()),
    ];
    let saved = visit.post(&format!("/integrations/{id}/edit"), &fields).await;
    assert_eq!(saved.status, 303, "{:?} {:?}", saved.texts("[role=alert]"), saved.texts(".error-summary"));
    access_key(&app, "prod-ci", "91 days");
    strongroom::alerting::find_due(&app.services).await.unwrap();
    quiet(&app).await;
    assert_eq!(splunk.events().len(), 0);
    assert_eq!(count(&app, "alerts WHERE closed_at IS NULL"), 1, "it is on the Alerts page all the same");
}
