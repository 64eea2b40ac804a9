//! Relays as people have them: slow ones, picky ones and old ones.

use std::time::Duration;

use serde_json::json;
use strongroom::integrations::alerts::Retry;

use super::*;

fn greetings(server: &MailServer, step: &str) -> Vec<String> {
    server.steps(step).iter().map(|step| step["name"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn field_s02_a_relay_may_take_its_time_after_the_dot_and_gets_one_letter() {
    let server = MailServer::open(json!({}));
    let mut sender = Sender::without_login(&server);
    let (quick, patient) = (Duration::from_secs(2), Duration::from_secs(20));
    sender.smtp = Connections::within(Limits { dot: patient, ..Limits::all(quick) });
    server.faults(&json!({"slow": {"taken": 5}}));
    sender.write("ops@example.com").await.unwrap();
    assert_eq!(server.recipients(), ["ops@example.com"]);
    // Every other step has a limit of its own.
    server.faults(&json!({"slow": {"RCPT": 5}}));
    assert_eq!(sender.write("ops@example.com").await.unwrap_err().retry, Retry::ReceiverDown);
}

#[test]
fn field_s02_the_limits_are_those_of_the_standard() {
    let (limits, minutes) = (Limits::default(), |minutes: u64| Duration::from_secs(60 * minutes));
    assert_eq!((limits.command, limits.data), (minutes(5), minutes(2)));
    assert_eq!((limits.block, limits.dot), (minutes(3), minutes(10)));
    assert!(EMAIL.channel().unwrap().patience > 6 * limits.command + limits.data + limits.block + limits.dot);
}

#[tokio::test]
async fn field_s01_a_console_of_one_word_greets_by_its_address() {
    let server = MailServer::open(json!({"fqdn": true}));
    for console in ["http://strongroom:8122/", "http://localhost:8122/", "http://strong_room.example.com/"] {
        let mut sender = Sender::without_login(&server);
        sender.console = console.parse().unwrap();
        sender.write("ops@example.com").await.unwrap();
    }
    assert!(greetings(&server, "EHLO").iter().all(|name| name == "[127.0.0.1]"), "{:?}", server.steps("EHLO"));
    assert_eq!(server.recipients().len(), 3);
}

#[tokio::test]
async fn field_s01_the_operator_names_the_greeting() {
    let server = MailServer::open(json!({"fqdn": true}));
    let mut sender = Sender::without_login(&server);
    sender.smtp = Connections::default().greeting_as(Some("mx.example.net".to_owned()));
    sender.write("ops@example.com").await.unwrap();
    assert!(greetings(&server, "EHLO").iter().all(|name| name == "mx.example.net"));
    sender.smtp = Connections::default().greeting_as(Some("strongroom".to_owned()));
    sender.write("ops@example.com").await.unwrap();
    assert_eq!(greetings(&server, "EHLO").last().unwrap(), "[127.0.0.1]", "such a name is never said");
}

#[tokio::test]
async fn field_s01_a_refused_greeting_is_named_and_is_the_channels() {
    let server = MailServer::open(json!({}));
    let text = "504 5.5.2 <x>: Helo command rejected: need fully-qualified hostname SECRET";
    for step in ["MAIL", "RCPT"] {
        server.faults(&json!({"answer": {step: text}}));
        let error = Sender::without_login(&server).write("ops@example.com").await.unwrap_err();
        assert_eq!(error.retry, Retry::ChannelRejected, "{error:?}");
        for words in ["console.example.com in Strongroom's greeting", "STRONGROOM_SMTP_HELLO"] {
            assert!(error.to_string().contains(words), "{}", error.to_string());
        }
        assert!(!error.to_string().contains("SECRET"), "{}", error.to_string());
    }
}

#[tokio::test]
async fn field_s05_a_server_without_ehlo_is_greeted_as_of_old() {
    let server = MailServer::clear(json!({}));
    server.faults(&json!({"answer": {"EHLO": "502 5.5.1 Command not implemented"}}));
    let sender = Sender::without_login(&server);
    sender.write("ops@example.com").await.unwrap();
    sender.write("ada@example.com").await.unwrap();
    assert_eq!(greetings(&server, "HELO"), ["console.example.com"], "and the connection is kept");
    assert_eq!(server.recipients(), ["ops@example.com", "ada@example.com"]);
}

#[tokio::test]
async fn field_s05_a_server_without_ehlo_offers_no_encryption() {
    let server = MailServer::clear(json!({}));
    server.faults(&json!({"answer": {"EHLO": "502 5.5.1 Command not implemented"}}));
    let mut sender = Sender::without_login(&server);
    sender.settings.set("tls", "starttls");
    let error = sender.write("ops@example.com").await.unwrap_err();
    assert!(error.to_string().contains("does not offer STARTTLS; nothing was sent"), "{}", error.to_string());
    assert!(server.steps("mail").is_empty());
}

#[tokio::test]
async fn field_s03_a_login_that_is_switched_off_is_not_called_a_wrong_password() {
    let server = MailServer::starttls();
    let answers = [
        (
            "535 5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled for the Tenant. SECRET",
            "has SMTP login switched off for this account",
        ),
        ("534 5.7.9 Application-specific password required SECRET", "wants an application password"),
        (
            "535 5.7.139 Authentication unsuccessful, basic authentication is disabled. SECRET",
            "Choose an Azure credential",
        ),
    ];
    for (answer, words) in answers {
        server.faults(&json!({"answer": {"AUTH": answer}}));
        let error = Sender::to(&server).write("ops@example.com").await.unwrap_err();
        assert!(error.to_string().contains(words) && !error.to_string().contains("SECRET"), "{}", error.to_string());
        assert_eq!(error.retry, Retry::ChannelRejected);
    }
}

#[tokio::test]
async fn field_s03_a_full_mailbox_is_this_recipients_and_a_sender_the_channels() {
    let server = MailServer::open(json!({}));
    let sender = Sender::without_login(&server);
    let answers = [
        ("RCPT", "552 5.2.2 Mailbox full", "mailbox is full", Retry::MessageRejected),
        ("RCPT", "452 4.2.2 Over quota", "mailbox is full", Retry::Postponed(None)),
        (
            "RCPT",
            "553 5.7.1 <x>: Sender address rejected: not owned by user y",
            "send as strongroom@",
            Retry::ChannelRejected,
        ),
        (
            "taken",
            "550 5.7.60 SMTP; Client does not have permissions to send as this sender",
            "send as",
            Retry::ChannelRejected,
        ),
    ];
    for (step, answer, words, again) in answers {
        server.faults(&json!({"answer": {step: answer}}));
        let error = sender.write("ops@example.com").await.unwrap_err();
        assert!(error.to_string().contains(words), "{}", error.to_string());
        assert_eq!(error.retry, again, "{answer}");
    }
}
