//! Rules that give entries of secret stores: who makes them, what a program is given, and how soon a change reaches it.

use serde_json::json;
use strongroom::accounts::Role;
use strongroom::models::ClientId;

use super::{events, program, store, value};
use crate::support::app::{PASSWORD, Page, TestApp, Visit};
use crate::support::clients::Client;
use crate::support::peers::openbao::OpenBao;
use crate::support::sql::{count, texts};

async fn opened() -> (OpenBao, TestApp) {
    let bao = OpenBao::start().await;
    bao.holds("team/db", json!({"user": "app", "password": "canary-first"})).await;
    (bao, TestApp::start())
}

/// Posts the form of a rule that gives the password of the entry.
async fn post(visit: &mut Visit, client: ClientId, store: &str, more: &[(&str, &str)]) -> Page {
    let fields = [
        ("form", "entry"),
        ("store", store),
        ("name", "db"),
        ("entry", "secret/team/db"),
        ("keys", "password = DB_PASSWORD"),
    ];
    visit.post(&format!("/clients/{client}/rules/new"), &[&fields[..], more].concat()).await
}

#[actix_web::test]
async fn only_an_administrator_with_a_password_lets_an_entry_leave() {
    let (bao, app) = opened().await;
    let mut ada = app.administrator();
    let (id, client) = (store(&mut ada, "Team Vault", &bao).await, Client::new(&app, "shop").id);
    let mut olga = app.user("olga", Role::Operator);
    let form = olga.get(&format!("/clients/{client}/rules/new")).await;
    assert!(form.has("#form option[value=aws_session]") && !form.has("#form option[value=entry]"));
    let refused = post(&mut olga, client, &id.to_string(), &[]).await;
    assert_eq!((refused.status, count(&app, "client_rules")), (422, 0));
    let asked = post(&mut ada, client, &id.to_string(), &[]).await;
    assert!(asked.has("#confirm input[type=password]") && !asked.has("[data-release]"), "{}", asked.body);
    assert_eq!(count(&app, "client_rules"), 0);
    let made = post(&mut ada, client, &id.to_string(), &[("password", PASSWORD)]).await;
    assert_eq!(made.status, 303, "{:?}", made.texts(".error-summary, [role=alert]"));
    let line = ada.get(&format!("/clients/{client}")).await.text("[data-rule=db]");
    assert!(line.contains("Entry of a secret store from Team Vault") && line.contains("secret/team/db"), "{line}");
    assert!(!ada.get(&format!("/clients/{client}")).await.body.contains("canary-first"));
}

#[actix_web::test]
async fn a_program_gets_the_keys_that_the_rule_names_and_no_others() {
    let (bao, app) = opened().await;
    let id = store(&mut app.administrator(), "Team Vault", &bao).await;
    let client = Client::new(&app, "shop");
    client.entry("db", id, "secret/team/db", &[("keys", "password = DB_PASSWORD")]);
    client.entry("all", id, "secret/team/db", &[]);
    let token = client.token();
    let page = program(&app, &token, "/machine/v1/values/db").await;
    assert_eq!(value(&page)["data"], json!({"password": "canary-first"}), "{}", page.body);
    assert_eq!(value(&page)["delivery"]["names"], json!([["DB_PASSWORD", "password"]]));
    let by_vault = program(&app, &token, "/v1/secret/data/all").await;
    assert_eq!(value(&by_vault)["data"]["data"], json!({"password": "canary-first", "user": "app"}));
    assert_eq!(program(&app, &token, "/machine/v1/sessions/db").await.status, 404);
    let told = events(&app, "client.fetched");
    assert!(told.len() == 2 && told[0].subject_name == "Team Vault", "{told:?}");
    assert!(told.iter().all(|event| event.detail.contains("entry secret/team/db")));
    let reads = events(&app, "credential.opened").into_iter().filter(|event| event.detail.contains("secret/team/db"));
    assert_eq!(reads.count(), 1, "both rules are given what was read once");
}

#[actix_web::test]
async fn a_key_that_is_not_there_and_a_store_that_is_away_are_told() {
    let (bao, app) = opened().await;
    let id = store(&mut app.administrator(), "Team Vault", &bao).await;
    let client = Client::new(&app, "shop");
    client.entry("odd", id, "secret/team/db", &[("keys", "passwort")]);
    client.entry("gone", id, "secret/none", &[]);
    client.entry("patient", id, "secret/none", &[("outage", "wait")]);
    let token = client.token();
    let odd = program(&app, &token, "/machine/v1/values/odd").await;
    assert!(odd.status == 502 && odd.body.contains("no key passwort"), "{}", odd.body);
    let gone = program(&app, &token, "/machine/v1/values/gone").await;
    assert!(gone.status == 502 && gone.body.contains("secret/none"), "{}", gone.body);
    let patient = program(&app, &token, "/machine/v1/values/patient").await;
    assert_eq!((patient.status, value(&patient)["wait"].as_bool()), (503, Some(true)), "{}", patient.body);
    assert_eq!(events(&app, "client.fetch_failed").len(), 3);
}

