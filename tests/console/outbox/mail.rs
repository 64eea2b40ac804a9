//! Mail through a real server: a letter for each recipient, each once, whatever breaks between.

use std::time::Duration;

use strongroom::models::{IntegrationId, recipients};

use super::*;
use crate::support::binary::Strongroom;
use crate::support::peers::smtp::MailServer;
use crate::support::signed;
use crate::support::wait::wait_for;

/// A profile of that server in the store.
pub fn profile(conn: &mut PgConnection, vault: &Vault, server: &MailServer) -> IntegrationId {
    let mut settings = server.settings();
    for (field, value) in EVERYTHING {
        settings.set(field, value);
    }
    let settings = String::from_utf8(settings.to_json().to_vec()).unwrap();
    let new = NewIntegration {
        family: "alert_profile",
        version: "email",
        name: "Mail",
        credential_id: None,
        host: &server.address.to_string(),
        further: &[],
        settings: &settings,
        every_hours: None,
    };
    transaction(conn, |conn| integrations::create(conn, vault, &Actor::command_line(), &new))
}

/// Somebody who has followed the link.
pub fn confirmed(conn: &mut PgConnection, vault: &Vault, profile: IntegrationId, address: &str) {
    transaction(conn, |conn| {
        let all = "stale,expiring,failed_test,failed_scan,integrity,delivery,lockout";
        let id = recipients::create(conn, vault, &Actor::command_line(), profile, address, all)?;
        recipients::confirm(conn, vault, &Actor::command_line(), (id, 1))
    });
}

fn transaction<T>(conn: &mut PgConnection, change: impl Fn(&mut PgConnection) -> Result<T, models::DbError>) -> T {
    models::transaction(conn, &change).expect("a change")
}

#[actix_web::test]
async fn a_thousand_keys_are_one_mail_for_each_recipient_that_lists_each_once() {
    let server = MailServer::open(json!({}));
    let app = TestApp::start();
    let vault = app.services.vault.clone();
    let id = profile(&mut app.connect(), &vault, &server);
    for address in ["ada@example.com", "grace@example.com"] {
        confirmed(&mut app.connect(), &vault, id, address);
    }
    access_keys(&app, 1_000, "91 days");
    look_now(&app);
    until("both mails are there", || (server.steps("mail").len() == 2).then_some(())).await;
    quiet(&app).await;
    assert_eq!(server.steps("mail").len(), 2);
    let mail = server.mails().remove(0);
    let text = mail.body("text/plain");
    let names: Vec<String> = names(&app);
    assert_eq!(names.len(), 1_000);
    for name in names {
        assert_eq!(text.matches(&format!("“{name}”")).count(), 1, "{name}");
    }
}

#[derive(diesel::QueryableByName)]
struct Name {
    #[diesel(sql_type = diesel::sql_types::Text)]
    name: String,
}

fn names(app: &TestApp) -> Vec<String> {
    let rows: Vec<Name> =
        diesel::sql_query("SELECT name FROM credentials WHERE NOT shipped").load(&mut app.connect()).unwrap();
    rows.into_iter().map(|row| row.name).collect()
}

#[actix_web::test]
async fn two_mails_to_one_person_both_arrive() {
    let server = MailServer::open(json!({}));
    let app = TestApp::start();
    let id = profile(&mut app.connect(), &app.services.vault.clone(), &server);
    confirmed(&mut app.connect(), &app.services.vault.clone(), id, "ada@example.com");
    let test = "INSERT INTO deliveries (id, kind, integration_id, recipient_id)
        SELECT gen_random_uuid(), 'test', integration_id, id FROM recipients";
    run(&app, &format!("BEGIN; {test}; {test}; COMMIT"));
    quiet(&app).await;
    assert_eq!(server.recipients(), ["ada@example.com", "ada@example.com"]);
    assert_eq!(count(&app, "deliveries WHERE state = 'sent' AND kind = 'test'"), 2);
}

