//! Amazon EKS: signs in with an AWS credential, or with a role that it assumes.

use futures_util::StreamExt;
use futures_util::future::BoxFuture;

use super::clusters::{Clusters, Seen};
use super::deployment::Deployment;
use super::door::Door;
use super::fields::{COMMON, join};
use super::greeting;
use super::preflight::check;
use super::rights::rights;
use super::uses::{AGENT, PULL};
use crate::credentials::aws::RoleArn;
use crate::credentials::kubeconfig::Place;
use crate::form::{Errors, Field, Values};
use crate::integrations::aws;
use crate::integrations::context::Context;
use crate::integrations::spec::{Does, Grants, Host, Spec, Use};
use crate::providers::aws::policies::{Statement, document};
use crate::providers::aws::regions::told_off;
use crate::providers::aws::{Region, SignedCalls, eks, eks_login};
use crate::providers::kubernetes::Cluster;
use crate::providers::oci_registry::Pages;
use crate::providers::probe::{Finding, Verdict};
use crate::providers::{Failure, ProviderError, finding};

pub static EKS: Spec = Spec {
    slug: "eks",
    label: "Amazon EKS",
    fields: FIELDS,
    uses: &[Use::main(&["aws"]), PULL, AGENT],
    host: Host::Vendor(host),
    suits,
    grants,
    check: Some(|cx| Box::pin(check(&Eks, cx))),
    does: Does::Deploy(&Eks),
};

static FIELDS: &[Field] = &join::<6, { COMMON.len() + 6 }>(CLUSTER_FIELDS);

/// Which cluster, and as whom.
pub(super) const CLUSTER_FIELDS: [Field; 6] = [
    Field::text("region", "Region").placeholder("eu-central-1").max(32).check(aws::region),
    Field::text("cluster", "Cluster").placeholder("prod").help("Its name in Amazon EKS.").max(100).check(name),
    aws::STS.help("Assume a role that the cluster knows."),
    aws::ROLE
        .placeholder("arn:aws:iam::123456789012:role/deployer")
        .help("The full role ARN. Overrides the credential's own role."),
    aws::EXTERNAL_ID,
    aws::SESSION_MINUTES,
];

/// How many clusters are described, in total and at the same time.
const DESCRIBED: usize = 50;
const AT_ONCE: usize = 8;

pub(in crate::integrations) fn name(text: &str) -> Result<String, String> {
    let good = |c: char| c.is_ascii_alphanumeric() || "-_".contains(c);
    if text.starts_with(|c: char| c.is_ascii_alphanumeric()) && text.chars().all(good) {
        Ok(text.to_owned())
    } else {
        Err("Enter the name of a cluster, such as prod.".to_owned())
    }
}

pub(super) fn suits(settings: &Values, kind: &str, credential: &Values) -> Result<(), Errors> {
    aws::suits(settings, kind, credential)?;
    match (role(settings), Region::parse(settings.get("region"))) {
        (Some(role), Some(region)) if role.partition() != region.partition() => {
            Err(Errors::one("role", "The role and the region are in different AWS partitions."))
        }
        _ => Ok(()),
    }
}

fn role(settings: &Values) -> Option<RoleArn> {
    RoleArn::parse(settings.get("role")).ok().filter(|_| settings.get("sts") == "on")
}

/// The account of the assumed role.
fn account(role: &RoleArn) -> &str {
    role.as_str().split(':').nth(4).unwrap_or_default()
}

/// Cluster names are unique within a region of an account.
pub(super) fn host(settings: &Values) -> Option<String> {
    let of = role(settings).map(|role| format!(" of {}", account(&role))).unwrap_or_default();
    let (cluster, region) = (settings.get("cluster"), settings.get("region"));
    (!cluster.is_empty() && !region.is_empty()).then(|| format!("EKS {cluster} in {region}{of}"))
}

