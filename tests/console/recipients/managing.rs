use strongroom::accounts::Role;
use strongroom::integrations::alerts::TRIGGER_FIELDS;
use strongroom::models::RecipientId;

use super::*;
use crate::support::signed;

#[actix_web::test]
async fn an_address_is_invited_with_something_to_hear_of() {
    let (server, app) = (MailServer::starttls(), TestApp::start());
    let profile = profile(&app, &server);
    let mut ada = app.administrator();
    let form = ada.get(&format!("/integrations/{profile}/recipients/new")).await;
    assert_eq!(form.attributes("form.form input[type=checkbox]", "name").len(), TRIGGER_FIELDS.len());
    assert_eq!(
        form.attributes("form.form input[type=checkbox][checked]", "name").len(),
        TRIGGER_FIELDS.len(),
        "all are ticked at first"
    );
    for bad in
        ["", "ops", "Ops <ops@example.com>", "a@example.com, b@example.com", "ops@example.com\r\nBcc: x@y.example"]
    {
        let page = invite(&mut ada, profile, bad, &["on_stale"]).await;
        assert!(page.status == 422 && page.has("#address-error"), "{bad:?}");
    }
    let page = invite(&mut ada, profile, "ops@example.com", &[]).await;
    assert_eq!(page.status, 422);
    assert_eq!(page.attributes("#address", "value"), ["ops@example.com"], "what was typed is not lost");
    assert_eq!(invite(&mut ada, profile, "Ops@Example.com", &["on_stale"]).await.status, 303);
    let path = format!("/integrations/{profile}/recipients");
    let surplus = ada.post(&path, &[("address", "x@y.example"), ("confirmed_at", "1")]).await;
    assert_eq!(surplus.status, 422);
    assert_eq!(count(&app, "recipients"), 1);
    assert_eq!(mails(&server, 1).await[0].header("To"), "Ops@example.com");
}

#[actix_web::test]
async fn who_is_named_by_an_address_subscribes_with_it() {
    let (server, app) = (MailServer::starttls(), TestApp::start());
    let profile = profile(&app, &server);
    let path = format!("/integrations/{profile}/recipients/new");
    let form = app.user("ada@example.com", Role::Administrator).get(&path).await;
    assert_eq!(form.attributes("#address", "value"), ["ada@example.com"]);
    let form = app.administrator().get(&path).await;
    assert_eq!(form.attributes("#address", "value").concat(), "");
}

#[actix_web::test]
async fn only_a_profile_with_recipients_has_some() {
    let (server, app) = (MailServer::starttls(), TestApp::start());
    profile(&app, &server);
    let mut ada = app.administrator();
    sql::run(&app, "DELETE FROM integrations");
    let new = NewIntegration {
        family: "alert_profile",
        version: "pagerduty",
        name: "Pager",
        credential_id: None,
        host: "events.pagerduty.com",
        further: &[],
        settings: "{}",
        every_hours: None,
    };
    let other = app.transaction(|conn| integrations::create(conn, &app.services.vault, &Actor::command_line(), &new));
    assert_eq!(ada.get(&format!("/integrations/{other}/recipients/new")).await.status, 404);
    assert_eq!(invite(&mut ada, other, "ops@example.com", &["on_stale"]).await.status, 404);
    assert!(!ada.get(&format!("/integrations/{other}")).await.has("#recipients"));
}

#[actix_web::test]
async fn adding_asks_for_the_password_when_it_was_given_long_ago_and_loses_nothing() {
    let (server, app) = (MailServer::starttls(), TestApp::start());
    let profile = profile(&app, &server);
    let mut ada = app.administrator();
    signed::run(&app, "UPDATE sessions SET authenticated_at = now() - interval '6 minutes'");
    app.services.sessions.forget();
    let asked = ada.get(&format!("/integrations/{profile}/recipients/new")).await;
    assert!(asked.status == 303 && asked.location().starts_with("/account/confirm"), "{}", asked.status);
    let form = invite(&mut ada, profile, "ops@example.com", &["on_stale"]).await;
    assert_eq!((form.status, form.has("#password"), form.has("#password-error")), (422, true, false));
    assert_eq!(form.attributes("#address", "value"), ["ops@example.com"]);
    assert_eq!(form.attributes("form.form input[type=checkbox][checked]", "name"), ["on_stale"]);
    let path = format!("/integrations/{profile}/recipients");
    let with = |password: &'static str| [("address", "ops@example.com"), ("on_stale", "on"), ("password", password)];
    for wrong in ["", "not the password"] {
        let form = ada.post(&path, &with(wrong)).await;
        assert_eq!((form.status, form.has("#password-error")), (422, true), "{wrong:?}");
        assert!(!form.body.contains("not the password"));
    }
    assert_eq!(count(&app, "recipients"), 0);
    assert_eq!(ada.post(&path, &with(crate::support::app::PASSWORD)).await.status, 303);
    assert_eq!(count(&app, "recipients"), 1);
}

