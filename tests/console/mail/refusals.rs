use std::time::Duration;

use serde_json::json;
use strongroom::integrations::alerts::Retry;

use super::*;
use crate::support::peers::certificates::Authority;
use crate::support::peers::free_port;

/// What the server said must not reach anybody.
#[track_caller]
fn refused(result: Result<Receipt, Failure>, words: &str) -> Retry {
    let error = result.unwrap_err();
    assert!(error.to_string().contains(words), "{}", error.to_string());
    assert!(!error.to_string().contains("SECRET") && !error.to_string().contains(PASSWORD), "{}", error.to_string());
    error.retry
}

#[tokio::test]
async fn without_starttls_nothing_is_sent() {
    let server = MailServer::clear(json!({"user": USER, "password": PASSWORD}));
    let mut sender = Sender::to(&server);
    sender.settings.set("tls", "starttls");
    let again = refused(sender.write("ops@example.com").await, "does not offer STARTTLS; nothing was sent");
    assert_eq!(again, Retry::ChannelRejected);
    assert!(server.steps("AUTH").is_empty() && server.steps("mail").is_empty());
}

#[tokio::test]
async fn a_server_whose_certificate_is_not_trusted_gets_nothing() {
    for server in [MailServer::starttls(), MailServer::maildev().await] {
        let mut sender = Sender::to(&server);
        sender.settings.set("ca_certificate", "");
        assert_eq!(refused(sender.write("ops@example.com").await, "is not trusted"), Retry::ChannelRejected);
        // Trusted, and for another name.
        let mut sender = Sender::to(&server);
        sender.settings.set("host", "localhost");
        assert_eq!(refused(sender.write("ops@example.com").await, "is not trusted"), Retry::ChannelRejected);
        assert!(server.steps("AUTH").is_empty() && server.steps("mail").is_empty());
    }
}

#[tokio::test]
async fn a_port_that_speaks_another_encryption_is_told_apart() {
    let server = MailServer::starttls();
    let mut sender = Sender::to(&server);
    sender.settings.set("tls", "implicit");
    let again = refused(sender.write("ops@example.com").await, "does not encrypt from the start on this port");
    assert_eq!(again, Retry::ChannelRejected);
}

#[tokio::test]
async fn field_t01_a_mail_server_is_trusted_by_its_pasted_self_signed_certificate() {
    let pair = Authority::self_signed("127.0.0.1");
    let server = MailServer::starttls_as(pair.clone(), json!({}));
    let mut sender = Sender::without_login(&server);
    refused(sender.write("ops@example.com").await, "is not trusted: it is self-signed");
    sender.settings.set("ca_certificate", pair.0.as_str());
    sender.write("ops@example.com").await.unwrap();
    assert_eq!(server.recipients(), ["ops@example.com"]);
}

#[tokio::test]
async fn a_wrong_password_is_refused_for_good() {
    for server in [MailServer::starttls(), MailServer::maildev().await] {
        let mut sender = Sender::to(&server);
        sender.login = Some([("username", USER), ("password", "wrong")].into_iter().collect());
        assert_eq!(
            refused(sender.write("ops@example.com").await, "refused the user name or password"),
            Retry::ChannelRejected
        );
    }
}

#[tokio::test]
async fn a_server_that_wants_a_login_says_so() {
    let server = MailServer::starttls();
    assert_eq!(
        refused(Sender::without_login(&server).write("ops@example.com").await, "wants a login"),
        Retry::ChannelRejected
    );
}

#[tokio::test]
async fn one_refused_recipient_does_not_keep_the_others_from_their_mail() {
    let server = MailServer::starttls();
    server.faults(&json!({"refuse": ["gone@example.com"]}));
    let sender = Sender::to(&server);
    sender.write("a@example.com").await.unwrap();
    let again =
        refused(sender.write("gone@example.com").await, "refused the recipient's address (it answered 550 5.1.1)");
    assert_eq!(again, Retry::MessageRejected);
    sender.write("b@example.com").await.unwrap();
    assert_eq!(server.recipients(), ["a@example.com", "b@example.com"]);
    assert_eq!(server.steps("connect").len(), 1, "the connection is used on");
}

