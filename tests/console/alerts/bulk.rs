//! Several alerts at once: what is ticked or a whole group is acknowledged or snoozed, and what cannot be is said.

use strongroom::accounts::Role;
use strongroom::models::AlertId;

use super::{groups, raise, titles};
use crate::support::app::{Page, TestApp, Visit};
use crate::support::sql;

/// That many alerts about failed tests.
fn failed(app: &TestApp, number: usize) -> Vec<AlertId> {
    (0..number).map(|n| raise(app, "failed_test", &format!("pair {n:02}"), "The key is not known.")).collect()
}

fn events(app: &TestApp, action: &str) -> i64 {
    sql::count(app, &format!("events WHERE action = '{action}'"))
}

async fn bulk(visit: &mut Visit, button: &str, ids: &[AlertId], more: &[(&str, &str)]) -> Page {
    let names: Vec<String> = ids.iter().map(|id| format!("pick-{id}")).collect();
    let ticks = names.iter().map(|name| (name.as_str(), "on"));
    let fields: Vec<(&str, &str)> = ticks.chain([("do", button)]).chain(more.iter().copied()).collect();
    visit.post("/alerts/bulk", &fields).await
}

/// What the next page will say: what was done, of how many alerts, and how many of them somebody else owned, were closed,
/// or were altered.
fn told(page: &Page) -> String {
    assert_eq!(page.status, 303, "{}", page.text("main"));
    let cookie = page.header("set-cookie").strip_prefix("notice=alerts.").expect("a notice");
    cookie.split(';').next().expect("its word").to_owned()
}

#[actix_web::test]
async fn one_click_acknowledges_a_group_and_leaves_what_others_own() {
    let app = TestApp::start();
    let mut olga = app.user("olga", Role::Operator);
    let mut ada = app.administrator();
    let ids = failed(&app, 25);
    let other = raise(&app, "lockout", "mallory", "here");
    for id in &ids[..3] {
        assert_eq!(olga.post(&format!("/alerts/{id}/acknowledge"), &[]).await.status, 303);
    }
    assert!(ada.get("/alerts").await.has("[data-group=failed_test] button[value='acknowledge:failed_test']"));
    let page = bulk(&mut ada, "acknowledge:failed_test", &[], &[]).await;
    assert_eq!(told(&page), "acknowledged.22.3.0.0.0");
    let by = |who: &str| sql::count(&app, &format!("alerts WHERE acknowledged_by = '{who}'"));
    assert_eq!((by("olga"), by("ada"), events(&app, "alert.acknowledged")), (3, 22, 25));
    assert_eq!(sql::count(&app, &format!("alerts WHERE id = '{other}' AND acknowledged_by IS NULL")), 1);
    // Once more changes nothing.
    bulk(&mut ada, "acknowledge:failed_test", &[], &[]).await;
    assert_eq!((by("ada"), events(&app, "alert.acknowledged")), (22, 25));
    assert_eq!(ada.get("/alerts").await.texts("[data-group=failed_test] [data-owner]")[3], "ada");
}

#[actix_web::test]
async fn what_is_ticked_is_snoozed_and_comes_back() {
    let app = TestApp::start();
    let mut olga = app.user("olga", Role::Operator);
    let ids = failed(&app, 4);
    let page = bulk(&mut olga, "snooze", &ids[..2], &[("days", "7")]).await;
    assert_eq!(page.location(), "/alerts");
    assert_eq!((titles(&olga.get("/alerts").await).len(), events(&app, "alert.snoozed")), (2, 2));
    let page = olga.get("/alerts?state=snoozed").await;
    assert_eq!((titles(&page).len(), page.text(".sidebar__count.is-hot")), (2, "2 open".to_owned()));
    assert_eq!(page.texts(".chips .chip"), ["Open 2", "Soon 0", "Snoozed 2", "Closed 0"]);
    assert!(page.has("button[value=unsnooze]"));

    // A closed one does not stop the others.
    sql::run(&app, &format!("UPDATE alerts SET closed_at = now(), closed_why = 'well' WHERE id = '{}'", ids[0]));
    let page = bulk(&mut olga, "unsnooze", &ids[..2], &[("state", "snoozed")]).await;
    assert_eq!(page.location(), "/alerts?state=snoozed");
    assert_eq!(told(&page), "unsnoozed.1.0.1.0.0");
    assert_eq!(titles(&olga.get("/alerts").await).len(), 3);
    let page = bulk(&mut olga, "snooze:failed_test:1", &[], &[("q", "pair 02")]).await;
    assert_eq!(page.location(), "/alerts?q=pair+02");
    assert_eq!(titles(&olga.get("/alerts").await).len(), 2, "the group as it is filtered");
}

