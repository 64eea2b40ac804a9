//! Clients of Vault that know nothing of Strongroom: the command line and the agent of OpenBao, hvac, and the calls that
//! the External Secrets Operator makes.

use std::time::Duration;

use reqwest::Method;
use serde_json::json;
use strongroom::models::clients::NewClient;

use super::{installed, program, tool, value};
use crate::support::app::{Page, TestApp};
use crate::support::clients::{Client, releasing};
use crate::support::db::Scratch;
use crate::support::wait::wait_for;

fn bao() -> String {
    std::env::var("STRONGROOM_TEST_OPENBAO").expect("script/test sets it")
}

#[actix_web::test]
async fn the_command_line_of_openbao_reads_a_rule_and_no_other() {
    let app = releasing();
    let (client, other) = (Client::new(&app, "shop"), Client::new(&app, "other"));
    client.value("db", "a password");
    other.value("theirs", "another");
    let token = client.token();
    let home = Scratch::new();
    let home = home.path.to_str().unwrap().to_owned();
    let run = async |token: &str, arguments: &[&str]| {
        let environment = [("BAO_ADDR", app.url.as_str()), ("BAO_TOKEN", token), ("HOME", &home)];
        tool(&bao(), arguments, &environment).await
    };
    let get = ["kv", "get", "-field=password", "-mount=secret"];
    assert_eq!(run(&token, &[&get[..], &["db"]].concat()).await.as_deref(), Ok("a password"));
    assert_eq!(run(&token, &["kv", "get", "-field=username", "secret/db"]).await.as_deref(), Ok("app"));
    let missing = run(&token, &[&get[..], &["theirs"]].concat()).await.unwrap_err();
    assert!(missing.contains("No value found at secret/data/theirs"), "{missing}");
    let wrong = run("srt_wrong", &[&get[..], &["db"]].concat()).await.unwrap_err();
    assert!(wrong.contains("permission denied"), "{wrong}");
    let listed = run(&token, &["kv", "list", "-format=json", "secret/"]).await.unwrap();
    assert_eq!(serde_json::from_str::<Vec<String>>(&listed).unwrap(), ["db"]);
    assert!(run(&token, &["kv", "put", "secret/db", "password=x"]).await.is_err());
    assert!(run(&token, &["token", "lookup"]).await.unwrap().contains("shop"));
}

#[actix_web::test]
async fn the_agent_of_openbao_logs_in_and_writes_a_template() {
    let app = releasing();
    let client = Client::new(&app, "shop");
    client.value("db", "a password");
    let (id, secret) = client.app_role();
    let scratch = Scratch::new();
    let path = |name: &str| scratch.path.join(name).to_str().unwrap().to_owned();
    std::fs::write(path("role"), &id).unwrap();
    std::fs::write(path("secret"), &secret).unwrap();
    let config = format!(
        "vault {{ address = \"{}\" }}\nauto_auth {{\n method \"approle\" {{\n  config = {{\n   role_id_file_path = \"{}\"\n   \
         secret_id_file_path = \"{}\"\n   remove_secret_id_file_after_reading = false\n  }}\n }}\n}}\ntemplate {{\n \
         destination = \"{}\"\n contents = \"{{{{ with secret \\\"secret/data/db\\\" }}}}{{{{ .Data.data.password }}}}\
         {{{{ end }}}}\"\n}}\n",
        app.url,
        path("role"),
        path("secret"),
        path("written"),
    );
    std::fs::write(path("agent.hcl"), config).unwrap();
    let agent = tokio::process::Command::new(bao())
        .args(["agent", &format!("-config={}", path("agent.hcl"))])
        .env_clear()
        .env("HOME", &scratch.path)
        .stdout(std::process::Stdio::null())
        .stderr(std::fs::File::create(path("log")).unwrap())
        .kill_on_drop(true)
        .spawn()
        .expect("it is installed by script/test");
    wait_for("the template is written", Duration::from_secs(30), async || {
        std::fs::read_to_string(path("written")).is_ok_and(|text| text == "a password")
    })
    .await;
    drop(agent);
    assert_eq!(super::events(&app, "client.logged_in").len(), 1);
}

const HVAC: &str = r#"
import sys, hvac
url, role, secret, rule = sys.argv[1:5]
client = hvac.Client(url=url)
client.auth.approle.login(role_id=role, secret_id=secret)
assert client.is_authenticated()
print(client.secrets.kv.v2.read_secret_version(path=rule, raise_on_deleted_version=True)["data"]["data"]["password"])
print(",".join(client.secrets.kv.v2.list_secrets(path="")["data"]["keys"]))
print(client.secrets.kv.v2.read_secret_metadata(path=rule)["data"]["current_version"])
try:
    client.secrets.kv.v2.read_secret_version(path="nothing", raise_on_deleted_version=True)
except hvac.exceptions.InvalidPath:
    print("no such path")
