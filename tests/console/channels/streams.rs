//! Streams of events: Splunk and Google Pub/Sub.

use strongroom::integrations::alerts::Retry;

use super::*;
use crate::support::peers::certificates::Authority;
use crate::support::peers::receiver::Said;

#[tokio::test]
async fn splunk_gets_an_event_for_each_alert_in_one_call() {
    let stand = stand("splunk");
    let message = message(vec![line("a"), line("b"), line("c")]);
    stand.send(&message).await.unwrap();
    let calls = stand.peer.calls();
    assert_eq!(calls.len(), 1);
    let events = splunk::events(&calls[0]).unwrap();
    assert_eq!(events.len(), 3);
    assert_eq!((&events[0]["index"], &events[0]["sourcetype"]), (&json!("security"), &json!("strongroom:alert")));
    assert_eq!(events[1]["event"]["id"], message.lines[1].alert.to_string());
    assert_eq!((&events[1]["time"], &events[1]["host"]), (&json!(1_795_317_393), &json!("strongroom.example.com")));
}

#[tokio::test]
async fn splunks_codes_are_told_apart() {
    let error = stand("splunk").with_setting("index", "main").send(&one("a")).await.unwrap_err();
    assert!(error.to_string().contains("does not have the index"), "{error:?}");
    for (status, code, again) in
        [(403, 1, Retry::ChannelRejected), (503, 9, Retry::Postponed(None)), (200, 5, Retry::Postponed(None))]
    {
        let stand = stand("splunk");
        stand.peer.say(Said::json(status, &json!({"text": UPSTREAM, "code": code})));
        assert_eq!(stand.send(&one("a")).await.unwrap_err().retry, again, "{code}");
    }
}

#[tokio::test]
async fn splunk_is_trusted_by_an_authority_of_ones_own() {
    let authority = Authority::new();
    let peer = Receiver::start_tls(&authority, splunk::rules);
    let url = peer.url();
    let settings = [("url", url.as_str()), ("source", "strongroom")];
    let stand = Stand::new("splunk", peer, "api_token", &[("token", splunk::TOKEN)], &settings);
    let error = stand.send(&one("a")).await.unwrap_err();
    assert!(error.to_string().contains("is not trusted"), "{error:?}");
    stand.with_setting("ca_certificate", &authority.pem).send(&one("a")).await.unwrap();
}

#[tokio::test]
async fn field_t01_splunk_is_trusted_by_its_pasted_self_signed_certificate() {
    let pair = Authority::self_signed("127.0.0.1");
    let peer = Receiver::start_tls_as(&Authority::new(), pair.clone(), splunk::rules);
    let url = peer.url();
    let settings = [("url", url.as_str()), ("source", "strongroom"), ("ca_certificate", pair.0.as_str())];
    let stand = Stand::new("splunk", peer, "api_token", &[("token", splunk::TOKEN)], &settings);
    stand.send(&one("a")).await.unwrap();
}

#[tokio::test]
async fn field_c05_splunks_address_is_taken_as_splunk_shows_it() {
    for path in ["/services/collector/event", "/services/collector", "/"] {
        let peer = splunk::start();
        let url = format!("{}{path}", peer.url());
        let settings = [("url", url.as_str()), ("source", "strongroom")];
        let stand = Stand::new("splunk", peer, "api_token", &[("token", splunk::TOKEN)], &settings);
        stand.send(&one("a")).await.unwrap();
        // As it was stored by the release before.
        stand.with_setting("url", &url).send(&one("a")).await.unwrap();
    }
}

#[tokio::test]
async fn pubsub_gets_data_and_the_attributes_to_filter_by() {
    let stand = stand("google_pubsub");
    let message = message(vec![line("a"), line("b")]);
    stand.send(&message).await.unwrap();
    let messages = pubsub::messages(&stand.peer.calls()[0]).unwrap();
    assert_eq!(messages.len(), 2);
    let (data, attributes) = &messages[0];
    let alert = message.lines[0].alert.to_string();
    assert_eq!((&data["id"], &data["subject"]), (&json!(alert), &json!("a")));
    let expected =
        json!({"alert": alert, "trigger": "stale", "event": "raised", "severity": "warning", "message": message.id});
    assert_eq!(attributes, &expected);
}

#[tokio::test]
async fn a_topic_that_is_not_ours_is_named_as_the_cause() {
    let at = |topic: &'static str| async move {
        stand("google_pubsub").with_setting("topic", topic).send(&one("a")).await.unwrap_err()
    };
    let denied = at("projects/elsewhere/topics/strongroom").await;
    assert!(denied.to_string().contains("Pub/Sub Publisher"), "{denied:?}");
    let missing = at("projects/mycompany-project/topics/other").await;
    assert!(missing.to_string().contains("does not have the topic"), "{missing:?}");
    assert_eq!((denied.retry, missing.retry), (Retry::ChannelRejected, Retry::ChannelRejected));
    // Fewer ids than messages: some were not taken.
    let stand = stand("google_pubsub");
    stand.peer.say(Said::json(200, &json!({"messageIds": []})));
    assert_eq!(stand.send(&one("a")).await.unwrap_err().retry, Retry::Postponed(None));
}