#[actix_web::test]
async fn what_makes_no_sense_changes_nothing() {
    let app = TestApp::start();
    let ids = failed(&app, 1);
    let mut auditor = app.user("otto", Role::Auditor);
    assert_eq!(bulk(&mut auditor, "acknowledge", &ids, &[]).await.status, 403);
    assert!(!auditor.get("/alerts").await.has("#results button:not([disabled]), #results input"));
    let mut olga = app.user("olga", Role::Operator);
    for (button, days) in [("", ""), ("close", ""), ("snooze", "2"), ("snooze", "90"), ("snooze:failed_test:0", "")] {
        assert_eq!(bulk(&mut olga, button, &ids, &[("days", days)]).await.status, 400, "{button} {days}");
    }
    assert_eq!(olga.post("/alerts/bulk", &[("do", "acknowledge"), ("pick-x", "on")]).await.status, 400);
    assert_eq!(olga.post("/alerts/bulk", &[("do", "acknowledge"), ("surplus", "1")]).await.status, 422);
    let page = bulk(&mut olga, "acknowledge", &[], &[]).await;
    assert_eq!((page.status, events(&app, "alert.acknowledged")), (303, 0));
    let page = bulk(&mut olga, "acknowledge", &[AlertId::fresh()], &[]).await;
    assert_eq!(told(&page), "acknowledged.0.0.1.0.0");
    assert_eq!(groups(&olga.get("/alerts").await), ["failed_test"]);
}

#[actix_web::test]
async fn a_forged_alert_does_not_stop_the_others() {
    let app = TestApp::start();
    let mut ada = app.administrator();
    let forged = raise(&app, "integrity", "robot", "");
    let ids = [failed(&app, 1), vec![forged]].concat();
    sql::run(&app, &format!("UPDATE alerts SET stage = 4 WHERE id = '{forged}'"));
    let page = bulk(&mut ada, "acknowledge", &ids, &[]).await;
    assert_eq!(told(&page), "acknowledged.1.0.0.1.0");
    assert_eq!(sql::count(&app, "alerts WHERE acknowledged_by IS NOT NULL"), 1);
}

/// The severity that the table is ordered by is the one that messages have.
#[actix_web::test]
async fn the_order_and_the_messages_agree_on_severity() {
    use strongroom::alerting::words::{Said, severity};
    use strongroom::integrations::alerts::{Event, Severity, Trigger};

    let app = TestApp::start();
    for trigger in Trigger::ALL {
        // (stage, what is said at it, days left)
        let stages: &[(i16, Event, i32)] = match trigger {
            Trigger::Stale => &[(1, Event::Ahead, 80), (3, Event::Raised, 91)],
            Trigger::Expiring => {
                &[(3, Event::Raised, 30), (4, Event::Reminder, 7), (5, Event::Reminder, 1), (6, Event::Reminder, 0)]
            }
            _ => &[(3, Event::Raised, 0)],
        };
        for (stage, event, days) in stages {
            let said = Said { trigger, event: *event, subject: "a", kind: "aws", days: *days, of_days: 90, words: "b" };
            let level = match severity(&said) {
                Severity::Critical => 1,
                Severity::Error => 2,
                Severity::Warning | Severity::Info => 3,
            };
            sql::run(
                &app,
                &format!(
                    "INSERT INTO alerts (id, trigger, subject_kind, subject_id, subject_name, stage)
                     VALUES (gen_random_uuid(), '{}', 'user', gen_random_uuid(), 'level {level}', {stage})",
                    trigger.slug()
                ),
            );
        }
    }
    assert_eq!(sql::count(&app, "alerts WHERE subject_name <> 'level ' || severity"), 0);
}