#[actix_web::test]
async fn too_many_invitations_a_minute_wait_and_lose_nothing() {
    let app = TestApp::start();
    let server = MailServer::starttls();
    let profile = profile(&app, &server);
    let mut ada = app.administrator();
    for number in 0..30 {
        let invited = invite(&mut ada, profile, &format!("ops{number}@example.com"), &["on_stale"]).await;
        assert_eq!(invited.status, 303, "{number}");
    }
    let form = invite(&mut ada, profile, "one.more@example.com", &["on_stale"]).await;
    assert_eq!(form.status, 429);
    assert!(form.text("#address-error").contains("Up to 30 invitations a minute"), "{}", form.text("#address-error"));
    assert_eq!(form.attributes("#address", "value"), ["one.more@example.com"]);
    assert_eq!(count(&app, "recipients"), 30);
}

#[actix_web::test]
async fn who_has_not_confirmed_or_has_unsubscribed_may_be_asked_again() {
    let (server, app) = (MailServer::starttls(), TestApp::start());
    let profile = profile(&app, &server);
    let mut ada = app.administrator();
    assert_eq!(invite(&mut ada, profile, "ops@example.com", &["on_stale"]).await.status, 303);
    let first = link(&app, mails(&server, 1).await[0].body("text/plain"), "/confirm/");
    assert_eq!(invite(&mut ada, profile, "OPS@example.com", &["on_lockout"]).await.status, 303);
    let second = link(&app, mails(&server, 2).await[1].body("text/plain"), "/confirm/");
    assert_eq!(app.visitor().post(&first, &[]).await.status, 404, "the older link has ended");
    assert_eq!(count(&app, "recipients WHERE confirmed_at IS NOT NULL"), 0);
    assert_eq!(app.visitor().post(&second, &[]).await.text("h1"), "Confirmed");
    assert_eq!(app.visitor().get(&second).await.text("h1"), "Confirmed", "a used link says so");
    let page = ada.get(&format!("/integrations/{profile}")).await;
    assert_eq!(page.texts("section[aria-labelledby=recipients] [data-label='Receives']"), ["Login lockout"]);
    let refused = invite(&mut ada, profile, "ops@example.com", &["on_stale"]).await;
    assert!(refused.status == 422 && refused.text("#address-error").contains("on the list already"));

    let id: RecipientId = second.split('/').nth(2).unwrap().parse().unwrap();
    let key = app.transaction(|conn| {
        let row = strongroom::models::recipients::find(conn, &app.services.vault, id)?;
        Ok(row.shown().unsubscribe_key(&app.services.vault))
    });
    let end = format!("/recipients/{id}/unsubscribe/{key}");
    assert_eq!(app.visitor().post(&end, &[]).await.text("h1"), "You get no more alerts");
    assert_eq!(app.visitor().post(&second, &[]).await.status, 410, "a used link brings nobody back");
    assert_eq!(invite(&mut ada, profile, "ops@example.com", &["on_stale"]).await.status, 303);
    let page = ada.get(&format!("/integrations/{profile}")).await;
    assert_eq!(page.texts("section[aria-labelledby=recipients] .state"), ["Pending confirmation"]);
    let third = link(&app, mails(&server, 3).await[2].body("text/plain"), "/confirm/");
    assert_eq!(app.visitor().post(&second, &[]).await.status, 404);
    assert_eq!(app.visitor().post(&third, &[]).await.text("h1"), "Confirmed");
    assert_eq!(count(&app, "recipients WHERE confirmed_at IS NOT NULL AND unsubscribed_at IS NULL"), 1);
    assert_eq!(count(&app, "events WHERE action = 'recipient.added'"), 3);
}

#[actix_web::test]
async fn a_confirmation_that_an_administrator_overtook_leaves_the_new_invitation_alone() {
    use strongroom::models::{DbError, recipients};

    let (server, app) = (MailServer::starttls(), TestApp::start());
    let profile = profile(&app, &server);
    let mut ada = app.administrator();
    assert_eq!(invite(&mut ada, profile, "ops@example.com", &["on_stale"]).await.status, 303);
    mails(&server, 1).await;
    let seen = app.transaction(|conn| Ok(recipients::of(conn, &app.services.vault, profile)?.remove(0).into_shown()));
    signed::run(
        &app,
        "INSERT INTO channels (integration_id, not_before) SELECT id, now() + interval '1 hour' FROM integrations",
    );
    assert_eq!(invite(&mut ada, profile, "ops@example.com", &["on_lockout"]).await.status, 303);
    let late = strongroom::models::transaction(&mut app.connect(), &|conn| {
        recipients::confirm(conn, &app.services.vault, &Actor::command_line(), (seen.id, seen.row_version))
    });
    assert!(matches!(late, Err(DbError::Stale)), "{late:?}");
    assert_eq!(count(&app, "deliveries WHERE state = 'ready' AND kind = 'confirmation'"), 1, "it is still to be sent");
}

