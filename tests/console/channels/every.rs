//! What holds for every channel: found by walking the list, so that none can be forgotten.

use chrono::{TimeZone, Utc};
use serde_json::Value;
use strongroom::integrations::alerts::{CHANNELS, Retry, test_message};

use super::*;
use crate::support::peers::channels::texts;
use crate::support::peers::receiver::{Call, Said};

/// Names as somebody who means no good would give them.
const HOSTILE: [&str; 14] = [
    "a\r\nBcc: victim@example.com\r\n\r\nb",
    "a\n\nAuthorization: Basic YTpi",
    "<!channel> <!here|here> <@U0123> <https://evil.example/|click>",
    "@everyone @here @channel <at>everyone</at>",
    "[click](https://evil.example/) **bold** `code` ![x](https://evil.example/x.png)",
    "[~admin] {code}x{code} !https://evil.example/x.png! [click|https://evil.example/] h1. \\[~admin\\]",
    "[code]<script>alert(1)</script>[/code]",
    "</title><script>alert(1)</script><img src=x onerror=alert(1)>",
    "prod\u{202e}gnp.exe \u{2066}x\u{2069} \u{200b}\u{feff}",
    "\u{1b}[31mred\u{7} \u{85} \u{2028}next",
    "https://evil.example/ www.evil.example mailto:x@evil.example",
    "{{7*7}} ${7*7} %0d%0aSet-Cookie:x ^ORpriority=1 \" OR \"\"=\"",
    "👩\u{200d}🚒 Ünïcödé 名前",
    "‘“\"'\\\\\\",
];

fn slugs() -> impl Iterator<Item = &'static str> {
    let all = CHANNELS.iter().map(|channel| channel.slug);
    all.filter(|slug| !ELSEWHERE.contains(slug))
}

/// The texts of a call, also those in base64 as Pub/Sub has them, and of documents one after the other.
fn said(call: &Call) -> Vec<String> {
    let documents: Vec<Value> =
        serde_json::Deserializer::from_slice(&call.body).into_iter().collect::<Result<_, _>>().unwrap_or_default();
    let mut found: Vec<String> = documents.iter().flat_map(texts).map(|(_, text)| text).collect();
    if let Some(messages) = pubsub::messages(call) {
        found.extend(messages.iter().flat_map(|(data, _)| texts(data)).map(|(_, text)| text));
    }
    found
}

#[tokio::test]
async fn every_channel_delivers_an_alert_and_a_test_alert() {
    for slug in slugs() {
        let stand = stand(slug);
        stand.send(&one("prod-ci")).await.unwrap_or_else(|error| panic!("{slug}: {error:?}"));
        let all: Vec<String> = stand.peer.calls().iter().flat_map(said).collect();
        let says = |words: &str| all.iter().any(|text| text.contains(words));
        assert!(
            says("The access key of “prod-ci” is 94 days old") || says("The access key of “prod\\-ci”"),
            "{slug}: {all:?}"
        );
        assert!(says("https://strongroom.example.com/alerts/1"), "{slug}: {all:?}");
        assert!(says("https://strongroom.example.com/credentials/1"), "{slug}: {all:?}");
        let at = Utc.with_ymd_and_hms(2026, 11, 22, 3, 16, 33).unwrap();
        let test = test_message(Uuid::new_v4(), at, &CONSOLE.parse().unwrap());
        stand.send(&test).await.unwrap_or_else(|error| panic!("{slug}: {error:?}"));
        let last: Vec<String> = stand.peer.calls().last().map(said).unwrap();
        assert!(last.iter().any(|text| text.contains("This is a test alert from Strongroom.")), "{slug}: {last:?}");
    }
}

