//! The list: open and closed, by trigger, page by page, and what stands above it.

use strongroom::accounts::Role;
use strongroom::models::events::Actor;
use strongroom::models::integrations::{self, NewIntegration};
use strongroom::models::{AlertId, DeliveryId, IntegrationId};

use super::{decide, key, old_key, raise, titles};
use crate::support::app::TestApp;
use crate::support::sql;

/// A channel that is switched off, so that nothing is sent.
pub fn channel(app: &TestApp, name: &str) -> IntegrationId {
    let new = NewIntegration {
        family: "alert_profile",
        version: "webhook_channel",
        name,
        credential_id: None,
        host: "hooks.example.com",
        further: &[],
        settings: "{\"on_stale\":\"on\"}",
        every_hours: None,
    };
    let (vault, actor) = (app.services.vault.clone(), Actor::command_line());
    app.transaction(|conn| {
        let id = integrations::create(conn, &vault, &actor, &new)?;
        integrations::set_active(conn, &vault, &actor, id, false)?;
        Ok(id)
    })
}

/// A message about an alert that waits for a person.
pub fn parked(app: &TestApp, channel: IntegrationId, alert: AlertId) -> DeliveryId {
    let id = DeliveryId::fresh();
    sql::run(
        app,
        &format!(
            "WITH made AS (INSERT INTO deliveries (id, kind, integration_id, state, attempts, error, ended_at)
                VALUES ('{id}', 'digest', '{channel}', 'parked', 3, 'The receiver refused it.', now()))
             INSERT INTO delivery_lines (delivery_id, position, notice_id)
             SELECT '{id}', 0, id FROM notices WHERE alert_id = '{alert}'"
        ),
    );
    id
}

#[actix_web::test]
async fn a_console_where_nothing_is_wrong_says_what_is_watched_and_that_nobody_would_be_told() {
    let app = TestApp::start();
    let page = app.user("otto", Role::Auditor).get("/alerts").await;
    assert_eq!((page.status, page.text(".empty h2")), (200, "Nothing is wrong".to_owned()));
    assert!(page.text(".empty p").contains("AWS access keys older than 90 days"));
    assert!(page.text(".notice.is-warn").contains("Nobody is told"));
    assert!(!page.has(".notice a"), "an auditor cannot add a channel");
    let page = app.user("olga", Role::Operator).get("/alerts").await;
    assert!(page.attributes(".notice a", "href").contains(&"/integrations/new?version=webhook_channel".to_owned()));
}

#[actix_web::test]
async fn an_old_key_is_listed_counted_in_the_navigation_and_gone_once_it_is_closed() {
    let app = TestApp::start();
    let mut visit = app.administrator();
    let (credential, alert) = old_key(&app, &mut visit, "prod-ci").await;
    let soon = key(&mut visit, "next").await;
    super::age(&app, soon, "88 days");
    decide(&app).await;
    let page = visit.get("/alerts").await;
    assert_eq!(
        titles(&page),
        [
            "The access key of “next” passes its limit of 90 days in 2 days.",
            "The access key of “prod-ci” is 91 days old; its limit is 90 days.",
        ]
    );
    assert_eq!(page.texts("#results .badge"), ["Soon", "High"]);
    assert_eq!(page.attributes("#results li a", "href")[1], format!("/alerts/{alert}"));
    let lines = page.texts("#results li");
    assert!(lines[1].contains("AWS · ID ends in MPLE") && lines[1].contains("nobody told"), "{lines:?}");
    assert!(!page.body.contains("AKIAIOSFODNN7EXAMPLE"), "a whole key id is told to nobody");
    assert_eq!(page.text(".sidebar__count"), "1 open", "what is only ahead is not counted");
    assert!(visit.get("/").await.text("section[aria-labelledby=attention] a").contains("1 open alert"));

    sql::run(&app, &format!("DELETE FROM credentials WHERE id = '{credential}'"));
    decide(&app).await;
    let page = visit.get("/alerts").await;
    assert_eq!(titles(&page).len(), 1);
    assert!(!page.has(".sidebar__count"));
    let page = visit.get("/alerts?state=closed").await;
    assert_eq!(titles(&page), ["Old secret of “prod-ci”: closed, since it was deleted."]);
    assert_eq!(page.text(".tabs [aria-current]"), "Closed");
}

