//! Messages to people: Slack, Teams, and a receiver of one's own.

use strongroom::integrations::alerts::Retry;

use super::*;
use crate::support::peers::channels::texts;
use crate::support::peers::receiver::Said;

fn by_token(channel: &str) -> Stand {
    let settings: &[_] = if channel.is_empty() { &[] } else { &[("channel", channel)] };
    Stand::new("slack", slack::start(), "api_token", &[("token", slack::TOKEN)], settings).moving(Service::Slack)
}

#[tokio::test]
async fn slack_takes_a_message_by_webhook_and_by_token() {
    let stands = [stand("slack"), by_token(slack::CHANNEL)];
    for stand in &stands {
        stand.send(&message(vec![line("a"), line("b")])).await.unwrap();
        let body = &stand.bodies()[0];
        assert_eq!(body["text"], "Strongroom: 2 alerts");
        assert_eq!(body["blocks"].as_array().unwrap().len(), 4);
    }
    assert_eq!(stands[1].bodies()[0]["channel"], slack::CHANNEL);
    let one_line = stand("slack");
    one_line.send(&one("<!channel> & co")).await.unwrap();
    let text = one_line.bodies()[0]["text"].as_str().unwrap().to_owned();
    assert!(text.contains("“&lt;!channel&gt; &amp; co”"), "{text}");
}

#[tokio::test]
async fn slack_says_no_in_a_200_and_is_understood() {
    let refused = |channel| async move { by_token(channel).send(&one("a")).await.unwrap_err() };
    for (channel, words) in
        [("#nowhere", "does not know the channel"), ("#elsewhere", "Invite it"), ("", "needs a channel")]
    {
        let error = refused(channel).await;
        assert_eq!(error.retry, Retry::ChannelRejected);
        assert!(error.to_string().contains(words), "{error:?}");
    }
    let wrong = by_token(slack::CHANNEL).with_secret("token", "xoxb-revoked").send(&one("a")).await.unwrap_err();
    assert!(wrong.to_string().contains("refused the token"), "{wrong:?}");
    for (code, again) in [
        ("ratelimited", Retry::Postponed(Some(Duration::from_secs(30)))),
        ("internal_error", Retry::Postponed(None)),
        ("missing_scope", Retry::ChannelRejected),
        ("something_new", Retry::ChannelRejected),
    ] {
        let stand = by_token(slack::CHANNEL);
        stand
            .peer
            .say(Said::json(200, &json!({"ok": false, "error": code, "needed": UPSTREAM})).with("Retry-After", "30"));
        assert_eq!(stand.send(&one("a")).await.unwrap_err().retry, again, "{code}");
    }
}

#[tokio::test]
async fn teams_shows_names_as_text_and_tells_a_failure_in_a_200() {
    let stand = stand("teams");
    stand.send(&one("**prod** [x](https://evil.example)")).await.unwrap();
    let runs = texts(&stand.bodies()[0]);
    assert!(runs.iter().any(|(name, text)| name == "text" && text.contains("**prod** [x](https://evil.example)")));
    let words = "Webhook message delivery failed with error: Microsoft Teams endpoint returned HTTP error 429 with ContextId x.";
    let said = |body: &str| Said::Answer { status: 200, headers: Vec::new(), body: body.as_bytes().to_vec() };
    stand.peer.say(said(words));
    assert_eq!(stand.send(&one("a")).await.unwrap_err().retry, Retry::Postponed(None));
    stand.peer.say(said(&words.replace("429", "413")));
    assert_eq!(stand.send(&one("a")).await.unwrap_err().retry, Retry::ChannelRejected);
    stand.peer.say(said("1"));
    stand.send(&one("a")).await.unwrap();
}

#[tokio::test]
async fn field_c01b_any_success_of_a_workflow_or_a_receiver_like_slack_is_a_delivery() {
    let json = |status, body| Said::json(status, &body);
    let text = |status, body: &str| Said::Answer { status, headers: Vec::new(), body: body.as_bytes().to_vec() };
    for slug in ["teams", "slack"] {
        for said in [
            json(200, json!({"status": "posted"})),
            json(200, json!({"success": true})),
            json(202, json!({})),
            text(202, "Accepted"),
            text(200, "ok"),
            text(204, ""),
        ] {
            let stand = stand(slug);
            stand.peer.say(said.clone());
            stand.send(&one("a")).await.unwrap_or_else(|error| panic!("{slug} {said:?}: {error:?}"));
        }
    }
}

#[tokio::test]
async fn field_c01c_what_a_workflow_refuses_is_told_by_its_code() {
    for (status, code, words) in [
        (400, "WorkflowTriggerIsNotEnabled", "is switched off. Turn it on"),
        (401, "DirectApiAuthorizationRequired", "did not take the signature in its address"),
        (400, "TriggerInputSchemaMismatch", "expects a message of another kind"),
    ] {
        let stand = stand("teams");
        stand.peer.say(Said::json(status, &json!({"error": {"code": code, "message": UPSTREAM}})));
        let error = stand.send(&one("a")).await.unwrap_err();
        assert_eq!(error.retry, Retry::ChannelRejected, "{code}");
        assert!(error.to_string().contains(words), "{error:?}");
    }
}

