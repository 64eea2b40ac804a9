use crate::support::signed;
use reqwest::Method;

use super::*;

/// Whether its rows are as they were: (confirmed, unsubscribed).
fn state(app: &TestApp) -> (i64, i64) {
    (
        count(app, "recipients WHERE confirmed_at IS NOT NULL"),
        count(app, "recipients WHERE unsubscribed_at IS NOT NULL"),
    )
}

#[actix_web::test]
async fn a_program_that_follows_the_links_of_a_mail_changes_nothing() {
    let (server, app) = (MailServer::starttls(), TestApp::start());
    let profile = profile(&app, &server);
    invite(&mut app.administrator(), profile, "ops@example.com", &["on_stale"]).await;
    let confirmation = mails(&server, 1).await.remove(0);
    let path = link(&app, confirmation.body("text/plain"), "/confirm/");
    for _ in 0..2 {
        let page = app.visitor().get(&path).await;
        assert_eq!((page.status, page.text("h1").as_str()), (200, "Do you want these alerts?"));
        assert_eq!(page.attributes("form", "action"), [path.as_str()]);
    }
    assert_eq!(state(&app), (0, 0));
    assert_eq!(app.visitor().post(&path, &[]).await.text("h1"), "Confirmed");
    assert_eq!(state(&app), (1, 0));
    let page = app.visitor().get(&path).await;
    assert!(page.text("h1") == "Confirmed" && !page.has("form"), "the link has done its work");
    assert_eq!(app.visitor().post(&path, &[]).await.status, 200);
    assert_eq!(count(&app, "events WHERE action = 'recipient.confirmed'"), 1);
}

#[actix_web::test]
async fn a_confirmation_link_holds_seven_days_and_for_its_own_recipient_only() {
    let (server, app) = (MailServer::starttls(), TestApp::start());
    let profile = profile(&app, &server);
    let mut ada = app.administrator();
    let mut paths = Vec::new();
    for (number, address) in ["a@example.com", "b@example.com"].into_iter().enumerate() {
        invite(&mut ada, profile, address, &["on_stale"]).await;
        let mail = mails(&server, number + 1).await.remove(number);
        paths.push(link(&app, mail.body("text/plain"), "/confirm/"));
    }
    let parts = |path: &str| path.split('/').map(str::to_owned).collect::<Vec<_>>();
    let (a, b) = (parts(&paths[0]), parts(&paths[1]));
    let forged = [
        format!("/recipients/{}/confirm/{}", a[2], b[4]),
        format!("/recipients/{}/confirm/{}", a[2], "0".repeat(64)),
        format!("/recipients/{}/confirm/x", a[2]),
        format!("/recipients/{}/confirm/{}", RecipientId::fresh(), a[4]),
        format!("/recipients/x/confirm/{}", a[4]),
        format!("/recipients/{}/unsubscribe/{}", a[2], a[4]),
    ];
    for path in &forged {
        assert_eq!(app.visitor().get(path).await.status, 404, "{path}");
        assert_eq!(app.visitor().post(path, &[]).await.status, 404, "{path}");
    }
    // Its row check covers the time of the invitation, so the whole row ages with the database.
    let late = "UPDATE recipients SET invited_at = invited_at - interval '7 days 1 minute'";
    sql::run(&app, late);
    assert_eq!(app.visitor().get(&paths[0]).await.status, 404, "an altered row");
    sql::run(&app, "UPDATE recipients SET invited_at = invited_at + interval '7 days 1 minute'");
    aged(&app, 8);
    let over = app.visitor().get(&paths[0]).await;
    assert_eq!((over.status, over.text("h1").as_str()), (410, "This link has run out"));
    assert_eq!(app.visitor().post(&paths[0], &[]).await.status, 410);
    assert_eq!(state(&app), (0, 0));
    ada.post(&format!("/recipients/{}/remove", b[2]), &[]).await;
    assert_eq!(app.visitor().get(&paths[1]).await.status, 404);
}

/// Makes every invitation older, as Strongroom itself would have written it then.
fn aged(app: &TestApp, days: i64) {
    signed::run(app, &format!("UPDATE recipients SET invited_at = invited_at - interval '{days} days'"));
}

