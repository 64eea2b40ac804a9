//! *Test connection* of channels: one harmless call, where the protocol has one.

use super::*;

/// Calls that leave nothing behind: a read, or a question that is asked by POST.
fn is_harmless(call: &crate::support::peers::receiver::Call) -> bool {
    let questions = ["/api/auth.test", ":testIamPermissions", "/oauth_token.do", "/identity/token", "/token"];
    let path = call.path();
    call.method == "GET" || path == "/" || questions.iter().any(|question| path.ends_with(question))
}

#[tokio::test]
async fn test_connection_of_a_channel_sends_nothing_that_a_person_sees() {
    for slug in ["servicenow", "jira", "splunk", "google_pubsub", "ibm_findings"] {
        let stand = stand(slug);
        let said = stand.check().await.expect(slug);
        assert!(said.is_ok(), "{slug}: {said:?}");
        assert!(stand.peer.calls().iter().all(is_harmless), "{slug}: {:?}", stand.peer.calls());
    }
}

#[tokio::test]
async fn test_connection_tells_a_wrong_secret() {
    for (slug, secret) in [("servicenow", "password"), ("jira", "password"), ("splunk", "token")] {
        let stand = stand(slug).with_secret(secret, "another");
        let said = stand.check().await.expect(slug).expect_err(slug);
        assert!(!said.contains("another"), "{slug}: {said}");
    }
}

#[tokio::test]
async fn a_token_of_slack_is_tested_without_a_message_and_a_webhook_url_is_not() {
    let stand_of = |token: &str| {
        let settings = [("channel", slack::CHANNEL)];
        Stand::new("slack", slack::start(), "api_token", &[("token", token)], &settings).moving(Service::Slack)
    };
    let by_token = stand_of(slack::TOKEN);
    assert!(by_token.check().await.unwrap().is_ok());
    assert!(by_token.peer.calls().iter().all(|call| call.path() == "/api/auth.test"));
    let said = stand_of("xoxb-another").check().await.unwrap().unwrap_err();
    assert!(said.starts_with("Slack refused the token."), "{said}");
    let by_address = stand("slack");
    assert!(by_address.check().await.is_none());
    assert!(by_address.peer.calls().is_empty());
}

#[test]
fn channels_without_a_harmless_call_have_no_connection_test() {
    for slug in ["webhook_channel", "teams", "pagerduty"] {
        assert!(Spec::find(slug).unwrap().check.is_none(), "{slug}");
    }
}
