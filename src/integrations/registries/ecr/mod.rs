//! Amazon ECR: the form, and how a scan signs in. Its API tells dates and sizes; platforms come from the registry's v2
//! interface, as far as that is reachable. What is read is in `inventory`.

use url::Url;

use super::catalogue::{Opening, opened};
use super::{check, selection};
use crate::form::{Field, Values};
use crate::integrations::aws;
use crate::integrations::context::Context;
use crate::integrations::spec::{self, Does, Grants, Spec, Use};
use crate::providers::ProviderError;
use crate::providers::aws::policies::{Statement, document};

mod access;
mod host;
mod inventory;

pub(in crate::integrations) use access::password;
pub(in crate::integrations) use host::Host;

pub static ECR: Spec = Spec {
    slug: "ecr",
    label: "Amazon ECR",
    fields: FIELDS,
    uses: &[Use::main(&["aws"])],
    host: spec::Host::Chosen(address),
    suits: aws::suits,
    grants,
    check: Some(|cx| check(open, cx)),
    does: Does::Scan(&super::Images(open)),
};

static FIELDS: &[Field] = &[
    Field::text("registry", "Registry")
        .placeholder("123456789012.dkr.ecr.eu-central-1.amazonaws.com")
        .help("The registry of an account in a region, as the ECR console shows it in front of each repository.")
        .max(128)
        .check(|text| Host::parse(text).map(|host| host.name))
        .identity(),
    selection::REPOSITORY
        .placeholder("team/*")
        .help("Leave blank for all. Use * as a wildcard and commas between patterns."),
    selection::EXCLUDE_REPOSITORIES,
    selection::TAG,
    selection::EXCLUDE_TAGS,
    aws::STS.help("Assume a role that can read the registry."),
    aws::ROLE
        .placeholder("registry-reader")
        .help("A role's whole ARN, or its name in the account of the registry. It wins over a role of the credential.")
        .check(aws::arn_or_name),
    aws::EXTERNAL_ID,
    aws::SESSION_MINUTES,
    selection::CAP.help("Keeps the newest tags of each repository, by the date of the push; 0 keeps all."),
    selection::VERSION_PATTERN,
];

fn address(settings: &Values) -> Option<Url> {
    let host = Host::parse(settings.get("registry")).ok()?;
    Url::parse(&format!("https://{}", host.name)).ok()
}

fn grants(settings: &Values, name: &str) -> Grants {
    let Ok(host) = Host::parse(settings.get("registry")) else { return Grants::default() };
    host.place().grants(settings, name, "may read the registry", policy(&host))
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

fn open<'a>(cx: &'a Context<'a>) -> Opening<'a> {
    Box::pin(async move {
        let host = Host::parse(cx.settings.get("registry")).map_err(|_| ProviderError::InvalidAddress)?;
        let session = host.place().sign_in(cx).await?;
        let client = session.ecr();
        let (password, _) = access::password(&client).await?;
        let data = access::data_plane(cx, &host, &session, password).await?;
        let images = inventory::EcrRegistry::new(client, host.account, data, cx.report.clone());
        opened(images)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_role_is_completed_with_the_registrys_account() {
        let registry = "210987654321.dkr.ecr.us-gov-west-1.amazonaws.com";
        let settings = Values::from_iter([("registry", registry), ("sts", "on"), ("role", "reader")]);
        assert_eq!(ECR.role(&settings).as_deref(), Some("arn:aws-us-gov:iam::210987654321:role/reader"));
        assert_eq!(ECR.role(&Values::from_iter([("registry", registry), ("role", "reader")])), None);
    }
}