#[actix_web::test]
async fn one_click_unsubscribes_without_a_login_and_without_a_browser() {
    let (server, app) = (MailServer::starttls(), TestApp::start());
    let profile = profile(&app, &server);
    subscribed(&app, &server, profile, "ops@example.com").await;
    subscribed(&app, &server, profile, "other@example.com").await;
    old_key(&app, "prod-ci");
    let digests = mails(&server, 4).await.split_off(2);
    let digest = digests.iter().find(|mail| mail.header("To") == "ops@example.com").unwrap();
    let path = link(&app, digest.header("List-Unsubscribe").trim_matches(['<', '>']), "/unsubscribe/");
    assert_eq!(digest.header("List-Unsubscribe-Post"), "List-Unsubscribe=One-Click");
    assert_eq!(link(&app, digest.body("text/plain"), "/unsubscribe/"), path);
    let page = app.visitor().get(&path).await;
    assert_eq!((page.status, page.text("h1").as_str()), (200, "Unsubscribe?"));
    assert_eq!(state(&app), (2, 0));
    // As a mail program does (RFC 8058, section 3.2): nothing but the body.
    let one_click = |visit: &Visit| {
        let request = visit.request(Method::POST, &path);
        request.header("content-type", "application/x-www-form-urlencoded").body("List-Unsubscribe=One-Click")
    };
    let mut visit = app.visitor();
    for (name, value) in [("sec-fetch-site", "cross-site"), ("origin", "https://evil.example"), ("origin", "null")] {
        let refused = visit.send(one_click(&visit.clone()).header(name, value)).await;
        assert_eq!(refused.status, 403, "{name}: {value}");
    }
    assert_eq!(state(&app), (2, 0));
    let done = visit.send(one_click(&visit.clone())).await;
    assert_eq!((done.status, done.text("h1").as_str()), (200, "You get no more alerts"));
    assert_eq!(state(&app), (2, 1));
    assert_eq!(visit.send(one_click(&visit.clone())).await.status, 200, "twice is as good as once");
    assert_eq!(count(&app, "events WHERE action = 'recipient.unsubscribed'"), 1);
    old_key(&app, "stage-ci");
    let mails = mails(&server, 5).await;
    quiet(&app).await;
    assert_eq!(mails[4].header("To"), "other@example.com");
    assert_eq!(server.recipients().len(), 5);
}

#[actix_web::test]
async fn every_other_write_still_says_where_it_comes_from() {
    let app = TestApp::start();
    let mut visit = app.visitor();
    for path in [
        "/login".to_owned(),
        format!("/recipients/{}/confirm/{}", RecipientId::fresh(), "0".repeat(64)),
        format!("/recipients/{}/remove", RecipientId::fresh()),
        format!("/recipients/{}/unsubscribe", RecipientId::fresh()),
        format!("/recipients/{}/unsubscribe/a/b", RecipientId::fresh()),
    ] {
        let request = visit.request(Method::POST, &path).form(&[("List-Unsubscribe", "One-Click")]);
        assert_eq!(visit.send(request).await.status, 403, "{path}");
    }
    let path = format!("/recipients/{}/unsubscribe/{}", RecipientId::fresh(), "0".repeat(64));
    let mut ada = app.administrator();
    let request = ada.request(Method::POST, &path).form(&[("List-Unsubscribe", "One-Click")]);
    assert_eq!(ada.send(request).await.status, 403, "a browser with a session is no mail program");
}

#[actix_web::test]
async fn what_waits_for_somebody_is_given_up_when_they_unsubscribe() {
    let (server, app) = (MailServer::starttls(), TestApp::start());
    let profile = profile(&app, &server);
    let id = subscribed(&app, &server, profile, "ops@example.com").await;
    server.faults(&json!({"put_off": {"RCPT": 1}}));
    old_key(&app, "prod-ci");
    wait_for("the mail was put off", PATIENCE, async || {
        count(&app, "deliveries WHERE state = 'ready' AND attempts > 0") == 1
    })
    .await;
    let token = app.transaction(|conn| {
        let row = strongroom::models::recipients::find(conn, &app.services.vault, id)?;
        Ok(row.shown().unsubscribe_key(&app.services.vault))
    });
    let done = app.visitor().post(&format!("/recipients/{id}/unsubscribe/{token}"), &[]).await;
    assert_eq!(done.text("h1"), "You get no more alerts");
    assert_eq!(count(&app, "deliveries WHERE state = 'dropped'"), 1);
    assert_eq!(server.recipients().len(), 1);
}

#[actix_web::test]
async fn the_link_of_a_removed_recipient_says_calmly_that_nothing_more_is_sent() {
    let (server, app) = (MailServer::starttls(), TestApp::start());
    let profile = profile(&app, &server);
    let id = subscribed(&app, &server, profile, "ops@example.com").await;
    let key = app.transaction(|conn| {
        let row = strongroom::models::recipients::find(conn, &app.services.vault, id)?;
        Ok(row.shown().unsubscribe_key(&app.services.vault))
    });
    app.administrator_again().post(&format!("/recipients/{id}/remove"), &[]).await;
    let mut pages = Vec::new();
    for path in [
        format!("/recipients/{id}/unsubscribe/{key}"),
        format!("/recipients/{}/unsubscribe/{}", RecipientId::fresh(), "0".repeat(64)),
    ] {
        let visit = app.visitor();
        let one_click = visit.request(Method::POST, &path).form(&[("List-Unsubscribe", "One-Click")]);
        pages.extend([app.visitor().get(&path).await, visit.clone().send(one_click).await]);
    }
    for page in &pages {
        assert_eq!((page.status, page.text("h1").as_str()), (200, "Nothing more is sent"));
        assert!(!page.has(".button") && !page.has("form"), "an outsider has nothing to do here");
        assert_eq!(page.body, pages[0].body, "nothing tells whether there was such a recipient");
    }
}
