//! Credentials of a container, as AWS's SDKs ask for them. The member of the session's token is `Token` here.
//! <https://docs.aws.amazon.com/sdkref/latest/guide/feature-container-credentials.html>

use hyper::body::Incoming;
use hyper::header::AUTHORIZATION;
use hyper::{Request, Response};
use serde_json::json;

use super::super::net::Body;
use super::super::trouble::{Result, Trouble};
use super::super::wire::form;
use super::shared::{Endpoints, json as answered};

pub async fn answer(endpoints: &Endpoints, rule: &str, request: &Request<Incoming>) -> Response<Body> {
    if !endpoints.is_secret(request.headers().get(AUTHORIZATION)) {
        return answered(401, &json!({ "code": "Unauthorized", "message": "The authorization token is wrong." }));
    }
    credentials(endpoints, rule).await.unwrap_or_else(|trouble| {
        let code = if matches!(trouble, Trouble::Unknown { .. }) { "NotFound" } else { "Failed" };
        answered(trouble.status(), &json!({ "code": code, "message": trouble.to_string() }))
    })
}

async fn credentials(endpoints: &Endpoints, rule: &str) -> Result<Response<Body>> {
    let fetched = endpoints.source.get(rule).await?;
    fetched.must_be(rule, form::AWS, "an AWS session")?;
    Ok(answered(
        200,
        &json!({
            "AccessKeyId": fetched.needed(rule, "access_key_id")?,
            "SecretAccessKey": fetched.needed(rule, "secret_access_key")?,
            "Token": fetched.needed(rule, "session_token")?,
            "Expiration": fetched.expires_at.map(|end| end.format("%Y-%m-%dT%H:%M:%SZ").to_string()),
        }),
    ))
}
