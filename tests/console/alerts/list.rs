//! The list: open and closed, by trigger, page by page, and what stands above it.

use strongroom::accounts::Role;
use strongroom::models::events::Actor;
use strongroom::models::integrations::{self, NewIntegration};
use strongroom::models::{AlertId, DeliveryId, IntegrationId};

use super::{decide, groups, key, old_key, raise, titles};
use crate::support::app::{Page, TestApp, Visit};
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
    assert_eq!((page.status, page.attributes("[data-empty]", "data-empty")), (200, vec!["clear".to_owned()]));
    assert!(page.text(".empty p").contains("AWS access keys older than 90 days"));
    assert!(page.has("[data-nobody]") && !page.has("[data-nobody] a"), "an auditor cannot add a channel");
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
    assert_eq!(titles(&page), ["The access key of “prod-ci” is 91 days old; its limit is 90 days."]);
    let line = page.text(&format!("[data-alert='{alert}']"));
    assert!(["prod-ci", "91 days", "not used", "Unassigned", "1 d"].iter().all(|part| line.contains(part)), "{line}");
    assert_eq!(page.attributes("[data-alert] a", "href"), [format!("/alerts/{alert}")]);
    assert_eq!(chips(&page), ["Open 1", "Soon 1", "Snoozed 0", "Closed 0"]);
    let ahead = visit.get("/alerts?state=soon").await;
    assert_eq!(titles(&ahead), ["The access key of “next” passes its limit of 90 days in 2 days."]);
    assert!(!page.body.contains("AKIAIOSFODNN7EXAMPLE"), "a whole key id is told to nobody");
    assert_eq!(page.text(".sidebar__count.is-hot"), "1 open", "what is only ahead is not counted");
    assert_eq!(visit.get("/").await.text(".sidebar__count.is-hot"), "1 open", "as on every page");

    sql::run(&app, &format!("DELETE FROM credentials WHERE id = '{credential}'"));
    decide(&app).await;
    let page = visit.get("/alerts").await;
    assert_eq!(titles(&page).len(), 0);
    assert!(!page.has(".sidebar__count.is-hot"));
    let page = visit.get("/alerts?state=closed").await;
    assert_eq!(titles(&page), ["Old secret of “prod-ci”: closed, since it was deleted."]);
    assert_eq!(page.text(".chips [aria-current]"), "Closed 1");
    assert!(!page.has("[data-alert] input") && !page.has(".bulk"), "nothing is left to do");
}

/// The states, each with its count.
fn chips(page: &Page) -> Vec<String> {
    page.texts(".chips .chip:not([data-all]):not([data-clear])")
}

#[actix_web::test]
async fn the_list_is_grouped_by_trigger_with_counts_the_worst_first() {
    let app = TestApp::start();
    let mut visit = app.user("otto", Role::Auditor);
    raise(&app, "lockout", "mallory", "from 203.0.113.7");
    raise(&app, "failed_test", "pair", "The role does not trust this key.");
    raise(&app, "failed_test", "other", "The role does not trust this key.");
    raise(&app, "integrity", "robot", "");
    let page = visit.get("/alerts").await;
    assert_eq!(groups(&page), ["integrity", "failed_test", "lockout"]);
    assert_eq!(page.texts("[data-group] summary .badge"), ["Critical", "High", "Medium"]);
    assert_eq!(page.texts("[data-group] [data-count]"), ["1", "2", "1"]);
    assert_eq!(page.text("[data-group=failed_test] li:first-child .row-link"), "pair", "the longest first");
    let filtered = visit.fragment("/alerts?trigger=lockout").await;
    assert!(!filtered.has("h1"), "htmx gets the list alone");
    assert_eq!(titles(&filtered), ["Too many failed logins as mallory from 203.0.113.7."]);
    assert_eq!(filtered.attributes("[data-all]", "href"), ["/alerts"]);
    let page = visit.get("/alerts?trigger=stale").await;
    assert_eq!(page.attributes("[data-empty]", "data-empty"), ["none"]);
    for odd in ["trigger=x", "state=x", "after=x", "severity=9", "after=1.x.y"] {
        assert_eq!(visit.get(&format!("/alerts?{odd}")).await.status, 422, "{odd}");
    }
}

