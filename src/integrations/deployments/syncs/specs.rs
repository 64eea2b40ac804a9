//! The providers of clusters that a sync can sign in to: those of deployments, with the fields of the sign-in alone.

use super::preview::check;
use crate::form::Field;
use crate::integrations::deployments::{aks, eks, gke, kubernetes};
use crate::integrations::spec::{Does, Grants, Host, Spec, Use, no_grants, suits_all};

/// In the order of the form's list.
pub static VERSIONS: &[&Spec] = &[&KUBERNETES, &EKS, &GKE, &AKS];

static KUBERNETES: Spec = Spec {
    slug: "sync_kubernetes",
    label: "Kubernetes",
    fields: &[],
    uses: &[Use::main(&["kubeconfig"])],
    host: Host::OfCredential,
    suits: suits_all,
    grants: no_grants,
    check: Some(|cx| Box::pin(check(&kubernetes::Kubeconfig, cx))),
    does: Does::Sync(&kubernetes::Kubeconfig),
};

static EKS: Spec = Spec {
    slug: "sync_eks",
    label: "Amazon EKS",
    fields: &eks::CLUSTER_FIELDS,
    uses: &[Use::main(&["aws"])],
    host: Host::Vendor(eks::host),
    suits: eks::suits,
    grants: |settings, name| without_roles(eks::grants(settings, name)),
    check: Some(|cx| Box::pin(check(&eks::Eks, cx))),
    does: Does::Sync(&eks::Eks),
};

static GKE: Spec = Spec {
    slug: "sync_gke",
    label: "Google Kubernetes Engine",
    fields: &gke::CLUSTER_FIELDS,
    uses: &[Use::main(&["gcp"])],
    host: Host::Vendor(gke::host),
    suits: suits_all,
    grants: |settings, name| without_roles(gke::grants(settings, name)),
    check: Some(|cx| Box::pin(check(&gke::Gke, cx))),
    does: Does::Sync(&gke::Gke),
};

static AKS: Spec = Spec {
    slug: "sync_aks",
    label: "Azure Kubernetes Service",
    fields: AKS_FIELDS,
    uses: &[Use::main(&["azure"])],
    host: Host::Vendor(aks::host),
    suits: suits_all,
    grants: |settings, name| without_roles(aks::grants(settings, name)),
    check: Some(|cx| Box::pin(check(&aks::Aks, cx))),
    does: Does::Sync(&aks::Aks),
};

static AKS_FIELDS: &[Field] = &[aks::CLUSTER];

/// Without the ClusterRole of a deployment, which comes last: a sync needs less, and its page has the roles.
fn without_roles(mut grants: Grants) -> Grants {
    grants.policies.pop();
    grants
}

/// The subject of the roles, as YAML, by the slug of the provider.
pub fn subject(slug: &str) -> &'static str {
    match slug {
        "sync_eks" => "  - apiGroup: rbac.authorization.k8s.io\n    kind: Group\n    name: strongroom\n",
        "sync_gke" => "  - apiGroup: rbac.authorization.k8s.io\n    kind: User\n    name: SERVICE_ACCOUNT_EMAIL\n",
        "sync_aks" => "  - apiGroup: rbac.authorization.k8s.io\n    kind: User\n    name: OBJECT_ID\n",
        _ => "  - kind: ServiceAccount\n    name: strongroom\n    namespace: kube-system\n",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::form::Values;

    #[test]
    fn a_sync_is_granted_the_sign_in_and_no_cluster_role() {
        let pairs = [("region", "eu-central-1"), ("cluster", "prod"), ("project", "shop")];
        let gke = [("cluster", "europe-west3/prod"), ("project", "shop")];
        let aks = [("cluster", "d189c61b-6c27-41d3-9749-ca5c9cc4a622/shop/prod")];
        let each: [(&Spec, Values); 3] =
            [(&EKS, pairs.into_iter().collect()), (&GKE, gke.into_iter().collect()), (&AKS, aks.into_iter().collect())];
        for (spec, settings) in each {
            let policies = (spec.grants)(&settings, "x").policies;
            assert!(!policies.is_empty(), "{}", spec.slug);
            assert!(policies.iter().all(|(_, text)| !text.contains("daemonsets")), "{}", spec.slug);
        }
    }
}
