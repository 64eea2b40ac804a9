//! What is done to many integrations at once: each by itself, and each said.

use strongroom::accounts::Role;
use strongroom::models::IntegrationId;
use strongroom::models::events::Actor;
use strongroom::models::integrations::{self, NewIntegration};

use super::{Form, actions, all_runs, basic, forget_password, row};
use crate::support::app::{PASSWORD, Page, TestApp, Visit};
use crate::support::peers::registry::{Auth, Registry};
use crate::support::sql;

/// Posts the table's form with these rows ticked.
async fn post(visit: &mut Visit, ids: &[IntegrationId], more: &[(&str, &str)]) -> Page {
    let ids: Vec<String> = ids.iter().map(ToString::to_string).collect();
    let mut fields: Vec<(&str, &str)> = ids.iter().map(|id| (id.as_str(), "on")).collect();
    fields.extend(more);
    visit.post("/integrations/bulk", &fields).await
}

/// (name, outcome, details)
fn said(page: &Page) -> Vec<(String, String, String)> {
    let cells = |selector: &str| page.texts(&format!("[data-outcome] {selector}"));
    let (names, words, details) = (cells("th"), cells("td:nth-child(2)"), cells("td:last-child"));
    names.into_iter().zip(words).zip(details).map(|((name, word), detail)| (name, word, detail)).collect()
}

async fn scan(visit: &mut Visit, name: &str) -> IntegrationId {
    Form::new(name, "https://registry.example.com").add(visit).await
}

fn channel(app: &TestApp) -> IntegrationId {
    let settings = r#"{"host":"127.0.0.1","port":"1","tls":"none","from":"a@example.com"}"#;
    let new = NewIntegration {
        family: "alert_profile",
        version: "email",
        name: "mail",
        credential_id: None,
        host: "127.0.0.1:1",
        further: &[],
        settings,
        every_hours: None,
    };
    app.transaction(|conn| integrations::create(conn, &app.services.vault, &Actor::command_line(), &new))
}

#[actix_web::test]
async fn one_integration_that_cannot_be_scanned_stops_no_other() {
    let app = TestApp::start();
    let mut visit = app.user("olga", Role::Operator);
    let ids =
        [scan(&mut visit, "one").await, scan(&mut visit, "off").await, channel(&app), scan(&mut visit, "two").await];
    visit.post(&format!("/integrations/{}/activation", ids[1]), &[("active", "")]).await;
    sql::run(&app, "UPDATE runs SET state = 'failed', started_at = now(), ended_at = now(), error = 'No.'");
    let done = post(&mut visit, &ids, &[("do", "scan"), ("filter", "/integrations?family=registry_scan")]).await;
    assert_eq!((done.status, done.text("h1").as_str()), (200, "Queued 2 of 4"));
    assert_eq!(done.attributes(".back", "href"), ["/integrations?family=registry_scan"]);
    let said = said(&done);
    assert!(said[0].0 == "mail" && said[0].2.contains("nothing to scan"), "{said:?}");
    assert!(said[1].0 == "off" && said[1].2.contains("switched off"), "{said:?}");
    for id in [ids[0], ids[3]] {
        assert_eq!(all_runs(&app, id).len(), 2);
    }
    let again = post(&mut visit, &ids[..1], &[("do", "scan")]).await;
    assert!(again.has("[data-outcome=off]"), "a scan is under way already");
}

#[actix_web::test]
async fn tags_and_owners_of_many_are_changed_and_a_tampered_row_is_named() {
    let app = TestApp::start();
    let mut visit = app.user("olga", Role::Operator);
    let ids = [scan(&mut visit, "one").await, scan(&mut visit, "altered").await];
    sql::run(&app, &format!("UPDATE integrations SET settings = '{{}}' WHERE id = '{}'", ids[1]));
    let form = post(&mut visit, &ids, &[("do", "tag")]).await;
    assert_eq!((form.text("h1").as_str(), form.texts("[data-chosen] li").len()), ("Tag 2 integrations", 2));
    let bad = post(&mut visit, &ids, &[("do", "add-tag"), ("tag", "a,b")]).await;
    assert_eq!((bad.status, bad.attributes("#tag", "value")), (422, vec!["a,b".to_owned()]));
    let done = post(&mut visit, &ids, &[("do", "add-tag"), ("tag", "Prod")]).await;
    assert_eq!(done.text("h1"), "Changed 1 of 2");
    assert!(said(&done)[0].0 == "altered" && said(&done)[0].2.contains("tampered"), "{:?}", said(&done));
    assert_eq!(row(&app, ids[0]).tags, ["prod"]);
    assert!(actions(&app, Some(ids[0].0)).contains(&"integration.labels_changed".to_owned()));
    let all = [("all", "yes"), ("filter", "/integrations?tag=prod"), ("do", "set-owner"), ("owner", "Data")];
    assert_eq!(post(&mut visit, &[], &all).await.text("h1"), "Changed 1 of 1");
    assert_eq!(row(&app, ids[0]).owner, "Data");
    assert_eq!(post(&mut visit, &[], &[("do", "tag")]).await.status, 422, "none is ticked");
    let odd = [("all", "yes"), ("filter", "/integrations?family=pigeon"), ("do", "tag")];
    assert_eq!(post(&mut visit, &[], &odd).await.status, 422);
}

