use serde_json::json;
use strongroom::integrations::alerts::email::{self, Letter};

use super::*;
use crate::support::peers::smtp::Mail;

/// Header by header, and part by part.
fn is_as_written(mail: &Mail, letter: &Letter) {
    assert!(mail.defects.is_empty(), "{:?}", mail.defects);
    assert!(mail.ascii && mail.longest <= 998, "{}", mail.longest);
    assert_eq!(mail.header("From"), "Strongroom <strongroom@console.example.com>");
    assert_eq!(mail.header("To"), letter.to);
    assert_eq!(mail.header("Subject"), letter.subject);
    assert_eq!(mail.header("Date"), "Sun, 22 Nov 2026 06:00:00 +0000");
    assert_eq!(mail.header("Message-ID"), format!("<{}@console.example.com>", letter.id));
    assert_eq!(mail.header("List-Id"), "Strongroom <alerts.console.example.com>");
    assert_eq!(mail.header("Auto-Submitted"), "auto-generated");
    assert_eq!(mail.header("X-Auto-Response-Suppress"), "All");
    assert_eq!(mail.header("List-Unsubscribe"), format!("<{}>", letter.unsubscribe.as_ref().unwrap()));
    assert_eq!(mail.header("List-Unsubscribe-Post"), "List-Unsubscribe=One-Click");
    assert_eq!(mail.header("MIME-Version"), "1.0");
    let kinds: Vec<&str> = mail.parts.iter().map(|part| part.kind.as_str()).collect();
    assert_eq!(kinds, ["multipart/alternative", "text/plain", "text/html"]);
    assert!(mail.parts.iter().all(|part| part.defects.is_empty()), "{:?}", mail.parts);
    assert!(mail.parts[1..].iter().all(|part| part.charset.as_deref() == Some("utf-8")), "{:?}", mail.parts);
    assert_eq!(mail.body("text/plain").replace("\r\n", "\n").trim_end(), letter.text.trim_end());
    assert_eq!(mail.body("text/html").replace("\r\n", "\n").trim_end(), letter.html.trim_end());
}

#[tokio::test]
async fn a_letter_arrives_whole_over_starttls_and_after_a_login() {
    let server = MailServer::starttls();
    let letter = letter("ops@example.com", &message(vec![stale("prod-ci")]));
    Sender::to(&server).send(&letter).await.unwrap();
    let mails = server.mails();
    assert_eq!(mails.len(), 1);
    is_as_written(&mails[0], &letter);
    assert_eq!(letter.subject, "The access key of “prod-ci” is 94 days old; its limit is 90 days");
    let taken = &server.steps("mail")[0];
    assert_eq!(taken["sender"], "strongroom@console.example.com");
    assert_eq!(taken["to"], json!(["ops@example.com"]));
    assert_eq!((&taken["tls"], &taken["login"]), (&json!(true), &json!(true)));
    let greetings = server.steps("EHLO");
    assert_eq!(greetings.iter().map(|step| step["tls"].as_bool()).collect::<Vec<_>>(), [Some(false), Some(true)]);
    assert!(greetings.iter().all(|step| step["name"] == "console.example.com"));
    assert!(server.steps("AUTH").iter().all(|step| step["tls"] == true && step["good"] == true));
}

#[tokio::test]
async fn a_letter_arrives_whole_over_tls_from_the_start() {
    let server = MailServer::maildev().await;
    let letter = letter("ops@example.com", &message(vec![stale("prod-ci"), stale("stage-ci")]));
    Sender::to(&server).send(&letter).await.unwrap();
    let mails = server.files(1).await;
    is_as_written(&mails[0], &letter);
    assert_eq!(letter.subject, "2 alerts need attention: 2 old secrets");
}

#[tokio::test]
async fn a_profile_without_recipients_is_tested_by_its_login() {
    let server = MailServer::starttls();
    let mut sender = Sender::to(&server);
    sender.knock().await.unwrap();
    assert_eq!((server.steps("AUTH").len(), server.steps("QUIT").len(), server.steps("mail").len()), (1, 1, 0));
    sender.login = Some([("username", USER), ("password", "wrong")].into_iter().collect());
    assert!(sender.knock().await.unwrap_err().to_string().contains("refused the user name or password"));
}

#[tokio::test]
async fn a_server_that_knows_only_the_older_login_is_spoken_to() {
    let server = MailServer::open(json!({"user": USER, "password": PASSWORD, "without": ["PLAIN"]}));
    Sender::to(&server).write("ops@example.com").await.unwrap();
    assert_eq!(server.steps("AUTH")[0]["mechanism"], "LOGIN");
}

#[tokio::test]
async fn a_server_without_encryption_is_for_listed_networks_and_without_a_credential() {
    let server = MailServer::clear(json!({}));
    let mut sender = Sender::without_login(&server);
    sender.write("ops@example.com").await.unwrap();
    assert_eq!(server.recipients(), ["ops@example.com"]);
    sender.egress = Egress::new(Vec::new());
    let refused = sender.write("ops@example.com").await.unwrap_err();
    assert!(refused.to_string().contains("STRONGROOM_EGRESS_ALLOW"), "{}", refused.to_string());
    let refused = Sender::to(&server).write("ops@example.com").await.unwrap_err();
    assert!(refused.to_string().contains("without encryption"), "{}", refused.to_string());
    assert_eq!(server.steps("connect").len(), 1);
}

#[tokio::test]
async fn a_sender_name_cannot_end_its_header() {
    let server = MailServer::clear(json!({}));
    let mut sender = Sender::without_login(&server);
    for name in ["Ops, Team", "a\" <evil@example.com>, \"b", "Ü ber", "x\r\nBcc: evil@example.com"] {
        sender.settings.set("from_name", name);
        sender.write("ops@example.com").await.unwrap();
        let mail = server.mails().pop().unwrap();
        assert!(mail.header("From").ends_with(" <strongroom@console.example.com>"), "{:?}", mail.headers);
        assert!(!mail.has("Bcc") && mail.defects.is_empty(), "{mail:?}");
    }
    assert!(server.recipients().iter().all(|to| to == "ops@example.com"));
}

#[test]
fn an_address_is_one_plain_address() {
    let good = |text: &str| email::address(text).unwrap();
    assert_eq!(good(" Ops+keys@Example.COM "), "Ops+keys@example.com");
    assert_eq!(good("ops@bücher.example"), "ops@xn--bcher-kva.example");
    for bad in [
        "",
        "ops",
        "@example.com",
        "ops@",
        "Ops <ops@example.com>",
        "a@example.com,b@example.com",
        "a@example.com b@example.com",
        "a@b@example.com",
        "\"quoted\"@example.com",
        "ops@example.com\r\nBcc: evil@example.com",
        "ops\u{202e}@example.com",
        "öps@example.com",
        "ops@127.0.0.1",
        "ops@[::1]",
        "ops@exa mple.com",
        ".ops@example.com",
        "ops@-example-.com>",
    ] {
        assert!(email::address(bad).is_err(), "{bad:?}");
    }
    assert!(email::address(&format!("{}@example.com", "x".repeat(65))).is_err());
}
