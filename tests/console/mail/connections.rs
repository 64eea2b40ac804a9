use std::time::{Duration, Instant};

use lettre::address::Envelope;
use lettre::transport::smtp::client::AsyncSmtpConnection;
use lettre::transport::smtp::extension::ClientId;
use serde_json::json;
use strongroom::integrations::alerts::{Retry, go_ahead};

use super::*;
use crate::support::wait::wait_for;

#[tokio::test]
async fn letters_share_a_connection_as_long_as_the_credential_stays_the_same() {
    let server = MailServer::starttls();
    let mut sender = Sender::to(&server);
    for number in 0..5 {
        sender.write(&format!("ops{number}@example.com")).await.unwrap();
    }
    assert_eq!((server.steps("connect").len(), server.steps("AUTH").len()), (1, 1));
    sender.stored = sender.stored.map(|(id, version)| (id, version + 1));
    sender.write("ops5@example.com").await.unwrap();
    assert_eq!(server.steps("connect").len(), 2, "a new version of the secret logs in again");
    // A credential that is tried before it is saved leaves nothing behind.
    sender.stored = None;
    sender.write("ops6@example.com").await.unwrap();
    sender.write("ops7@example.com").await.unwrap();
    assert_eq!(server.steps("connect").len(), 4);
    assert_eq!(server.recipients().len(), 8);
}

#[tokio::test]
async fn a_connection_that_died_meanwhile_is_replaced_and_nobody_notices() {
    let mut server = MailServer::starttls();
    let sender = Sender::to(&server);
    sender.write("a@example.com").await.unwrap();
    server.stop();
    server.start_again();
    sender.write("b@example.com").await.unwrap();
    assert_eq!(server.recipients(), ["a@example.com", "b@example.com"]);
}

#[tokio::test]
async fn a_letter_that_was_on_its_way_is_not_sent_again_unasked() {
    let server = MailServer::open(json!({}));
    let sender = Sender::without_login(&server);
    for step in ["MAIL", "RCPT"] {
        server.faults(&json!({"drop": {step: 1}}));
        let before = server.steps("connect").len();
        assert_eq!(sender.write("a@example.com").await.unwrap_err().retry, Retry::ReceiverDown);
        assert_eq!(server.steps("connect").len() - before, 2, "nothing was on its way: tried once more");
    }
    for step in ["DATA", "taken"] {
        server.faults(&json!({"drop": {step: 1}}));
        let before = server.steps("connect").len();
        assert_eq!(
            sender.write("a@example.com").await.unwrap_err().retry,
            Retry::ConnectionLost,
            "perhaps it is this letter"
        );
        assert_eq!(server.steps("connect").len() - before, 1, "it may have arrived: whoever sends it again decides so");
    }
    assert_eq!(server.recipients(), ["a@example.com"]);
}

#[tokio::test]
async fn an_attempt_after_a_broken_one_carries_the_same_id() {
    let server = MailServer::open(json!({}));
    let sender = Sender::without_login(&server);
    let letter = letter("a@example.com", &message(vec![stale("prod-ci")]));
    server.faults(&json!({"drop": {"taken": 1}}));
    sender.send(&letter).await.unwrap_err();
    server.faults(&json!({}));
    sender.send(&letter).await.unwrap();
    let ids: Vec<String> = server.mails().iter().map(|mail| mail.header("Message-ID").to_owned()).collect();
    assert_eq!(ids.len(), 2);
    assert_eq!(ids[0], ids[1]);
    assert_eq!(ids[0], format!("<{}>", letter.message_id()));
}

/// Letters of each of the four senders below.
const EACH: usize = 50;

/// Has four senders at once send so many letters each; how long they take.
async fn four<F: Future<Output = ()>>(sender: impl Fn(usize) -> F) -> Duration {
    let start = Instant::now();
    futures_util::future::join_all((0..4).map(sender)).await;
    start.elapsed()
}

async fn ours(sender: &Sender, worker: usize, letters: usize) {
    for number in 0..letters {
        sender.write(&format!("ops-{worker}-{number}@example.com")).await.unwrap();
    }
}

#[tokio::test]
async fn many_letters_over_few_connections_all_arrive() {
    let server = MailServer::open(json!({"store": false}));
    let sender = Sender::without_login(&server);
    four(|worker| ours(&sender, worker, EACH)).await;
    let mut recipients = server.recipients();
    recipients.sort();
    recipients.dedup();
    assert_eq!(recipients.len(), 4 * EACH);
    assert!(server.steps("connect").len() <= 4);
}

/// 10,000 letters, each written for its recipient, against a bare loop of the library that sends as many bytes
/// over as many connections.
#[tokio::test]
#[ignore = "a measurement: with --release, on a machine that does nothing else"]
async fn the_rate_is_at_least_seven_tenths_of_a_bare_loop() {
    let server = MailServer::clear(json!({"store": false}));
    let sender = Sender::without_login(&server);
    ours(&sender, 9, 10).await;
    let letters = std::env::var("STRONGROOM_TEST_LETTERS").map_or(2_500, |number| number.parse().unwrap());
    let letter = letter("ops@example.com", &message(vec![stale("prod-ci")]));
    let size = letter.html.len() + letter.text.len();
    let bare = four(|_| bare(&server, size, letters)).await;
    let ours = four(|worker| ours(&sender, worker, letters)).await;
    let rate = |time: Duration| 4.0 * letters as f64 / time.as_secs_f64();
    eprintln!("bare {:.0}/s, ours {:.0}/s", rate(bare), rate(ours));
    assert!(rate(ours) >= 0.7 * rate(bare));
}

async fn bare(server: &MailServer, size: usize, letters: usize) {
    let stream = tokio::net::TcpStream::connect(server.address).await.unwrap();
    stream.set_nodelay(true).unwrap();
    let mut smtp = AsyncSmtpConnection::connect_with_transport(Box::new(stream), &ClientId::default()).await.unwrap();
    let (from, to) = ("strongroom@console.example.com".parse().unwrap(), "ops@example.com".parse().unwrap());
    let envelope = Envelope::new(Some(from), vec![to]).unwrap();
    let line = format!("{}\r\n", "x".repeat(74));
    let whole = format!("Subject: x\r\n\r\n{}", line.repeat(size / line.len()));
    for _ in 0..letters {
        smtp.send(&envelope, whole.as_bytes()).await.unwrap();
    }
}

#[tokio::test]
async fn a_letter_arrives_only_after_its_go_ahead_and_without_it_never() {
    let server = MailServer::open(json!({}));
    let sender = Sender::without_login(&server);
    let (giver, wait) = go_ahead();
    let mut sending = Box::pin(sender.write_after("ada@example.com", &wait));
    // It has got as far as it may when the server has both addresses.
    wait_for("all but the letter is said", Duration::from_secs(20), async || {
        assert!(futures_util::poll!(&mut sending).is_pending(), "it waits");
        !server.steps("RCPT").is_empty()
    })
    .await;
    assert!(server.steps("mail").is_empty(), "nothing has arrived");
    giver.give();
    sending.await.expect("now it arrives");
    assert_eq!(server.recipients(), ["ada@example.com"]);
    let (giver, wait) = go_ahead();
    drop(giver);
    sender.write_after("grace@example.com", &wait).await.expect_err("it must not be sent");
    sender.write("ada@example.com").await.expect("the next one is sent");
    assert_eq!(server.recipients(), ["ada@example.com", "ada@example.com"]);
}
