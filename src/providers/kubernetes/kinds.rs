//! The kinds of objects that deployments use, and their paths in the API.
//! <https://kubernetes.io/docs/reference/using-api/api-concepts/#resource-uris>

/// A kind of object.
#[derive(Debug, PartialEq, Eq)]
pub struct Kind {
    /// `DaemonSet`
    pub kind: &'static str,
    /// Blank for the core group.
    pub group: &'static str,
    /// `daemonsets`
    pub plural: &'static str,
    /// Whether its objects belong to a namespace.
    pub is_namespaced: bool,
}

const RBAC: &str = "rbac.authorization.k8s.io";

pub static NAMESPACE: Kind = Kind { kind: "Namespace", group: "", plural: "namespaces", is_namespaced: false };
pub static SERVICE_ACCOUNT: Kind =
    Kind { kind: "ServiceAccount", group: "", plural: "serviceaccounts", is_namespaced: true };
pub static SECRET: Kind = Kind { kind: "Secret", group: "", plural: "secrets", is_namespaced: true };
pub static CLUSTER_ROLE: Kind = Kind { kind: "ClusterRole", group: RBAC, plural: "clusterroles", is_namespaced: false };
pub static CLUSTER_ROLE_BINDING: Kind =
    Kind { kind: "ClusterRoleBinding", group: RBAC, plural: "clusterrolebindings", is_namespaced: false };
pub static DAEMON_SET: Kind = Kind { kind: "DaemonSet", group: "apps", plural: "daemonsets", is_namespaced: true };
pub static DEPLOYMENT: Kind = Kind { kind: "Deployment", group: "apps", plural: "deployments", is_namespaced: true };
pub static STATEFUL_SET: Kind =
    Kind { kind: "StatefulSet", group: "apps", plural: "statefulsets", is_namespaced: true };
pub static POD: Kind = Kind { kind: "Pod", group: "", plural: "pods", is_namespaced: true };
pub static NODE: Kind = Kind { kind: "Node", group: "", plural: "nodes", is_namespaced: false };

/// Kinds whose pods can use a Secret and are replaced when their template changes.
pub static WORKLOADS: [&Kind; 3] = [&DEPLOYMENT, &STATEFUL_SET, &DAEMON_SET];

/// Kinds that are listed to see whether a namespace is empty. Not Secrets: listing them would read them all.
pub static INHABITANTS: [Kind; 9] = [
    Kind { kind: "ConfigMap", group: "", plural: "configmaps", is_namespaced: true },
    Kind { kind: "Service", group: "", plural: "services", is_namespaced: true },
    Kind { kind: "PersistentVolumeClaim", group: "", plural: "persistentvolumeclaims", is_namespaced: true },
    Kind { kind: "ServiceAccount", group: "", plural: "serviceaccounts", is_namespaced: true },
    Kind { kind: "DaemonSet", group: "apps", plural: "daemonsets", is_namespaced: true },
    Kind { kind: "Deployment", group: "apps", plural: "deployments", is_namespaced: true },
    Kind { kind: "StatefulSet", group: "apps", plural: "statefulsets", is_namespaced: true },
    Kind { kind: "Job", group: "batch", plural: "jobs", is_namespaced: true },
    Kind { kind: "Ingress", group: "networking.k8s.io", plural: "ingresses", is_namespaced: true },
];

/// The kinds that a deployment creates, in the order in which they are applied.
pub static MADE: [&Kind; 6] =
    [&NAMESPACE, &SERVICE_ACCOUNT, &SECRET, &CLUSTER_ROLE, &CLUSTER_ROLE_BINDING, &DAEMON_SET];

impl Kind {
    /// Finds a kind of [`MADE`] by name.
    pub fn find(kind: &str) -> Option<&'static Self> {
        MADE.into_iter().find(|known| known.kind == kind)
    }

    /// `apps/v1`
    pub fn api_version(&self) -> String {
        if self.group.is_empty() { "v1".to_owned() } else { format!("{}/v1", self.group) }
    }

    /// The path that lists its objects, in one namespace or in all.
    pub(super) fn list_path(&self, namespace: &str) -> String {
        let root = if self.group.is_empty() { "/api/v1".to_owned() } else { format!("/apis/{}/v1", self.group) };
        let within = if namespace.is_empty() { String::new() } else { format!("/namespaces/{namespace}") };
        format!("{root}{within}/{}", self.plural)
    }

    /// The path of one object. `None` for names that are not safe in a path; our own names always are.
    pub(super) fn path(&self, namespace: &str, name: &str) -> Option<String> {
        let fit = |text: &str| text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-.:".contains(&b)) && text != "..";
        let whole = !name.is_empty() && self.is_namespaced != namespace.is_empty();
        (whole && fit(namespace) && fit(name)).then(|| format!("{}/{name}", self.list_path(namespace)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_object_has_one_path_and_no_name_leads_out_of_it() {
        assert_eq!(DAEMON_SET.path("a", "b").as_deref(), Some("/apis/apps/v1/namespaces/a/daemonsets/b"));
        assert_eq!(NAMESPACE.path("", "a").as_deref(), Some("/api/v1/namespaces/a"));
        let role = "/apis/rbac.authorization.k8s.io/v1/clusterroles/strongroom:a:b";
        assert_eq!(CLUSTER_ROLE.path("", "strongroom:a:b").as_deref(), Some(role));
        for (namespace, name) in
            [("a", "../b"), ("a/b", "c"), ("", "b"), ("a", ""), ("a", "b?c"), ("..", "a"), ("a", "..")]
        {
            assert_eq!(DAEMON_SET.path(namespace, name), None, "{namespace} {name}");
        }
    }
}
