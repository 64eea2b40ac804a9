//! Credentials by the API: the vendor's names, its quirks, and what a secret must not do.

use serde_json::{Value, json};
use strongroom::accounts::Role;
use strongroom::form::Values;
use strongroom::integrations::deployments::syncs::{Item, StoreEntry, set_items};
use strongroom::models::api_tokens::Scope;
use strongroom::models::events::Actor;
use strongroom::models::integrations::{self, NewIntegration};
use strongroom::models::{CredentialId, credential_names};

use super::{Program, basic, error, events, value};
use crate::credentials::samples;
use crate::support::app::TestApp;

const AWS_SECRET: &str = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";

fn id(app: &TestApp, name: &str) -> CredentialId {
    credential_names::find(&mut app.connect(), name).expect("read").expect("a credential").0
}

/// A scan that uses a credential.
fn scan(app: &TestApp, name: &str, credential: CredentialId) {
    let new = NewIntegration {
        family: "registry_scan",
        version: "docker_v2",
        name,
        credential_id: Some(credential),
        host: "registry.example.com",
        further: &[],
        settings: r#"{"registry":"https://registry.example.com"}"#,
        every_hours: None,
    };
    app.transaction(|conn| integrations::create(conn, &app.services.vault, &Actor::command_line(), &new));
}

#[actix_web::test]
async fn a_secret_is_kept_by_nothing_by_its_handle_and_replaced_by_another() {
    let app = TestApp::start();
    let program = Program::new(&app, Role::Operator, Scope::Write).await;
    assert_eq!(program.post("/credentials", &basic("robot", "harbor", "first")).await.status, 200);
    let first = program.credential("robot").await.expect("it is listed");
    for secret in [json!({}), json!({"plain": ""}), first["secret"].clone(), Value::Null] {
        let body = json!({"_id": "robot", "type": "basic", "accountID": "harbor", "secret": secret});
        let page = program.post("/credentials", &body).await;
        assert_eq!((page.status, page.body.as_str()), (200, ""), "{secret}");
    }
    let kept = program.credential("robot").await.expect("it is listed");
    assert_eq!(kept["secret"], first["secret"]);
    assert_eq!(program.post("/credentials", &basic("robot", "harbor", "second")).await.status, 200);
    let second = program.credential("robot").await.expect("it is listed");
    assert_ne!(second["secret"], first["secret"]);
    let stale = program.post("/credentials", &first).await;
    assert_eq!(stale.status, 400, "the handle of another version");
    assert!(events(&app, "credential.edited").iter().any(|event| event.detail == "secret replaced"));
}

#[actix_web::test]
async fn another_identity_with_the_stored_secret_is_refused() {
    let app = TestApp::start();
    let program = Program::new(&app, Role::Operator, Scope::Write).await;
    assert_eq!(program.post("/credentials", &basic("robot", "harbor", "first")).await.status, 200);
    let mut other = program.credential("robot").await.expect("it is listed");
    other["accountID"] = json!("someone else");
    let page = program.post("/credentials", &other).await;
    assert_eq!(page.status, 400);
    assert!(error(&page).contains("password"), "{}", page.body);
    let token = json!({"_id": "git", "type": "gitlabToken", "url": "https://gitlab.example.com",
        "secret": {"plain": "glpat-abcdefghijklmnopqrst"}});
    assert_eq!(program.post("/credentials", &token).await.status, 200);
    let elsewhere = json!({"_id": "git", "type": "gitlabToken", "url": "https://evil.example.com"});
    assert_eq!(program.post("/credentials", &elsewhere).await.status, 400);
    let same = program.credential("git").await.expect("it is listed");
    assert_eq!(same["url"], "https://gitlab.example.com");
}

