//! Sample data: loaded into an empty console, marked, quiet, and removed without anything of a user's own.

use strongroom::accounts::Role;
use strongroom::alerting;
use strongroom::models::alerts::{self, Subject};
use strongroom::models::checkups;
use strongroom::models::events::Actor;
use strongroom::models::integrations::{self, NewIntegration};

use crate::support::app::{TestApp, Visit};
use crate::support::wait::until;
use crate::support::{signed, sql};

const ROWS: &str = "sample_rows WHERE NOT removed";

fn text(app: &TestApp, query: &str) -> String {
    sql::texts(app, query).pop().expect("a row")
}

async fn load(visit: &mut Visit) {
    assert_eq!(visit.post("/sample-data", &[]).await.location(), "/");
}

#[actix_web::test]
async fn an_empty_console_offers_sample_data_to_an_administrator() {
    let app = TestApp::start();
    let (mut ada, mut olga) = (app.administrator(), app.user("olga", Role::Operator));
    assert!(ada.get("/").await.has("[data-sample=offered] button"));
    assert!(!olga.get("/").await.has("[data-sample]"));
    assert_eq!(olga.post("/sample-data", &[]).await.status, 403);
    load(&mut ada).await;
    assert_eq!(sql::count(&app, ROWS), 50);
    let page = ada.get("/").await;
    assert!(page.has("[data-sample=there] button") && page.has("[data-need=stale]") && page.has("[data-need=tests]"));
    // What was not done by anybody is still to be done.
    let open = page.attributes("[data-first-steps] li:not(.is-done)", "data-step");
    assert!(["credential", "test", "integration", "notify"].iter().all(|step| open.contains(&(*step).to_owned())));
    assert!(olga.get("/").await.has("[data-sample=there]") && !olga.get("/").await.has("[data-sample] button"));
    assert_eq!(ada.post("/sample-data", &[]).await.status, 409);
    assert_eq!(sql::count(&app, ROWS), 50);
}

#[actix_web::test]
async fn sample_data_is_whole_marked_and_points_nowhere() {
    let app = TestApp::start();
    let mut ada = app.administrator();
    load(&mut ada).await;
    let (no_tag, kinds) = ("NOT shipped AND NOT 'sample' = ANY (tags)", strongroom::credentials::KINDS.len());
    assert_eq!(sql::count(&app, &format!("credentials WHERE {no_tag}")), 0);
    assert_eq!(sql::count(&app, "(SELECT DISTINCT kind FROM credentials) k"), kinds as i64);
    assert_eq!(sql::count(&app, "integrations WHERE active OR next_run_at IS NOT NULL"), 0);
    assert_eq!(sql::count(&app, "runs"), 0);
    assert_eq!(
        sql::count(&app, "usages WHERE host NOT LIKE '%.example%' AND host <> 'the address in the credential'"),
        0
    );
    sql::run(&app, "UPDATE credentials SET next_test_at = now() - interval '1 minute'");
    let kinds: Vec<&str> = strongroom::credentials::KINDS.iter().map(|kind| kind.slug).collect();
    assert!(app.transaction(|conn| checkups::take_due(conn, &kinds, 100)).is_empty(), "a provider would be asked");
    // As old as they are said to be, under a trail and rows that hold.
    assert_eq!(sql::count(&app, "credentials WHERE aged_from < now() - interval '211 days' AND kind = 'aws'"), 1);
    let id =
        text(&app, "SELECT id::text AS text FROM credentials WHERE kind = 'aws' AND NOT shipped ORDER BY name LIMIT 1");
    let page = ada.get(&format!("/credentials/{id}")).await;
    assert!(page.status == 200 && !page.has("[data-doubt]"));
    let tested = ada.post(&format!("/credentials/{id}/test"), &[]).await;
    assert!(tested.body.contains("sample data"), "{}", tested.body);
    assert_eq!(sql::count(&app, "events WHERE action = 'sample.loaded' AND actor = 'ada'"), 1);
}

