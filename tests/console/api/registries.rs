//! Registry settings by the API: one list, which a program reads, changes and writes back whole.

use serde_json::{Value, json};
use strongroom::accounts::Role;
use strongroom::models::api_tokens::Scope;
use strongroom::models::events::Actor;
use strongroom::models::integrations::{self, NewIntegration};
use strongroom::models::{CredentialId, IntegrationId, credential_names};

use super::{Program, Tls, basic, error, events, token, value};
use crate::support::app::{Page, TestApp};
use crate::support::peers::registry::{Auth, Registry};
use crate::support::wait::wait_for;

fn integration(
    app: &TestApp,
    version: &str,
    name: &str,
    settings: &Value,
    credential: Option<CredentialId>,
) -> IntegrationId {
    let (settings, host) = (settings.to_string(), "registry.example.com");
    let new = NewIntegration {
        family: "registry_scan",
        version,
        name,
        credential_id: credential,
        host,
        further: &[],
        settings: &settings,
        every_hours: Some(6),
    };
    app.transaction(|conn| integrations::create(conn, &app.services.vault, &Actor::command_line(), &new))
}

/// A scan of a registry that is not there.
fn mirror(app: &TestApp, credential: Option<CredentialId>) -> IntegrationId {
    let settings = json!({"registry": "https://registry.example.com", "repository": "team/*", "cap": "7"});
    integration(app, "docker_v2", "mirror", &settings, credential)
}

async fn write(program: &Program<'_>, specifications: &[Value]) -> Page {
    let list = json!({"specifications": specifications});
    program.call(reqwest::Method::PUT, "/settings/registry", Some(&list)).await
}

fn specifications(page: &Page) -> Vec<Value> {
    value(page)["specifications"].as_array().unwrap_or_else(|| panic!("{}", page.body)).clone()
}

#[actix_web::test]
async fn the_vendors_client_sets_up_a_registry_scans_it_and_sees_how_far_it_is() {
    let peer = Registry::start(Auth::Htpasswd { user: "robot", password: "registry secret" }).await;
    peer.push_image("team/app", &["1.0", "2.0"]).await;
    let tls = Tls::start(&[]);
    let user = tls.app.add_user("olga", Role::Operator);
    let token = token(&tls.app, user, Scope::Destinations, 1);
    let specification = json!({"version": "2", "registry": peer.url(), "repository": "team/*", "tag": "", "os": "linux",
        "cap": 5, "scanners": 2, "credentialId": "robot", "collections": ["All"]});
    let call = |calls: &Value| tls.client("olga", &token.text, calls);
    let given = call(&json!([
        ["credential_list_create", basic("robot", "robot", "registry secret")],
        ["settings_registry_write", {"specifications": [specification]}],
        ["settings_registry_read"],
        ["credential_list_usages_read", "robot"],
    ]));
    assert_eq!((&given[0], &given[1]), (&json!({"gave": null}), &json!({"gave": null})));
    let read = given[2]["gave"].clone();
    assert_eq!(read["specifications"][0]["credentialID"], "robot", "{read}");
    assert_eq!(given[3]["gave"][0]["type"], "Registry Scan");
    // Written back as it was read, it changes nothing.
    let before = events(&tls.app, "integration.edited").len();
    let given = call(&json!([["settings_registry_write", read], ["settings_registry_read"]]));
    assert_eq!((&given[0], &given[1]["gave"]), (&json!({"gave": null}), &read));
    assert_eq!(events(&tls.app, "integration.edited").len(), before);
    wait_for("the first scan ends", std::time::Duration::from_secs(20), async || {
        let progress = call(&json!([["execute_compute", "GET", "api/v1/registry/progress"]]));
        let state = &progress[0]["gave"][0];
        state["isScanOngoing"] == false && state["imageScan"]["scanned"] == 2
    })
    .await;
    let tag = json!({"tag": {"registry": peer.url(), "repo": "team/app", "tag": "1.0"}});
    let given = call(&json!([["registry_scan", tag], ["registry_scan_select", [tag]]]));
    assert_eq!(given, [json!({"gave": null}), json!({"gave": null})]);
    let given = call(&json!([
        ["credential_list_delete", "robot"],
        ["settings_registry_write", {"specifications": []}],
        ["credential_list_delete", "robot"],
    ]));
    assert!(given[0]["refused"].as_str().is_some_and(|text| text.contains("Registry Scan")), "{}", given[0]);
    assert_eq!((&given[1], &given[2]), (&json!({"gave": null}), &json!({"gave": null})));
}

