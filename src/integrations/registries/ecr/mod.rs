//! Amazon ECR: the form, and how a scan signs in. Its API tells dates and sizes; platforms come from the registry's v2
//! interface, as far as that is reachable. What is read is in `inventory`.

use futures_util::future::BoxFuture;
use url::Url;

use super::selection::{self, Selection};
use super::{Scan, ScanError, Step, Version};
use crate::credentials::aws::RoleArn;
use crate::form::{Errors, Field, Values};
use crate::integrations::Spec;
use crate::integrations::context::Context;
use crate::providers::aws::policies::{Statement, document};
use crate::providers::aws::roles::Wanted;
use crate::providers::aws::{Assume, HOUR, LONGEST, Region, SHORTEST, role_of};
use crate::providers::{ProviderError, aws};

mod access;
mod host;
mod inventory;

use host::Host;

/// The version's line in the family's list.
pub struct Ecr;

static FIELDS: &[Field] = &[
    Field::text("registry", "Registry")
        .placeholder("123456789012.dkr.ecr.eu-central-1.amazonaws.com")
        .help("The registry of an account in a region, as the ECR console shows it in front of each repository.")
        .max(128)
        .check(|text| Host::parse(text).map(|host| host.name))
        .identity(),
    Field::text("repository", "Repository")
        .optional()
        .placeholder("team/*")
        .help("Blank takes all. * stands for anything; separate several by commas.")
        .max(4096)
        .check(selection::check_patterns),
    selection::EXCLUDE_REPOSITORIES,
    selection::TAG,
    selection::EXCLUDE_TAGS,
    Field::checkbox("sts", "Use AWS STS")
        .help("Exchanges the credential for temporary ones of a role, which has the permission to read the registry."),
    Field::text("role", "Role to assume")
        .when("sts", &["on"])
        .placeholder("registry-reader")
        .help("A role's whole ARN, or its name in the account of the registry. It wins over a role of the credential.")
        .max(640)
        .check(role),
    Field::text("external_id", "External ID")
        .when("sts", &["on"])
        .optional()
        .help("Where the trust policy of the role asks for one.")
        .max(1224)
        .check(aws::external_id),
    Field::number("session_minutes", "Session length in minutes", SHORTEST as u32, LONGEST as u32)
        .when("sts", &["on"])
        .optional()
        .default("60")
        .help("An hour always works. More, up to 720, needs an access key and a role that allows it."),
    Field::number("cap", "Cap", 0, 10_000)
        .optional()
        .default("5")
        .help("Keeps the newest tags of each repository, by the date of the push; 0 keeps all."),
];

impl Spec for Ecr {
    fn slug(&self) -> &'static str {
        "ecr"
    }

    fn label(&self) -> &'static str {
        "Amazon ECR"
    }

    fn fields(&self) -> &'static [Field] {
        FIELDS
    }

    fn role(&self, settings: &Values) -> Option<String> {
        let host = Host::parse(settings.get("registry")).ok()?;
        chosen_role(settings, &host)?.ok().map(|role| role.as_str().to_owned())
    }

    fn assumes(&self, settings: &Values, name: &str) -> Option<Wanted> {
        let host = Host::parse(settings.get("registry")).ok()?;
        let role = chosen_role(settings, &host)?.ok()?;
        Some(Wanted { used_by: name.to_owned(), assume: assume(&role, settings, name), region: host.region })
    }

    fn needs(&self, settings: &Values) -> Vec<(String, String)> {
        let Ok(host) = Host::parse(settings.get("registry")) else { return Vec::new() };
        let whose = match chosen_role(settings, &host) {
            Some(Ok(role)) => role.as_str().to_owned(),
            _ => "the credential's user or role".to_owned(),
        };
        vec![(format!("Policy of {whose}: may read the registry"), policy(&host))]
    }

    fn suits(&self, settings: &Values, _kind: &str, credential: &Values) -> Result<(), Errors> {
        if credential.get("method") == "iam_role" && minutes(settings) > HOUR {
            let sentence = "From one role into another, AWS gives sessions of an hour at most. Enter 60 or less, or \
                            choose an access key.";
            return Err(Errors::one("session_minutes", sentence));
        }
        Ok(())
    }

    fn credential_kinds(&self) -> &'static [&'static str] {
        &["aws"]
    }

    fn needs_credential(&self) -> bool {
        true
    }

    fn address(&self, settings: &Values) -> Option<Url> {
        let host = Host::parse(settings.get("registry")).ok()?;
        Url::parse(&format!("https://{}", host.name)).ok()
    }
}

