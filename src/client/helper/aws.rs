//! `credential_process` of AWS's SDKs.
//! <https://docs.aws.amazon.com/sdkref/latest/guide/feature-process-credentials.html>

use std::process::ExitCode;

use serde_json::json;

use super::super::source::Source;
use super::super::trouble::Result;
use super::super::wire::form;

pub async fn run(source: &Source, rule: &str) -> Result<ExitCode> {
    let fetched = source.get(rule).await?;
    fetched.must_be(rule, form::AWS, "an AWS session")?;
    // Without an end, SDKs would never ask again.
    let end = fetched.expires_at.map(|end| end.format("%Y-%m-%dT%H:%M:%SZ").to_string());
    let answer = json!({
        "Version": 1,
        "AccessKeyId": fetched.needed(rule, "access_key_id")?,
        "SecretAccessKey": fetched.needed(rule, "secret_access_key")?,
        "SessionToken": fetched.needed(rule, "session_token")?,
        "Expiration": end,
    });
    println!("{answer}");
    Ok(ExitCode::SUCCESS)
}
