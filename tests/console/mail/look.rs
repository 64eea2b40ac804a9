use super::*;
use strongroom::models::account_letters::Purpose;

use crate::support::browser::{Browser, Look, WIDE};

/// A digest as it comes on a Monday.
fn monday() -> Message {
    let mut deploy = stale("CI deploy key");
    deploy.title = "The access key of “CI deploy key” is 212 days old; its limit is 90 days.".to_owned();
    (deploy.severity, deploy.event, deploy.since) = (Severity::Error, Event::Reminder, now() - TimeDelta::days(122));
    deploy.detail = "AWS · ID ends in PLOY".to_owned();
    let used = |family, name: &str| Usage { family, name: name.to_owned(), url: page("integrations/1") };
    deploy.usages = vec![
        used("Registry Scan", "ECR eu-central-1, production"),
        used("Registry Scan", "ECR us-east-1, all teams"),
        used("Alert profile", "Security Hub"),
    ];
    deploy.more_usages = 4;
    let mut billing = stale("Billing export");
    billing.title = "The access key of “Billing export” is 91 days old; its limit is 90 days.".to_owned();
    billing.detail = "AWS · ID ends in LLNG".to_owned();
    billing.usages.clear();
    billing.since = now();
    let mut certificate = stale("Registry client certificate");
    (certificate.trigger, certificate.event, certificate.severity) = (Trigger::Expiring, Event::Ahead, Severity::Info);
    certificate.title =
        "The certificate of “Registry client certificate” ends in 7 days, on 29 November 2026.".to_owned();
    certificate.detail = "Certificate · CN=strongroom.example.com".to_owned();
    certificate.remedy = "Have it renewed by its authority, and store the new one here.".to_owned();
    certificate.usages = vec![used("Registry Scan", "Harbor, all teams")];
    let mut closed = stale("Lambda inventory");
    closed.event = Event::Closed;
    closed.title = "The access key of “Lambda inventory” was replaced.".to_owned();
    closed.detail = "AWS · ID ends in MBDA".to_owned();
    closed.since = now() - TimeDelta::days(9);
    message(vec![deploy, billing, certificate, closed])
}

#[actix_web::test]
async fn a_mail_reads_well_in_light_and_dark_wide_and_narrow() {
    let asked = mail::Confirmation {
        id: Uuid::new_v4(),
        at: now(),
        to: "ops@example.com",
        profile: "On call",
        by: "ada",
        triggers: &[Trigger::Stale, Trigger::Expiring, Trigger::FailedTest],
        console: &page(""),
        link: &page("recipients/confirm/0190/abc"),
        until: now() + TimeDelta::days(7),
    };
    let reset = mail::Account {
        id: Uuid::new_v4(),
        at: now(),
        to: "grace@example.com",
        user: "Grace Hopper",
        by: "somebody",
        about: Purpose::Reset,
        detail: "",
        console: &page(""),
        link: Some((&page("password?token=0190abc"), now() + TimeDelta::minutes(30))),
    };
    let mut test = message(vec![stale("Test alert")]);
    test.test = true;
    let letters = [
        ("digest", letter("ops@example.com", &monday())),
        ("confirmation", mail::confirmation(&asked).unwrap()),
        ("reset", mail::account(&reset).unwrap()),
        ("test", letter("ops@example.com", &test)),
    ];
    let directory = tempfile::tempdir().unwrap();
    for (name, letter) in &letters {
        std::fs::write(directory.path().join(format!("{name}.html")), &letter.html).unwrap();
    }
    for (dark, width) in [(false, 600), (true, 600), (false, 360), (true, 360)] {
        let look = Look { width, height: 900, dark, ..WIDE };
        let browser = Browser::open(&format!("file://{}/", directory.path().display()), look).await;
        for (name, _) in &letters {
            browser.goto(&format!("{name}.html")).await;
            assert!(browser.overflow().await <= 0, "{name} at {width}");
            // A mail has no landmarks: the mail program around it has.
            let mut found = browser.axe().await;
            found.retain(|rule| !rule.starts_with("region") && !rule.starts_with("landmark-one-main"));
            assert!(found.is_empty(), "{name} at {width}, dark {dark}: {found:#?}");
            let theme = if dark { "dark" } else { "light" };
            browser.picture(&format!("mail-{name}-{theme}-{width}")).await;
        }
        assert!(browser.complaints().await.is_empty());
        browser.close().await;
    }
}
