//! AWS Security Hub: a finding for each alert, in the AWS Security Finding Format, archived when the alert closes. The
//! finding's id is made of the alert's, so that a repeated attempt changes the same finding.
//! <https://docs.aws.amazon.com/securityhub/1.0/APIReference/API_BatchImportFindings.html>,
//! <https://docs.aws.amazon.com/securityhub/latest/userguide/securityhub-findings-format.html>

use futures_util::future::BoxFuture;
use serde::Deserialize;
use serde_json::{Value, json};

use super::call::{self, Peer};
use super::text::{self, FULL, Words};
use super::{Channel, Dispatch, Failure, Line, Message, Receipt, Severity, fields, wire};
use crate::credentials::aws::RoleArn;
use crate::form::{Field, Values};
use crate::integrations::context::Context;
use crate::integrations::spec::{Does, Grants, Host, Spec, Use, suits_all};
use crate::providers::ProviderError;
use crate::providers::aws::policies::{Statement, document};
use crate::providers::aws::roles::Wanted;
use crate::providers::aws::{self, Access, Assume, Region, Rest, Session, Source};
use crate::providers::egress::Answer;

static SERVICE: Rest = Rest { service: "securityhub", variable: "SECURITYHUB" };

static FIELDS: [Field; 11] = fields::with_triggers([
    Field::text("region", "Region").placeholder("eu-central-1").max(32).check(region),
    Field::checkbox("sts", "Use AWS STS")
        .help("Exchanges the credential for temporary ones of a role, which may import findings."),
    Field::text("role", "Role to assume")
        .when("sts", &["on"])
        .placeholder("arn:aws:iam::123456789012:role/security-hub")
        .help("The role's whole ARN. It wins over a role of the credential.")
        .max(640)
        .check(|text| RoleArn::parse(text).map(|role| role.as_str().to_owned())),
    Field::text("external_id", "External ID")
        .when("sts", &["on"])
        .optional()
        .help("Where the trust policy of the role asks for one.")
        .max(1224)
        .check(aws::external_id),
]);

static PEER: Peer = Peer {
    who: "AWS Security Hub",
    bad_request: "AWS Security Hub does not take the findings. See that Security Hub is switched on in this region.",
    unauthorized: "AWS Security Hub refused the credential. Test it, and edit it if its key was replaced.",
    forbidden: "The credential may not import findings. Allow securityhub:BatchImportFindings in the policy of its user or \
                role.",
    not_found: "AWS Security Hub is not switched on in this region and account. Switch it on, or choose another region.",
};

pub static SECURITY_HUB: Spec = Spec {
    slug: "security_hub",
    label: "AWS Security Hub",
    fields: &FIELDS,
    uses: &[Use::main(&["aws"])],
    host: Host::Vendor(host),
    suits: suits_all,
    grants,
    check: Some(|cx| call::checked(check(cx))),
    // The most that one call takes.
    does: Does::Channel(&Channel::service(100, send)),
};

/// The role that the settings name, as it was entered.
fn role_arn(settings: &Values) -> Option<String> {
    Some(settings.get("role").to_owned()).filter(|role| settings.get("sts") == "on" && !role.is_empty())
}

fn grants(settings: &Values, name: &str) -> Grants {
    let Some(region) = Region::parse(settings.get("region")) else { return Grants::default() };
    let role = role_arn(settings).and_then(|role| RoleArn::parse(&role).ok());
    let (partition, at) = (region.partition(), region.as_str());
    let account = role.as_ref().map_or("*", RoleArn::account);
    let product = format!("arn:{partition}:securityhub:{at}:{account}:product/{account}/default");
    let whose = role.as_ref().map_or("the credential's user or role", RoleArn::as_str);
    let policy = document(&[Statement::allow(&["securityhub:BatchImportFindings"], &[&product])]);
    let policies = vec![(format!("Policy of {whose}: may import findings"), policy)];
    let wanted = |role: &RoleArn| Wanted {
        used_by: name.to_owned(),
        assume: Assume::new(role, settings.get("external_id"), name),
        region: region.clone(),
    };
    Grants { role: role.as_ref().map(wanted), policies }
}

/// The region is a choice among AWS's own hosts.
fn host(settings: &Values) -> Option<String> {
    Region::parse(settings.get("region")).map(|region| SERVICE.host(&region))
}

fn send<'a>(cx: &'a Context<'a>, dispatch: Dispatch<'a>) -> BoxFuture<'a, Result<Receipt, Failure>> {
    Box::pin(async move {
        let failed = |error: ProviderError| PEER.failed(&error);
        let region = Region::parse(cx.settings.get("region")).ok_or(ProviderError::InvalidAddress).map_err(failed)?;
        let session = sign_in(cx, &region).await.map_err(failed)?;
        // The account is that of the role, and no form knows it.
        let account = session.caller().await.map_err(failed)?.account;
        let place = Place { region: &region, account: &account };
        let findings: Vec<Value> =
            dispatch.message.lines.iter().map(|line| place.finding(dispatch.message, line)).collect();
        let body = json!({ "Findings": findings });
        let answer =
            session.post(&SERVICE, &region, "/findings/import", &body, cx.outside.egress).await.map_err(failed)?;
        taken(&answer, findings.len()).map(|()| Receipt::default())
    })
}

