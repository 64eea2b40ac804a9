//! Google Kubernetes Engine: signs in with a service account key.

use futures_util::future::BoxFuture;

use super::clusters::{Clusters, Seen};
use super::deployment::Deployment;
use super::door::Door;
use super::fields::{COMMON, join};
use super::greeting;
use super::preflight::check;
use super::rights::rights;
use super::uses::{AGENT, PULL};
use crate::form::{Field, Values};
use crate::integrations::context::Context;
use crate::integrations::google::{self, Scope, Visit};
use crate::integrations::spec::{Does, Grants, Host, Spec, Use, suits_all};
use crate::providers::endpoints::Service;
use crate::providers::gcp::CLOUD_PLATFORM;
use crate::providers::gcp::cluster_doors::Endpoint;
use crate::providers::gcp::clusters::{self, is_name};
use crate::providers::gcp::line::Line;
use crate::providers::gcp::projects::is_project;
use crate::providers::kubernetes::Cluster;
use crate::providers::probe::{Finding, Verdict};
use crate::providers::{Failure, ProviderError, finding};

pub static GKE: Spec = Spec {
    slug: "gke",
    label: "Google Kubernetes Engine",
    fields: FIELDS,
    uses: &[Use::main(&["gcp"]), PULL, AGENT],
    host: Host::Vendor(host),
    suits: suits_all,
    grants,
    check: Some(|cx| Box::pin(check(&Gke, cx))),
    does: Does::Deploy(&Gke),
};

const PRIVATE: &str = "private";
const DNS: &str = "dns";

static FIELDS: &[Field] = &join::<3, { COMMON.len() + 3 }>(CLUSTER_FIELDS);

/// Which cluster, and by which of its addresses.
pub(in crate::integrations) const CLUSTER_FIELDS: [Field; 3] = [
    Field::text("project", "Project ID").placeholder("shop-prod").max(128).check(project),
    Field::text("cluster", "Cluster")
        .placeholder("europe-west3/prod")
        .help("Its region or zone, a slash, and its name.")
        .max(129)
        .check(|text| parts(text).map(|(location, name)| format!("{location}/{name}"))),
    Field::choice(
        "endpoint",
        "Endpoint",
        &[("public", "Public address"), (PRIVATE, "Private address"), (DNS, "DNS endpoint")],
    )
    .help("The private address works only from the cluster's network. The DNS endpoint needs no reachable address."),
];

fn project(text: &str) -> Result<String, String> {
    match is_project(text) {
        true => Ok(text.to_owned()),
        false => Err("Enter the ID of a project, such as shop-prod.".to_owned()),
    }
}

/// Location and name.
fn parts(text: &str) -> Result<(&str, &str), String> {
    let parts = text.split_once('/').filter(|(location, name)| is_name(location) && is_name(name));
    parts.ok_or_else(|| "Enter a region or zone, a slash and the cluster's name: europe-west3/prod.".to_owned())
}

/// Cluster names are unique within a location of a project.
pub(super) fn host(settings: &Values) -> Option<String> {
    let (location, name) = parts(settings.get("cluster")).ok()?;
    let project = settings.get("project");
    (!project.is_empty()).then(|| format!("GKE {name} in {location} of {project}"))
}

fn endpoint(settings: &Values) -> Endpoint {
    match settings.get("endpoint") {
        PRIVATE => Endpoint::Private,
        DNS => Endpoint::Dns,
        _ => Endpoint::Public,
    }
}

/// The DNS endpoint requires a permission of its own.
/// <https://cloud.google.com/kubernetes-engine/docs/concepts/network-isolation#dns-based_endpoint>
pub(super) fn grants(settings: &Values, _name: &str) -> Grants {
    let mut permissions = vec![clusters::GETS.permission, clusters::LISTS.permission];
    if endpoint(settings) == Endpoint::Dns {
        permissions.push(CONNECT);
    }
    let scope = Scope::Chosen(vec![settings.get("project").to_owned()]);
    let found = google::grant(&scope, "may find the cluster", "strongroomDeploy", &permissions);
    Grants { role: None, policies: vec![found, rights(google::ACCOUNT, ("User", google::ACCOUNT))] }
}

const CONNECT: &str = "container.clusters.connect";

fn failed(error: ProviderError) -> Failure {
    finding(&error, "Google").into()
}

pub(super) struct Gke;

impl Deployment for Gke {
    fn open<'a>(&'a self, cx: &'a Context<'a>) -> BoxFuture<'a, Result<Cluster, Failure>> {
        Box::pin(open(cx))
    }

    fn clusters<'a>(&'a self, cx: &'a Context<'a>) -> Option<BoxFuture<'a, Result<Clusters, Failure>>> {
        Some(Box::pin(all(cx)))
    }
}

