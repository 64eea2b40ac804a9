//! From the invitation to the second step after a reset, as the people themselves see it.

use super::*;
use crate::login::two_step::code;
use crate::support::browser::{Browser, Look, NARROW, WIDE};

#[actix_web::test]
async fn from_the_invitation_to_the_login_after_a_reset() {
    let all = Mailing::start();
    let ada = all.app.administrator();
    let admin = Browser::open(&all.app.url, Look { width: 1440, ..WIDE }).await;
    admin.take(ada.cookie.as_deref()).await;
    admin.goto("/users/new").await;
    admin.fill("User name", "Grace Hopper").await;
    admin.fill("E-mail address", "grace@example.com").await;
    admin.choose("Role", "Operator").await;
    assert_eq!(admin.axe().await, [""; 0]);
    admin.picture("user-new").await;
    admin.press("Add user").await;
    admin.sees("The invitation is on its way").await;
    admin.sees("Pending").await;
    assert_eq!(admin.axe().await, [""; 0]);
    admin.picture("user-invited").await;

    let grace = Browser::open(&all.app.url, NARROW).await;
    grace.goto(&all.link(&all.mails(1).await[0])).await;
    grace.sees("Welcome, Grace Hopper").await;
    assert_eq!(grace.axe().await, [""; 0]);
    grace.picture("password-choose").await;
    grace.fill("New password", GOOD).await;
    grace.fill("New password again", GOOD).await;
    grace.press("Set password").await;
    grace.sees("Your password is set").await;
    grace.fill("User name", "Grace Hopper").await;
    grace.fill("Password", GOOD).await;
    grace.press("Log in").await;
    grace.sees("Dashboard").await;

    // Two-step verification, then another browser, in which the password is forgotten.
    grace.goto("/account/two-step").await;
    let secret = grace.script("return document.querySelector('#secret').textContent", Vec::new()).await;
    let secret = secret.as_str().expect("a secret").to_owned();
    grace.fill("Code", &code(&all.app, &secret, 0)).await;
    grace.press("Turn on").await;
    grace.sees("Recovery codes").await;
    let other = Browser::open(&all.app.url, WIDE).await;
    other.goto("/login").await;
    other.press("Forgot your password?").await;
    other.fill("User name or e-mail address", "grace@example.com").await;
    assert_eq!(other.axe().await, [""; 0]);
    other.picture("password-forgot").await;
    other.press("Send link").await;
    other.sees("Check your mail").await;
    other.goto(&all.link(&all.mails(2).await[1])).await;
    other.fill("New password", BETTER).await;
    other.fill("New password again", BETTER).await;
    other.press("Set password").await;
    other.fill("User name", "Grace Hopper").await;
    other.fill("Password", BETTER).await;
    other.press("Log in").await;
    other.fill("Code", &code(&all.app, &secret, 1)).await;
    other.press("Log in").await;
    other.sees("Dashboard").await;
    grace.goto("/account").await;
    grace.sees("Log in").await;
    admin.goto("/users").await;
    admin.sees("Active").await;
    assert_eq!(admin.axe().await, [""; 0]);
    assert!(admin.overflow().await <= 0);
    admin.picture("users").await;
    admin.goto(&format!("/integrations/{}/edit", all.channel)).await;
    admin.sees("Also for accounts").await;
    assert_eq!(admin.axe().await, [""; 0]);
    admin.picture("channel-for-accounts").await;
    for browser in [&admin, &grace, &other] {
        assert_eq!(browser.complaints().await, [""; 0]);
    }
    other.close().await;
    grace.close().await;
    admin.close().await;
    let dark = Browser::open(&all.app.url, Look { dark: true, ..NARROW }).await;
    dark.take(ada.cookie.as_deref()).await;
    let otto = format!("/users/{}", all.app.add_user("otto", Role::Auditor));
    for (path, name) in [
        ("/users", "users-dark-narrow"),
        ("/users/new", "user-new-dark-narrow"),
        (&otto, "user-dark-narrow"),
        (&format!("{otto}/delete"), "user-delete-dark-narrow"),
        ("/account", "account-dark-narrow"),
    ] {
        dark.goto(path).await;
        assert_eq!(dark.axe().await, [""; 0], "{path}");
        assert!(dark.overflow().await <= 0, "{path}");
        dark.picture(name).await;
    }
    dark.close().await;
}
