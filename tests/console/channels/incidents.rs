//! Incidents that open and end with their alert: ServiceNow, Jira, PagerDuty.

use strongroom::integrations::alerts::Again;

use super::*;

#[tokio::test]
async fn an_incident_of_servicenow_lives_as_long_as_its_alert() {
    let (peer, records) = servicenow::start();
    let stand = at_servicenow(peer);
    let raised = one("prod-ci");
    let receipt = stand.send(&raised).await.unwrap();
    {
        let records = records.lock().unwrap();
        assert_eq!(receipt.reference.as_deref(), records[0]["sys_id"].as_str());
        assert_eq!(records[0]["correlation_id"], raised.lines[0].alert.to_string());
        assert_eq!(
            (&records[0]["assignment_group"], &records[0]["caller_id"]),
            (&json!("Security"), &json!("strongroom"))
        );
        assert_eq!((&records[0]["urgency"], &records[0]["state"]), (&json!("3"), &json!("1")));
        let said = records[0]["description"].as_str().unwrap();
        for words in ["Used by:", "mirror of prod-ci", "2 more", "Make a new access key", "/alerts/1"] {
            assert!(said.contains(words), "{words}: {said}");
        }
    }
    stand.send(&later(&raised, Event::Reminder, &receipt)).await.unwrap();
    let closed = stand.send(&later(&raised, Event::Closed, &receipt)).await.unwrap();
    assert_eq!(closed, receipt);
    let records = records.lock().unwrap();
    assert_eq!(records.len(), 1);
    assert_eq!(records[0]["notes"].as_array().unwrap().len(), 1);
    assert_eq!((&records[0]["state"], &records[0]["close_code"]), (&json!("6"), &json!("Solution provided")));
}

#[tokio::test]
async fn a_repeated_attempt_opens_no_second_incident_at_servicenow() {
    let (peer, records) = servicenow::start();
    let stand = at_servicenow(peer);
    let message = one("prod-ci");
    let first = stand.send(&message).await.unwrap();
    let again = stand.attempt(&message, true).await.unwrap();
    assert_eq!((again, records.lock().unwrap().len()), (first, 1));
    // The reference was lost with the answer.
    stand.send(&later(&message, Event::Closed, &Receipt::default())).await.unwrap();
    assert_eq!(records.lock().unwrap()[0]["state"], "6");
    // Nothing was ever opened for this one.
    stand.send(&later(&one("other"), Event::Closed, &Receipt::default())).await.unwrap();
    assert_eq!(records.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn what_people_did_to_an_incident_stays() {
    let (peer, records) = servicenow::start();
    let stand = at_servicenow(peer).with_setting("table", "sn_si_incident");
    let message = one("prod-ci");
    let receipt = stand.send(&message).await.unwrap();
    assert_eq!(records.lock().unwrap()[0]["table"], "sn_si_incident");
    records.lock().unwrap()[0]["state"] = json!("7");
    stand.send(&later(&message, Event::Closed, &receipt)).await.unwrap();
    assert_eq!(records.lock().unwrap()[0]["state"], "7");
    records.lock().unwrap()[0]["state"] = json!("16");
    stand.send(&later(&message, Event::Closed, &receipt)).await.unwrap();
    assert_eq!(records.lock().unwrap()[0]["state"], "3");
    // Deleted: a reminder opens another.
    records.lock().unwrap().clear();
    stand.send(&later(&message, Event::Reminder, &receipt)).await.unwrap();
    assert_eq!(records.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn an_issue_of_jira_lives_as_long_as_its_alert() {
    for cloud in [false, true] {
        let (peer, project) = jira::start();
        project.lock().unwrap().cloud = cloud;
        let stand = at_jira(peer);
        let raised = one("prod-ci");
        let receipt = stand.send(&raised).await.unwrap();
        assert_eq!(receipt.reference.as_deref(), Some("SEC-1"));
        let label = json!(format!("strongroom-{}", raised.lines[0].alert));
        assert!(project.lock().unwrap().issues[0]["labels"].as_array().unwrap().contains(&label));
        let again = stand.attempt(&raised, true).await.unwrap();
        let issues = project.lock().unwrap().issues.len();
        assert_eq!((&again, issues), (&receipt, 1), "cloud {cloud}");
        stand.send(&later(&raised, Event::Reminder, &receipt)).await.unwrap();
        let closing = later(&raised, Event::Closed, &Receipt::default());
        let closed = stand.send(&closing).await.unwrap();
        assert_eq!(closed, receipt, "found by its label");
        let state = || {
            let project = project.lock().unwrap();
            (project.done.clone(), project.comments.len())
        };
        assert_eq!(state(), (vec![1], 2));
        stand.attempt(&closing, true).await.unwrap();
        assert_eq!(state(), (vec![1], 2), "said once");
    }
}

#[tokio::test]
async fn a_workflow_that_asks_for_more_leaves_the_issue_to_people() {
    let (peer, project) = jira::start();
    project.lock().unwrap().strict = true;
    let stand = at_jira(peer);
    let message = one("prod-ci");
    let receipt = stand.send(&message).await.unwrap();
    stand.send(&later(&message, Event::Closed, &receipt)).await.unwrap();
    let project = project.lock().unwrap();
    assert!(project.done.is_empty() && project.comments[0].1.starts_with("Closed: "));
}

#[tokio::test]
async fn markup_in_a_name_means_nothing_to_jira() {
    let (peer, project) = jira::start();
    let stand = at_jira(peer);
    stand.send(&one("[~admin] {noformat} !https://evil.example/x.png!")).await.unwrap();
    let said = project.lock().unwrap().issues[0]["description"].as_str().unwrap().to_owned();
    assert!(said.contains("\\[\\~admin\\] \\{noformat\\} \\!https:\u{2060}//evil.example/x.png\\!"), "{said}");
}

#[tokio::test]
async fn an_incident_of_pagerduty_is_triggered_and_resolved_by_its_alert() {
    let (peer, incidents) = pagerduty::start();
    let stand = at_pagerduty(peer);
    let raised = one("prod-ci");
    let key = raised.lines[0].alert.to_string();
    let receipt = stand.send(&raised).await.unwrap();
    stand.attempt(&raised, true).await.unwrap();
    assert_eq!(receipt.reference.as_deref(), Some(key.as_str()));
    assert_eq!(incidents.lock().unwrap().clone().into_iter().collect::<Vec<_>>(), [(key.clone(), "triggered")]);
    let body = &stand.bodies()[0];
    assert_eq!(
        (&body["payload"]["severity"], &body["payload"]["source"]),
        (&json!("warning"), &json!("strongroom.example.com"))
    );
    assert_eq!(body["payload"]["custom_details"]["usages"][0]["name"], "mirror of prod-ci");
    stand.send(&later(&raised, Event::Closed, &receipt)).await.unwrap();
    assert_eq!(incidents.lock().unwrap()[&key], "resolved");
    assert_eq!(stand.bodies().last().unwrap().as_object().unwrap().len(), 3, "a resolve says no more than it must");
}

#[tokio::test]
async fn an_integration_key_of_the_wrong_length_is_explained() {
    let (peer, _) = pagerduty::start();
    let error = at_pagerduty(peer).with_secret("token", "short").send(&one("a")).await.unwrap_err();
    assert_eq!(error.again, Again::Never);
    assert!(error.sentence.contains("32 characters"), "{error:?}");
}