/// `sts:GetCallerIdentity`, which needs no permission.
async fn check(cx: &Context<'_>) -> Result<String, Failure> {
    let failed = |error: ProviderError| PEER.failed(&error);
    let region = Region::parse(cx.settings.get("region")).ok_or(ProviderError::InvalidAddress).map_err(failed)?;
    let caller = sign_in(cx, &region).await.map_err(failed)?.caller().await.map_err(failed)?;
    Ok(format!("AWS knows this as {}. Whether it may import findings shows with a test alert.", caller.arn))
}

fn region(text: &str) -> Result<String, String> {
    let region = Region::parse(text.trim()).map(|region| region.as_str().to_owned());
    region.ok_or_else(|| "Enter a region, such as eu-central-1.".to_owned())
}

async fn sign_in(cx: &Context<'_>, region: &Region) -> Result<Session, ProviderError> {
    let Some(secret) = cx.main() else { return Err(ProviderError::WrongCredential) };
    let access = Access::read(secret.values)?;
    let role = match role_arn(cx.settings) {
        Some(role) => Some(RoleArn::parse(&role).map_err(|_| ProviderError::Aws(aws::Refusal::BadRole))?),
        None => access.role.clone(),
    };
    let assume = role.map(|role| Assume::new(&role, cx.settings.get("external_id"), cx.name));
    cx.outside.aws.get(Source { stored: secret.stored, access: &access, region: region.clone(), assume }).await
}

struct Place<'a> {
    region: &'a Region,
    account: &'a str,
}

impl Place<'_> {
    fn finding(&self, message: &Message, line: &Line) -> Value {
        let (region, account, partition) = (self.region.as_str(), self.account, self.region.partition());
        let words = Words::of(line, &FULL);
        let state = if text::is_closed(line) { "ARCHIVED" } else { "ACTIVE" };
        let description = [words.title.as_str(), words.detail.as_str(), words.remedy.as_str()].join(" ");
        json!({
            "SchemaVersion": "2018-10-08",
            "Id": format!("strongroom/{}", line.alert),
            "ProductArn": format!("arn:{partition}:securityhub:{region}:{account}:product/{account}/default"),
            "GeneratorId": format!("strongroom/{}", line.trigger.slug()),
            "AwsAccountId": account,
            "Types": ["Software and Configuration Checks/AWS Security Best Practices"],
            "CreatedAt": line.since.to_rfc3339_opts(chrono::SecondsFormat::Secs, true),
            "UpdatedAt": wire::timestamp(message),
            "Severity": {"Label": label(line.severity)},
            "Title": text::clean(&words.title, 256),
            "Description": text::clean(&description, 1024),
            "Remediation": {"Recommendation": {
                "Text": if words.remedy.is_empty() { "See the alert.".to_owned() } else { text::clean(&words.remedy, 512) },
                "Url": line.url,
            }},
            "SourceUrl": line.url,
            "ProductFields": {
                "strongroom/Subject": if words.subject.is_empty() { line.trigger.label() } else { &words.subject },
                "strongroom/SubjectUrl": line.subject_url,
                "strongroom/Event": line.event.slug(),
                "strongroom/Usages": (words.usages.len() as u64 + words.more_usages).to_string(),
                "strongroom/Test": message.test.to_string(),
            },
            "Resources": [{"Type": "Other", "Id": line.subject_url, "Partition": partition, "Region": region}],
            "RecordState": state,
        })
    }
}

fn label(severity: Severity) -> &'static str {
    match severity {
        Severity::Info => "INFORMATIONAL",
        Severity::Warning => "MEDIUM",
        Severity::Error => "HIGH",
        Severity::Critical => "CRITICAL",
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Taken {
    failed_count: usize,
    success_count: usize,
}

/// A 200 also tells of findings that were not taken.
fn taken(answer: &Answer, sent: usize) -> Result<(), Failure> {
    match answer.status {
        200..=299 => {}
        429 | 500.. => return Err(PEER.refusal(answer)),
        _ => {
            let error = aws::answered(answer, "securityhub:BatchImportFindings");
            return Err(match error {
                ProviderError::Aws(_) | ProviderError::Throttled { .. } => PEER.failed(&error),
                _ if code_of(answer).contains("InvalidAccess") => Failure::never(PEER.not_found),
                _ => PEER.refusal(answer),
            });
        }
    }
    match PEER.json(answer)? {
        Taken { failed_count: 0, success_count } if success_count == sent => Ok(()),
        Taken { failed_count: 0, .. } => Err(PEER.not_understood()),
        Taken { failed_count, .. } => Err(Failure::never(format!(
            "AWS Security Hub took the call but not {failed_count} of its {sent} findings. See that the account may import \
             findings of its own product, and report this."
        ))),
    }
}

fn code_of(answer: &Answer) -> String {
    let header = answer.header("x-amzn-errortype").map(str::to_owned);
    header.unwrap_or_else(|| answer.json::<Value>().map(|body| body["Code"].to_string()).unwrap_or_default())
}