#[actix_web::test]
async fn the_list_is_filtered_by_trigger_with_counts() {
    let app = TestApp::start();
    let mut visit = app.user("otto", Role::Auditor);
    raise(&app, "lockout", "mallory", "from 203.0.113.7");
    raise(&app, "failed_test", "pair", "The role does not trust this key.");
    raise(&app, "failed_test", "other", "The role does not trust this key.");
    let page = visit.get("/alerts").await;
    assert_eq!(page.texts(".chips a"), ["All 3", "Failed test 2", "Login lockout 1"]);
    let filtered = visit.fragment(&page.attributes(".chips a", "href")[2]).await;
    assert!(!filtered.has("h1"), "htmx gets the list alone");
    assert_eq!(titles(&filtered), ["Too many failed logins as mallory from 203.0.113.7."]);
    assert_eq!(filtered.texts(".chips [aria-current]"), ["Login lockout 1"]);
    let page = visit.get("/alerts?trigger=stale").await;
    assert_eq!(page.text(".empty h2"), "Nothing of that sort");
    for odd in ["trigger=x", "state=x", "before=x"] {
        assert_eq!(visit.get(&format!("/alerts?{odd}")).await.status, 422, "{odd}");
    }
}

#[actix_web::test]
async fn a_long_list_is_turned_page_by_page_and_misses_none() {
    let app = TestApp::start();
    let mut visit = app.user("otto", Role::Auditor);
    sql::run(
        &app,
        "WITH made AS (INSERT INTO alerts (id, trigger, subject_kind, subject_id, subject_name, stage)
            SELECT gen_random_uuid(), 'lockout', 'user', gen_random_uuid(), 'user ' || n, 3 FROM generate_series(1, 120) n
            RETURNING id)
         INSERT INTO notices (id, alert_id, number, event, words) SELECT gen_random_uuid(), id, 1, 'raised', 'here' FROM made",
    );
    let mut seen = Vec::new();
    let mut path = "/alerts".to_owned();
    loop {
        let page = visit.get(&path).await;
        seen.extend(titles(&page));
        match page.attributes("a[rel=next]", "href").pop() {
            Some(next) => path = next,
            None => break,
        }
    }
    assert_eq!(seen.len(), 120);
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), 120, "all of one moment, each once");
    assert_eq!(visit.get(&path).await.attributes("a[rel=first]", "href"), ["/alerts"]);
}

#[actix_web::test]
async fn a_message_that_waits_for_a_person_is_tried_again_or_given_up() {
    let app = TestApp::start();
    let mut visit = app.user("olga", Role::Operator);
    let alert = raise(&app, "lockout", "mallory", "here");
    let channel = channel(&app, "pager");
    let (first, second) = (parked(&app, channel, alert), parked(&app, channel, alert));
    let page = visit.get("/alerts").await;
    let waiting = page.texts("section[aria-labelledby=parked] li");
    assert_eq!(waiting.len(), 2);
    assert!(waiting[0].contains("The receiver refused it.") && waiting[0].contains("pager"), "{waiting:?}");
    assert!(page.text("#results li").contains("2 undelivered"));
    assert!(!app.user("otto", Role::Auditor).get("/alerts").await.has("section[aria-labelledby=parked] form"));

    let here = format!("/alerts/{alert}");
    let page = visit.post(&format!("/deliveries/{first}/retry"), &[("next", &here)]).await;
    assert_eq!((page.status, page.location()), (303, here.as_str()));
    let page = visit.post(&format!("/deliveries/{second}/drop"), &[("next", "https://evil.example")]).await;
    assert_eq!((page.status, page.location()), (303, "/"));
    assert_eq!(visit.post(&format!("/deliveries/{second}/retry"), &[]).await.status, 409, "it is decided");
    let page = visit.get(&here).await;
    let states = page.texts("section[aria-labelledby=deliveries] .state");
    assert!(
        states.contains(&"Given up".to_owned()) && states.contains(&"Waits: channel is off".to_owned()),
        "{states:?}"
    );
    assert!(!visit.get("/alerts").await.has("section[aria-labelledby=parked]"));
    assert_eq!(sql::count(&app, "events WHERE action IN ('delivery.retried', 'delivery.dropped')"), 2);
}