#[actix_web::test]
async fn refresh_reaches_whoever_waits_for_a_change() {
    let (bao, app) = opened().await;
    let mut ada = app.administrator();
    let id = store(&mut ada, "Team Vault", &bao).await;
    let client = Client::new(&app, "shop");
    let rule = client.entry("db", id, "secret/team/db", &[("keep_seconds", "3600")]);
    let token = client.token();
    let read = async || value(&program(&app, &token, "/machine/v1/values/db").await)["data"]["password"].clone();
    assert_eq!(read().await, "canary-first");
    bao.holds("team/db", json!({"password": "canary-second"})).await;
    assert_eq!(read().await, "canary-first", "as long as the rule allows");
    let before = program(&app, &token, "/machine/v1/changes").await;
    let tag = before.header("etag").to_owned();
    let mut visitor = app.visitor();
    let waits = visitor.request(reqwest::Method::GET, "/machine/v1/changes?wait=50").bearer_auth(&token);
    let waits = waits.header("if-none-match", &tag);
    let (changed, pressed) = tokio::join!(visitor.send(waits), async {
        tokio::time::sleep(std::time::Duration::from_millis(300)).await;
        ada.post(&format!("/clients/{}/rules/{rule}/refresh", client.id), &[]).await
    });
    assert_eq!((changed.status, pressed.status), (200, 303));
    assert_ne!(value(&changed)["rules"]["db"], value(&before)["rules"]["db"]);
    assert_eq!(read().await, "canary-second");
    assert_eq!(events(&app, "client.rule_refreshed").len(), 1);
}

#[actix_web::test]
async fn a_store_that_a_rule_gives_from_is_not_deleted() {
    let (bao, app) = opened().await;
    let mut ada = app.administrator();
    let id = store(&mut ada, "Team Vault", &bao).await;
    let client = Client::new(&app, "shop");
    client.entry("db", id, "secret/team/db", &[]);
    assert!(ada.get(&format!("/integrations/{id}")).await.text("main").contains("rule db of shop"));
    let refused = ada.post(&format!("/integrations/{id}/delete"), &[("row_version", "1")]).await;
    assert!(refused.status == 409 && refused.text("main").contains("rule db of shop"), "{}", refused.text("main"));
    assert_eq!(count(&app, "client_rules"), 1);
}

#[actix_web::test]
async fn an_operator_leads_what_a_rule_gives_nowhere_else() {
    let (bao, app) = opened().await;
    let mut ada = app.administrator();
    let id = store(&mut ada, "Team Vault", &bao).await;
    let client = Client::new(&app, "shop");
    client.entry("db", id, "secret/team/db", &[]);
    let mut olga = app.user("olga", Role::Operator);
    let edit = format!("/integrations/{id}/edit");
    let shown = ada.get(&edit).await;
    let (version, key) = (shown.attributes("[name=row_version]", "value").remove(0), token_of(&app, "Team Vault"));
    let at = |url: &str, mount: &str| {
        let fixed =
            [("name", "Team Vault"), ("version", "vault_kv"), ("schedule", "off"), ("credential", key.as_str())];
        let rest = [("address", url), ("mount", mount), ("row_version", version.as_str()), ("password", PASSWORD)];
        fixed.into_iter().chain(rest).map(|(name, value)| (name, value.to_owned())).collect::<Vec<_>>()
    };
    for (url, mount) in [(bao.url(), "other"), ("http://127.0.0.1:9".to_owned(), "secret")] {
        let form = at(&url, mount);
        let form: Vec<(&str, &str)> = form.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let page = olga.post(&edit, &form).await;
        assert!([409, 422].contains(&page.status), "{}: {}", page.status, page.text("main"));
    }
    let token = [("row_version", "1"), ("name", "token of Team Vault"), ("token", "s.another")];
    let page = olga.post(&format!("/credentials/{key}/edit"), &token).await;
    assert_eq!(page.status, 409, "{}", page.text("main"));
    // Another credential in its place.
    let other = [("kind", "api_token"), ("name", "other"), ("token", "s.another")];
    let other = olga.post("/credentials", &other).await.location().rsplit('/').next().expect("an id").to_owned();
    let usage = format!("usage.{id}.main");
    let replace = [(usage.as_str(), version.as_str()), ("to", other.as_str()), ("goal", "save")];
    let page = olga.post(&format!("/credentials/{key}/replace"), &replace).await;
    assert_eq!(page.status, 409, "{}", page.text("main"));
    assert_eq!(count(&app, "integrations WHERE name = 'Team Vault' AND row_version = 1"), 1);
    let page = ada.post(&format!("/credentials/{key}/edit"), &token).await;
    assert_eq!(page.status, 303, "{}", page.text("main"));
}

/// The credential of a store.
fn token_of(app: &TestApp, store: &str) -> String {
    let query = format!("SELECT id::text AS text FROM credentials WHERE name = 'token of {store}'");
    texts(app, &query).remove(0)
}
