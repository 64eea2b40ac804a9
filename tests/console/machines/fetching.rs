//! Reading by Strongroom's own protocol: what is answered, from memory or not, and what the audit trail says of it.

use std::time::Duration;

use diesel::connection::SimpleConnection;
use serde_json::{Value, json};
use strongroom::models::clients::NewClient;
use strongroom::usecases::clients::fetch;

use super::{events, program, value};
use crate::support::app::TestApp;
use crate::support::clients::{Client, releasing, rotate};
use crate::support::sql;
use crate::support::wait::wait_for;

#[actix_web::test]
async fn a_value_is_read_by_one_bearer_and_known_by_its_version() {
    let app = releasing();
    let client = Client::new(&app, "shop");
    let (token, credential) = (client.token(), client.value("db", "first password"));
    let read = program(&app, &token, "/machine/v1/values/db").await;
    let tag = read.header("etag").to_owned();
    assert_eq!((read.status, read.header("cache-control")), (200, "no-store"));
    assert!(tag.starts_with("\"1-"), "{tag}");
    let data = json!({"username": "app", "password": "first password"});
    assert_eq!(value(&read), json!({"data": data, "form": "value", "version": 1, "expires_at": null}));
    let field = program(&app, &token, "/machine/v1/values/db/password").await;
    assert_eq!(value(&field)["data"], json!({"password": "first password"}));
    assert_eq!(program(&app, &token, "/machine/v1/values/db/nothing").await.status, 404);
    let mut visitor = app.visitor();
    let again = visitor.request(reqwest::Method::GET, "/machine/v1/values/db").bearer_auth(&token);
    let unchanged = visitor.send(again.header("if-none-match", &tag)).await;
    assert_eq!((unchanged.status, unchanged.body.as_str()), (304, ""));
    rotate(&app, credential, "second password");
    wait_for("the new password is read", Duration::from_secs(5), async || {
        value(&program(&app, &token, "/machine/v1/values/db").await)["version"] == 2
    })
    .await;
    let rules = program(&app, &token, "/machine/v1/rules").await;
    assert_eq!(value(&rules), json!({"rules": [{"name": "db", "form": "value"}]}));
    assert_eq!(program(&app, &token, "/machine/v1/sessions/db").await.status, 404, "it is no session");
}

#[actix_web::test]
async fn a_minute_of_reads_is_one_event_and_its_count() {
    let app = releasing();
    let client = Client::new(&app, "shop");
    let token = client.token();
    client.value("db", "password");
    for _ in 0..5 {
        assert_eq!(program(&app, &token, "/machine/v1/values/db").await.status, 200);
    }
    let first = events(&app, "client.fetched");
    assert_eq!(first.len(), 1, "{first:?}");
    assert!(first[0].detail.starts_with("by the rule db (Stored value), Token …"), "{first:?}");
    assert_eq!((first[0].actor.as_str(), first[0].address.as_str()), ("shop", "127.0.0.1"));
    assert!(events(&app, "client.fetched_again").is_empty());
    fetch::tell_ended(&app.services, true).await.unwrap();
    let again = events(&app, "client.fetched_again");
    assert!(again.len() == 1 && again[0].detail.contains("4 times more within a minute"), "{again:?}");
    let uses = sql::texts(&app, "SELECT sum(uses)::text AS text FROM client_uses WHERE rule_id IS NOT NULL");
    assert_eq!(uses, ["5"]);
    fetch::tell_ended(&app.services, true).await.unwrap();
    assert_eq!(events(&app, "client.fetched_again").len(), 1, "it is said once");
}

#[actix_web::test]
async fn the_same_read_again_asks_nothing_of_the_database() {
    let app = releasing();
    let client = Client::new(&app, "shop");
    let token = client.token();
    client.value("db", "password");
    client.value("other", "password");
    listening(&app, &token).await;
    let mut lock = app.connect();
    lock.batch_execute("BEGIN; LOCK TABLE clients, client_logins, client_rules IN ACCESS EXCLUSIVE MODE").unwrap();
    assert_eq!(program(&app, &token, "/machine/v1/values/db").await.status, 200);
    let other = program(&app, &token, "/machine/v1/values/other").await;
    assert_eq!((other.status, other.header("content-type")), (503, "application/problem+json"));
    lock.batch_execute("ROLLBACK").unwrap();
}