impl Version for Ecr {
    fn scan<'a>(&'a self, cx: &'a Context<'a>) -> BoxFuture<'a, Result<Scan, ScanError>> {
        Box::pin(async move {
            let stopped = || ScanError::new(Step::SigningIn, "", ProviderError::Stopped);
            tokio::select! {
                () = cx.stop.cancelled() => Err(stopped()),
                result = scan(cx) => result,
            }
        })
    }
}

fn role(text: &str) -> Result<String, String> {
    let text = text.trim();
    role_of(text, "000000000000", &Region::first_of("aws")).map(|_| text.to_owned())
}

/// `None` without STS.
fn chosen_role(settings: &Values, host: &Host) -> Option<Result<RoleArn, String>> {
    (settings.get("sts") == "on").then(|| role_of(settings.get("role"), &host.account, &host.region))
}

/// Of a session of the role that the settings name.
fn minutes(settings: &Values) -> u16 {
    settings.get("session_minutes").parse().unwrap_or(HOUR)
}

fn assume(role: &RoleArn, settings: &Values, name: &str) -> Assume {
    Assume::new(role, settings.get("external_id"), name).lasting(minutes(settings))
}

/// What AWS's own AmazonEC2ContainerRegistryReadOnly allows and a scan uses, for the one registry.
/// <https://docs.aws.amazon.com/AmazonECR/latest/userguide/security-iam-awsmanpol.html>
fn policy(host: &Host) -> String {
    let (partition, region) = (host.region.partition(), host.region.as_str());
    let repositories = format!("arn:{partition}:ecr:{region}:{}:repository/*", host.account);
    document(&[Statement::allow(&["ecr:GetAuthorizationToken"], &["*"]), Statement::allow(&READ, &[&repositories])])
}

/// `GetDownloadUrlForLayer` is for the configuration of an image, which names its platform.
const READ: [&str; 4] =
    ["ecr:DescribeRepositories", "ecr:DescribeImages", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"];

async fn scan(cx: &Context<'_>) -> Result<Scan, ScanError> {
    cx.report.step(Step::SigningIn);
    let failed = |cause| ScanError::new(Step::SigningIn, "", cause);
    let host = Host::parse(cx.settings.get("registry")).map_err(|_| failed(ProviderError::InvalidAddress))?;
    let session = access::sign_in(cx, &host).await.map_err(failed)?;
    let client = session.ecr();
    let password = access::password(&client).await.map_err(failed)?;
    let (data, platforms) = access::data_plane(cx, &host, &session, password).await.map_err(failed)?;
    let reader = inventory::Reader::new(client, host.account, data, cx.report.clone());
    inventory::read(reader, Selection::of(cx.settings), platforms, &cx.report).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_role_is_completed_with_the_registrys_account() {
        let registry = "210987654321.dkr.ecr.us-gov-west-1.amazonaws.com";
        let settings = Values::from_iter([("registry", registry), ("sts", "on"), ("role", "reader")]);
        assert_eq!(Ecr.role(&settings).as_deref(), Some("arn:aws-us-gov:iam::210987654321:role/reader"));
        assert_eq!(Ecr.role(&Values::from_iter([("registry", registry), ("role", "reader")])), None);
    }
}
