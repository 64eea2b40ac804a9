//! AWS Secrets Manager and the Parameter Store against moto, open and enforcing.

use serde_json::json;
use strongroom::providers::aws::Endpoints as AwsEndpoints;
use strongroom::providers::endpoints::Endpoints;

use super::{Store, keys, names, said};
use crate::support::peers::moto::Moto;

fn store(moto: &Moto, slug: &str, key: &(String, String), more: &[(&str, &str)]) -> Store {
    let endpoints =
        AwsEndpoints::new([("AWS_ENDPOINT_URL", moto.url().as_str()), ("AWS_EC2_METADATA_DISABLED", "true")]);
    let secret = [("method", "access_key"), ("access_key_id", key.0.as_str()), ("secret_access_key", key.1.as_str())];
    let settings = [&[("region_names", "us-east-1")], more].concat();
    Store::of(slug, &settings, "aws", &secret).at(Endpoints::default().with_aws(endpoints))
}

async fn secret(moto: &Moto, name: &str, value: serde_json::Value) {
    let mut body = json!({ "Name": name });
    body.as_object_mut().unwrap().extend(value.as_object().unwrap().clone());
    moto.make("secretsmanager", "/", "secretsmanager.CreateSecret", &body).await;
}

async fn parameter(moto: &Moto, name: &str, kind: &str, value: &str) {
    let body = json!({ "Name": name, "Type": kind, "Value": value });
    moto.make("ssm", "/", "AmazonSSM.PutParameter", &body).await;
}