/// Reads until the console hears of changes, so that it remembers what was read.
async fn listening(app: &TestApp, token: &str) {
    wait_for("an answer is remembered", Duration::from_secs(10), async || {
        assert_eq!(program(app, token, "/machine/v1/values/db").await.status, 200);
        !app.services.fetches.is_empty()
    })
    .await;
}

#[actix_web::test]
async fn whatever_an_answer_stands_on_ends_it_everywhere() {
    let app = releasing();
    let other = TestApp::replica(app.database.clone(), &["--release-values=on"]);
    let client = Client::new(&app, "shop");
    let login = client.login(strongroom::models::client_logins::Method::Token, None);
    let (token, credential) = (login.token(), client.value("db", "first"));
    let everywhere = async |what: &str, holds: fn(u16, &Value) -> bool| {
        wait_for(what, Duration::from_secs(5), async || {
            let (here, there) = tokio::join!(
                program(&app, &token, "/machine/v1/values/db"),
                program(&other, &token, "/machine/v1/values/db")
            );
            holds(here.status, &value(&here)) && holds(there.status, &value(&there))
        })
        .await;
    };
    everywhere("both answer", |status, _| status == 200).await;
    rotate(&app, credential, "second");
    everywhere("both have the new password", |_, read| read["data"]["password"] == "second").await;
    client.set_active(false);
    everywhere("both refuse a client that is disabled", |status, _| status == 401).await;
    client.set_active(true);
    everywhere("both answer again", |status, _| status == 200).await;
    client.end(&login);
    everywhere("both refuse a login that has ended", |status, _| status == 401).await;
}

#[actix_web::test]
async fn a_console_that_releases_no_values_answers_none() {
    let app = TestApp::start();
    let client = Client::new(&app, "shop");
    let token = client.token();
    client.value("db", "password");
    // Not 404: what keeps copies would take the value for deleted.
    assert_eq!(program(&app, &token, "/machine/v1/values/db").await.status, 503);
    assert_eq!(value(&program(&app, &token, "/machine/v1/rules").await), json!({"rules": []}));
    assert_eq!(program(&app, &token, "/v1/secret/data/db").await.status, 503);
}

#[actix_web::test]
async fn an_id_and_a_secret_give_a_token_for_minutes() {
    let app = releasing();
    let client = Client::with(&app, NewClient { name: "shop", token_minutes: 5, ..NewClient::default() });
    let (id, secret) = client.app_role();
    client.value("db", "password");
    let log_in = async |id: &str, secret: &str| {
        let mut visitor = app.visitor();
        let request = visitor.request(reqwest::Method::POST, "/machine/v1/login");
        visitor.send(request.json(&json!({"method": "app_role", "id": id, "secret": secret}))).await
    };
    let begun = log_in(&id, &secret).await;
    assert_eq!(begun.status, 200, "{}", begun.body);
    let token = value(&begun)["token"].as_str().unwrap().to_owned();
    let end: chrono::DateTime<chrono::Utc> = serde_json::from_value(value(&begun)["expires_at"].clone()).unwrap();
    assert!((end - chrono::Utc::now()).num_seconds().abs_diff(300) < 30, "{end}");
    assert!(token.starts_with("sst_"), "{token}");
    assert_eq!(program(&app, &token, "/machine/v1/values/db").await.status, 200);
    let other = client.app_role();
    for (id, secret) in [(&id, &other.1), (&other.0, &secret), (&id, &"0".repeat(64)), (&id, &token)] {
        assert_eq!(log_in(id, secret).await.status, 401);
    }
    let as_bearer = format!("srt_{}_{secret}", id.replace('-', ""));
    assert_eq!(program(&app, &as_bearer, "/machine/v1/values/db").await.status, 401, "a secret is no token");
    client.set_active(false);
    client.set_active(true);
    wait_for("the edit ends the session", Duration::from_secs(5), async || {
        program(&app, &token, "/machine/v1/values/db").await.status == 401
    })
    .await;
    assert_eq!(events(&app, "client.logged_in").len(), 1);
}
