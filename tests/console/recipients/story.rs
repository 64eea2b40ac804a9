use super::*;
use crate::support::browser::{Browser, Look, NARROW, WIDE};

#[actix_web::test]
async fn from_an_old_key_to_the_mail_in_the_box_to_the_rotation() {
    let (server, app) = (MailServer::starttls(), TestApp::start());
    let (profile, ada) = (profile(&app, &server), app.administrator());
    let browser = Browser::open(&app.url, WIDE).await;
    browser.take(ada.cookie.as_deref()).await;
    browser.goto(&format!("/integrations/{profile}")).await;
    browser.press("Add recipient").await;
    browser.fill("E-mail address", "ops@example.com").await;
    assert_eq!(browser.axe().await, [""; 0]);
    browser.press("Send confirmation").await;
    browser.sees("Confirmation sent").await;
    browser.sees("Pending confirmation").await;

    // The owner of the address, elsewhere and not logged in.
    let mail = mails(&server, 1).await.remove(0);
    let owner = Browser::open(&app.url, NARROW).await;
    owner.goto(&link(&app, mail.body("text/plain"), "/confirm/")).await;
    owner.sees("Do you want these alerts?").await;
    assert_eq!(owner.axe().await, [""; 0]);
    owner.picture("recipient-confirm").await;
    owner.press("Yes, send them").await;
    owner.sees("Confirmed").await;

    let key = old_key(&app, "prod-ci");
    let digest = mails(&server, 2).await.remove(1);
    assert_eq!(digest.header("To"), "ops@example.com");
    assert_eq!(digest.header("Subject"), "The access key of “prod-ci” is 91 days old; its limit is 90 days");
    let page = link(&app, digest.body("text/plain"), "/credentials/");
    assert_eq!(page, format!("/credentials/{key}"));
    browser.goto(&format!("/integrations/{profile}")).await;
    browser.sees("Confirmed").await;
    browser.sees("Delivered").await;
    assert_eq!(browser.axe().await, [""; 0]);
    browser.picture("recipients").await;

    browser.goto(&format!("{page}/edit")).await;
    browser.fill("Access key ID", "AKIAI44QH8DHBEXAMPLE").await;
    browser.fill("Secret access key", "je7MtGbClwBF/2Zp9Utk/h3yCo8nvbEXAMPLEKEY").await;
    browser.press("Save").await;
    let closed = mails(&server, 3).await.remove(2);
    assert!(closed.body("text/plain").starts_with("1 alert was closed"), "{}", closed.body("text/plain"));

    owner.goto(&link(&app, closed.body("text/plain"), "/unsubscribe/")).await;
    owner.press("Stop them").await;
    owner.sees("You get no more alerts").await;
    browser.goto(&format!("/integrations/{profile}")).await;
    browser.sees("Unsubscribed").await;
    assert!(browser.complaints().await.is_empty() && owner.complaints().await.is_empty());
    browser.close().await;
    let dark = Browser::open(&app.url, Look { dark: true, ..NARROW }).await;
    dark.take(ada.cookie.as_deref()).await;
    dark.goto(&format!("/integrations/{profile}")).await;
    assert!(dark.overflow().await <= 0);
    dark.picture("recipients-dark-narrow").await;
    dark.close().await;
    owner.close().await;
}

#[actix_web::test]
async fn a_long_name_without_a_space_widens_no_page() {
    let (server, app) = (MailServer::starttls(), TestApp::start());
    let (profile, ada) = (profile_named(&app, &server, &"channel".repeat(28)), app.administrator());
    subscribed(&app, &server, profile, "ops@example.com").await;
    old_key(&app, "prod-ci");
    mails(&server, 2).await;
    quiet(&app).await;
    let alert = app.administrator_again().get("/alerts").await.attributes("[data-alert] .row-link", "href").remove(0);
    for look in [NARROW, WIDE] {
        let browser = Browser::open(&app.url, look).await;
        browser.take(ada.cookie.as_deref()).await;
        for path in [
            alert.clone(),
            "/alerts/settings".to_owned(),
            format!("/integrations/{profile}"),
            format!("/integrations/{profile}/edit"),
            format!("/integrations/{profile}/recipients/new"),
        ] {
            browser.goto(&path).await;
            assert!(browser.overflow().await <= 0, "{path}");
            if path == alert || path == "/alerts/settings" {
                browser
                    .picture(&format!("long-name-{}-{}", if path == alert { "alert" } else { "settings" }, look.width))
                    .await;
            }
        }
        browser.close().await;
    }
}