/// `eks:ListClusters` cannot be restricted to a resource.
/// <https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonelastickubernetesservice.html>
pub(super) fn grants(settings: &Values, integration: &str) -> Grants {
    let Some(region) = Region::parse(settings.get("region")) else { return Grants::default() };
    let (role, cluster) = (role(settings), settings.get("cluster"));
    let account = role.as_ref().map_or("*", account);
    let arn = format!("arn:{}:eks:{}:{account}:cluster/{cluster}", region.partition(), region.as_str());
    let policy = document(&[
        Statement::allow(&[eks::DESCRIBE_CLUSTER], &[&arn]),
        Statement::allow(&[eks::LIST_CLUSTERS], &["*"]),
    ]);
    let place = aws::Place { region: &region, account: None };
    let mut grants = place.grants(settings, integration, "may find the cluster", policy);
    let principal = role.as_ref().map_or("PRINCIPAL_ARN", RoleArn::as_str);
    grants.policies.push(eks_login::entry(&region, cluster, principal));
    grants.policies.push(rights(&format!("the group {}", eks_login::GROUP), ("Group", eks_login::GROUP)));
    grants
}

fn failed(error: ProviderError) -> Failure {
    finding(&error, "AWS").into()
}

pub(super) struct Eks;

impl Deployment for Eks {
    fn open<'a>(&'a self, cx: &'a Context<'a>) -> BoxFuture<'a, Result<Cluster, Failure>> {
        Box::pin(open(cx))
    }

    fn clusters<'a>(&'a self, cx: &'a Context<'a>) -> Option<BoxFuture<'a, Result<Clusters, Failure>>> {
        Some(Box::pin(clusters(cx)))
    }
}

/// Signs in to AWS.
async fn sign_in(cx: &Context<'_>) -> Result<(SignedCalls, Region), Failure> {
    let Some(region) = Region::parse(cx.settings.get("region").trim()) else {
        let (sentence, remedy) = ("No region is chosen.", "Enter a region, such as eu-central-1.");
        return Err(Finding::new(Verdict::NotHere, sentence, remedy).into());
    };
    let session = aws::Place { region: &region, account: None }.sign_in(cx).await.map_err(failed)?;
    Ok((SignedCalls::new(session, cx.outside.egress).map_err(failed)?, region))
}

/// What EKS says of the cluster, and the way into it.
async fn entrance(cx: &Context<'_>, calls: &SignedCalls, region: &Region) -> Result<(eks::Cluster, Door), Failure> {
    let cluster = cx.settings.get("cluster");
    let described = eks::describe(calls, region, cluster).await;
    let described = match told_off(calls, described).await {
        Err(ProviderError::NotFound) => return Err(missing(cluster, region)),
        described => described.map_err(failed)?,
    };
    if !matches!(described.status.as_str(), "ACTIVE" | "UPDATING" | "") {
        return Err(not_running(cluster, &described.status));
    }
    let place = Place::of(&described.endpoint, &described.authority).filter(|place| place.authority.is_some());
    let place = place.ok_or_else(|| failed(ProviderError::BadAnswer))?;
    // A token is cached per identity and per cluster.
    let scope =
        format!("eks {} {cluster} {} {}", region.as_str(), cx.settings.get("role"), cx.settings.get("external_id"));
    let signed = || async { eks_login::token(calls.session(), region, cluster).await.map_err(failed) };
    let token = cx.outside.tokens.kept(cx.stored(), &scope, signed).await?;
    Ok((described, Door { place, token }))
}

/// The way into the cluster. Whether the cluster knows the identity is not asked.
pub(in crate::integrations) async fn door(cx: &Context<'_>) -> Result<Door, Failure> {
    let (calls, region) = sign_in(cx).await?;
    Ok(entrance(cx, &calls, &region).await?.1)
}

