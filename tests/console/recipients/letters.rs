use super::*;

#[actix_web::test]
async fn nothing_but_the_confirmation_is_sent_before_it_is_answered() {
    let (server, app) = (MailServer::starttls(), TestApp::start());
    let profile = profile(&app, &server);
    let mut ada = app.administrator();
    assert_eq!(invite(&mut ada, profile, "ops@example.com", &["on_stale"]).await.status, 303);
    let confirmation = &mails(&server, 1).await[0];
    assert_eq!(confirmation.header("To"), "ops@example.com");
    assert!(!confirmation.has("List-Unsubscribe"));
    assert!(confirmation.body("text/plain").contains("ada wants Strongroom"), "{}", confirmation.body("text/plain"));
    old_key(&app, "prod-ci");
    quiet(&app).await;
    wait_for("the alert is raised", PATIENCE, async || count(&app, "notices WHERE digest_id IS NOT NULL") == 1).await;
    quiet(&app).await;
    assert_eq!(server.recipients(), ["ops@example.com"], "the alert is not told");
    let page = ada.get(&format!("/integrations/{profile}")).await;
    assert_eq!(page.texts("section[aria-labelledby=recipients] .state"), ["Pending confirmation"]);
    let refused = ada.post(&format!("/integrations/{profile}/test-alert"), &[]).await;
    assert_eq!(refused.status, 409, "a test alert goes to who has confirmed");
}

#[actix_web::test]
async fn who_has_confirmed_is_told_what_they_want_to_hear_of_and_no_more() {
    let (server, app) = (MailServer::starttls(), TestApp::start());
    let profile = profile(&app, &server);
    subscribed(&app, &server, profile, "keys@example.com").await;
    let mut ada = app.administrator_again();
    assert_eq!(invite(&mut ada, profile, "logins@example.com", &["on_lockout", "on_failed_scan"]).await.status, 303);
    let confirmation = mails(&server, 2).await.remove(1);
    let path = link(&app, confirmation.body("text/plain"), "/confirm/");
    app.visitor().post(&path, &[]).await;
    old_key(&app, "prod-ci");
    let digest = mails(&server, 3).await.remove(2);
    quiet(&app).await;
    assert_eq!(server.recipients()[2..], ["keys@example.com"]);
    assert_eq!(digest.header("Subject"), "The access key of “prod-ci” is 91 days old; its limit is 90 days");
    for form in [digest.body("text/plain"), digest.body("text/html")] {
        assert!(form.contains("prod-ci") && form.contains(&app.url), "{form}");
        assert!(!form.contains("AKIAIOSFODNN7EXAMPLE") && !form.contains("wJalr"), "no secret and no whole id: {form}");
    }
    let page = ada.get(&format!("/integrations/{profile}")).await;
    assert_eq!(
        page.texts("section[aria-labelledby=recipients] [data-label='Receives']"),
        ["Old secret", "Failed scan, Login lockout"]
    );
    assert_eq!(ada.post(&format!("/integrations/{profile}/test-alert"), &[]).await.status, 303);
    let tests = mails(&server, 5).await;
    assert!(tests[3..].iter().all(|mail| mail.header("Subject") == "Test alert from Strongroom"));
}

#[actix_web::test]
async fn a_recipient_that_was_altered_in_the_database_is_sent_nothing() {
    let (server, app) = (MailServer::starttls(), TestApp::start());
    let profile = profile(&app, &server);
    let id = subscribed(&app, &server, profile, "ops@example.com").await;
    sql::run(&app, &format!("UPDATE recipients SET address = 'evil@example.com' WHERE id = '{id}'"));
    old_key(&app, "prod-ci");
    wait_for("the alert is told to whom it may", PATIENCE, async || {
        count(&app, "notices WHERE digest_id IS NOT NULL") == 1
    })
    .await;
    quiet(&app).await;
    // Also what was put into the outbox by the same hand.
    sql::run(
        &app,
        &format!(
            "INSERT INTO deliveries (id, kind, integration_id, recipient_id) VALUES
             (gen_random_uuid(), 'confirmation', '{profile}', '{id}'), (gen_random_uuid(), 'test', '{profile}', '{id}')"
        ),
    );
    app.services.wake.messages.notify_one();
    wait_for("both wait for a person", PATIENCE, async || count(&app, "deliveries WHERE state = 'parked'") == 2).await;
    assert_eq!(server.recipients(), ["ops@example.com"]);
    let page = app.administrator_again().get(&format!("/integrations/{profile}")).await;
    assert_eq!(page.texts("section[aria-labelledby=recipients] .state"), ["Tampered with: receives nothing"]);
}

#[actix_web::test]
async fn one_refused_recipient_waits_for_a_person_and_the_others_get_their_mail() {
    let (server, app) = (MailServer::starttls(), TestApp::start());
    let settings = profile(&app, &server);
    for address in ["a@example.com", "gone@example.com", "z@example.com"] {
        subscribed(&app, &server, settings, address).await;
    }
    server.faults(&json!({"refuse": ["gone@example.com"]}));
    old_key(&app, "prod-ci");
    mails(&server, 5).await;
    quiet(&app).await;
    let mut told = server.recipients().split_off(3);
    told.sort();
    assert_eq!(told, ["a@example.com", "z@example.com"]);
    assert_eq!(count(&app, "deliveries WHERE state = 'parked'"), 1);
    let page = app.administrator_again().get(&format!("/integrations/{settings}")).await;
    let state = page.texts("td[data-label=State] small").join(" ");
    assert!(state.contains("refused the recipient's address (it answered 550 5.1.1)"), "{state}");
}