#[tokio::test]
async fn field_c02c_a_redirect_within_the_host_says_what_differs() {
    let stand = stand("webhook_channel");
    let moved = |to: &str| Said::Answer { status: 308, headers: vec![("Location", to.to_owned())], body: Vec::new() };
    let slash = format!("{}/", webhooks::PATH);
    for (to, words) in
        [("/elsewhere", "another path on the same host"), (slash.as_str(), "with or without the slash at its end")]
    {
        stand.peer.say(moved(to));
        let error = stand.send(&one("a")).await.unwrap_err();
        assert!(error.to_string().contains(words), "{error:?}");
        assert_eq!(error.retry, Retry::ChannelRejected);
    }
    stand.peer.say(moved("https://other.example/x"));
    let error = stand.send(&one("a")).await.unwrap_err();
    assert!(error.to_string().contains("another address, on other.example"), "{error:?}");
}

#[tokio::test]
async fn a_webhook_is_documented_signed_and_the_same_at_every_attempt() {
    let stand = stand("webhook_channel");
    let message = one("prod-ci");
    stand.send(&message).await.unwrap();
    stand.attempt(&message, true).await.unwrap();
    let calls = stand.peer.calls();
    let ids: Vec<_> = calls.iter().map(|call| call.header("webhook-id").unwrap().to_owned()).collect();
    assert_eq!(ids, [message.id.to_string(), message.id.to_string()]);
    let alert = &message.lines[0];
    let expected = json!({
        "type": "strongroom.alerts", "id": message.id, "timestamp": "2026-11-22T03:16:33Z", "console": CONSOLE,
        "profile": "Security team", "test": false, "more": 0,
        "alerts": [{
            "id": alert.alert, "trigger": "stale", "event": "raised", "severity": "warning",
            "title": "The access key of “prod-ci” is 94 days old; its limit is 90 days.",
            "subject": "prod-ci", "subject_url": "https://strongroom.example.com/credentials/1",
            "detail": "AWS · ID ends in 6QXA", "since": "2026-11-18T00:00:00Z",
            "remedy": "Make a new access key in AWS, store it here, then delete the old one.",
            "url": "https://strongroom.example.com/alerts/1",
            "usages": [{"family": "Registry Scan", "name": "mirror of prod-ci",
                "url": "https://strongroom.example.com/integrations/1"}],
            "more_usages": 2,
        }],
    });
    assert_eq!(calls[0].json(), expected);
    // The guide of the type documents the same members.
    let guide = credentials::find("webhook").unwrap().guide.snippets.iter().map(|(_, text)| *text).collect::<String>();
    for name in expected.as_object().unwrap().keys().chain(expected["alerts"][0].as_object().unwrap().keys()) {
        assert!(guide.contains(&format!("\"{name}\":")), "{name}");
    }
}

#[tokio::test]
async fn a_webhook_without_a_signing_secret_is_not_signed() {
    let peer = webhooks::start(None);
    let url = format!("{}{}", peer.url(), webhooks::PATH);
    let stand = Stand::new("webhook_channel", peer, "webhook", &[("url", &url)], &[]);
    stand.send(&one("a")).await.unwrap();
    let key = [9; 32];
    let peer = webhooks::start(Some(key.to_vec()));
    let url = format!("{}{}", peer.url(), webhooks::PATH);
    use base64::Engine as _;
    let secret = format!("whsec_{}", base64::prelude::BASE64_STANDARD.encode(key));
    let secrets = [("url", url.as_str()), ("signing_secret", secret.as_str())];
    Stand::new("webhook_channel", peer, "webhook", &secrets, &[]).send(&one("a")).await.unwrap();
}

/// The lines of Python that the guide gives to receivers.
#[tokio::test]
async fn the_check_of_the_guide_takes_our_messages_and_no_others() {
    let stand = stand("webhook_channel");
    stand.send(&one("prod-ci “é”")).await.unwrap();
    let call = stand.peer.calls().remove(0);
    let guide = credentials::find("webhook").unwrap().guide.snippets;
    let (_, check) = guide.iter().find(|(caption, _)| caption.contains("Python")).unwrap();
    let script = format!(
        "{check}\nimport json, sys\nsecret, headers, body = json.load(sys.stdin)\nbody = bytes.fromhex(body)\n\
         print(is_genuine(secret, headers, body), is_genuine('x' * 24, headers, body), is_genuine(secret, headers, body + b' '))"
    );
    let headers: serde_json::Map<_, _> =
        call.headers.iter().map(|(name, value)| (name.clone(), json!(value))).collect();
    let given = json!([SIGNING_SECRET, headers, hex::encode(&call.body)]).to_string();
    let mut python = std::process::Command::new("python3")
        .args(["-c", &script])
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .expect("python3");
    std::io::Write::write_all(&mut python.stdin.take().unwrap(), given.as_bytes()).unwrap();
    let output = python.wait_with_output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), "True False False");
}
