//! The role of the environment: container endpoint, web identity and IMDSv2, each as AWS documents its answers.

use serde_json::json;
use strongroom::form::Values;
use strongroom::providers::aws::Endpoints;
use strongroom::providers::aws::probe::probe;
use strongroom::providers::probe::Verdict;

use super::{ACCOUNT, fact, key, loopback};
use crate::support::peers::moto::Moto;
use crate::support::peers::scripted::{Reply, Scripted};

fn iam_role() -> Values {
    Values::from_iter([("method", "iam_role")])
}

const ROLE: &str = "arn:aws:sts::123456789012:assumed-role/console/i-0abc";

fn caller() -> Reply {
    xml(&format!(
        "<GetCallerIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><GetCallerIdentityResult>\
         <Arn>{ROLE}</Arn><UserId>AROA:i</UserId><Account>{ACCOUNT}</Account></GetCallerIdentityResult>\
         </GetCallerIdentityResponse>"
    ))
}

fn xml(text: &str) -> Reply {
    Reply::Answer { status: 200, headers: vec![("Content-Type", "text/xml".into())], body: text.as_bytes().to_vec() }
}

fn temporary(id: &str) -> serde_json::Value {
    json!({"Code": "Success", "LastUpdated": "2020-01-01T00:00:00Z", "Type": "AWS-HMAC", "AccessKeyId": id,
        "SecretAccessKey": "secret", "Token": "token", "Expiration": "2999-01-01T00:00:00Z"})
}

/// <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instance-metadata-security-credentials.html>
async fn metadata() -> Scripted {
    Scripted::start(|path| match path {
        "/latest/api/token" => Reply::status(200).with("x-aws-ec2-metadata-token-ttl-seconds", "21600").body("TOKEN"),
        "/latest/meta-data/iam/security-credentials/" => Reply::status(200).body("console"),
        "/latest/meta-data/iam/security-credentials/console" => Reply::json(temporary("ASIAINSTANCE00000000")),
        "/" => caller(),
        _ => Reply::status(404),
    })
    .await
}

fn lines(peer: &Scripted) -> Vec<String> {
    peer.seen().into_iter().map(|seen| seen.line.rsplit_once(' ').unwrap().0.to_owned()).collect()
}

#[tokio::test]
async fn the_instance_is_asked_by_imdsv2_only() {
    let peer = metadata().await;
    let endpoints =
        Endpoints::new([("AWS_EC2_METADATA_SERVICE_ENDPOINT", peer.url()), ("AWS_ENDPOINT_URL", peer.url())]);
    let finding = probe(&iam_role(), &[], &loopback(), &endpoints).await;
    assert_eq!(finding.verdict, Verdict::Ok, "{finding:?}");
    assert_eq!(fact(&finding, "ARN"), ROLE);
    let lines = lines(&peer);
    assert_eq!(lines[0], "PUT /latest/api/token");
    assert!(lines[1].starts_with("GET /latest/meta-data/iam/security-credentials"), "{lines:?}");
    let signed =
        peer.seen().into_iter().find_map(|seen| seen.authorization.filter(|a| a.contains("Credential="))).unwrap();
    assert!(signed.contains("ASIAINSTANCE00000000"));
}

#[tokio::test]
async fn an_instance_that_knows_only_v1_has_no_role() {
    let peer = Scripted::start(|path| match path {
        "/latest/api/token" => Reply::status(404),
        "/latest/meta-data/iam/security-credentials/" => Reply::status(200).body("console"),
        _ => Reply::json(temporary("ASIAVERSIONONE000000")),
    })
    .await;
    let endpoints = Endpoints::new([("AWS_EC2_METADATA_SERVICE_ENDPOINT", peer.url())]);
    let finding = probe(&iam_role(), &[], &loopback(), &endpoints).await;
    assert_eq!(finding.verdict, Verdict::NotHere);
    assert!(finding.sentence.contains("no IAM role here"), "{}", finding.sentence);
    assert!(lines(&peer).iter().all(|line| line.starts_with("PUT ")), "{:?}", lines(&peer));
}

#[tokio::test]
async fn a_container_is_asked_with_its_token_before_the_instance() {
    let peer = Scripted::start(|path| match path {
        "/v1/credentials" => Reply::json(temporary("ASIACONTAINER0000000")),
        "/" => caller(),
        _ => Reply::status(404),
    })
    .await;
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "pod-token\n").unwrap();
    let endpoints = Endpoints::new([
        ("AWS_CONTAINER_CREDENTIALS_FULL_URI", format!("{}/v1/credentials", peer.url())),
        ("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", file.path().display().to_string()),
        ("AWS_ENDPOINT_URL", peer.url()),
    ]);
    let finding = probe(&iam_role(), &[], &loopback(), &endpoints).await;
    assert_eq!(finding.verdict, Verdict::Ok, "{finding:?}");
    assert_eq!(peer.seen()[0].authorization.as_deref(), Some("pod-token"));
    assert!(peer.seen()[1].authorization.as_deref().unwrap().contains("ASIACONTAINER0000000"));
}

#[tokio::test]
async fn a_container_endpoint_elsewhere_is_not_asked() {
    let endpoints = Endpoints::new([("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://192.0.2.1/credentials")]);
    let finding = probe(&iam_role(), &[], &loopback(), &endpoints).await;
    assert_eq!(finding.verdict, Verdict::NotHere, "{finding:?}");
    assert!(finding.remedy.contains("AWS_CONTAINER_CREDENTIALS"), "{finding:?}");
}

#[tokio::test]
async fn a_web_identity_is_exchanged_for_the_role() {
    let moto = Moto::start().await;
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ4In0.c2ln").unwrap();
    let role = moto.role("console", "*").await;
    // Who is asked without a signature cannot be enforced by moto.
    let moto = {
        drop(moto);
        Moto::start().await
    };
    let endpoints = Endpoints::new([
        ("AWS_WEB_IDENTITY_TOKEN_FILE", file.path().display().to_string()),
        ("AWS_ROLE_ARN", role),
        ("AWS_ENDPOINT_URL", moto.url()),
    ]);
    let finding = probe(&iam_role(), &[], &loopback(), &endpoints).await;
    assert_eq!(finding.verdict, Verdict::Ok, "{finding:?}");
    assert!(fact(&finding, "ARN").contains("assumed-role/console/strongroom-console"), "{finding:?}");
}

#[tokio::test]
async fn an_access_key_never_falls_through_to_the_role_of_the_environment() {
    let (peer, moto) = (metadata().await, Moto::start().await);
    moto.enforce().await;
    let endpoints =
        Endpoints::new([("AWS_EC2_METADATA_SERVICE_ENDPOINT", peer.url()), ("AWS_ENDPOINT_URL", moto.url())]);
    let wrong = key(&("AKIAIOSFODNN7EXAMPLE".into(), "x".repeat(40)));
    let finding = probe(&wrong, &[], &loopback(), &endpoints).await;
    assert_eq!(finding.verdict, Verdict::BadKey, "{finding:?}");
    assert!(peer.seen().is_empty());
}