#[tokio::test]
async fn a_full_message_is_taken_by_every_channel() {
    for slug in slugs() {
        let stand = stand(slug);
        let lines = (0..stand.channel.channel().unwrap().lines_at_once).map(|_| line(&"名".repeat(10_000)));
        let mut full = message(lines.collect());
        for line in &mut full.lines {
            line.remedy = "Mend it. ".repeat(200);
            line.detail = "d".repeat(1000);
            line.usages = vec![line.usages[0].clone(); 40];
        }
        full.more = 1234;
        stand.send(&full).await.unwrap_or_else(|error| panic!("{slug}: {error:?}"));
        let size: usize = stand.peer.calls().iter().map(|call| call.body.len()).max().unwrap();
        assert!(size < 1_000_000, "{slug}: {size}");
    }
}

#[tokio::test]
async fn a_hostile_name_is_only_text_in_every_channel() {
    for slug in slugs() {
        let stand = stand(slug);
        for name in HOSTILE.iter().map(|name| (*name).to_owned()).chain([String::new(), "x".repeat(10_000)]) {
            let mut message = one(&name);
            message.lines[0].detail = name.clone();
            message.lines[0].remedy = format!("Rotate {name}.");
            // Its receiver refuses what its vendor would make markup of.
            stand.send(&message).await.unwrap_or_else(|error| panic!("{slug}: {name:?}: {error:?}"));
            let mut reminder = message.clone();
            reminder.lines[0].event = Event::Reminder;
            stand.send(&reminder).await.unwrap_or_else(|error| panic!("{slug}: {name:?}: {error:?}"));
            reminder.lines[0].event = Event::Closed;
            stand.send(&reminder).await.unwrap_or_else(|error| panic!("{slug}: {name:?}: {error:?}"));
        }
        for call in stand.peer.calls() {
            for text in said(&call) {
                let hidden = |c: char| {
                    (c.is_control() && c != '\n') || "\u{202e}\u{2066}\u{2069}\u{200b}\u{feff}\u{2028}".contains(c)
                };
                assert!(!text.contains(hidden), "{slug}: {text:?}");
                assert!(
                    !text.lines().any(|line| line.starts_with("Bcc:") || line.starts_with("Authorization:")),
                    "{slug}: {text:?}"
                );
            }
            let head = format!("{} {:?}", call.target, call.headers);
            for word in ["evil", "Bcc", "channel>", "script", "Set-Cookie", "xxxx"] {
                assert!(!head.contains(word), "{slug}: {word} in {head}");
            }
        }
    }
}

#[tokio::test]
async fn a_page_instead_of_an_answer_is_no_delivery() {
    for slug in slugs().filter(|slug| *slug != "webhook_channel") {
        let stand = stand(slug);
        stand.peer.say(Said::html(200));
        let error = stand.send(&one("prod-ci")).await.expect_err(slug);
        assert_eq!(error.retry, Retry::Postponed(None), "{slug}: {error:?}");
    }
}

#[tokio::test]
async fn a_throttled_message_waits_as_long_as_it_is_asked_to() {
    for slug in slugs() {
        let stand = stand(slug);
        // A session of AWS is had first, and is not what is throttled here.
        if slug != "security_hub" {
            stand.peer.say(Said::json(429, &json!({"error": UPSTREAM})).with("Retry-After", "77"));
            let error = stand.send(&one("prod-ci")).await.expect_err(slug);
            assert_eq!(error.retry, Retry::Postponed(Some(Duration::from_secs(77))), "{slug}: {error:?}");
        }
        stand.peer.say(Said::json(503, &json!({"error": UPSTREAM})));
        let error = stand.send(&one("prod-ci")).await.expect_err(slug);
        assert_eq!(error.retry, Retry::Postponed(None), "{slug}: {error:?}");
    }
}