#[actix_web::test]
async fn switching_a_channel_off_among_others_asks_for_the_password() {
    let app = TestApp::start();
    let mut visit = app.user("olga", Role::Operator);
    let ids = [scan(&mut visit, "one").await, channel(&app)];
    forget_password(&app);
    assert_eq!(post(&mut visit, &ids[..1], &[("do", "off")]).await.text("h1"), "Switched off 1 of 1");
    assert_eq!(post(&mut visit, &ids[..1], &[("do", "on")]).await.text("h1"), "Switched on 1 of 1");
    let asked = post(&mut visit, &ids, &[("do", "off")]).await;
    assert_eq!(
        (asked.status, asked.has("#confirm"), asked.text("h1")),
        (422, true, "Switch off 2 integrations?".to_owned())
    );
    assert!(ids.iter().all(|id| row(&app, *id).active));
    let done = post(&mut visit, &ids, &[("do", "off"), ("password", PASSWORD)]).await;
    assert_eq!(done.text("h1"), "Switched off 2 of 2");
    assert!(ids.iter().all(|id| !row(&app, *id).active));
    assert!(post(&mut visit, &ids, &[("do", "off"), ("password", PASSWORD)]).await.has("[data-outcome=off]"));
}

#[actix_web::test]
async fn the_connections_of_many_are_tested_and_each_outcome_is_named() {
    let peer = Registry::start(Auth::Htpasswd { user: "robot", password: "pass" }).await;
    peer.push_image("team/app", &["1.0"]).await;
    let app = TestApp::start();
    let mut visit = app.user("olga", Role::Operator);
    let (good, wrong) = (basic(&app, "robot", "robot", "pass"), basic(&app, "old robot", "robot", "another"));
    let mut ids = Vec::new();
    for (name, credential) in [("works", good), ("refused", wrong)] {
        ids.push(Form::new(name, &peer.url()).with("credential", credential).add(&mut visit).await);
    }
    ids.push(scan(&mut visit, "altered").await);
    sql::run(&app, &format!("UPDATE integrations SET settings = '{{}}' WHERE id = '{}'", ids[2]));
    let page = post(&mut visit, &ids, &[("do", "test")]).await;
    assert_eq!((page.status, page.text("h1").as_str()), (200, "Testing 3 integrations"));
    let said = said(&page);
    let of = |name: &str| said.iter().find(|(of, ..)| of == name).unwrap_or_else(|| panic!("{said:?}"));
    assert!(of("works").1 == "Works" && of("works").2.contains("1 repository"), "{said:?}");
    assert!(of("refused").1 == "Does not work" && of("refused").2.contains("refused the user name"), "{said:?}");
    assert!(of("altered").1 == "Not tested" && of("altered").2.contains("tampered"), "{said:?}");
    assert_eq!(page.texts("[data-sum]"), ["1 of 3 work."]);
}

#[actix_web::test]
async fn an_auditor_ticks_no_integration_and_does_nothing_to_many() {
    let app = TestApp::start();
    let id = scan(&mut app.administrator(), "one").await;
    let mut visit = app.user("otto", Role::Auditor);
    let page = visit.get("/integrations").await;
    assert!(!page.has(".is-tick") && !page.has(".bulk"));
    assert_eq!(post(&mut visit, &[id], &[("do", "off")]).await.status, 403);
    let page = app.user("olga", Role::Operator).get("/integrations").await;
    assert_eq!(page.texts(".bulk button")[..2], ["Scan now", "Test connection"]);
}