#[actix_web::test]
async fn people_who_are_refused_do_not_switch_the_channel_off() {
    let server = MailServer::open(json!({}));
    let app = TestApp::start();
    let vault = app.services.vault.clone();
    let id = profile(&mut app.connect(), &vault, &server);
    let gone: Vec<String> = (0..25).map(|number| format!("gone-{number}@example.com")).collect();
    for address in gone.iter().map(String::as_str).chain(["ada@example.com"]) {
        confirmed(&mut app.connect(), &vault, id, address);
    }
    server.faults(&json!({"refuse": gone}));
    access_key(&app, "prod-ci", "91 days");
    look_now(&app);
    until("all are refused", || (count(&app, "deliveries WHERE state = 'parked'") == 25).then_some(())).await;
    until("and one is served", || (server.recipients() == ["ada@example.com"]).then_some(())).await;
    assert!(integrations::find(&mut app.connect(), &app.services.vault, id).unwrap().shown().active);
}

#[actix_web::test]
async fn who_has_unsubscribed_meanwhile_gets_nothing_and_nobody_is_troubled() {
    let server = MailServer::open(json!({}));
    let app = TestApp::start();
    let vault = app.services.vault.clone();
    let id = profile(&mut app.connect(), &vault, &server);
    confirmed(&mut app.connect(), &vault, id, "ada@example.com");
    let person = recipients::of(&mut app.connect(), &vault, id).unwrap().remove(0).shown().id;
    transaction(&mut app.connect(), |conn| recipients::unsubscribe(conn, &vault, &Actor::command_line(), person));
    run(
        &app,
        "INSERT INTO deliveries (id, kind, integration_id, recipient_id)
         SELECT gen_random_uuid(), 'digest', integration_id, id FROM recipients",
    );
    until("it is given up", || {
        (count(&app, "deliveries WHERE state = 'dropped' AND kind = 'digest'") == 1).then_some(())
    })
    .await;
    assert_eq!((server.recipients().len(), count(&app, "alerts")), (0, 0));
}

/// Pauses that the faults brought about are over at once.
pub fn hurry(strongroom: &Strongroom) {
    let channels = "UPDATE channels SET not_before = now() WHERE not_before > now()";
    signed::run_at(&mut strongroom.connect(), &strongroom.vault(), channels);
    strongroom.sql("UPDATE deliveries SET not_before = now() WHERE state = 'ready' AND not_before > now()");
}

#[actix_web::test]
async fn a_digest_carries_heads_of_the_trail_that_can_be_compared_later() {
    use strongroom::models::anchors::{self, Held};

    let server = MailServer::open(json!({}));
    let app = TestApp::start();
    let vault = app.services.vault.clone();
    let id = profile(&mut app.connect(), &vault, &server);
    confirmed(&mut app.connect(), &vault, id, "ada@example.com");
    access_key(&app, "prod-ci", "91 days");
    look_now(&app);
    let mail = until("the mail is there", || server.mails().pop()).await;
    let found = anchors::find(mail.body("text/plain"));
    assert!(!found.is_empty(), "{}", mail.body("text/plain"));
    for anchor in &found {
        assert_eq!(anchors::compare(&mut app.connect(), &app.services.vault, anchor), Ok(Held::Yes), "{anchor}");
    }
    assert_eq!(anchors::find(mail.body("text/html")), found);
}

#[actix_web::test]
async fn field_s02_a_relay_that_takes_45_seconds_gets_one_letter() {
    let (server, splunk) = (MailServer::open(json!({})), Splunk::start());
    server.faults(&json!({"slow": {"taken": 45}}));
    let app = TestApp::start();
    let vault = app.services.vault.clone();
    let id = profile(&mut app.connect(), &vault, &server);
    confirmed(&mut app.connect(), &vault, id, "ada@example.com");
    splunk.add(&app);
    access_key(&app, "prod-ci", "91 days");
    look_now(&app);
    until("the relay has the letter", || (server.steps("mail").len() == 1).then_some(())).await;
    until("the other channel is not held up", || (splunk.events().len() == 1).then_some(())).await;
    let held = "pg_stat_activity WHERE datname = current_database() AND state = 'idle in transaction'";
    until("no transaction is open meanwhile", || (count(&app, held) == 0).then_some(())).await;
    let sent = "deliveries WHERE state = 'sent' AND attempts = 1";
    wait_for("it is accepted", Duration::from_secs(120), async || count(&app, sent) == 2).await;
    quiet(&app).await;
    assert_eq!(server.recipients(), ["ada@example.com"]);
}