#[actix_web::test]
async fn a_credential_in_use_stays_and_its_usages_are_named() {
    let app = TestApp::start();
    let program = Program::new(&app, Role::Operator, Scope::Write).await;
    assert_eq!(program.post("/credentials", &basic("team/robot", "harbor", "first")).await.status, 200);
    scan(&app, "mirror", id(&app, "team/robot"));
    let usages = json!([{"type": "Registry Scan", "description": "mirror"}]);
    for path in ["/credentials/team/robot/usages", "/credentials/team%2Frobot/usages"] {
        assert_eq!(value(&program.get(path).await), usages, "{path}");
    }
    let page = program.delete("/credentials/team/robot").await;
    assert_eq!(page.status, 400);
    assert_eq!(error(&page), "credential \"team/robot\" is in use by: Registry Scan (mirror)");
    assert_eq!(events(&app, "credential.delete_refused").len(), 1);
    let shipped = program.delete("/credentials/IAM%20Role").await;
    assert!(shipped.status == 400 && error(&shipped).contains("comes with Strongroom"), "{}", shipped.body);
    assert_eq!(program.delete("/credentials/nothing").await.status, 404);
    assert_eq!(program.get("/credentials/nothing/usages").await.status, 404);
}

#[actix_web::test]
async fn a_list_is_whole_or_a_page_with_its_count() {
    let app = TestApp::start();
    let program = Program::new(&app, Role::Operator, Scope::Write).await;
    for number in 0..4 {
        assert_eq!(program.post("/credentials", &basic(&format!("c{number}"), "a", "secret")).await.status, 200);
    }
    let names = |page: &crate::support::app::Page| -> Vec<String> {
        let list = value(page);
        list.as_array().expect("a list").iter().map(|one| one["_id"].as_str().unwrap_or("").to_owned()).collect()
    };
    let whole = program.get("/credentials").await;
    assert_eq!(names(&whole), ["c0", "c1", "c2", "c3", "IAM Role"]);
    assert_eq!(whole.headers.get("total-count"), None);
    for (query, expected, total) in [
        ("limit=2", vec!["c0", "c1"], Some("5")),
        ("limit=2&offset=4", vec!["IAM Role"], Some("5")),
        ("offset=3", vec!["c3", "IAM Role"], Some("5")),
        ("reverse=true&limit=2", vec!["IAM Role", "c3"], Some("5")),
        ("ids=c1,c3", vec!["c1", "c3"], None),
        ("sort=created&reverse=true", vec!["c3", "c2", "c1", "c0", "IAM Role"], None),
        ("cloud=true", vec!["IAM Role"], None),
        ("external=true", vec![], None),
        ("sort=created&reverse=true&limit=1", vec!["c3"], Some("5")),
    ] {
        let page = program.get(&format!("/credentials?{query}")).await;
        assert_eq!(names(&page), expected, "{query}");
        assert_eq!(page.headers.get("total-count").map(|count| count.to_str().unwrap()), total, "{query}");
    }
    assert_eq!(program.get("/credentials?limit=x").await.status, 400);
    assert_eq!(program.get("/credentials?sort=secret").await.status, 400);
    assert_eq!(value(&program.get("/prisma-cloud-credentials").await), json!([]));
}

#[actix_web::test]
async fn the_escapes_of_a_name_are_taken_away_once() {
    let app = TestApp::start();
    let program = Program::new(&app, Role::Operator, Scope::Write).await;
    for name in ["a/b", "a%2Fb"] {
        assert_eq!(program.post("/credentials", &basic(name, "harbor", "secret")).await.status, 200);
    }
    assert_eq!(program.delete("/credentials/a%252Fb").await.status, 200);
    assert!(program.credential("a/b").await.is_some() && program.credential("a%2Fb").await.is_none());
    assert_eq!(program.delete("/credentials/a%2Fb").await.status, 200);
    assert!(program.credential("a/b").await.is_none());
}