client.auth.token.renew_self()
client.logout(revoke_token=True)
client.token = sys.argv[5]
print(client.is_authenticated())
"#;

#[actix_web::test]
async fn hvac_logs_in_reads_lists_and_logs_out() {
    let app = releasing();
    let client = Client::new(&app, "shop");
    client.value("db", "a password");
    let (id, secret) = client.app_role();
    let run = async |id: &str, secret: &str| {
        tool(&installed("python"), &["-c", HVAC, &app.url, id, secret, "db", "srt_wrong"], &[]).await
    };
    assert_eq!(run(&id, &secret).await.unwrap(), "a password\ndb\n1\nno such path\nFalse");
    let refused = run(&id, &"0".repeat(64)).await.unwrap_err();
    assert!(refused.contains("InvalidRequest") && refused.contains("invalid role or secret ID"), "{refused}");
}

async fn call(app: &TestApp, method: &str, path: &str, token: &str, body: &serde_json::Value) -> Page {
    let mut visitor = app.visitor();
    let request = visitor.request(Method::from_bytes(method.as_bytes()).unwrap(), path);
    let request = request.header("x-vault-token", token).header("x-vault-request", "true").json(body);
    visitor.send(request).await
}

#[actix_web::test]
async fn the_external_secrets_operator_finds_what_it_calls() {
    let app = releasing();
    let client = Client::new(&app, "shop");
    client.value("db", "a password");
    let (id, secret) = client.app_role();
    let login = json!({"role_id": id, "secret_id": secret});
    let begun = call(&app, "PUT", "/v1/auth/approle/login", "", &login).await;
    let auth = value(&begun)["auth"].clone();
    let token = auth["client_token"].as_str().unwrap().to_owned();
    assert!(auth["lease_duration"].as_i64().is_some_and(|seconds| (800..=900).contains(&seconds)), "{auth}");
    let none = json!({});
    let looked = value(&call(&app, "GET", "/v1/auth/token/lookup-self", &token, &none).await);
    assert_eq!(looked["data"]["type"], "service");
    assert!(
        looked["data"]["ttl"].as_i64().is_some_and(|seconds| seconds > 800)
            && looked["data"]["expire_time"] != json!(null)
    );
    let read = value(&call(&app, "GET", "/v1/secret/data/db", &token, &none).await);
    assert_eq!(read["data"]["data"], json!({"username": "app", "password": "a password"}));
    assert_eq!(read["data"]["metadata"]["version"], 1);
    assert_eq!(call(&app, "GET", "/v1/secret/data/db?version=1", &token, &none).await.status, 200);
    for path in ["/v1/secret/data/db?version=2", "/v1/secret/data/nothing"] {
        let missing = call(&app, "GET", path, &token, &none).await;
        assert_eq!((missing.status, value(&missing)), (404, json!({"errors": []})), "{path}");
    }
    assert_eq!(call(&app, "LIST", "/v1/secret/metadata", &token, &none).await.status, 200);
    assert_eq!(call(&app, "GET", "/v1/secret/metadata?list=true", &token, &none).await.status, 200);
    assert_eq!(call(&app, "POST", "/v1/auth/token/revoke-self", &token, &none).await.status, 204);
    let after = call(&app, "GET", "/v1/secret/data/db", &token, &none).await;
    assert_eq!((after.status, value(&after)), (403, json!({"errors": ["permission denied"]})));
    let own = client.token();
    assert_eq!(call(&app, "POST", "/v1/auth/token/revoke-self", &own, &none).await.status, 403);
    assert_eq!(call(&app, "GET", "/v1/secret/data/db", &own, &none).await.status, 200, "it is ended on its page only");
}

#[actix_web::test]
async fn a_session_token_may_be_bound_to_the_address_that_logged_in() {
    let app = TestApp::start_with(&["--release-values=on", "--trusted-proxies=127.0.0.1/32"]);
    let bound = NewClient { name: "shop", token_minutes: 15, bound_to_address: true, ..NewClient::default() };
    let client = Client::with(&app, bound);
    client.value("db", "a password");
    let (id, secret) = client.app_role();
    let from = async |address: &str, method: Method, path: &str, token: &str| {
        let mut visitor = app.visitor();
        let request = visitor.request(method, path).header("x-forwarded-for", address).bearer_auth(token);
        visitor.send(request.json(&json!({"role_id": id, "secret_id": secret}))).await
    };
    let begun = from("192.0.2.7", Method::POST, "/v1/auth/approle/login", "").await;
    let token = value(&begun)["auth"]["client_token"].as_str().unwrap().to_owned();
    assert_eq!(from("192.0.2.7", Method::GET, "/v1/secret/data/db", &token).await.status, 200);
    assert_eq!(from("192.0.2.8", Method::GET, "/v1/secret/data/db", &token).await.status, 403);
    assert_eq!(program(&app, &token, "/machine/v1/values/db").await.status, 401);
}
