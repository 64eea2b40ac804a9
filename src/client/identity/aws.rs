//! A signed call to sts:GetCallerIdentity that the console makes in our name, as Vault's AWS login has it. The console's
//! ID is under the signature, so that the call is worth nothing at another server.
//! <https://developer.hashicorp.com/vault/api-docs/auth/aws#login>

use std::collections::BTreeMap;
use std::time::SystemTime;

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use super::super::environment::variable;
use super::super::trouble::{Result, Trouble};

pub const KEY: &str = "AWS_ACCESS_KEY_ID";
const BODY: &str = "Action=GetCallerIdentity&Version=2011-06-15";
const SERVER_ID: &str = "X-Vault-AWS-IAM-Server-ID";

pub fn login(client: &str, server_id: &str) -> Result<Vec<u8>> {
    let failed = |why: &str| Trouble::Local(format!("cannot log in with AWS credentials: {why}"));
    let (key, secret) = variable(KEY)
        .zip(variable("AWS_SECRET_ACCESS_KEY"))
        .ok_or_else(|| failed("set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"))?;
    let region = variable("AWS_REGION").or_else(|| variable("AWS_DEFAULT_REGION"));
    let host = region.as_ref().map_or("sts.amazonaws.com".to_owned(), |region| {
        let suffix = if region.starts_with("cn-") { "amazonaws.com.cn" } else { "amazonaws.com" };
        format!("sts.{region}.{suffix}")
    });
    let region = region.unwrap_or_else(|| "us-east-1".to_owned());
    let url = format!("https://{host}/");
    let mut random = [0; 16];
    getrandom::fill(&mut random).map_err(|error| failed(&error.to_string()))?;
    let mut headers: BTreeMap<String, String> = [
        ("Host".to_owned(), host),
        ("Content-Type".to_owned(), "application/x-www-form-urlencoded; charset=utf-8".to_owned()),
        (SERVER_ID.to_owned(), server_id.to_owned()),
        // The console accepts a signature once, and two that are made within a second would be the same.
        ("Amz-Sdk-Invocation-Id".to_owned(), hex::encode(random)),
    ]
    .into();
    let identity = Credentials::new(key, secret, variable("AWS_SESSION_TOKEN"), None, "environment").into();
    let parameters = v4::SigningParams::builder()
        .identity(&identity)
        .region(&region)
        .name("sts")
        .time(SystemTime::now())
        .settings(SigningSettings::default())
        .build()
        .map_err(|error| failed(&error.to_string()))?;
    let pairs = headers.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    let request = SignableRequest::new("POST", &url, pairs, SignableBody::Bytes(BODY.as_bytes()))
        .map_err(|error| failed(&error.to_string()))?;
    let signed = sign(request, &parameters.into()).map_err(|error| failed(&error.to_string()))?;
    let (instructions, _) = signed.into_parts();
    headers.extend(instructions.headers().map(|(name, value)| (name.to_owned(), value.to_owned())));
    let lists: BTreeMap<&String, [&String; 1]> = headers.iter().map(|(name, value)| (name, [value])).collect();
    let body = json!({
        "method": "aws",
        "client": client,
        "iam_http_request_method": "POST",
        "iam_request_url": STANDARD.encode(&url),
        "iam_request_body": STANDARD.encode(BODY),
        "iam_request_headers": STANDARD.encode(json!(lists).to_string()),
    });
    Ok(body.to_string().into_bytes())
}
