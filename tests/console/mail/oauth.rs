//! Mailboxes of Microsoft 365 and of Google Workspace, opened by an access token (XOAUTH2) that an Azure or Google Cloud
//! credential of the store gets.

use serde_json::json;
use strongroom::integrations::alerts::Retry;
use strongroom::providers::endpoints::Service;

use super::*;
use crate::support::peers::receiver::Receiver;
use crate::support::peers::{clouds, entra};

const EMAIL: &str = "mailer@mycompany-project.iam.gserviceaccount.com";
const KEY_ID: &str = "abe29475a09fb22e709fdc622306a714e17cd1c0";
const OUTLOOK: &str = "https://outlook.office365.com";

/// A server that takes tokens alone.
fn exchange(mailbox: &str, audience: &str, challenge: bool) -> MailServer {
    MailServer::open(json!({"xoauth2": {"mailbox": mailbox, "audience": audience, "challenge": challenge}}))
}

fn microsoft(server: &MailServer, entra: &Receiver) -> Sender {
    let key = json!({"clientId": entra::CLIENT, "clientSecret": entra::SECRET, "tenantId": entra::TENANT,
        "subscriptionId": "a1b2c3d4-0000-4000-8000-000000000000"});
    let login = [("method", "service_key"), ("service_key", &*key.to_string())].into_iter().collect();
    opened_by(server, "azure", login, Service::AzureLogin, entra)
}

fn google(server: &MailServer, tokens: &Receiver, key: &str) -> Sender {
    let account = json!({"type": "service_account", "project_id": "mycompany-project", "private_key_id": KEY_ID,
        "private_key": key, "client_email": EMAIL});
    let login = [("service_account", &*account.to_string()), ("level", "project")].into_iter().collect();
    opened_by(server, "gcp", login, Service::GoogleToken, tokens)
}

fn opened_by(server: &MailServer, kind: &'static str, login: Values, service: Service, at: &Receiver) -> Sender {
    let mut sender = Sender::without_login(server);
    sender.endpoints = Endpoints::default().with(service, at.url().parse().unwrap());
    (sender.login, sender.kind, sender.stored) = (Some(login), kind, Some((Uuid::new_v4(), 1)));
    sender
}

/// A key for service accounts, and its public half.
fn key() -> (String, Vec<u8>) {
    let pem = rcgen::KeyPair::generate_for(&rcgen::PKCS_RSA_SHA256).unwrap().serialize_pem();
    let public = credentials::pem::RsaKey::parse(&pem).unwrap().public_der().unwrap();
    (pem, public)
}

#[tokio::test]
async fn field_s06_a_mailbox_of_microsoft_365_is_opened_by_an_azure_credential() {
    let (server, entra) = (exchange(clouds::MAILBOX, OUTLOOK, false), entra::start(None));
    let sender = microsoft(&server, &entra);
    sender.write("ops@example.com").await.unwrap();
    sender.write("ada@example.com").await.unwrap();
    assert_eq!(server.recipients(), ["ops@example.com", "ada@example.com"]);
    let logins = server.steps("XOAUTH2");
    assert_eq!(logins.len(), 1);
    assert_eq!((&logins[0]["user"], &logins[0]["tls"]), (&json!(clouds::MAILBOX), &json!(true)));
    sender.knock().await.unwrap();
}

#[tokio::test]
async fn field_s06_a_mailbox_of_google_workspace_is_opened_by_a_service_account() {
    let (pem, public) = key();
    let (server, tokens) = (exchange(clouds::MAILBOX, "ya29.mail", true), clouds::google(EMAIL, KEY_ID, public));
    let mut sender = google(&server, &tokens, &pem);
    sender.write("ops@example.com").await.unwrap();
    assert_eq!(server.recipients(), ["ops@example.com"]);
    // For a mailbox that it may not act for.
    sender.settings.set("from", "ceo@console.example.com");
    let error = sender.write("ops@example.com").await.unwrap_err();
    assert!(error.to_string().contains("may not act for ceo@console.example.com"), "{}", error.to_string());
    assert!(error.to_string().contains("Domain-wide delegation"), "{}", error.to_string());
    assert_eq!(error.retry, Retry::ChannelRejected);
}

#[tokio::test]
async fn field_s06_a_refused_token_names_the_mailbox_and_what_is_missing() {
    let entra = entra::start(None);
    for challenge in [false, true] {
        let server = exchange("somebody@else.example", OUTLOOK, challenge);
        let error = microsoft(&server, &entra).write("ops@example.com").await.unwrap_err();
        let said = format!("refused the access token for {}", clouds::MAILBOX);
        assert!(error.to_string().contains(&said) && !error.to_string().contains("SECRET"), "{}", error.to_string());
        assert_eq!(error.retry, Retry::ChannelRejected);
    }
}

#[tokio::test]
async fn field_s06_a_password_where_tokens_are_wanted_is_told_which_credential_does() {
    // aiosmtpd offers its own ways besides.
    let server = MailServer::open(json!({"without": ["PLAIN", "LOGIN"],
        "xoauth2": {"mailbox": clouds::MAILBOX, "audience": OUTLOOK}}));
    let error = Sender::to(&server).write("ops@example.com").await.unwrap_err();
    assert!(error.to_string().contains("choose an Azure or Google Cloud credential"), "{}", error.to_string());
    assert!(server.steps("AUTH").is_empty());
    let plain = MailServer::starttls();
    let error = microsoft(&plain, &entra::start(None)).write("ops@example.com").await.unwrap_err();
    assert!(error.to_string().contains("no login with an access token"), "{}", error.to_string());
}