#[actix_web::test]
async fn alerts_are_searched_by_every_word_and_filtered_by_severity_and_owner() {
    let app = TestApp::start();
    let mut visit = app.administrator();
    let deploy = raise(&app, "failed_test", "Billing deploy key, sandbox", "The role does not trust this key.");
    raise(&app, "failed_test", "CI deploy key", "The key is not known.");
    raise(&app, "lockout", "100%_sure", "from 203.0.113.7");
    let found = async |visit: &mut Visit, query: &str| {
        let page = visit.get(&format!("/alerts?{query}")).await;
        page.texts("[data-alert] .row-link")
    };
    assert_eq!(found(&mut visit, "q=sandbox+DEPLOY").await, ["Billing deploy key, sandbox"]);
    assert_eq!(found(&mut visit, "q=deploy+trust").await, ["Billing deploy key, sandbox"], "name and text together");
    assert_eq!(found(&mut visit, "q=eplo").await.len(), 2, "within words");
    assert_eq!(found(&mut visit, "q=%25_s").await, ["100%_sure"], "no wildcard");
    assert_eq!(found(&mut visit, "q=sandbox+known").await, [""; 0]);
    assert_eq!(found(&mut visit, "severity=3").await, ["100%_sure"]);
    assert_eq!(found(&mut visit, "severity=2&q=ci").await, ["CI deploy key"]);
    assert_eq!(visit.post(&format!("/alerts/{deploy}/acknowledge"), &[]).await.status, 303);
    assert_eq!(found(&mut visit, "owner=ada").await, ["Billing deploy key, sandbox"]);
    assert_eq!(found(&mut visit, "owner=-").await.len(), 2);
    let page = visit.get("/alerts?owner=-&q=ci&severity=2&trigger=failed_test").await;
    assert_eq!(page.attributes("#q", "value"), ["ci"]);
    let chosen = page.attributes("#filter option[selected]", "value");
    assert_eq!(chosen, ["2", "failed_test", "-"]);
    assert_eq!(chips(&page)[0], "Open 3", "counts are of the state, whatever is searched");
}

#[actix_web::test]
async fn a_renamed_credential_is_found_by_its_new_name() {
    let app = TestApp::start();
    let mut visit = app.administrator();
    let (credential, _) = old_key(&app, &mut visit, "prod-ci").await;
    let path = format!("/credentials/{credential}/edit");
    let version = visit.get(&path).await.attributes("input[name=row_version]", "value").remove(0);
    let fields = [
        ("row_version", version.as_str()),
        ("name", "payments deployment"),
        ("method", "access_key"),
        ("access_key_id", "AKIAIOSFODNN7EXAMPLE"),
        ("secret_access_key", ""),
    ];
    assert_eq!(visit.post(&path, &fields).await.status, 303);
    assert_eq!(titles(&visit.get("/alerts?q=payments").await).len(), 1);
    assert_eq!(titles(&visit.get("/alerts?q=prod-ci").await).len(), 0);
}

#[actix_web::test]
async fn of_several_groups_the_worst_are_shown_and_a_long_count_is_bounded() {
    let app = TestApp::start();
    let mut visit = app.user("otto", Role::Auditor);
    many(&app, 1_203);
    raise(&app, "failed_test", "pair", "The role does not trust this key.");
    let page = visit.get("/alerts").await;
    assert_eq!(groups(&page), ["failed_test", "lockout"]);
    assert_eq!(page.text("[data-group=lockout] [data-count]"), "1,000+");
    assert_eq!(page.texts("[data-group=lockout] .row-link").len(), 25);
    assert_eq!(page.text("[data-group=lockout] .row-link"), "user 1", "the longest of all");
    assert_eq!(page.text(".sidebar__count.is-hot"), "1,000+ open");
    assert_eq!(chips(&page)[0], "Open 1,000+");
    let all = page.attributes("[data-all-of=lockout]", "href").remove(0);
    let page = visit.get(&all).await;
    assert_eq!((groups(&page), titles(&page).len()), (vec!["lockout".to_owned()], 50));
}