#[tokio::test]
async fn a_refused_credential_parks_the_message_with_what_to_do() {
    for slug in slugs() {
        let stand = stand(slug);
        let (name, wrong) = match slug {
            "webhook_channel" => ("signing_secret", "another signing secret!!".to_owned()),
            "slack" => ("url", format!("{}/services/T0/B0/gone", stand.peer.url())),
            "teams" => ("url", format!("{}{}x", stand.peer.url(), teams::PATH)),
            "servicenow" | "jira" => ("password", "not-that-one".to_owned()),
            "pagerduty" => ("token", "fedcba9876543210fedcba9876543210".to_owned()),
            "splunk" => ("token", "00000000-0000-0000-0000-000000000000".to_owned()),
            "security_hub" => ("access_key_id", "AKIAUNKNOWNEXAMPLE00".to_owned()),
            "google_pubsub" => ("service_account", "{}".to_owned()),
            "ibm_findings" => ("api_key", "not-that-one".to_owned()),
            other => panic!("a wrong credential for {other}"),
        };
        let stand = stand.with_secret(name, &wrong);
        let error = stand.send(&one("prod-ci")).await.expect_err(slug);
        assert_eq!(error.retry, Retry::ChannelRejected, "{slug}: {error:?}");
        assert!(error.to_string().matches(". ").count() >= 1, "{slug} says what to do: {error:?}");
    }
}

#[tokio::test]
async fn a_peer_that_is_away_is_waited_for() {
    for slug in slugs() {
        let stand = stand(slug);
        let address = stand.peer.url();
        // Bound and closed: nobody listens there.
        let closed = format!("http://127.0.0.1:{}", crate::support::peers::free_port());
        let settings = stand.settings.get("url").replace(&address, &closed);
        let secret = stand.credential.1.get("url").replace(&address, &closed);
        let moved = |service| Endpoints::default().with(service, closed.parse().unwrap());
        let mut stand = stand;
        stand.endpoints = match slug {
            "pagerduty" => moved(Service::PagerDuty),
            "google_pubsub" => moved(Service::GoogleToken),
            _ => stand.endpoints,
        };
        stand.aws = Sessions::new(loopback(), aws::Endpoints::new([("AWS_ENDPOINT_URL", closed.as_str())]));
        let stand = if settings.is_empty() { stand } else { stand.with_setting("url", &settings) };
        let stand = if secret.is_empty() { stand } else { stand.with_secret("url", &secret) };
        let error = stand.send(&one("prod-ci")).await.expect_err(slug);
        assert_eq!(error.retry, Retry::ReceiverDown, "{slug}: {error:?}");
        assert!(stand.peer.calls().is_empty(), "{slug}");
    }
}

#[tokio::test]
async fn no_channel_goes_where_the_operator_does_not_allow_it() {
    for slug in slugs() {
        let stand = stand(slug);
        let closed = Egress::new(Vec::new());
        let world = World { aws: Sessions::new(closed.clone(), stand.aws.endpoints().clone()), ..stand.world(closed) };
        let cx = Context::new(world.outside(), &stand.settings, "Security team", Some(stand.secret()));
        let message = one("prod-ci");
        let dispatch = Dispatch { message: &message, letter: None, go_ahead: None, repeated: false };
        let error = (stand.channel.channel().unwrap().send)(&cx, dispatch).await.expect_err(slug);
        assert_eq!(error.retry, Retry::ChannelRejected, "{slug}: {error:?}");
        assert!(error.to_string().contains("may not connect"), "{slug}: {error:?}");
        assert!(stand.peer.calls().is_empty(), "{slug}");
    }
}

#[test]
fn a_credential_goes_only_where_its_channel_says() {
    for slug in slugs() {
        let channel = Spec::find(slug).unwrap();
        let settings = Values::from_iter([("url", "https://own.example.com/"), ("region", "eu-central-1")]);
        let address = channel.address(&settings);
        assert_eq!(address.is_some(), channel.chooses_host(), "{slug}");
        let host = channel.host(&settings).expect(slug);
        assert_eq!(host == "own.example.com", channel.chooses_host(), "{slug}: {host}");
        let field = channel.fields.iter().find(|field| field.name == "url");
        assert_eq!(field.is_some_and(|field| field.identity), channel.chooses_host(), "{slug}");
        let boxes: Vec<&str> = channel.fields.iter().rev().take(Trigger::ALL.len()).map(|field| field.name).collect();
        assert!(Trigger::ALL.iter().all(|trigger| boxes.contains(&trigger.field())), "{slug}");
        assert!(channel.needs_credential() && channel.channel().unwrap().lines_at_once > 0, "{slug}");
    }
}