#[tokio::test]
async fn what_the_account_may_not_do_is_a_refusal_of_the_channel() {
    let server = MailServer::open(json!({}));
    let sender = Sender::without_login(&server);
    server.faults(&json!({"answer": {"RCPT": "554 5.7.1 Relay access denied: SECRET"}}));
    let again = refused(sender.write("a@example.com").await, "does not let this account send to that recipient");
    assert_eq!(again, Retry::ChannelRejected);
    server.faults(&json!({"answer": {"RCPT": "530 5.7.0 Authentication required: SECRET"}}));
    assert_eq!(refused(sender.write("a@example.com").await, "wants a login"), Retry::ChannelRejected);
    server.faults(&json!({"answer": {"RCPT": "550 5.1.1 Unknown: SECRET"}}));
    let again = refused(sender.write("a@example.com").await, "refused the recipient's address");
    assert_eq!(again, Retry::MessageRejected);
}

#[tokio::test]
async fn what_is_put_off_is_tried_later_and_a_server_that_leaves_is_waited_for() {
    let server = MailServer::open(json!({}));
    let sender = Sender::without_login(&server);
    for (step, words) in [("MAIL", "the sender address"), ("RCPT", "the recipient's address"), ("DATA", "the letter")] {
        server.faults(&json!({"put_off": {step: 1}}));
        let again = refused(sender.write("ops@example.com").await, &format!("put off {words} (it answered 451 4.7.1)"));
        assert_eq!(again, Retry::Postponed(None));
        server.faults(&json!({"answer": {step: "421 4.3.2 SECRET"}}));
        let again = refused(sender.write("ops@example.com").await, "accepts no mail at the moment");
        assert_eq!(again, Retry::ReceiverDown);
        server.faults(&json!({"answer": {step: "554 5.5.0 SECRET"}}));
        let again = refused(sender.write("ops@example.com").await, &format!("refused {words} (it answered 554 5.5.0)"));
        assert_eq!(again, if step == "RCPT" { Retry::MessageRejected } else { Retry::ChannelRejected });
    }
    server.faults(&json!({"answer": {"taken": "552 5.3.4 SECRET"}}));
    refused(sender.write("ops@example.com").await, "(it answered 552 5.3.4): it is too large");
    server.faults(&json!({"answer": {"greeting": "554 SECRET"}}));
    let other = Sender::without_login(&server);
    assert_eq!(refused(other.write("ops@example.com").await, "accepts no mail"), Retry::ReceiverDown);
    server.faults(&json!({}));
    sender.write("ops@example.com").await.unwrap();
}

#[tokio::test]
async fn a_server_that_is_away_or_says_nothing_is_waited_for() {
    let server = MailServer::open(json!({}));
    let mut sender = Sender::without_login(&server);
    sender.settings.set("port", free_port().to_string());
    assert_eq!(refused(sender.write("ops@example.com").await, "could not be reached"), Retry::ReceiverDown);
    // Once the letter was on its way the server may have it, and others go first.
    for (step, again) in
        [("greeting", Retry::ReceiverDown), ("MAIL", Retry::ReceiverDown), ("DATA", Retry::ConnectionLost)]
    {
        server.faults(&json!({"hang": step}));
        let mut sender = Sender::without_login(&server);
        sender.smtp = Connections::within(Limits::all(Duration::from_millis(300)));
        assert_eq!(refused(sender.write("ops@example.com").await, "did not answer in time"), again, "{step}");
    }
}

#[tokio::test]
async fn a_server_that_never_ends_its_line_is_left() {
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    let flood = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut said = 0_usize;
        while tokio::io::AsyncWriteExt::write_all(&mut stream, &[b'2'; 4096]).await.is_ok() {
            said += 4096;
        }
        said
    });
    let server = MailServer::clear(json!({}));
    let mut sender = Sender::without_login(&server);
    sender.settings.set("port", address.port().to_string());
    refused(sender.write("ops@example.com").await, "sent more than 64 KiB in answer to one command");
    // What stands in the buffers of the two sockets counts too.
    assert!(flood.await.unwrap() < 16 * 1024 * 1024, "it was left, not listened to for half a minute");
}

#[tokio::test]
async fn a_letter_needs_a_recipient_and_a_profile_that_makes_sense() {
    let server = MailServer::open(json!({}));
    let mut sender = Sender::without_login(&server);
    let mut nobody = letter("ops@example.com", &message(vec![stale("prod-ci")]));
    nobody.to = "ops@example.com\r\nRCPT TO:<evil@example.com>".to_owned();
    refused(sender.send(&nobody).await, "recipient's address is not usable");
    sender.settings.set("from", "x@example.com>\r\nRCPT TO:<evil@example.com");
    refused(sender.write("ops@example.com").await, "sender address is not usable");
    assert!(server.steps("connect").is_empty());
}