/// A line to the API, and the project: the one entered, else the credential's own.
async fn sign_in<'a>(cx: &'a Context<'a>) -> Result<(Visit<'a>, Line<'a>, String), Failure> {
    let visit = Visit::sign_in(cx).await?;
    let line = visit.line(Service::GoogleClusters, &clusters::API).await.map_err(failed)?;
    let entered = cx.settings.get("project").trim();
    let project = if entered.is_empty() { visit.own.clone() } else { entered.to_owned() };
    if is_project(&project) {
        return Ok((visit, line, project));
    }
    let remedy = "Enter the ID of a project, such as shop-prod.";
    Err(Finding::new(Verdict::NotHere, "No project is chosen.", remedy).into())
}

/// The way into the cluster. Whether the cluster knows the service account is not asked.
pub(in crate::integrations) async fn door(cx: &Context<'_>) -> Result<Door, Failure> {
    let (_, line, project) = sign_in(cx).await?;
    let (location, name) = cluster(cx.settings)?;
    let found = match clusters::one(&line, &project, location, name).await {
        Err(ProviderError::NotFound) => {
            let sentence = format!("There is no cluster {name} in {location} of {project}.");
            return Err(Finding::new(Verdict::NotHere, sentence, "Choose one from the list.").into());
        }
        found => found.map_err(failed)?,
    };
    if matches!(found.state.as_str(), "Provisioning" | "Stopping" | "Error") {
        let sentence = format!("The cluster {name} is not running: GKE calls it {}.", found.state.to_lowercase());
        return Err(Finding::new(Verdict::NotHere, sentence, "Look at it in the Google Cloud console.").into());
    }
    let place = found.doors.place(endpoint(cx.settings)).map_err(failed)?;
    let secret = cx.main().ok_or_else(|| failed(ProviderError::WrongCredential))?;
    let token = cx.outside.tokens.google_token(secret.stored, secret.values, CLOUD_PLATFORM).await?;
    Ok(Door { place, token })
}

/// Location and name of the cluster that the settings name.
fn cluster(settings: &Values) -> Result<(&str, &str), Failure> {
    let unknown = |_| Finding::new(Verdict::NotHere, "No cluster is chosen.", "Choose one from the list.").into();
    parts(settings.get("cluster")).map_err(unknown)
}

async fn open(cx: &Context<'_>) -> Result<Cluster, Failure> {
    let opened = door(cx).await?.enter(cx.outside.egress).map_err(failed)?;
    let (_, name) = cluster(cx.settings)?;
    let by = endpoint(cx.settings);
    match greeting::greet(&opened).await?.status {
        401 => Err(Finding::new(
            Verdict::Denied,
            format!("The cluster {name} does not accept tokens of this service account."),
            "Check that the service account is enabled, and that the cluster is in this project.",
        )
        .into()),
        // Any known login may read the version, so a 403 here comes from Google's front end, not from the cluster.
        403 if by == Endpoint::Dns => Err(Finding::new(
            Verdict::Denied,
            format!("The service account may not use the DNS endpoint of {name}."),
            format!("Grant it the permission {CONNECT}: the credential's page has the exact commands."),
        )
        .into()),
        _ => Ok(opened),
    }
}

async fn all(cx: &Context<'_>) -> Result<Clusters, Failure> {
    let (_, line, project) = sign_in(cx).await?;
    let listed = clusters::of(&line, &project).await.map_err(failed)?;
    let silent = listed.unreachable.iter().map(|zone| format!("Google could not reach {zone}."));
    let missing = silent.chain(listed.rest.map(|cause| cause.told("Google"))).collect();
    let seen = listed.entries.into_iter().map(|one| Seen {
        fills: vec![("project", project.clone()), ("cluster", format!("{}/{}", one.location, one.name))],
        name: one.name,
        place: one.location,
        version: one.version,
        state: one.state,
        access: one.access,
    });
    Ok(Clusters { found: seen.collect(), missing }.sorted())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_host_and_the_grants_name_the_cluster_and_its_project() {
        let pairs = [("project", "shop"), ("cluster", "europe-west3/prod"), ("endpoint", "dns")];
        let settings: Values = pairs.into_iter().collect();
        assert_eq!(host(&settings).as_deref(), Some("GKE prod in europe-west3 of shop"));
        let policies = grants(&settings, "x").policies;
        assert!(
            policies[0].1.contains(CONNECT) && policies[0].1.contains("roles create strongroomDeploy --project shop")
        );
        assert!(policies[1].1.contains("name: SERVICE_ACCOUNT_EMAIL"));
        for bad in ["prod", "/prod", "europe-west3/", "europe-west3/prod/x", "EU/prod", "../prod"] {
            assert!(parts(bad).is_err(), "{bad}");
        }
    }
}
