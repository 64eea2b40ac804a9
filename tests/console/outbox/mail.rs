//! Mail through a real server: a letter for each recipient, each once, whatever breaks between.

use crate::support::signed;
use std::collections::BTreeMap;

use strongroom::models::recipients;
use strongroom::vault::Vault;

use super::*;
use crate::support::binary::Strongroom;
use crate::support::peers::smtp::MailServer;
use crate::support::process::Random;
use crate::support::sql::count_on;

/// A profile of that server in the store.
pub fn profile(conn: &mut PgConnection, vault: &Vault, server: &MailServer) -> Uuid {
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
        settings: &settings,
        every_hours: None,
    };
    transaction(conn, |conn| integrations::create(conn, vault, &Actor::command_line(), &new))
}

/// Somebody who has followed the link.
pub fn confirmed(conn: &mut PgConnection, vault: &Vault, profile: Uuid, address: &str) {
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
    let vault = app.app.vault.clone();
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
    let id = profile(&mut app.connect(), &app.app.vault.clone(), &server);
    confirmed(&mut app.connect(), &app.app.vault.clone(), id, "ada@example.com");
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
    let vault = app.app.vault.clone();
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
    assert!(integrations::find(&mut app.connect(), &app.app.vault, id).unwrap().shown().active);
}

#[actix_web::test]
async fn who_has_unsubscribed_meanwhile_gets_nothing_and_nobody_is_troubled() {
    let server = MailServer::open(json!({}));
    let app = TestApp::start();
    let vault = app.app.vault.clone();
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

/// A tenth of what `security.md` asks of a release, so that the suite stays quick: the recipe is the same.
const RECIPIENTS: usize = 300;
const KILLS: usize = 6;

#[actix_web::test]
async fn replicas_that_are_killed_and_a_server_that_drops_connections_lose_no_mail() {
    let seed = u64::from_be_bytes(strongroom::vault::random());
    println!("seed {seed}");
    let mut random = Random(seed);
    let server = MailServer::open(json!({"seed": seed}));
    let strongroom = Strongroom::founded();
    let (mut conn, vault) = (strongroom.connect(), strongroom.vault());
    let id = profile(&mut conn, &vault, &server);
    for number in 0..RECIPIENTS {
        confirmed(&mut conn, &vault, id, &format!("person-{number}@example.com"));
    }
    strongroom.sql(
        "INSERT INTO alerts (id, trigger, subject_kind, subject_id, subject_name, stage)
         SELECT gen_random_uuid(), 'lockout', 'user', gen_random_uuid(), 'user ' || n, 3 FROM generate_series(1, 3) n",
    );
    strongroom
        .sql("INSERT INTO notices (id, alert_id, number, event) SELECT gen_random_uuid(), id, 1, 'raised' FROM alerts");
    server
        .faults(&json!({"drop": {"EHLO": 0.3, "MAIL": 0.02, "DATA": 0.01, "taken": 0.01}, "put_off": {"RCPT": 0.02}}));
    let flags = ["--egress-allow=127.0.0.0/8"];
    let serve = || strongroom.try_serve(&flags).expect("the console starts");
    let mut replicas = [serve(), serve()];
    for kill in 0..KILLS {
        let least = (kill + 1) * RECIPIENTS / (KILLS + 2);
        until("some mails are there", || {
            hurry(&strongroom);
            (server.steps("mail").len() >= least).then_some(())
        })
        .await;
        for _ in 0..random.below(500) {
            tokio::task::yield_now().await;
        }
        let victim = random.below(2);
        std::mem::replace(&mut replicas[victim], serve()).kill();
    }
    server.faults(&json!({}));
    let late = "deliveries WHERE state = 'ready' AND not_before > now() + interval '10 minutes'";
    assert_eq!(count_on(&mut strongroom.connect(), late), 0, "the queue would be empty ten minutes after the faults");
    until("every mail is sent", || {
        hurry(&strongroom);
        (count_on(&mut strongroom.connect(), "deliveries WHERE state IN ('ready', 'sending')") == 0).then_some(())
    })
    .await;
    let mut times: BTreeMap<String, usize> = BTreeMap::new();
    for recipient in server.recipients() {
        *times.entry(recipient).or_default() += 1;
    }
    assert_eq!(times.len(), RECIPIENTS, "none was missed");
    let twice: usize = times.values().map(|times| times - 1).sum();
    println!("{twice} duplicates after {KILLS} kills");
    // What the server took and hung up over, without a word, it gets once more.
    let unanswered = server.steps("drop").iter().filter(|step| step["at"] == "taken").count();
    assert!(twice <= KILLS + unanswered, "{twice} duplicates after {KILLS} kills, {unanswered} without an answer");
    let mut ids: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for mail in server.mails() {
        ids.entry(mail.header("To").to_owned()).or_default().push(mail.header("Message-ID").to_owned());
    }
    for (recipient, ids) in ids {
        assert!(ids.iter().all(|id| *id == ids[0]), "{recipient} can tell the repetition: {ids:?}");
    }
}

/// Pauses that the faults brought about are over at once.
pub fn hurry(strongroom: &Strongroom) {
    let channels = "UPDATE channels SET not_before = now() WHERE not_before > now()";
    signed::run_at(&mut strongroom.connect(), &strongroom.vault(), channels);
    strongroom.sql("UPDATE deliveries SET not_before = now() WHERE state = 'ready' AND not_before > now()");
}
