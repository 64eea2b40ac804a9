//! An administrator sets up mail through a relay of the house, in a browser: one with the certificate that openssl makes,
//! with a login, which takes whole host names only and its time over each letter.

use super::*;
use crate::support::browser::{Browser, NARROW, WIDE};
use crate::support::peers::certificates::Authority;

const HELLO: &str = "strongroom.example.com";

#[actix_web::test]
async fn field_mail_through_a_relay_from_the_form_to_the_test_alert_in_the_box() {
    let pair = Authority::self_signed("127.0.0.1");
    let login = json!({"user": USER, "password": PASSWORD, "fqdn": true});
    let server = MailServer::starttls_as(pair.clone(), login);
    server.faults(&json!({"slow": {"taken": 4}}));
    let app = TestApp::start_with(&[&format!("--smtp-hello={HELLO}")]);
    let ada = app.administrator();
    let browser = Browser::open(&app.url, WIDE).await;
    browser.take(ada.cookie.as_deref()).await;

    browser.goto("/credentials/new?kind=basic").await;
    browser.fill("Name", "Relay login").await;
    browser.fill("Username", USER).await;
    browser.fill("Password", PASSWORD).await;
    browser.press("Save").await;
    browser.sees("Usages").await;
    let credential = browser.path().await;

    browser.goto("/integrations/new?version=email").await;
    browser.fill("Name", "Relay").await;
    browser.choose("Credential", "Relay login").await;
    browser.fill("Mail server", "127.0.0.1").await;
    browser.fill("Port", &server.address.port().to_string()).await;
    browser.fill("Sender address", "strongroom@example.com").await;
    browser.press("Send test alert").await;
    browser.sees("is not trusted: it is self-signed.").await;
    browser.sees("paste that certificate itself under CA certificate.").await;
    browser.picture("relay-self-signed").await;
    browser.unfold("Advanced").await;
    browser.fill("CA certificate", &pair.0).await;
    browser.press("Send test alert").await;
    browser.sees("The mail server accepted the login.").await;
    assert!(browser.overflow().await <= 0);
    browser.press("Add").await;
    browser.sees("Add recipient").await;
    let profile = browser.path().await;

    browser.press("Add recipient").await;
    browser.fill("E-mail address", "ops@example.com").await;
    browser.press("Send confirmation").await;
    browser.sees("Confirmation sent").await;
    let asked = mails(&server, 1).await.remove(0);
    let owner = Browser::open(&app.url, NARROW).await;
    owner.goto(&link(&app, asked.body("text/plain"), "/confirm/")).await;
    owner.press("Yes, send them").await;
    owner.sees("Confirmed").await;

    browser.goto(&profile).await;
    browser.press("Send test alert").await;
    let test = mails(&server, 2).await.remove(1);
    assert_eq!(test.header("To"), "ops@example.com");
    assert!(test.body("text/plain").contains("This is a test alert from Strongroom."), "{test:?}");
    browser.reloads_until(&profile, "The last test alert was delivered.").await;
    assert_eq!(browser.axe().await, [""; 0]);
    browser.picture("relay-works").await;
    browser.goto(&credential).await;
    browser.sees("Relay").await;

    quiet(&app).await;
    assert_eq!(server.recipients(), ["ops@example.com", "ops@example.com"], "each once");
    assert!(server.steps("EHLO").iter().all(|step| step["name"] == HELLO), "{:?}", server.steps("EHLO"));
    assert!(browser.complaints().await.is_empty() && owner.complaints().await.is_empty());
    browser.close().await;
    owner.close().await;
}

#[actix_web::test]
async fn a_test_without_a_credential_does_not_speak_of_an_accepted_login() {
    let server = MailServer::clear(json!({}));
    let app = TestApp::start();
    let port = server.address.port().to_string();
    let fields = [
        ("name", "Relay"),
        ("version", "email"),
        ("host", "127.0.0.1"),
        ("port", &port),
        ("tls", "none"),
        ("from", "strongroom@example.com"),
        ("try", "on"),
    ];
    let page = app.administrator().post("/integrations", &fields).await;
    assert_eq!(page.status, 200, "{:?}", page.texts(".error-summary"));
    let said = page.text("main");
    assert!(said.contains("no login was tried") && !said.contains("accepted the login"), "{said}");
}
