//! Members of the alert about old keys are snoozed singly or by owner: the alert counts the others, and closes when none
//! is left.

use strongroom::accounts::Role;
use strongroom::models::{IntegrationId, ItemId};
use strongroom::runs::alarms;

use super::{ACCOUNT, NEVER, OLD, YOUNG, account, add, ended, scan_again, store};
use crate::support::app::{Page, TestApp, Visit};
use crate::support::peers::iam::{Iam, Key};
use crate::support::sql;

/// Another old key of the pipeline.
const SECOND: &str = "AKIASECONDSECONDSEC1";

struct Scanned {
    app: TestApp,
    visit: Visit,
    iam: Iam,
    integration: IntegrationId,
}

/// An account with three old keys that nobody stored: one of ada, two of ci-deploy.
async fn scanned() -> Scanned {
    let iam = account().await;
    iam.account().users[1].1.push(Key::new(SECOND, "2020-06-01T00:00:00Z"));
    let app = TestApp::start_with(&[&format!("--aws-endpoint-url={}", iam.url())]);
    let mut visit = app.administrator();
    let credential = store(&mut visit, "scanner", YOUNG).await;
    let integration = add(&mut visit, ACCOUNT, credential).await;
    assert_eq!(ended(&app, integration, 1).await.0, "succeeded");
    Scanned { app, visit, iam, integration }
}

fn text(app: &TestApp, query: &str) -> String {
    sql::texts(app, &format!("SELECT ({query}) AS text")).remove(0)
}

/// The page of the account's alert, open or closed.
async fn alert(scanned: &mut Scanned) -> Page {
    let query = format!("FROM alerts WHERE subject_id = '{}' ORDER BY opened_at DESC LIMIT 1", scanned.integration);
    let id = text(&scanned.app, &format!("SELECT id::text {query}"));
    scanned.visit.get(&format!("/alerts/{id}")).await
}

fn members(page: &Page) -> Vec<String> {
    page.attributes("[data-members] tbody tr", "data-key-id")
}

fn item(scanned: &Scanned, key: &str) -> ItemId {
    text(&scanned.app, &format!("SELECT id::text FROM items WHERE name = '{key}'")).parse().expect("an id")
}

async fn snooze(visit: &mut Visit, item: ItemId, what: &str, days: &str) -> Page {
    visit.post(&format!("/cloud-keys/{item}/snooze"), &[("what", what), ("days", days)]).await
}

fn words(scanned: &Scanned) -> String {
    let open = format!("FROM alerts WHERE subject_id = '{}' AND closed_at IS NULL", scanned.integration);
    text(&scanned.app, &format!("SELECT coalesce((SELECT words {open}), 'closed')"))
}

#[actix_web::test]
async fn an_old_key_is_snoozed_alone_and_the_alert_counts_the_others() {
    let mut scanned = scanned().await;
    let page = alert(&mut scanned).await;
    assert_eq!(members(&page), [OLD, NEVER, SECOND], "the oldest first");
    assert!(page.attributes("[data-members] a", "href")[0].starts_with("/cloud-keys?q="), "the rest is one click away");
    assert_eq!(page.attributes("[data-members] form", "action").len(), 3);
    let old = item(&scanned, OLD);
    let posted = snooze(&mut scanned.visit, old, "key", "30").await;
    assert_eq!((posted.status, posted.location().starts_with("/alerts/")), (303, true));

    let page = alert(&mut scanned).await;
    assert_eq!(members(&page), [NEVER, SECOND]);
    assert!(words(&scanned).starts_with("2 active keys") && page.text("h1").contains("2 active keys"));
    let snoozed = page.text("[data-snoozed-keys] li");
    assert!(snoozed.contains(OLD) && snoozed.contains("ada") && page.has("[data-snoozed-keys] time"), "{snoozed}");
    let row = format!("tr[data-key-id={OLD}]");
    assert!(scanned.visit.get("/cloud-keys").await.text(&format!("{row} [data-snoozed]")).contains("ada"));
    // A scan changes nothing of it.
    let integration = scanned.integration;
    assert_eq!(scan_again(&scanned.app, &mut scanned.visit, integration, 2).await.0, "succeeded");
    assert!(words(&scanned).starts_with("2 active keys"));
    assert_eq!(sql::count(&scanned.app, "notices WHERE event = 'raised'"), 1, "nobody is notified of a smaller number");

    let stop = scanned.visit.get("/cloud-keys").await.attributes(&format!("{row} form"), "action").remove(0);
    let posted = scanned.visit.post(&stop, &[("page", "keys")]).await;
    assert_eq!((posted.status, posted.location()), (303, "/cloud-keys?show=old"));
    assert!(words(&scanned).starts_with("3 active keys"));
    assert_eq!(scanned.visit.post(&stop, &[]).await.status, 409, "it is over");
    for action in ["cloud_key.snoozed", "cloud_key.snooze_stopped"] {
        assert_eq!(sql::count(&scanned.app, &format!("events WHERE action = '{action}' AND actor = 'ada'")), 1);
    }
}