#[actix_web::test]
async fn what_the_vendor_has_no_word_for_survives_a_list_that_is_written_whole() {
    let app = TestApp::start();
    let program = Program::new(&app, Role::Operator, Scope::Write).await;
    assert_eq!(program.post("/credentials", &basic("robot", "harbor", "first")).await.status, 200);
    let robot = credential_names::find(&mut app.connect(), "robot").expect("read").expect("it is there").0;
    let id = mirror(&app, Some(robot));
    integration(&app, "oracle", "oracle", &json!({"region": "eu-frankfurt-1"}), None);
    let listed = specifications(&program.get("/settings/registry").await);
    assert_eq!(listed.len(), 1, "the vendor has no word for the other");
    assert_eq!((&listed[0]["cap"], &listed[0]["credentialID"]), (&json!(7), &json!("robot")));
    // As Terraform sends it: without our ID, and without what is empty.
    let sent = json!({"specifications": [{"version": "2", "registry": "registry.example.com", "repository": "team/*",
        "tag": "v*", "credentialID": "robot"}]});
    let page = program.call(reqwest::Method::PUT, "/settings/registry", Some(&sent)).await;
    assert_eq!((page.status, page.body.as_str()), (200, ""));
    let row = integrations::find(&mut app.connect(), &app.services.vault, id).expect("it is there").into_shown();
    assert_eq!((row.name.as_str(), row.every_hours, row.credential_id), ("mirror", Some(6), Some(robot)));
    assert!(row.settings.contains("\"tag\":\"v*\"") && row.settings.contains("\"cap\":\"7\""), "{}", row.settings);
    assert!(row.edited_by.starts_with("operator-write (API token"), "{}", row.edited_by);
    for wrong in [json!({}), json!({"specifications": null}), json!([])] {
        let page = program.call(reqwest::Method::PUT, "/settings/registry", Some(&wrong)).await;
        assert_eq!(page.status, 400, "{wrong}");
    }
    assert_eq!(specifications(&program.get("/settings/registry").await).len(), 1);
    let meant = Program::new(&app, Role::Operator, Scope::Destinations).await;
    assert_eq!(write(&program, &[]).await.status, 403, "it would be the last");
    assert_eq!(specifications(&program.get("/settings/registry").await).len(), 1);
    assert_eq!(write(&meant, &[]).await.status, 200);
    assert_eq!(program.delete("/credentials/robot").await.status, 200, "its usage has gone in the same moment");
    let left = crate::support::sql::texts(&app, "SELECT name AS text FROM integrations");
    assert_eq!(left, ["oracle"]);
}

#[actix_web::test]
async fn a_list_with_one_wrong_entry_changes_nothing() {
    let app = TestApp::start();
    let program = Program::new(&app, Role::Operator, Scope::Write).await;
    mirror(&app, None);
    let entry =
        |registry: &str, credential: &str| json!({"version": "2", "registry": registry, "credentialID": credential});
    let sent = json!({"specifications": [entry("https://new.example.com", ""), entry("https://b.example.com", "nothing"),
        {"version": "nonsense"}]});
    let page = program.call(reqwest::Method::PUT, "/settings/registry", Some(&sent)).await;
    assert_eq!((page.status, error(&page).contains("version must be one of")), (400, true), "{}", page.body);
    let sent =
        json!({"specifications": [entry("https://new.example.com", ""), entry("https://b.example.com", "nothing")]});
    let page = program.call(reqwest::Method::PUT, "/settings/registry", Some(&sent)).await;
    assert_eq!((page.status, error(&page).as_str()), (400, "Entry 2: There is no credential named nothing."));
    assert_eq!(specifications(&program.get("/settings/registry").await).len(), 1);
    assert_eq!(events(&app, "integration.created").len(), 1);
}

