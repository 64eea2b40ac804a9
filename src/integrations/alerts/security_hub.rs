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
use crate::integrations::aws;
use crate::integrations::context::Context;
use crate::integrations::spec::{Does, Grants, Host, Spec, Use, suits_all};
use crate::providers::ProviderError;
use crate::providers::aws::policies::{Statement, document};
use crate::providers::aws::{Body, Call, Region, Service, answered};
use crate::providers::egress::{Answer, Tls};

static SERVICE: Service = Service::regional("securityhub", "SECURITYHUB");
const IMPORT: &str = "securityhub:BatchImportFindings";

static FIELDS: [Field; 4 + fields::TRIGGERS] = fields::with_triggers([
    Field::text("region", "Region").placeholder("eu-central-1").max(32).check(aws::region),
    aws::STS.help("Assume a role that can import findings."),
    aws::ROLE
        .placeholder("arn:aws:iam::123456789012:role/security-hub")
        .help("The role's whole ARN. It wins over a role of the credential."),
    aws::EXTERNAL_ID,
]);

static PEER: Peer = Peer {
    who: "AWS Security Hub",
    bad_request: "AWS Security Hub rejected the findings. Check that Security Hub is switched on in this region.",
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
    does: Does::Channel(&Channel::service(100, &PEER, send)),
};

fn place(region: &Region) -> aws::Place<'_> {
    aws::Place { region, account: None }
}

fn grants(settings: &Values, name: &str) -> Grants {
    let Some(region) = Region::parse(settings.get("region")) else { return Grants::default() };
    let role = place(&region).role(settings).and_then(Result::ok);
    let (partition, at) = (region.partition(), region.as_str());
    let account = role.as_ref().map_or("*", RoleArn::account);
    let product = format!("arn:{partition}:securityhub:{at}:{account}:product/{account}/default");
    let policy = document(&[Statement::allow(&[IMPORT], &[&product])]);
    place(&region).grants(settings, name, "may import findings", policy)
}

/// The region is a choice among AWS's own hosts.
fn host(settings: &Values) -> Option<String> {
    Region::parse(settings.get("region")).map(|region| SERVICE.endpoint(&region).host)
}

fn send<'a>(cx: &'a Context<'a>, dispatch: Dispatch<'a>) -> BoxFuture<'a, Result<Receipt, Failure>> {
    Box::pin(async move {
        let failed = |error: ProviderError| PEER.failed(&error);
        let region = Region::parse(cx.settings.get("region")).ok_or(ProviderError::InvalidAddress).map_err(failed)?;
        let session = place(&region).sign_in(cx).await.map_err(failed)?;
        // The account is that of the role, and no form knows it.
        let account = session.caller().await.map_err(failed)?.account;
        let account = Account { region: &region, id: &account };
        let findings: Vec<Value> =
            dispatch.message.lines.iter().map(|line| account.finding(dispatch.message, line)).collect();
        let body = json!({ "Findings": findings });
        let call = Call::post(&SERVICE, IMPORT, "/findings/import", Body::Json(&body));
        let client = cx.outside.egress.client(Tls::default()).map_err(failed)?;
        let answer = session.send(&client, &region, &call).await.map_err(failed)?;
        taken(&answer, findings.len()).map(|()| Receipt::default())
    })
}

/// `sts:GetCallerIdentity`, which needs no permission.
async fn check(cx: &Context<'_>) -> Result<String, Failure> {
    let failed = |error: ProviderError| PEER.failed(&error);
    let region = Region::parse(cx.settings.get("region")).ok_or(ProviderError::InvalidAddress).map_err(failed)?;
    let session = place(&region).sign_in(cx).await.map_err(failed)?;
    let caller = session.caller().await.map_err(failed)?;
    Ok(format!("AWS knows this as {}. Whether it may import findings shows with a test alert.", caller.arn))
}

struct Account<'a> {
    region: &'a Region,
    id: &'a str,
}

impl Account<'_> {
    fn finding(&self, message: &Message, line: &Line) -> Value {
        let (region, account, partition) = (self.region.as_str(), self.id, self.region.partition());
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
            let error = answered(answer, IMPORT);
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