#[actix_web::test]
async fn a_removed_recipient_gets_nothing_more_and_may_be_added_again() {
    let (server, app) = (MailServer::starttls(), TestApp::start());
    let profile = profile(&app, &server);
    let id = subscribed(&app, &server, profile, "ops@example.com").await;
    let mut ada = app.administrator_again();
    let mut otto = app.user("otto", Role::Auditor);
    let page = otto.get(&format!("/integrations/{profile}")).await;
    assert_eq!(page.texts("section[aria-labelledby=recipients] th[scope=row]").len(), 1, "auditors see who is told");
    assert!(!page.has("section[aria-labelledby=recipients] form"));
    assert_eq!(ada.post(&format!("/recipients/{id}/remove"), &[]).await.status, 303);
    assert_eq!(ada.post(&format!("/recipients/{id}/remove"), &[]).await.status, 404);
    old_key(&app, "prod-ci");
    wait_for("the alert is told to whom it may", PATIENCE, async || {
        count(&app, "notices WHERE digest_id IS NOT NULL") == 1
    })
    .await;
    quiet(&app).await;
    assert_eq!(server.recipients().len(), 1);
    assert_eq!(invite(&mut ada, profile, "ops@example.com", &["on_stale"]).await.status, 303);
    assert_eq!(mails(&server, 2).await[1].header("To"), "ops@example.com");
    let audit = ada.get("/audit?q=ops").await.body;
    for action in ["added the recipient", "confirmed the address", "removed the recipient"] {
        assert!(audit.contains(action), "{action}");
    }
}

#[actix_web::test]
async fn a_profile_is_tried_before_it_is_saved_and_then_saved() {
    let (server, app) = (MailServer::starttls(), TestApp::start());
    let credential = login(&app).to_string();
    let mut ada = app.administrator();
    let settings = server.settings();
    let mut fields = vec![("version", "email"), ("name", "Mail"), ("credential", credential.as_str())];
    fields.extend(settings.names().map(|name| (name, settings.get(name))));
    let saved = ada.post("/integrations", &fields).await;
    assert_eq!(saved.status, 303, "{:?} {:?}", saved.texts(".field__error"), saved.texts(".notice"));
    let page = ada.get(saved.location()).await;
    assert_eq!(page.text(".page-head h1"), "Mail");
    assert!(page.text(".page-head p").contains(&server.address.to_string()));
    assert!(page.text("section[aria-labelledby=recipients]").contains("No recipients yet"));
    let private = "10.1.2.3";
    for field in &mut fields {
        match field.0 {
            "host" => field.1 = private,
            "name" => field.1 = "Other",
            _ => {}
        }
    }
    let refused = ada.post("/integrations", &fields).await;
    assert_eq!(refused.status, 422);
    assert!(refused.text("#host-error").contains("STRONGROOM_EGRESS_ALLOW"));
}

#[actix_web::test]
async fn an_address_that_never_confirms_is_mailed_three_times_a_day_at_most() {
    let (server, app) = (MailServer::starttls(), TestApp::start());
    let profile = profile(&app, &server);
    let mut ada = app.administrator();
    for address in ["Ops@example.com", "ops@example.com"] {
        assert_eq!(invite(&mut ada, profile, address, &["on_stale"]).await.status, 303);
    }
    // Removing it and adding it again counts too.
    let id = sql::texts(&app, "SELECT id::text AS text FROM recipients").remove(0);
    assert_eq!(ada.post(&format!("/recipients/{id}/remove"), &[]).await.status, 303);
    assert_eq!(invite(&mut ada, profile, "ops@example.com", &["on_stale"]).await.status, 303);
    let refused = invite(&mut ada, profile, "ops@example.com", &["on_lockout"]).await;
    assert_eq!(refused.status, 422);
    assert!(refused.text("#address-error").contains("asked to confirm 3 times"), "{}", refused.text("#address-error"));
    assert_eq!(refused.attributes("#address", "value"), ["ops@example.com"]);
    assert_eq!(invite(&mut ada, profile, "other@example.com", &["on_stale"]).await.status, 303);
    // Whoever has confirmed has agreed to mail, and may be asked for further channels.
    let clear = MailServer::clear(serde_json::json!({}));
    let elsewhere = ["first", "second", "third", "fourth"].map(|name| profile_named(&app, &clear, name));
    let (vault, actor) = (&app.services.vault, Actor::command_line());
    app.transaction(|conn| {
        use strongroom::models::recipients;
        let id = recipients::create(conn, vault, &actor, profile, "dba@example.com", "on_stale")?;
        recipients::confirm(conn, vault, &actor, (id, 1))
    });
    for other in elsewhere {
        assert_eq!(invite(&mut ada, other, "dba@example.com", &["on_stale"]).await.status, 303);
    }
}