#[actix_web::test]
async fn alerts_about_sample_data_are_told_to_nobody() {
    let app = TestApp::start();
    let mut ada = app.administrator();
    load(&mut ada).await;
    let vault = app.services.vault.clone();
    let channel = NewIntegration {
        family: "alert_profile",
        version: "webhook_channel",
        name: "on call",
        credential_id: None,
        host: "http://127.0.0.1:1",
        further: &[],
        settings: r#"{"on_stale":"on","on_failed_test":"on"}"#,
        every_hours: None,
    };
    app.transaction(|conn| integrations::create(conn, &vault, &Actor::command_line(), &channel));
    let own = [("kind", "basic"), ("name", "own"), ("username", "robot"), ("password", "a secret")];
    let own: uuid::Uuid = ada.post("/credentials", &own).await.location().replace("/credentials/", "").parse().unwrap();
    app.transaction(|conn| {
        alerts::raise(conn, "failed_test", Subject { kind: "credential", id: own, name: "own" }, "no")
    });
    while alerting::find_due(&app.services).await.expect("decided").is_none() {}
    // Whatever the console's own jobs have given meanwhile, to nobody, is given again.
    sql::run(&app, "UPDATE notices SET digest_id = NULL");
    let _ = alerting::give(&app.services).await.expect("given");
    let about = "delivery_lines l JOIN notices n ON n.id = l.notice_id JOIN alerts a ON a.id = n.alert_id";
    until("the own alert is told", || {
        (sql::count(&app, &format!("{about} WHERE a.subject_id = '{own}'")) > 0).then_some(())
    })
    .await;
    assert!(sql::count(&app, "alerts WHERE trigger = 'stale' AND closed_at IS NULL") > 3);
    let of_sample = "a.subject_id IN (SELECT subject_id FROM sample_rows)";
    assert_eq!(sql::count(&app, &format!("{about} WHERE {of_sample}")), 0);
    // Without its signed tag it is no sample any more, whatever the table says.
    signed::run(&app, "UPDATE credentials SET tags = '{}' WHERE 'sample' = ANY (tags)");
    sql::run(&app, "UPDATE notices SET digest_id = NULL");
    let _ = alerting::give(&app.services).await.expect("given");
    until("the others are told", || (sql::count(&app, &format!("{about} WHERE {of_sample}")) > 3).then_some(())).await;
}

#[actix_web::test]
async fn removing_sample_data_leaves_what_is_used_and_names_it() {
    let app = TestApp::start();
    let mut ada = app.administrator();
    load(&mut ada).await;
    let robot = text(&app, "SELECT id::text AS text FROM credentials WHERE name = 'Mirror pull account'");
    let form = [
        ("name", "my own registry"),
        ("version", "docker_v2"),
        ("registry", "https://registry.own.example.com"),
        ("credential", &*robot),
        ("schedule", "off"),
    ];
    assert_eq!(ada.post("/integrations", &form).await.status, 303);
    let own = [("kind", "basic"), ("name", "own"), ("username", "robot"), ("password", "a secret")];
    assert_eq!(ada.post("/credentials", &own).await.status, 303);
    let mut olga = app.user("olga", Role::Operator);
    assert_eq!(olga.post("/sample-data/remove", &[]).await.status, 403);
    let page = ada.post("/sample-data/remove", &[]).await;
    assert_eq!(page.texts("[data-kept] a"), ["Mirror pull account"]);
    assert_eq!(sql::count(&app, "credentials WHERE NOT shipped"), 2);
    assert_eq!(sql::count(&app, "integrations"), 1);
    assert_eq!(sql::count(&app, ROWS), 0);
    assert!(!ada.get("/").await.has("[data-sample]"));
    // Nothing is left to remove, and the row that stayed is no sample data any more.
    assert_eq!(ada.post("/sample-data/remove", &[]).await.location(), "/");
    assert_eq!(sql::count(&app, "credentials WHERE NOT shipped"), 2);
}

#[actix_web::test]
async fn sample_data_goes_without_a_trace_where_nobody_used_it() {
    let app = TestApp::start();
    let mut ada = app.administrator();
    load(&mut ada).await;
    assert_eq!(ada.post("/sample-data/remove", &[]).await.location(), "/");
    assert_eq!(sql::count(&app, "credentials WHERE NOT shipped"), 0);
    assert!(ada.get("/").await.has("[data-sample=offered]"));
    assert_eq!(sql::count(&app, "events WHERE action = 'sample.removed'"), 1);
}
