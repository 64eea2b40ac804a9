//! The whole way in the console: a store by its form, its entries, and a read by its one reader.

use strongroom::accounts::Role;
use strongroom::entries;
use strongroom::models::IntegrationId;
use strongroom::models::events::Actor;
use strongroom::models::runs::{self, Run};

use super::keys;
use crate::support::app::{TestApp, Visit};
use crate::support::peers::openbao::{OpenBao, ROOT};
use crate::support::wait::until;

async fn ended(app: &TestApp, integration: IntegrationId, number: usize) -> Run {
    let all = || runs::of(&mut app.connect(), integration, 100).expect("the runs");
    let done = |runs: &Vec<Run>| runs.len() == number && runs.iter().all(|run| !run.unfinished());
    until("the run ends", || Some(all()).filter(done)).await.remove(0)
}

async fn credential(visit: &mut Visit, token: &str) -> String {
    let fields = [("kind", "api_token"), ("name", "Vault token"), ("token", token)];
    let page = visit.post("/credentials", &fields).await;
    assert_eq!(page.status, 303, "{:?}", page.texts(".error-summary"));
    page.location().rsplit('/').next().unwrap().to_owned()
}

#[actix_web::test]
async fn a_store_goes_from_its_form_to_its_entries_and_a_read() {
    let bao = OpenBao::start().await;
    bao.holds("team/db", serde_json::json!({"user": "ada", "password": "hunter2-canary"})).await;
    bao.holds("web", serde_json::json!({"token": "hunter3-canary"})).await;
    let app = TestApp::start();
    let mut visit = app.administrator();
    let key = credential(&mut visit, ROOT).await;
    let url = bao.url();
    let fields = form(&url, &key);
    let tried = visit.post("/integrations", &[&fields[..], &[("try", "connection")]].concat()).await;
    assert!(tried.text(".notice.is-good").contains("secret is KV version 2"), "{:?}", tried.texts(".notice"));
    let page = visit.post("/integrations", &fields).await;
    assert_eq!(page.status, 303, "{:?} {:?}", page.texts(".error-summary"), page.texts("[id$=-error]"));
    let id: IntegrationId = page.location().rsplit('/').next().unwrap().parse().unwrap();
    let run = ended(&app, id, 1).await;
    assert_eq!((run.state.word(), run.found), ("succeeded", 2), "{:?}", run.error);
    let page = visit.get(&format!("/integrations/{id}")).await;
    assert_eq!(page.texts("#results tbody td:nth-child(2)"), ["team/db", "web"]);
    assert!(page.text("main").contains("Secret Store · HashiCorp Vault or OpenBao") && !page.body.contains("canary"));
    let used = visit.get(&format!("/credentials/{key}")).await;
    assert!(used.text("main").contains("Secret Store") && used.texts("pre").concat().contains("secret/metadata/*"));

    let actor = Actor { name: "ada".to_owned(), address: String::new() };
    let wanted = ["secret/team/db".to_owned(), "secret/none".to_owned()];
    let read = entries::read(&app.services, &actor, id, &wanted).await.unwrap();
    assert_eq!(keys(read[0].as_ref().unwrap()), [("password", "hunter2-canary"), ("user", "ada")]);
    assert!(read[1].is_err());
    let trail = visit.get("/audit").await;
    assert!(trail.text("main").contains("to read secret/team/db, secret/none of Team Vault"), "{}", trail.text("main"));
    assert!(!trail.body.contains("canary"));

    assert_eq!(visit.post(&format!("/integrations/{id}/activation"), &[("active", "")]).await.status, 303);
    let refused = entries::read(&app.services, &actor, id, &wanted).await.unwrap_err().sentence();
    assert!(refused.contains("Team Vault is switched off"), "{refused}");
}

fn form<'a>(url: &'a str, key: &'a str) -> Vec<(&'a str, &'a str)> {
    let fields = [("name", "Team Vault"), ("version", "vault_kv"), ("address", url), ("mount", "secret")];
    [&fields[..], &[("credential", key), ("schedule", "off")]].concat()
}

#[actix_web::test]
async fn a_store_that_cannot_be_reached_is_added_only_when_that_is_said() {
    let app = TestApp::start();
    let mut visit = app.administrator();
    let key = credential(&mut visit, "s.token-canary").await;
    let refused = visit.post("/integrations", &form("http://127.0.0.1:9", &key)).await;
    assert_eq!(refused.status, 422);
    let said = refused.text(".notice.is-bad");
    assert!(said.contains("Not added, since the connection doesn't work"), "{said}");
    assert_eq!(refused.attributes("#name", "value"), ["Team Vault"]);
    assert_eq!(visit.get("/integrations").await.texts("tbody tr").len(), 0);
    let anyway = [&form("http://127.0.0.1:9", &key)[..], &[("anyway", "on")]].concat();
    let page = visit.post("/integrations", &anyway).await;
    assert_eq!(page.status, 303, "{:?}", page.texts(".notice"));
    let trail = visit.get("/audit").await;
    assert!(
        trail.text("main").contains("for a test of the connection of Team Vault") && !trail.body.contains("canary")
    );
}