#[actix_web::test]
async fn all_keys_of_an_owner_are_snoozed_also_those_made_later() {
    let mut scanned = scanned().await;
    let (never, old) = (item(&scanned, NEVER), item(&scanned, OLD));
    assert_eq!(snooze(&mut scanned.visit, never, "owner", "90").await.status, 303);
    assert_eq!(members(&alert(&mut scanned).await), [OLD]);
    scanned.iam.account().users[1].1.push(Key::new("AKIALATERLATERLATER1", "2019-06-01T00:00:00Z"));
    let integration = scanned.integration;
    assert_eq!(scan_again(&scanned.app, &mut scanned.visit, integration, 2).await.0, "succeeded");
    assert_eq!(members(&alert(&mut scanned).await), [OLD]);

    // With the last one the alert closes, and its page still says who snoozed what.
    assert_eq!(snooze(&mut scanned.visit, old, "key", "7").await.status, 303);
    assert_eq!(words(&scanned), "closed");
    let page = alert(&mut scanned).await;
    assert!(page.text("h1").contains("snoozed"), "{}", page.text("h1"));
    assert_eq!((members(&page).len(), page.texts("[data-snoozed-keys] li").len()), (0, 2));

    // What ends is counted again, and opens an alert again.
    sql::run(&scanned.app, "UPDATE snoozed_keys SET until = now() - interval '1 second' WHERE by_owner");
    assert_eq!(alarms::end_snoozes(&scanned.app.services).await, Ok(1));
    assert!(words(&scanned).starts_with("3 active keys"));
    assert_eq!(alarms::end_snoozes(&scanned.app.services).await, Ok(0));
    assert_eq!(members(&alert(&mut scanned).await)[0], "AKIALATERLATERLATER1");
}

#[actix_web::test]
async fn an_auditor_snoozes_no_key_and_nobody_what_is_no_key() {
    let mut scanned = scanned().await;
    let old = item(&scanned, OLD);
    let mut auditor = scanned.app.user("otto", Role::Auditor);
    assert_eq!(snooze(&mut auditor, old, "key", "7").await.status, 403);
    let mut operator = scanned.app.user("olga", Role::Operator);
    for (what, days) in [("key", "0"), ("key", "2"), ("key", ""), ("account", "7"), ("", "7")] {
        assert_eq!(snooze(&mut operator, old, what, days).await.status, 400, "{what} {days}");
    }
    assert_eq!(snooze(&mut operator, ItemId::fresh(), "key", "7").await.status, 404);
    assert_eq!(sql::count(&scanned.app, "snoozed_keys"), 0);
    assert_eq!(snooze(&mut operator, old, "key", "7").await.status, 303);
    let id = text(&scanned.app, "SELECT id::text FROM snoozed_keys");
    assert_eq!(auditor.post(&format!("/cloud-keys/snoozed/{id}/stop"), &[]).await.status, 403);
    let page = alert(&mut scanned).await;
    assert!(page.has("[data-members] form"));
    scanned.visit = auditor;
    let page = alert(&mut scanned).await;
    assert!(page.has("[data-members]") && !page.has("main form"));
}
