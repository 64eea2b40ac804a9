//! Incidents that open and end with their alert: ServiceNow, Jira, PagerDuty.

use strongroom::integrations::alerts::Retry;

use super::*;
use crate::support::peers::receiver::Said;

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
    assert_eq!(error.retry, Retry::ChannelRejected);
    assert!(error.to_string().contains("32 characters"), "{error:?}");
}

#[tokio::test]
async fn field_c03_jira_data_center_takes_a_personal_access_token() {
    let (peer, project) = jira::start();
    project.lock().unwrap().tokens_only = true;
    let mut stand = at_jira(peer);
    let error = stand.send(&one("prod-ci")).await.unwrap_err();
    assert_eq!(error.retry, Retry::ChannelRejected);
    assert!(error.to_string().contains("Create a personal access token"), "{error:?}");
    stand.credential = (&credentials::api_token::KIND, [("token", jira::PERSONAL)].into_iter().collect());
    let raised = one("prod-ci");
    let receipt = stand.send(&raised).await.unwrap();
    stand.send(&later(&raised, Event::Closed, &receipt)).await.unwrap();
    assert_eq!(project.lock().unwrap().done, [1]);
    let error = stand.with_secret("token", "another").send(&one("b")).await.unwrap_err();
    assert!(error.to_string().contains("refused the personal access token"), "{error:?}");
}

#[test]
fn field_c03_jira_cloud_takes_a_token_with_its_e_mail_address_only() {
    let cloud = Values::from_iter([("url", "https://example.atlassian.net")]);
    let own = Values::from_iter([("url", "https://jira.example.com")]);
    let suits = Spec::find("jira").unwrap().suits;
    assert!(suits(&cloud, "api_token", &Values::default()).is_err());
    assert!(suits(&cloud, "basic", &Values::default()).is_ok());
    assert!(suits(&own, "api_token", &Values::default()).is_ok());
}

#[tokio::test]
async fn field_c04_servicenow_takes_oauth_client_credentials() {
    let (peer, records) = servicenow::start();
    let stand = at_servicenow(peer)
        .with_setting("login", "oauth")
        .with_secret("username", servicenow::CLIENT)
        .with_secret("password", servicenow::CLIENT_SECRET);
    stand.send(&one("prod-ci")).await.unwrap();
    assert_eq!(records.lock().unwrap().len(), 1);
    let calls = stand.peer.calls();
    assert_eq!(calls[0].path(), "/oauth_token.do");
    assert_eq!(calls[1].header("authorization"), Some("Bearer a-token-of-theirs"));
    let error = stand.with_secret("password", "wrong").send(&one("a")).await.unwrap_err();
    assert_eq!(error.retry, Retry::ChannelRejected);
    assert!(error.to_string().contains("refused the client ID or the client secret"), "{error:?}");
}

#[tokio::test]
async fn field_c04b_a_servicenow_instance_that_sleeps_is_called_that() {
    let stand = stand("servicenow");
    let body = b"<html><div class=\"instance-hibernating-page\">Your instance is hibernating</div></html>".to_vec();
    let headers = vec![("Content-Type", "text/html".to_owned())];
    stand.peer.say(Said::Answer { status: 200, headers, body });
    let error = stand.send(&one("a")).await.unwrap_err();
    assert!(error.to_string().contains("instance is hibernating"), "{error:?}");
    assert_eq!(error.retry, Retry::Postponed(None));
    let wants = Said::json(401, &json!({"error": {"message": "User Not Authenticated"}, "status": "failure"}));
    stand.peer.say(wants.with("WWW-Authenticate", "Bearer realm=\"Service-now\""));
    let error = stand.send(&one("a")).await.unwrap_err();
    assert!(error.to_string().contains("Set Login to OAuth client credentials"), "{error:?}");
}

#[tokio::test]
async fn field_c06_a_pagerduty_account_in_the_eu_is_reached_there() {
    let (us, _) = pagerduty::start();
    let invalid =
        json!({"status": "invalid event", "message": "Event object is invalid", "errors": ["Invalid routing key"]});
    us.say(Said::json(400, &invalid));
    let (eu, incidents) = pagerduty::start();
    let at = eu.url().parse().unwrap();
    let mut stand = at_pagerduty(us);
    stand.endpoints = stand.endpoints.with(Service::PagerDutyEu, at);
    let error = stand.send(&one("a")).await.unwrap_err();
    assert_eq!(error.retry, Retry::ChannelRejected);
    assert!(error.to_string().contains("If the account is in the EU, set Service region to EU"), "{error:?}");
    let stand = stand.with_setting("region", "eu");
    assert_eq!(stand.channel.host(&stand.settings).as_deref(), Some("events.eu.pagerduty.com"));
    stand.send(&one("a")).await.unwrap();
    assert_eq!(incidents.lock().unwrap().len(), 1);
    // As profiles of the release before are stored.
    assert_eq!(stand.channel.host(&Values::default()).as_deref(), Some("events.pagerduty.com"));
}