pub async fn store(app: &TestApp, visit: &mut Visit, bao: &OpenBao) -> IntegrationId {
    let key = credential(visit, ROOT).await;
    let page = visit.post("/integrations", &form(&bao.url(), &key)).await;
    assert_eq!(page.status, 303, "{:?} {:?}", page.texts(".error-summary"), page.texts(".notice"));
    let id: IntegrationId = page.location().rsplit('/').next().unwrap().parse().unwrap();
    ended(app, id, 1).await;
    id
}

#[actix_web::test]
async fn chosen_entries_become_credentials_of_the_types_that_fit() {
    let bao = OpenBao::start().await;
    let pair = serde_json::json!({"access_key_id": "AKIAIOSFODNN7EXAMPLE",
        "secret_access_key": "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"});
    bao.holds("aws/ci", pair).await;
    bao.holds("db", serde_json::json!({"username": "ada", "password": "password-canary"})).await;
    bao.holds("slack", serde_json::json!({"token": "token-canary-0123456789"})).await;
    bao.holds("odd", serde_json::json!({"host": "host-canary", "port": 1})).await;
    let app = TestApp::start();
    let mut visit = app.administrator();
    let id = store(&app, &mut visit, &bao).await;
    let path = format!("/integrations/{id}/import");
    let shown = format!("a[href='{path}']");
    let mut olga = app.user("olga", Role::Operator);
    assert!(visit.get(&format!("/integrations/{id}")).await.has(&shown));
    assert!(!olga.get(&format!("/integrations/{id}")).await.has(&shown));
    let refused = olga.post(&path, &[("entry.0", "secret/db")]).await;
    assert!(refused.status == 403 && !refused.body.contains("canary"), "{}", refused.status);
    let page = visit.get(&path).await;
    let entries = page.attributes("input.is-picked", "value");
    assert_eq!(entries, ["secret/aws/ci", "secret/db", "secret/odd", "secret/slack"]);
    assert_eq!(visit.get(&format!("{path}?q=slack")).await.attributes("input.is-picked", "value"), ["secret/slack"]);
    assert_eq!(visit.post(&path, &[]).await.status, 422);

    let numbered: Vec<String> = (0..entries.len()).map(|at| format!("entry.{at}")).collect();
    let chosen: Vec<(&str, &str)> =
        numbered.iter().zip(&entries).map(|(name, entry)| (name.as_str(), entry.as_str())).collect();
    let looked = visit.post(&path, &chosen).await;
    assert_eq!(looked.status, 200, "{:?}", looked.texts("[data-problem]"));
    assert_eq!(looked.attributes("[data-offer]", "data-offer"), ["aws", "basic", "api_token"]);
    assert!(looked.text("[data-skipped]").contains("No type of credential has the keys host, port"));
    assert!(!looked.body.contains("canary") && !looked.body.contains("wJalrXUtnFEMI"));
    let credentials = visit.get("/credentials").await;
    assert!(!credentials.text("main").contains("slack"), "nothing is added yet");

    let was = looked.attributes("[name^='was.']", "value");
    // One of them is something else by now.
    bao.holds("slack", serde_json::json!({"username": "eve", "password": "other-canary"})).await;
    let mut add = chosen.clone();
    let rows = [("pick.0", "name.0", "was.0"), ("pick.1", "name.1", "was.1"), ("pick.2", "name.2", "was.2")];
    for ((pick, name, seen), (was, called)) in rows.iter().zip(was.iter().zip(["CI key", "Database", "Slack"])) {
        add.extend([(*pick, "on"), (*name, called), (*seen, was.as_str())]);
    }
    add.push(("add", "chosen"));
    let done = visit.post(&path, &add).await;
    assert_eq!(done.status, 200);
    assert_eq!(done.attributes("[data-imported]", "data-imported"), ["true", "true", "false"]);
    assert!(done.text("[data-imported=false]").contains("it changed at the store") && !done.body.contains("canary"));
    let listed = visit.get("/credentials").await;
    assert!(listed.text("main").contains("CI key") && listed.text("main").contains("Database"));
    let at = done.attributes("[data-imported] a", "href").remove(1);
    let page = visit.get(&at).await;
    assert!(page.text("main").contains("From Team Vault: secret/db") && !page.body.contains("canary"));
}