#[actix_web::test]
async fn a_list_without_several_is_written_only_by_a_token_for_more() {
    let app = TestApp::start();
    let program = Program::new(&app, Role::Operator, Scope::Write).await;
    for name in ["a", "b", "c"] {
        integration(&app, "docker_v2", name, &json!({"registry": format!("https://{name}.example.com")}), None);
    }
    let list = specifications(&program.get("/settings/registry").await);
    let page = write(&program, &list[..1]).await;
    assert!(page.status == 403 && error(&page).contains("new destinations"), "{}", page.body);
    assert_eq!(specifications(&program.get("/settings/registry").await).len(), 3);
    assert_eq!(write(&program, &list[..2]).await.status, 200, "one is taken out before its credential is deleted");
    let meant = Program::new(&app, Role::Operator, Scope::Destinations).await;
    integration(&app, "docker_v2", "c", &json!({"registry": "https://c.example.com"}), None);
    assert_eq!(write(&meant, &list[..1]).await.status, 200);
    assert_eq!(specifications(&program.get("/settings/registry").await).len(), 1);
}

#[actix_web::test]
async fn a_registry_that_is_added_replaces_no_other_of_its_address() {
    let app = TestApp::start();
    let program = Program::new(&app, Role::Operator, Scope::Write).await;
    mirror(&app, None);
    let host = "registry.example.com";
    let with =
        |repository: &str, cap: i64| json!({"version": "2", "registry": host, "repository": repository, "cap": cap});
    assert_eq!(program.post("/settings/registry", &with("other/*", 5)).await.status, 200);
    assert_eq!(program.post("/settings/registry", &with("team/*", 9)).await.status, 200);
    let listed = specifications(&program.get("/settings/registry").await);
    let mut about: Vec<_> = listed.iter().map(|one| (one["repository"].as_str(), one["cap"].as_i64())).collect();
    about.sort_unstable();
    assert_eq!(about, [(Some("other/*"), Some(5)), (Some("team/*"), Some(9))]);
}

#[actix_web::test]
async fn a_list_that_is_too_long_or_names_one_twice_is_refused() {
    let app = TestApp::start();
    let program = Program::new(&app, Role::Operator, Scope::Write).await;
    mirror(&app, None);
    let long = vec![json!({}); 5_001];
    let page = write(&program, &long).await;
    assert_eq!((page.status, error(&page).as_str()), (400, "A list may have 5,000 entries."));
    let long = json!(long);
    let page = program.call(reqwest::Method::PUT, "/settings/serverless-scan", Some(&long)).await;
    assert_eq!((page.status, error(&page).as_str()), (400, "A list may have 5,000 entries."));
    assert_eq!(program.post("/registry/scan/select", &long).await.status, 400);
    let mut twice = vec![specifications(&program.get("/settings/registry").await).remove(0); 2];
    twice[0]["cap"] = json!(9);
    let page = write(&program, &twice).await;
    assert_eq!((page.status, error(&page).as_str()), (400, "Entry 2: Another entry has the same id."));
    assert_eq!(events(&app, "integration.edited").len(), 0);
}

#[actix_web::test]
async fn the_longest_list_is_looked_through_once() {
    let app = TestApp::start();
    let program = Program::new(&app, Role::Operator, Scope::Write).await;
    let entry = |number: usize| {
        let host = format!("https://r{number}.example.com");
        json!({"version": "2", "registry": host, "credentialID": "nothing"})
    };
    let list: Vec<Value> = (0..5_000).map(entry).collect();
    let begun = std::time::Instant::now();
    let page = write(&program, &list).await;
    assert!(page.status == 400 && error(&page).contains("Entry 5000:"), "{}", page.status);
    assert!(begun.elapsed().as_secs() < 20, "{:?}", begun.elapsed());
}

#[actix_web::test]
async fn a_scan_of_a_registry_that_nobody_has_set_up_is_refused() {
    let app = TestApp::start();
    let program = Program::new(&app, Role::Operator, Scope::Write).await;
    mirror(&app, None);
    let page = program.post("/registry/scan", &json!({"tag": {"registry": "other.example.com"}})).await;
    assert_eq!((page.status, error(&page).as_str()), (400, "No registry other.example.com is set up."));
    assert_eq!(program.post("/registry/scan", &json!({"tag": {"registry": "registry.example.com"}})).await.status, 200);
    assert_eq!(program.call(reqwest::Method::POST, "/registry/stop", None).await.status, 200);
}
