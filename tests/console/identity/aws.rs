//! Signed requests for the caller's identity, sent on to a moto that verifies signatures.

use std::time::SystemTime;

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::StatusCode;
use serde_json::{Map, Value, json};
use strongroom::integrations::identities::{Aws, Identity};

use super::{client, login, post, why, works};
use crate::support::app::TestApp;
use crate::support::peers::moto::Moto;

const BODY: &str = "Action=GetCallerIdentity&Version=2011-06-15";
const URL: &str = "https://sts.amazonaws.com/";

/// What a client of Vault sends: the request signed with a key, for a server.
fn proof(client: &str, (id, secret): &(String, String), server: &str) -> Value {
    let headers = [
        ("host", "sts.amazonaws.com"),
        ("content-type", "application/x-www-form-urlencoded; charset=utf-8"),
        ("x-vault-aws-iam-server-id", server),
    ];
    let body = SignableBody::Bytes(BODY.as_bytes());
    let request = SignableRequest::new("POST", URL, headers.into_iter(), body).expect("a request");
    let keys = Credentials::new(id, secret, None, None, "test").into();
    let parameters = v4::SigningParams::builder()
        .identity(&keys)
        .region("us-east-1")
        .name("sts")
        .time(SystemTime::now())
        .settings(SigningSettings::default())
        .build()
        .expect("parameters")
        .into();
    let (instructions, _) = sign(request, &parameters).expect("a signature").into_parts();
    let mut sent: Map<String, Value> =
        headers.iter().map(|(name, value)| ((*name).to_owned(), json!([value]))).collect();
    for (name, value) in instructions.headers() {
        sent.insert(name.to_owned(), json!([value]));
    }
    json!({"method": "aws", "client": client, "role": client, "iam_http_request_method": "POST",
        "iam_request_url": STANDARD.encode(URL), "iam_request_body": STANDARD.encode(BODY),
        "iam_request_headers": STANDARD.encode(Value::from(sent).to_string())})
}

#[actix_web::test]
async fn an_aws_identity_logs_in_with_a_request_signed_for_this_console() {
    let moto = Moto::start().await;
    let (billing, other) = (moto.user("billing").await, moto.user("other").await);
    moto.allow("billing", "sts:GetCallerIdentity", "*").await;
    moto.allow("other", "sts:GetCallerIdentity", "*").await;
    moto.enforce().await;
    let app = TestApp::start_with(&[&format!("--aws-endpoint-url={}", moto.url())]);
    let identity = Identity::Aws(Aws {
        arn: "arn:aws:iam::123456789012:user/billing".to_owned(),
        server_id: "strongroom.example".to_owned(),
    });
    login(&app, client(&app, "billing"), &identity, None);
    let good = proof("billing", &billing, "strongroom.example");
    let (status, answer) = post(&app, "/machine/v1/login", &good).await;
    assert_eq!(status, StatusCode::OK, "{answer} {}", why(&app));
    assert!(works(&app, answer["token"].as_str().expect("a token")).await);
    let (status, answer) = post(&app, "/v1/auth/aws/login", &proof("billing", &billing, "strongroom.example")).await;
    // Signed within the same second it is the same request.
    assert!(status == StatusCode::OK || why(&app).contains("used before"), "{answer}");
    let wrong = (billing.0.clone(), "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY".to_owned());
    for (proof, reason) in [
        (good.clone(), "used before"),
        (proof("billing", &billing, "vault.example"), "server ID"),
        (proof("billing", &other, "strongroom.example"), "user/other"),
        (proof("billing", &wrong, "strongroom.example"), "signature"),
    ] {
        assert_eq!(post(&app, "/machine/v1/login", &proof).await.0, StatusCode::UNAUTHORIZED, "{reason}");
        assert!(why(&app).contains(reason), "{reason}: {}", why(&app));
    }
}
