//! A mail server that is away for a day: nothing is lost or given up, the console works, and whoever watches is told.

use super::mail::{confirmed, hurry, profile};
use super::*;
use crate::support::app::Visit;
use crate::support::binary::Strongroom;
use crate::support::peers::free_port;
use crate::support::peers::smtp::MailServer;
use crate::support::signed;
use crate::support::sql::count_on;

/// A number of the metrics.
async fn metric(scraper: &mut Visit, name: &str) -> f64 {
    let page = scraper.get("/metrics").await;
    let line = page.body.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    line.unwrap_or_else(|| panic!("{name} is not in {}", page.body)).parse().expect("a number")
}

#[actix_web::test]
async fn a_mail_server_that_was_away_for_a_day_gets_everything_minutes_after_its_return() {
    let mut server = MailServer::open(json!({}));
    let strongroom = Strongroom::founded();
    let (mut conn, vault) = (strongroom.connect(), strongroom.vault());
    let id = profile(&mut conn, &vault, &server);
    confirmed(&mut conn, &vault, id, "ada@example.com");
    server.stop();
    strongroom.sql(
        "INSERT INTO alerts (id, trigger, subject_kind, subject_id, subject_name, stage)
         SELECT gen_random_uuid(), 'lockout', 'user', gen_random_uuid(), 'user ' || n, 3 FROM generate_series(1, 3) n",
    );
    strongroom
        .sql("INSERT INTO notices (id, alert_id, number, event) SELECT gen_random_uuid(), id, 1, 'raised' FROM alerts");
    let mut visit = strongroom.visit("grace", strongroom::accounts::Role::Auditor);
    let port = free_port();
    let flags = ["--egress-allow=127.0.0.0/8", &format!("--metrics-listen=127.0.0.1:{port}")];
    let serving = strongroom.try_serve(&flags).expect("the console starts");
    serving.ready().await;
    visit.url.clone_from(&serving.url);
    until("it is tried", || (count_on(&mut strongroom.connect(), "channels WHERE misses > 0") == 1).then_some(()))
        .await;

    // A day of tries, as the rows would be after it.
    strongroom.sql("UPDATE alerts SET opened_at = opened_at - interval '1 day'");
    strongroom.sql("UPDATE deliveries SET created_at = created_at - interval '1 day', attempts = 300");
    let channels = "UPDATE channels SET misses = 300, failing_since = failing_since - interval '1 day'";
    signed::run_at(&mut strongroom.connect(), &strongroom.vault(), channels);
    hurry(&strongroom);
    let tried_again = "deliveries WHERE state = 'ready' AND attempts > 300 AND not_before > now()";
    until("it is tried again", || (count_on(&mut strongroom.connect(), tried_again) == 1).then_some(())).await;
    let late = "deliveries WHERE not_before > now() + interval '5 minutes'";
    assert_eq!(count_on(&mut strongroom.connect(), late), 0, "each try is at most five minutes after the one before");
    assert_eq!(visit.get("/credentials").await.status, 200);
    let mut scraper = Visit::to(&format!("http://127.0.0.1:{port}"));
    assert!(metric(&mut scraper, "strongroom_message_oldest_seconds").await >= 86_400.0);
    assert!(metric(&mut scraper, "strongroom_messages_waiting").await >= 1.0);
    assert!(metric(&mut scraper, "strongroom_alerts_open").await >= 4.0, "that mails do not arrive is an alert too");
    assert_eq!(metric(&mut scraper, "strongroom_messages_parked").await, 0.0);
    assert_eq!(metric(&mut scraper, "strongroom_database_up").await, 1.0);

    // Back, it asks for a moment of patience first: that is no reason to wait for long, or for a person.
    server.faults(&json!({"put_off": {"RCPT": 1}}));
    server.start_again();
    until("it is put off", || {
        hurry(&strongroom);
        (count_on(&mut strongroom.connect(), "deliveries WHERE put_offs > 0") == 1).then_some(())
    })
    .await;
    let soon = "deliveries WHERE state = 'ready' AND not_before < now() + interval '80 seconds'";
    until("it is to be tried soon", || (count_on(&mut strongroom.connect(), soon) == 1).then_some(())).await;
    server.faults(&json!({}));
    until("every mail is sent", || {
        hurry(&strongroom);
        (count_on(&mut strongroom.connect(), "deliveries WHERE state IN ('ready', 'sending')") == 0).then_some(())
    })
    .await;
    assert!(server.mails()[0].body("text/plain").contains("user 3"));
    assert_eq!(metric(&mut scraper, "strongroom_message_oldest_seconds").await, 0.0);
}
