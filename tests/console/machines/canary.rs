//! Nothing that a program shows or gets is in the log, however much of it there is, or in the database.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::app::Visit;
use crate::support::binary::Strongroom;
use crate::support::clients::{Client, vault};
use crate::support::peers::openbao::{OpenBao, ROOT};
use crate::support::sweep::{Canaries, canary};

#[actix_web::test]
async fn no_token_and_no_value_is_in_the_log_or_the_dump() {
    let strongroom = Strongroom::founded();
    let serving = strongroom.try_serve(&["--log=trace", "--release-values=on"]).expect("the console starts");
    serving.ready().await;
    let client = Client::new(&strongroom, "shop");
    let password = canary();
    client.value("db", &password);
    let (token, (id, secret)) = (client.token(), client.app_role());
    let mut canaries = Canaries::default();
    canaries.add("the value", &password);
    canaries.add("a token's secret", token.rsplit('_').next().expect("a secret"));
    canaries.add("a secret", &secret);
    let mut visit = Visit::to(&serving.url);
    for path in ["/machine/v1/values/db", "/v1/secret/data/db", "/machine/v1/values/nothing", "/machine/v1/aws/db"] {
        let request = visit.request(Method::GET, path).bearer_auth(&token);
        visit.send(request).await;
    }
    let mut log_in = async |secret: &str| {
        let request = visit.request(Method::POST, "/machine/v1/login");
        let body = json!({"method": "app_role", "id": id, "secret": secret});
        visit.send(request.json(&body)).await
    };
    let begun = log_in(&secret).await;
    let begun: Value = serde_json::from_str(&begun.body).expect("JSON");
    canaries.add("a session token", begun["token"].as_str().and_then(|token| token.rsplit('.').next()).expect("one"));
    let wrong = format!("{}0", &secret[..63]);
    canaries.add("a wrong secret", &wrong);
    assert!(matches!(log_in(&wrong).await.status, 200 | 401));
    let mut sweep = canaries.sweep();
    sweep.look("the dump", strongroom.dump());
    let ran = serving.stop();
    assert!(ran.err.contains("/machine/v1/values/db"), "it logs all it can");
    sweep.look("the log", &ran.err);
    assert!(sweep.found.is_empty(), "{:#?}", sweep.found);
}

#[actix_web::test]
async fn no_value_of_a_secret_store_is_in_the_log_or_the_dump() {
    let (bao, password) = (OpenBao::start().await, canary());
    bao.holds("team/db", json!({ "password": password })).await;
    let strongroom = Strongroom::founded();
    let serving = strongroom.try_serve(&["--log=trace", "--egress-allow=127.0.0.0/8"]).expect("the console starts");
    serving.ready().await;
    let store = vault(&strongroom, "Team Vault", (&bao.url(), ROOT));
    let client = Client::new(&strongroom, "shop");
    client.entry("db", store, "secret/team/db", &[]);
    let (token, mut visit) = (client.token(), Visit::to(&serving.url));
    for path in ["/machine/v1/values/db", "/machine/v1/values/db/password", "/v1/secret/data/db", "/machine/v1/changes"]
    {
        let request = visit.request(Method::GET, path).bearer_auth(&token);
        assert_eq!(visit.send(request).await.status, 200, "{path}");
    }
    let mut canaries = Canaries::default();
    canaries.add("the value", &password);
    canaries.add("the store's token", ROOT);
    let mut sweep = canaries.sweep();
    sweep.look("the dump", strongroom.dump());
    let ran = serving.stop();
    assert!(ran.err.contains("/machine/v1/values/db"), "it logs all it can");
    sweep.look("the log", &ran.err);
    assert!(sweep.found.is_empty(), "{:#?}", sweep.found);
}
