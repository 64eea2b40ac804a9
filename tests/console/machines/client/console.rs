//! The client against the real console. What it does with the answers is tested against a stand-in, in the files beside.

use serde_json::json;

use super::super::{events, installed, tool};
use super::user::CLIENT;
use crate::support::app::TestApp;
use crate::support::clients::{Client, releasing, rotate, stored};
use crate::support::kubernetes::{Lab, rule};
use crate::support::peers::moto::{ACCOUNT, Moto};
use crate::support::process::PATIENCE;
use crate::support::wait::wait_for;

/// Runs the client with the token of a client of that console.
async fn run(app: &TestApp, token: &str, arguments: &[&str]) -> Result<String, String> {
    run_with(app, token, arguments, &[]).await
}

async fn run_with(
    app: &TestApp,
    token: &str,
    arguments: &[&str],
    environment: &[(&str, &str)],
) -> Result<String, String> {
    let own = [("STRONGROOM_URL", app.url.as_str()), ("STRONGROOM_TOKEN", token), ("HOME", "/nonexistent")];
    let arguments = [&["--no-agent", "--patience", "2"], arguments].concat();
    tool(CLIENT, &arguments, &[&own, environment].concat()).await
}

#[actix_web::test]
async fn a_program_gets_a_stored_value_and_the_trail_says_so() {
    let app = releasing();
    let client = Client::new(&app, "shop");
    let token = client.token();
    client.value("db", "sekret of the store");
    assert_eq!(run(&app, &token, &["rules"]).await.unwrap(), "db\tvalue");
    let show = ["exec", "db", "--", "sh", "-c", "echo $DB_USERNAME: $DB_PASSWORD"];
    assert_eq!(run(&app, &token, &show).await.unwrap(), "app: sekret of the store");
    assert_eq!(events(&app, "client.fetched").len(), 1);
    let unknown = run(&app, &token, &["exec", "other", "--", "env"]).await.unwrap_err();
    assert!(unknown.contains("there is no rule other for this client"), "{unknown}");
    client.set_active(false);
    let refused = run(&app, &token, &show).await.unwrap_err();
    assert!(refused.contains("does not accept this login"), "{refused}");
}

#[actix_web::test]
async fn the_aws_cli_works_with_the_session_of_a_role() {
    let moto = Moto::start().await;
    let pair = moto.user("scanner").await;
    let role = moto.role("reader", &format!("arn:aws:iam::{ACCOUNT}:user/scanner")).await;
    moto.allow("scanner", "sts:AssumeRole", &role).await;
    let app = TestApp::start_with(&[&format!("--aws-endpoint-url={}", moto.url())]);
    let values = [("method", "access_key"), ("access_key_id", pair.0.as_str()), ("secret_access_key", &pair.1)];
    let credential = stored(&app, "aws", "scanner", &values);
    let client = Client::new(&app, "shop");
    client.may("deploy", "aws_session", credential, &[("role", &role), ("region", "us-east-1")]);
    let (token, aws, url) = (client.token(), installed("aws"), moto.url());
    let who = ["exec", "deploy", "--", &aws, "sts", "get-caller-identity", "--query", "Arn", "--output", "text"];
    let arn = run_with(&app, &token, &who, &[("AWS_ENDPOINT_URL", &url)]).await.unwrap();
    assert!(arn.contains("assumed-role/reader/strongroom-shop"), "{arn}");
    let printed = run(&app, &token, &["helper", "aws", "deploy"]).await.unwrap();
    let printed: serde_json::Value = serde_json::from_str(&printed).unwrap();
    assert_eq!(printed["Version"], json!(1));
    assert!(printed["SessionToken"].is_string() && printed["Expiration"].as_str().unwrap().ends_with('Z'), "{printed}");
    assert!(!printed.to_string().contains(&pair.1));
    let refused = run_with(&app, "srt_wrong", &who, &[("AWS_ENDPOINT_URL", &url)]).await.unwrap_err();
    assert!(refused.contains("does not accept this login"), "{refused}");
}

#[actix_web::test]
async fn kubectl_works_with_the_token_of_a_service_account() {
    let lab = Lab::open("client").await;
    let namespace = lab.namespace("shop").await;
    let account = json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "deployer"}});
    lab.administrator.create(&format!("/api/v1/namespaces/{namespace}/serviceaccounts"), &account).await;
    let login = lab.login();
    lab.grant_in(&namespace, &login, &[rule("", &["serviceaccounts/token"], &["create"])]).await;
    let app = TestApp::start();
    let credential = stored(&app, "kubeconfig", "prod", &[("kubeconfig", &lab.kubeconfig(&login))]);
    let client = Client::new(&app, "shop");
    let settings = [("namespace", namespace.as_str()), ("service_account", "deployer")];
    client.may("prod", "kubernetes_token", credential, &settings);
    let kubectl = std::env::var("STRONGROOM_TEST_KUBECTL").expect("script/test sets it");
    let version = ["exec", "prod", "--", &kubectl, "get", "--raw", "/version"];
    let answered = run(&app, &client.token(), &version).await.unwrap();
    assert!(answered.contains("gitVersion"), "{answered}");
    let pods = ["exec", "prod", "--", &kubectl, "get", "pods", "--namespace", &namespace];
    let refused = run(&app, &client.token(), &pods).await.unwrap_err();
    assert!(refused.contains(&format!("system:serviceaccount:{namespace}:deployer")), "{refused}");
}

#[actix_web::test]
async fn a_program_starts_again_with_a_rotated_value() {
    let app = releasing();
    let client = Client::new(&app, "shop");
    let (token, credential) = (client.token(), client.value("db", "first"));
    let folder = tempfile::tempdir().expect("a folder");
    let seen = folder.path().join("seen").display().to_string();
    let script = format!("echo $DB_PASSWORD >> {seen}; [ $DB_PASSWORD = second ] || exec sleep 60");
    let arguments = ["exec", "db", "--restart", "--check", "1", "--", "sh", "-c", &script];
    let rotated = async {
        wait_for("the program runs", PATIENCE, async || std::path::Path::new(&seen).exists()).await;
        rotate(&app, credential, "second");
    };
    let (ran, ()) = tokio::join!(run(&app, &token, &arguments), rotated);
    ran.unwrap();
    assert_eq!(std::fs::read_to_string(&seen).expect("it ran"), "first\nsecond\n");
}