async fn open(cx: &Context<'_>) -> Result<Cluster, Failure> {
    let (calls, region) = sign_in(cx).await?;
    let (described, door) = entrance(cx, &calls, &region).await?;
    let opened = door.enter(cx.outside.egress).map_err(failed)?;
    if greeting::greet(&opened).await?.status != 401 {
        return Ok(opened);
    }
    let caller = calls.session().caller().await.map_err(failed)?;
    let principal = role(cx.settings).map_or_else(|| eks_login::principal(&caller), |role| role.as_str().to_owned());
    Err(eks_login::unknown(&region, cx.settings.get("cluster"), &described, &principal).into())
}

fn missing(cluster: &str, region: &Region) -> Failure {
    let sentence = format!("There is no cluster {cluster} in {} in this account.", region.as_str());
    let remedy = "Choose one from the list, or another region, role or credential.";
    Finding::new(Verdict::NotHere, sentence, remedy).into()
}

fn not_running(cluster: &str, status: &str) -> Failure {
    let sentence = format!("The cluster {cluster} is not running: EKS calls it {status}.");
    Finding::new(Verdict::NotHere, sentence, "Try again when it is ACTIVE.").into()
}

/// The clusters of the region; the first of them are described as well.
async fn clusters(cx: &Context<'_>) -> Result<Clusters, Failure> {
    let (calls, region) = sign_in(cx).await?;
    let listed = told_off(&calls, eks::clusters(&calls, &region, Pages::All).await).await.map_err(failed)?;
    let missing = listed.rest.map(|cause| cause.told("AWS")).into_iter().collect();
    let (calls, region) = (&calls, &region);
    let seen = listed.found.into_iter().enumerate().map(|(number, name)| async move {
        let described = match number < DESCRIBED {
            true => eks::describe(calls, region, &name).await.unwrap_or_default(),
            false => eks::Cluster::default(),
        };
        let access = match (described.public, described.private) {
            (Some(true), Some(true)) => "Public and private",
            (Some(true), _) => "Public",
            (Some(false), Some(true)) => "Private",
            _ => "",
        };
        Seen {
            fills: vec![("cluster", name.clone())],
            name,
            place: region.as_str().to_owned(),
            version: described.version,
            state: described.status,
            access: access.to_owned(),
        }
    });
    let found = futures_util::stream::iter(seen).buffered(AT_ONCE).collect().await;
    Ok(Clusters { found, missing }.sorted())
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROLE: &str = "arn:aws:iam::123456789012:role/deployer";

    fn settings(pairs: &[(&str, &str)]) -> Values {
        [&[("region", "eu-central-1"), ("cluster", "prod")], pairs].concat().into_iter().collect()
    }

    #[test]
    fn the_host_names_the_cluster_its_region_and_the_account_of_its_role() {
        assert_eq!(host(&settings(&[])).as_deref(), Some("EKS prod in eu-central-1"));
        let of_role = settings(&[("sts", "on"), ("role", ROLE)]);
        assert_eq!(host(&of_role).as_deref(), Some("EKS prod in eu-central-1 of 123456789012"));
        assert!(suits(&of_role, "aws", &Values::default()).is_ok());
        let china = settings(&[("sts", "on"), ("role", "arn:aws-cn:iam::123456789012:role/deployer")]);
        assert!(suits(&china, "aws", &Values::default()).is_err());
        for bad in ["", "-prod", "prod/1", "prod prod"] {
            assert!(name(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn the_policy_is_for_the_cluster_and_the_entry_for_the_role() {
        let grants = grants(&settings(&[("sts", "on"), ("role", ROLE)]), "x");
        let texts: Vec<&str> = grants.policies.iter().map(|(_, text)| text.as_str()).collect();
        assert!(texts[0].contains("arn:aws:eks:eu-central-1:123456789012:cluster/prod"), "{texts:?}");
        assert!(texts[1].contains(&format!("--principal-arn {ROLE}")) && texts[2].contains("kind: Group"), "{texts:?}");
        assert!(grants.role.is_some());
    }
}
