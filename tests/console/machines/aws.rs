//! The SDKs of AWS, which fetch a session by the protocol of its containers.

use serde_json::json;

use super::{installed, program, tool, value};
use crate::support::app::TestApp;
use crate::support::clients::{Client, stored};
use crate::support::peers::moto::{ACCOUNT, Moto};

const BOTO: &str = "import boto3; print(boto3.client('sts').get_caller_identity()['Arn'])";

#[actix_web::test]
async fn boto3_and_the_aws_cli_get_the_session_of_a_role() {
    let moto = Moto::start().await;
    let pair = moto.user("scanner").await;
    let role = moto.role("reader", &format!("arn:aws:iam::{ACCOUNT}:user/scanner")).await;
    moto.allow("scanner", "sts:AssumeRole", &role).await;
    let app = TestApp::start_with(&[&format!("--aws-endpoint-url={}", moto.url())]);
    let values = [("method", "access_key"), ("access_key_id", pair.0.as_str()), ("secret_access_key", &pair.1)];
    let credential = stored(&app, "aws", "scanner", &values);
    let client = Client::new(&app, "shop");
    client.may("deploy", "aws_session", credential, &[("role", &role), ("session_minutes", "60")]);
    let token = client.token();

    let uri = format!("{}/machine/v1/aws/deploy", app.url);
    let run = async |program: &str, arguments: &[&str], authorization: &str| {
        let environment = [
            ("AWS_CONTAINER_CREDENTIALS_FULL_URI", uri.as_str()),
            ("AWS_CONTAINER_AUTHORIZATION_TOKEN", authorization),
            ("AWS_ENDPOINT_URL", &moto.url()),
            ("AWS_REGION", "us-east-1"),
            ("AWS_DEFAULT_REGION", "us-east-1"),
            ("AWS_EC2_METADATA_DISABLED", "true"),
            ("HOME", "/nonexistent"),
        ];
        tool(&installed(program), arguments, &environment).await
    };
    for authorization in [token.clone(), format!("Bearer {token}")] {
        let arn = run("python", &["-c", BOTO], &authorization).await.unwrap();
        assert!(arn.contains("assumed-role/reader/strongroom-shop"), "{arn}");
    }
    let told = run("aws", &["sts", "get-caller-identity", "--query", "Arn", "--output", "text"], &token).await.unwrap();
    assert!(told.contains("assumed-role/reader/strongroom-shop"), "{told}");
    let refused = run("python", &["-c", BOTO], "srt_wrong").await.unwrap_err();
    assert!(refused.contains("401") || refused.contains("Error"), "{refused}");
    let assumed = moto.actions().iter().filter(|action| *action == "AssumeRole").count();
    assert_eq!(assumed, 1, "one session for all of them");

    let read = program(&app, &token, "/machine/v1/sessions/deploy").await;
    let session = value(&read);
    assert_eq!((read.status, &session["form"]), (200, &json!("aws_session")));
    assert!(session["data"]["access_key_id"] != json!(pair.0) && !read.body.contains(&pair.1));
    let aws = value(&program(&app, &token, "/machine/v1/aws/deploy").await);
    assert_eq!(aws["AccessKeyId"], session["data"]["access_key_id"]);
    assert!(aws["Token"].is_string() && aws["Expiration"].as_str().is_some_and(|end| end.ends_with('Z')), "{aws}");
    let unknown = program(&app, &token, "/machine/v1/aws/nothing").await;
    assert_eq!((unknown.status, &value(&unknown)["code"]), (404, &json!("NotFound")));
    assert_eq!(program(&app, &token, "/machine/v1/values/deploy").await.status, 404, "it is no value");
    let keys = value(&program(&app, &token, "/v1/secret/data/deploy").await)["data"]["data"].clone();
    assert!(keys["session_token"].is_string() && keys["expires_at"].is_string(), "{keys}");
}

#[actix_web::test]
async fn what_a_provider_refuses_is_said_in_our_words_and_written_down() {
    let moto = Moto::start().await;
    let pair = moto.user("scanner").await;
    let role = moto.role("reader", &format!("arn:aws:iam::{ACCOUNT}:user/another")).await;
    moto.enforce().await;
    let app = TestApp::start_with(&[&format!("--aws-endpoint-url={}", moto.url())]);
    let values = [("method", "access_key"), ("access_key_id", pair.0.as_str()), ("secret_access_key", &pair.1)];
    let credential = stored(&app, "aws", "scanner", &values);
    let client = Client::new(&app, "shop");
    client.may("deploy", "aws_session", credential, &[("role", &role)]);
    let token = client.token();
    let refused = program(&app, &token, "/machine/v1/sessions/deploy").await;
    assert_eq!((refused.status, refused.header("content-type")), (502, "application/problem+json"));
    assert!(value(&refused)["detail"].as_str().is_some_and(|detail| detail.contains("role")), "{}", refused.body);
    let failed = super::events(&app, "client.fetch_failed");
    assert!(failed.len() == 1 && failed[0].detail.starts_with("by the rule deploy (AWS session)"), "{failed:?}");
}