/// That many alerts, the first for the longest.
fn many(app: &TestApp, number: i32) {
    sql::run(
        app,
        &format!(
            "WITH made AS (
                INSERT INTO alerts (id, trigger, subject_kind, subject_id, subject_name, stage, since)
                SELECT gen_random_uuid(), 'lockout', 'user', gen_random_uuid(), 'user ' || n, 3,
                    now() - make_interval(hours => 2, secs => {number} - n / 2 * 2)
                FROM generate_series(1, {number}) n RETURNING id)
             INSERT INTO notices (id, alert_id, number, event, words)
             SELECT gen_random_uuid(), id, 1, 'raised', 'here' FROM made"
        ),
    );
}

#[actix_web::test]
async fn a_long_list_is_turned_page_by_page_and_misses_none() {
    let app = TestApp::start();
    let mut visit = app.user("otto", Role::Auditor);
    many(&app, 120);
    let mut seen = Vec::new();
    let mut path = "/alerts?trigger=lockout".to_owned();
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
    assert_eq!(seen.len(), 120, "each once");
    assert_eq!(visit.get(&path).await.attributes("a[rel=first]", "href"), ["/alerts?trigger=lockout"]);
}

#[actix_web::test]
async fn a_message_that_waits_for_a_person_is_tried_again_or_given_up() {
    let app = TestApp::start();
    let mut visit = app.user("olga", Role::Operator);
    let alert = raise(&app, "lockout", "mallory", "here");
    let channel = channel(&app, "pager");
    let (first, second) = (parked(&app, channel, alert), parked(&app, channel, alert));
    let page = visit.get("/alerts").await;
    let waiting = page.texts("[data-parked] li");
    assert_eq!(waiting.len(), 2);
    assert!(waiting[0].contains("The receiver refused it.") && waiting[0].contains("pager"), "{waiting:?}");
    assert!(page.text("[data-delivery] [data-channel]").contains("2 undelivered"));
    assert!(!app.user("otto", Role::Auditor).get("/alerts").await.has("[data-parked] form"));

    let here = format!("/alerts/{alert}");
    let page = visit.post(&format!("/deliveries/{first}/retry"), &[("next", &here)]).await;
    assert_eq!((page.status, page.location()), (303, here.as_str()));
    let page = visit.post(&format!("/deliveries/{second}/drop"), &[("next", "https://evil.example")]).await;
    assert_eq!((page.status, page.location()), (303, "/"));
    assert_eq!(visit.post(&format!("/deliveries/{second}/retry"), &[]).await.status, 409, "it is decided");
    let page = visit.get(&here).await;
    let states = page.texts("section[aria-labelledby=deliveries] .state");
    assert!(
        states.contains(&"Discarded".to_owned()) && states.contains(&"Waiting: channel is off".to_owned()),
        "{states:?}"
    );
    assert!(!visit.get("/alerts").await.has("[data-parked]"));
    assert_eq!(sql::count(&app, "events WHERE action IN ('delivery.retried', 'delivery.dropped')"), 2);
}

#[actix_web::test]
async fn the_alerts_leave_as_csv_as_they_are_filtered() {
    let app = TestApp::start();
    for name in ["prod deployment", "=2+3"] {
        raise(&app, "lockout", name, "from 203.0.113.7");
    }
    let mut visit = app.user("otto", Role::Auditor);
    let rows = async |visit: &mut Visit, search: &str| {
        let link = visit.get(&format!("/alerts?q={search}")).await.attributes("#csv", "href").remove(0);
        let file = visit.get(&link).await;
        assert_eq!((file.status, file.header("content-type")), (200, "text/csv; charset=utf-8"));
        let mut reader = csv::Reader::from_reader(file.body.as_bytes());
        reader
            .records()
            .map(|row| row.expect("a row").iter().map(str::to_owned).collect::<Vec<_>>())
            .collect::<Vec<_>>()
    };
    let all = rows(&mut visit, "").await;
    assert_eq!(all.len(), 2, "{all:?}");
    let found = rows(&mut visit, "prod").await;
    assert_eq!(found.iter().map(|row| &row[3]).collect::<Vec<_>>(), ["prod deployment"]);
    assert_eq!((found[0][0].as_str(), found[0][2].as_str()), ("Login lockout", "user"));
    assert!(all.iter().any(|row| row[3] == "'=2+3"), "no spreadsheet runs it");
}