#[tokio::test]
async fn secrets_are_listed_by_name_and_read_twenty_at_a_time() {
    let moto = Moto::start().await;
    let key = moto.user("reader").await;
    secret(&moto, "prod/db", json!({"SecretString": r#"{"username":"ada","password":"canary-1"}"#})).await;
    secret(&moto, "plain", json!({"SecretString": "canary-2"})).await;
    secret(&moto, "binary", json!({"SecretBinary": "/+4="})).await;
    for number in 0..45 {
        secret(&moto, &format!("many/{number:02}"), json!({"SecretString": format!("canary-{number}")})).await;
    }
    let store = store(&moto, "aws_secrets", &key, &[]);
    let scan = store.scan().await.unwrap();
    assert_eq!((scan.items.len(), scan.gaps.len()), (48, 0), "{:?}", scan.gaps);
    assert!(names(&scan).contains(&"us-east-1/prod/db".to_owned()) && !format!("{scan:?}").contains("canary"));
    assert!(scan.items.iter().all(|item| item.facts.contains("changed")));
    assert!(store.check().await.unwrap().contains("AWS Secrets Manager let Strongroom in and lists 48 entries"));

    let read =
        store.read(&["us-east-1/prod/db", "us-east-1/none", "us-east-1/plain", "us-east-1/binary"]).await.unwrap();
    assert_eq!(keys(read[0].as_ref().unwrap()), [("password", "canary-1"), ("username", "ada")]);
    assert!(said(&read[1]).contains("AWS doesn't have it in this region"), "{}", said(&read[1]));
    assert_eq!(keys(read[2].as_ref().unwrap()), [("value", "canary-2")]);
    assert_eq!(keys(read[3].as_ref().unwrap()), [("value", "/+4=")]);
    assert!(!read[0].as_ref().unwrap().version.is_empty());

    let before = moto.actions().len();
    let many: Vec<String> = (0..45).map(|number| format!("us-east-1/many/{number:02}")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    let read = store.read(&many).await.unwrap();
    let values: Vec<_> = read.iter().map(|one| one.as_ref().unwrap().keys.get("value").to_owned()).collect();
    assert_eq!(values, (0..45).map(|number| format!("canary-{number}")).collect::<Vec<_>>());
    let calls = moto.actions()[before..].iter().filter(|action| action.contains("BatchGetSecretValue")).count();
    assert_eq!(calls, 3);
}

#[tokio::test]
async fn the_rights_on_the_page_are_enough_and_one_that_lacks_is_named() {
    let moto = Moto::start().await;
    let key = moto.user("reader").await;
    secret(&moto, "db", json!({"SecretString": "canary"})).await;
    parameter(&moto, "/prod/db", "SecureString", "canary").await;
    moto.enforce().await;
    let secrets = store(&moto, "aws_secrets", &key, &[]);
    let failed = secrets.scan().await.unwrap_err().to_string();
    assert!(failed.contains("secretsmanager:ListSecrets"), "{failed}");
    let failed = secrets.read(&["us-east-1/db"]).await.unwrap();
    assert!(said(&failed[0]).contains("secretsmanager:BatchGetSecretValue"), "{}", said(&failed[0]));
    let parameters = store(&moto, "aws_parameters", &key, &[]);
    let failed = parameters.read(&["us-east-1/prod/db"]).await.unwrap();
    assert!(said(&failed[0]).contains("AWS denied ssm:GetParameters on it, or kms:Decrypt"), "{}", said(&failed[0]));

    for store in [&secrets, &parameters] {
        let (_, policy) = &(store.spec.grants)(&store.settings, "").policies[0];
        // moto knows no parameters as resources.
        let policy = &policy.replace("arn:aws:ssm:us-east-1:*:parameter/*", "*");
        let name = store.spec.slug;
        let parameters = [("UserName", "reader"), ("PolicyName", name), ("PolicyDocument", policy)];
        moto.arrange("iam", "PutUserPolicy", &parameters).await;
    }
    assert_eq!(names(&secrets.scan().await.unwrap()), ["us-east-1/db"]);
    assert_eq!(names(&parameters.scan().await.unwrap()), ["us-east-1/prod/db"]);
    assert!(secrets.read(&["us-east-1/db"]).await.unwrap()[0].is_ok());
    assert!(parameters.read(&["us-east-1/prod/db"]).await.unwrap()[0].is_ok());
}

#[tokio::test]
async fn parameters_are_read_decrypted_whatever_their_slash() {
    let moto = Moto::start().await;
    let key = moto.user("reader").await;
    parameter(&moto, "/prod/db/password", "SecureString", "canary-1").await;
    parameter(&moto, "plain", "String", "canary-2").await;
    parameter(&moto, "/rooted", "StringList", "a,b").await;
    for number in 0..60 {
        parameter(&moto, &format!("/many/{number:02}"), "String", &format!("canary-{number}")).await;
    }
    let store = store(&moto, "aws_parameters", &key, &[("exclude_entries", "/many/5*")]);
    let scan = store.scan().await.unwrap();
    assert_eq!((scan.items.len(), scan.gaps.len()), (53, 0));
    assert!(!format!("{scan:?}").contains("canary") && scan.items.iter().any(|one| one.facts.contains("SecureString")));
    let wanted =
        ["us-east-1/prod/db/password", "us-east-1/plain", "us-east-1/rooted", "us-east-1/none", "us-east-1/many/50"];
    let read = store.read(&wanted).await.unwrap();
    let value = |at: usize| read[at].as_ref().unwrap().keys.get("value");
    assert_eq!((value(0), value(1), value(2)), ("canary-1", "canary-2", "a,b"));
    assert_eq!(read[0].as_ref().unwrap().version, "1");
    assert!(said(&read[3]).contains("doesn't have it") && said(&read[4]).contains("settings don't select"));
}

#[tokio::test]
async fn a_role_is_assumed_to_read_the_store() {
    let moto = Moto::start().await;
    let key = moto.user("reader").await;
    secret(&moto, "db", json!({"SecretString": "canary"})).await;
    moto.enforce().await;
    let role = moto.role("secrets", "arn:aws:iam::123456789012:user/reader").await;
    moto.allow("reader", "sts:AssumeRole", &role).await;
    for right in ["secretsmanager:ListSecrets", "secretsmanager:BatchGetSecretValue", "secretsmanager:GetSecretValue"] {
        moto.allow_role("secrets", right).await;
    }
    let store = store(&moto, "aws_secrets", &key, &[("sts", "on"), ("role", role.as_str())]);
    assert_eq!(names(&store.scan().await.unwrap()), ["us-east-1/db"]);
    assert_eq!(keys(store.read(&["us-east-1/db"]).await.unwrap()[0].as_ref().unwrap()), [("value", "canary")]);
    let grants = (store.spec.grants)(&store.settings, "A store");
    assert!(grants.role.is_some() && grants.policies[0].0.contains(&role));
}
