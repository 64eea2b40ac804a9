//! Amazon ECR: the form, and how a scan signs in. Its API tells dates and sizes; platforms come from the registry's v2
//! interface, as far as that is reachable. What is read is in `inventory`.

use futures_util::future::BoxFuture;
use url::Url;

use super::catalogue::Catalogue;
use super::{check, selection};
use crate::credentials::aws::RoleArn;
use crate::form::{Errors, Field, Values};
use crate::integrations::context::Context;
use crate::integrations::spec::{self, Does, Grants, Spec, Use};
use crate::providers::ProviderError;
use crate::providers::aws::policies::{Statement, document};
use crate::providers::aws::roles::Wanted;
use crate::providers::aws::{self, HOUR, LONGEST, SHORTEST};

mod access;
mod host;
mod inventory;
mod role;

use host::Host;
use role::{assume, chosen_role, minutes, role};

pub static ECR: Spec = Spec {
    slug: "ecr",
    label: "Amazon ECR",
    fields: FIELDS,
    uses: &[Use::main(&["aws"])],
    host: spec::Host::Chosen(address),
    suits,
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
        .help("Blank takes all. * stands for anything; separate several by commas."),
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
    selection::CAP.help("Keeps the newest tags of each repository, by the date of the push; 0 keeps all."),
];

fn address(settings: &Values) -> Option<Url> {
    let host = Host::parse(settings.get("registry")).ok()?;
    Url::parse(&format!("https://{}", host.name)).ok()
}

fn suits(settings: &Values, _kind: &str, credential: &Values) -> Result<(), Errors> {
    if credential.get("method") == "iam_role" && minutes(settings) > HOUR {
        let sentence = "From one role into another, AWS gives sessions of an hour at most. Enter 60 or less, or \
                        choose an access key.";
        return Err(Errors::one("session_minutes", sentence));
    }
    Ok(())
}

fn grants(settings: &Values, name: &str) -> Grants {
    let Ok(host) = Host::parse(settings.get("registry")) else { return Grants::default() };
    let role = chosen_role(settings, &host).and_then(Result::ok);
    let whose = role.as_ref().map_or("the credential's user or role", RoleArn::as_str);
    let policies = vec![(format!("Policy of {whose}: may read the registry"), policy(&host))];
    let wanted = |role: &RoleArn| Wanted {
        used_by: name.to_owned(),
        assume: assume(role, settings, name),
        region: host.region.clone(),
    };
    Grants { role: role.as_ref().map(wanted), policies }
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

fn open<'a>(cx: &'a Context<'a>) -> BoxFuture<'a, Result<Box<dyn Catalogue + 'a>, ProviderError>> {
    Box::pin(async move {
        let host = Host::parse(cx.settings.get("registry")).map_err(|_| ProviderError::InvalidAddress)?;
        let session = access::sign_in(cx, &host).await?;
        let client = session.ecr();
        let password = access::password(&client).await?;
        let data = access::data_plane(cx, &host, &session, password).await?;
        let images = inventory::EcrRegistry::new(client, host.account, data, cx.report.clone());
        Ok(Box::new(images) as Box<dyn Catalogue>)
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
