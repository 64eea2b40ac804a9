//! AWS Security Hub's BatchImportFindings, and the STS call before it, where moto does not say what AWS would: findings
//! that are refused in a 200, sizes, throttling. Signatures are moto's to verify.
//! <https://docs.aws.amazon.com/securityhub/1.0/APIReference/API_BatchImportFindings.html>
//! <https://docs.aws.amazon.com/securityhub/1.0/APIReference/API_AwsSecurityFinding.html>

use serde_json::{Value, json};

use super::super::moto::ACCOUNT;
use super::super::receiver::{Receiver, Said, UPSTREAM};
use super::{fits, is_json};

pub const KEY: &str = "AKIAIOSFODNN7EXAMPLE";

pub fn start() -> Receiver {
    Receiver::start(|call| {
        let signed = call.header("authorization").unwrap_or_default();
        let by = |service: &str| {
            signed.starts_with(&format!("AWS4-HMAC-SHA256 Credential={KEY}/"))
                && signed.contains(&format!("/eu-central-1/{service}/aws4_request"))
        };
        if call.path() == "/" && call.field("Action").as_deref() == Some("GetCallerIdentity") && by("sts") {
            let body = format!(
                "<GetCallerIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><GetCallerIdentityResult>\
                 <Arn>arn:aws:iam::{ACCOUNT}:user/scanner</Arn><UserId>AIDA</UserId><Account>{ACCOUNT}</Account>\
                 </GetCallerIdentityResult></GetCallerIdentityResponse>"
            );
            return Said::Answer {
                status: 200,
                headers: vec![("Content-Type", "text/xml".into())],
                body: body.into_bytes(),
            };
        }
        let refused = |status, code: &str| {
            Said::json(status, &json!({"Code": code, "Message": UPSTREAM})).with("x-amzn-ErrorType", code)
        };
        if !by("securityhub") || !is_json(call, "POST") || call.target != "/findings/import" {
            return refused(403, "UnrecognizedClientException");
        }
        let body = call.json();
        let findings = body["Findings"].as_array().cloned().unwrap_or_default();
        if !(1..=100).contains(&findings.len()) {
            return refused(400, "InvalidInputException");
        }
        let (good, bad): (Vec<_>, Vec<_>) = findings.iter().partition(|finding| is_finding(finding));
        let failed = bad
            .iter()
            .map(|finding| json!({"Id": finding["Id"], "ErrorCode": "InvalidInput", "ErrorMessage": UPSTREAM}));
        Said::json(
            200,
            &json!({"FailedCount": bad.len(), "SuccessCount": good.len(), "FailedFindings": failed.collect::<Vec<_>>()}),
        )
    })
}

fn is_finding(finding: &Value) -> bool {
    let time =
        |name: &str| finding[name].as_str().is_some_and(|time| chrono::DateTime::parse_from_rfc3339(time).is_ok());
    let labels = ["INFORMATIONAL", "LOW", "MEDIUM", "HIGH", "CRITICAL"];
    let fields = finding["ProductFields"].as_object();
    finding["SchemaVersion"] == "2018-10-08"
        && finding["ProductArn"] == format!("arn:aws:securityhub:eu-central-1:{ACCOUNT}:product/{ACCOUNT}/default")
        && finding["AwsAccountId"] == ACCOUNT
        && fits(&finding["Id"], 1, 512)
        && fits(&finding["GeneratorId"], 1, 512)
        && fits(&finding["Title"], 1, 256)
        && fits(&finding["Description"], 1, 1024)
        && fits(&finding["Remediation"]["Recommendation"]["Text"], 1, 512)
        && finding["Types"].as_array().is_some_and(|types| types.len() <= 50 && !types.is_empty())
        && labels.iter().any(|label| finding["Severity"]["Label"] == *label)
        && ["ACTIVE", "ARCHIVED"].iter().any(|state| finding["RecordState"] == *state)
        && fields.is_some_and(|all| all.len() <= 50 && all.values().all(|value| fits(value, 1, 2048)))
        && finding["Resources"]
            .as_array()
            .is_some_and(|all| all.iter().all(|one| one["Type"] == "Other" && fits(&one["Id"], 1, 512)))
        && time("CreatedAt")
        && time("UpdatedAt")
}
