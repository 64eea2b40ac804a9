//! Azure Kubernetes Service: signs in as a Microsoft Entra ID service principal. A cluster with Entra ID takes a token
//! that is valid for every AKS cluster; one with local accounts takes a client certificate that Azure issues.

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
use crate::credentials::kubeconfig::Issued;
use crate::form::{Field, Values};
use crate::integrations::azure::{self, Visit};
use crate::integrations::context::Context;
use crate::integrations::spec::{Does, Grants, Host, Spec, Use, suits_all};
use crate::providers::azure::aks::{self, Access, Name};
use crate::providers::azure::management::{self, Subscription};
use crate::providers::azure::{Resource, resources};
use crate::providers::calls::AccessToken;
use crate::providers::kubernetes::Cluster;
use crate::providers::oci_registry::Pages;
use crate::providers::probe::{Finding, Verdict};
use crate::providers::{Failure, ProviderError, finding};

pub static AKS: Spec = Spec {
    slug: "aks",
    label: "Azure Kubernetes Service",
    fields: FIELDS,
    uses: &[Use::main(&["azure"]), PULL, AGENT],
    host: Host::Vendor(host),
    suits: suits_all,
    grants,
    check: Some(|cx| Box::pin(check(&Aks, cx))),
    does: Does::Deploy(&Aks),
};

static FIELDS: &[Field] = &join::<1, { COMMON.len() + 1 }>([CLUSTER]);

pub(in crate::integrations) const CLUSTER: Field = Field::text("cluster", "Cluster")
    .placeholder("d189c61b-6c27-41d3-9749-ca5c9cc4a622/shop/prod")
    .help("Subscription ID, resource group and name, separated by slashes; or the full resource ID.")
    .max(512)
    .check(name);

/// How many subscriptions are queried at the same time, and in total.
const AT_ONCE: usize = 8;
const MOST: usize = 200;

fn name(text: &str) -> Result<String, String> {
    let name = Name::parse(text).map(|name| name.to_string());
    name.ok_or_else(|| "Enter the subscription ID, the resource group and the cluster name: ID/shop/prod.".to_owned())
}

pub(super) fn host(settings: &Values) -> Option<String> {
    let Name { subscription, group, cluster } = Name::parse(settings.get("cluster"))?;
    Some(format!("AKS {cluster} in {group} of {subscription}"))
}

/// Kubernetes RBAC knows a principal by its object ID; with Azure RBAC, Azure roles decide instead.
/// <https://learn.microsoft.com/en-us/azure/aks/manage-azure-rbac>
pub(super) fn grants(settings: &Values, _name: &str) -> Grants {
    let Some(Name { subscription, group, cluster }) = Name::parse(settings.get("cluster")) else {
        return Grants::default();
    };
    let scope = format!(
        "/subscriptions/{subscription}/resourceGroups/{group}/providers/Microsoft.ContainerService/\
         managedClusters/{cluster}"
    );
    let assign = |role: &str| {
        format!("az role assignment create --assignee {} \\\n  --role \"{role}\" \\\n  --scope {scope}", azure::CLIENT)
    };
    let found = (format!("Role of {}: may sign in to the cluster", azure::CLIENT), assign(USER));
    let by_azure = (format!("Role of {} on clusters with Azure RBAC: may deploy", azure::CLIENT), assign(ADMIN));
    Grants { role: None, policies: vec![found, by_azure, rights("the principal", ("User", "OBJECT_ID"))] }
}

const USER: &str = "Azure Kubernetes Service Cluster User Role";
const ADMIN: &str = "Azure Kubernetes Service RBAC Cluster Admin";

fn failed(error: ProviderError) -> Failure {
    finding(&error, "Azure").into()
}

pub(super) struct Aks;

impl Deployment for Aks {
    fn open<'a>(&'a self, cx: &'a Context<'a>) -> BoxFuture<'a, Result<Cluster, Failure>> {
        Box::pin(open(cx))
    }

    fn clusters<'a>(&'a self, cx: &'a Context<'a>) -> Option<BoxFuture<'a, Result<Clusters, Failure>>> {
        Some(Box::pin(all(cx)))
    }
}

/// What Azure says of a running cluster, and the kubeconfig that it issues.
struct Entrance {
    name: Name,
    access: Access,
    tenant: String,
    issued: Issued,
}

async fn entrance(cx: &Context<'_>) -> Result<Entrance, Failure> {
    let Some(name) = Name::parse(cx.settings.get("cluster")) else {
        return Err(Finding::new(Verdict::NotHere, "No cluster is chosen.", "Choose one from the list.").into());
    };
    let visit = Visit::sign_in(cx, &management::API).await?;
    let line = visit.line(&management::API).await.map_err(failed)?;
    let missing = |error: ProviderError| match error {
        ProviderError::NotFound => {
            let Name { cluster, group, subscription } = &name;
            let sentence = format!("There is no cluster {cluster} in {group} of {subscription}.");
            Finding::new(Verdict::NotHere, sentence, "Choose one from the list.").into()
        }
        error => failed(error),
    };
    let access = aks::access(&line, &name).await.map_err(missing)?;
    if access.power == "Stopped" {
        let sentence = format!("The cluster {} is stopped.", name.cluster);
        return Err(Finding::new(Verdict::NotHere, sentence, "Start it: az aks start.").into());
    }
    let issued = aks::user_credential(&line, &name).await.map_err(missing)?;
    Ok(Entrance { name, access, tenant: visit.tenant.clone(), issued })
}

