//! Credentials for the SDKs of AWS, as the endpoint of AWS for containers gives them. A program is told the address by
//! AWS_CONTAINER_CREDENTIALS_FULL_URI, and its token by AWS_CONTAINER_AUTHORIZATION_TOKEN or …_TOKEN_FILE.
//! <https://docs.aws.amazon.com/sdkref/latest/guide/feature-container-credentials.html>

use actix_web::HttpResponse;
use actix_web::web::Path;
use chrono::SecondsFormat;
use serde_json::json;

use super::answer::{refused, unknown_rule};
use super::program::Program;
use crate::usecases::clients::fetch;

pub async fn show(program: Program, rule: Path<String>) -> HttpResponse {
    let fetched = match fetch::fetch(&program.services, program.question(&rule)).await {
        Ok(fetched) => fetched,
        Err(why) => return refused(program.shape, &why),
    };
    let (fields, end) = (&fetched.issued.fields, fetched.issued.expires_at);
    let Some(end) = end.filter(|_| fetched.form.gives == "aws_session") else { return unknown_rule(program.shape) };
    HttpResponse::Ok().json(json!({
        "AccessKeyId": fields.get("access_key_id"),
        "SecretAccessKey": fields.get("secret_access_key"),
        "Token": fields.get("session_token"),
        "Expiration": end.to_rfc3339_opts(SecondsFormat::Secs, true),
    }))
}