#[actix_web::test]
async fn every_type_of_the_vendor_is_listed_and_written_back_unchanged() {
    let app = TestApp::start();
    let program = Program::new(&app, Role::Operator, Scope::Write).await;
    let mut visit = app.user("olga", Role::Operator);
    let canary = hex::encode(strongroom::vault::random::<20>());
    for (number, (kind, fields)) in samples::all(&canary).into_iter().enumerate() {
        let name = format!("{number} {kind}");
        let mut form: Vec<(&str, &str)> = vec![("kind", kind), ("name", &name)];
        form.extend(fields.iter().map(|(field, text)| (*field, text.as_str())));
        let page = visit.post("/credentials", &form).await;
        assert_eq!(page.status, 303, "{kind}: {:?}", page.texts(".field__error"));
    }
    let page = program.get("/credentials").await;
    assert!(!page.body.contains(&canary), "no secret is answered");
    let listed = value(&page);
    let listed = listed.as_array().expect("a list");
    assert!(listed.len() > 11, "{}", listed.len());
    for one in listed {
        let page = program.post("/credentials", one).await;
        assert_eq!(page.status, 200, "{}: {}", one["_id"], page.body);
    }
    assert_eq!(events(&app, "credential.edited").len(), 0, "nothing was changed");
    let again = value(&program.get("/credentials").await);
    assert_eq!(again.as_array().expect("a list"), listed);
    let types: Vec<&str> = listed.iter().filter_map(|one| one["type"].as_str()).collect();
    for kind in ["aws", "azure", "gcp", "ibmCloud", "oci", "apiToken", "basic", "kubeconfig", "certificate"] {
        assert!(types.contains(&kind), "{kind} in {types:?}");
    }
}

#[actix_web::test]
async fn what_cannot_be_kept_is_refused_with_a_reason() {
    let app = TestApp::start();
    let program = Program::new(&app, Role::Operator, Scope::Write).await;
    assert_eq!(program.post("/credentials", &basic("robot", "harbor", "first")).await.status, 200);
    let with = |member: &str, value: Value| {
        let mut body = basic("robot", "harbor", "second");
        body[member] = value;
        body
    };
    for (body, why) in [
        (with("skipVerify", json!(true)), "skipVerify"),
        (with("type", json!("dtr")), "basic"),
        (with("type", json!("apiToken")), "another type"),
        (with("type", json!("nonsense")), "type must be one of"),
        (with("secret", json!("text")), "secret must be"),
        (with("_id", json!("")), "_id"),
        (json!([]), "The body must be a JSON object"),
    ] {
        let page = program.post("/credentials", &body).await;
        assert_eq!(page.status, 400, "{body}");
        assert!(error(&page).contains(why), "{} for {body}", page.body);
    }
    let gone = program.get("/nothing").await;
    assert_eq!((gone.status, error(&gone).as_str()), (404, "There is no such call."));
}

#[actix_web::test]
async fn a_credential_that_leads_a_sync_takes_the_scope_of_new_destinations() {
    let app = TestApp::start();
    let body = |key: &str| json!({"_id": "deployer", "type": "aws", "accountID": key, "secret": {"plain": AWS_SECRET}});
    let program = Program::new(&app, Role::Administrator, Scope::Write).await;
    assert_eq!(program.post("/credentials", &body("AKIAIOSFODNN7EXAMPLE")).await.status, 200);
    let mut settings = Values::from_iter([("region", "eu-central-1"), ("cluster", "prod")]);
    set_items(&mut settings, &[Item { entry: Some(StoreEntry::default()), ..Item::default() }]);
    let settings = String::from_utf8_lossy(&settings.to_json()).into_owned();
    let sync = NewIntegration {
        family: "secret_sync",
        version: "sync_eks",
        name: "production",
        credential_id: Some(id(&app, "deployer")),
        host: "EKS prod in eu-central-1",
        further: &[],
        settings: &settings,
        every_hours: None,
    };
    app.transaction(|conn| integrations::create(conn, &app.services.vault, &Actor::command_line(), &sync));
    let other = body("AKIAI44QH8DHBEXAMPLE");
    assert_eq!(program.post("/credentials", &other).await.status, 403);
    let operator = Program::new(&app, Role::Operator, Scope::Destinations).await;
    let page = operator.post("/credentials", &other).await;
    assert!([400, 403, 409].contains(&page.status), "{} {}", page.status, page.body);
    let meant = Program::new(&app, Role::Administrator, Scope::Destinations).await;
    let page = meant.post("/credentials", &other).await;
    assert_eq!(page.status, 200, "{}", page.body);
}