/// The way into the cluster by a token. Whether the cluster knows the principal is not asked.
pub(in crate::integrations) async fn door(cx: &Context<'_>) -> Result<Door, Failure> {
    let Entrance { name, issued, .. } = entrance(cx).await?;
    match issued {
        Issued::Tokenless(place) => Ok(Door { place, token: token(cx).await? }),
        Issued::Ready(_) => Err(Finding::new(
            Verdict::NotHere,
            format!("The cluster {} has certificates instead of tokens, which don't end soon.", name.cluster),
            "Enable Microsoft Entra ID on the cluster: az aks update --enable-aad.",
        )
        .into()),
    }
}

async fn open(cx: &Context<'_>) -> Result<Cluster, Failure> {
    let Entrance { name, access, tenant, issued } = entrance(cx).await?;
    let opened = match issued {
        Issued::Ready(config) => Cluster::new(&config, cx.outside.egress).map_err(failed)?,
        Issued::Tokenless(place) => Door { place, token: token(cx).await? }.enter(cx.outside.egress).map_err(failed)?,
    };
    match greeting::greet(&opened).await?.status {
        401 => Err(unknown(&name.cluster, &access, &tenant).into()),
        _ => Ok(opened),
    }
}

/// A Microsoft Entra ID token for clusters.
async fn token(cx: &Context<'_>) -> Result<AccessToken, Failure> {
    let secret = cx.main().ok_or_else(|| failed(ProviderError::WrongCredential))?;
    cx.outside.tokens.azure_token(secret.stored, secret.values, Resource::Kubernetes).await
}

fn unknown(cluster: &str, access: &Access, tenant: &str) -> Finding {
    let other = !access.tenant.is_empty() && !access.tenant.eq_ignore_ascii_case(tenant);
    match (access.entra, other) {
        (true, true) => Finding::new(
            Verdict::Denied,
            format!("The cluster {cluster} accepts principals of the tenant {} only.", access.tenant),
            "Choose a credential of that tenant.",
        ),
        (true, false) => Finding::new(
            Verdict::Denied,
            format!("The cluster {cluster} does not accept the token of this principal."),
            "Check that the cluster uses Microsoft Entra ID, and that the principal belongs to its tenant.",
        ),
        (false, _) => Finding::new(
            Verdict::Denied,
            format!("The cluster {cluster} does not accept the certificate that Azure issued for it."),
            "Its certificates may just be rotating. Try again in a few minutes.",
        ),
    }
}

async fn all(cx: &Context<'_>) -> Result<Clusters, Failure> {
    let visit = Visit::sign_in(cx, &management::API).await?;
    let line = visit.line(&management::API).await.map_err(failed)?;
    let (subscriptions, rest) = management::subscriptions(&line).await.map_err(failed)?;
    let mut missing: Vec<String> = rest.map(|cause| cause.told("Azure")).into_iter().collect();
    if subscriptions.is_empty() && missing.is_empty() {
        return Err(sees_none());
    }
    if subscriptions.len() > MOST {
        missing.push(format!("Only the first {MOST} subscriptions were searched. Enter other clusters by name."));
    }
    let line = &line;
    let work = subscriptions.into_iter().take(MOST).map(|of| async move {
        let listed = resources::clusters(line, &of, Pages::All).await;
        (of, listed)
    });
    let (mut found, mut stream) = (Vec::new(), futures_util::stream::iter(work).buffered(AT_ONCE));
    while let Some((of, listed)) = stream.next().await {
        let (clusters, rest) = match listed {
            Ok(listed) => listed,
            Err(cause) => (Vec::new(), Some(cause)),
        };
        missing.extend(rest.map(|cause| format!("{}: {}", of.title(), cause.sentence("Azure"))));
        found.extend(clusters.into_iter().map(|one| seen(&of, one)));
    }
    if let ([], Some(first)) = (&found[..], missing.first()) {
        return Err(Finding::new(Verdict::Denied, first.clone(), "").into());
    }
    Ok(Clusters { found, missing }.sorted())
}

fn seen(of: &Subscription, one: resources::Resource) -> Seen {
    Seen {
        fills: vec![("cluster", format!("{}/{}/{}", of.id, one.group, one.name))],
        name: one.name,
        place: if of.name.is_empty() { of.id.clone() } else { of.name.clone() },
        version: one.version,
        state: one.state,
        access: if one.is_private { "Private" } else { "Public" }.to_owned(),
    }
}

fn sees_none() -> Failure {
    let remedy = "Give its principal the role on the cluster: the credential's page has the exact commands.";
    Finding::new(Verdict::NotHere, "The credential sees no subscription.", remedy).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_host_and_the_grants_name_the_cluster_by_its_whole_path() {
        let cluster = "d189c61b-6c27-41d3-9749-ca5c9cc4a622/shop/prod";
        let settings: Values = [("cluster", cluster)].into_iter().collect();
        assert_eq!(host(&settings).as_deref(), Some("AKS prod in shop of d189c61b-6c27-41d3-9749-ca5c9cc4a622"));
        let policies = grants(&settings, "x").policies;
        assert!(policies[0].1.contains("--assignee CLIENT_ID") && policies[0].1.ends_with("managedClusters/prod"));
        assert!(policies[1].1.contains(ADMIN) && policies[2].1.contains("kind: User"));
    }

    #[test]
    fn a_cluster_of_another_tenant_names_it() {
        let access = Access { entra: true, tenant: "t-1".to_owned(), ..Access::default() };
        assert!(unknown("prod", &access, "t-2").sentence.contains("tenant t-1"));
        assert!(unknown("prod", &access, "T-1").sentence.contains("does not accept the token"));
        assert!(unknown("prod", &Access::default(), "t-2").sentence.contains("certificate"));
    }
}
