//! The manifests that a cluster administrator applies so that Strongroom can deploy: a ClusterRole for the whole
//! cluster, or a narrower Role for one existing namespace. And the commands that write the kubeconfig.

/// The rights that *Test* checks. Server-side apply needs `patch`, and `create` for a new object. The `list` rights let
/// Strongroom check that a namespace is empty before deleting it. Secrets are left out: listing them would read them.
pub const CLUSTER_ROLE: &str = r#"apiVersion: v1
kind: ServiceAccount
metadata:
  name: strongroom
  namespace: kube-system
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata:
  name: strongroom
rules:
  - apiGroups: ["rbac.authorization.k8s.io"]
    resources: ["clusterroles", "clusterrolebindings"]
    verbs: ["get", "create", "patch", "delete", "bind", "escalate"]
  - apiGroups: ["apps"]
    resources: ["daemonsets"]
    verbs: ["get", "create", "patch", "delete"]
  - apiGroups: [""]
    resources: ["namespaces", "secrets", "serviceaccounts"]
    verbs: ["get", "create", "patch", "delete"]
  - apiGroups: [""]
    resources: ["pods", "nodes"]
    verbs: ["get", "list"]
  # To check that a namespace is empty before deleting it.
  - apiGroups: ["", "apps", "batch", "networking.k8s.io"]
    resources: ["configmaps", "services", "persistentvolumeclaims", "serviceaccounts", "daemonsets", "deployments",
      "statefulsets", "jobs", "ingresses"]
    verbs: ["list"]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata:
  name: strongroom
roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: ClusterRole
  name: strongroom
subjects:
  - kind: ServiceAccount
    name: strongroom
    namespace: kube-system
---
apiVersion: v1
kind: Secret
metadata:
  name: strongroom-token
  namespace: kube-system
  annotations:
    kubernetes.io/service-account.name: strongroom
type: kubernetes.io/service-account-token"#;

/// RBAC lets a Role grant `get` on its own Namespace object.
pub const NAMESPACE_ROLE: &str = r#"apiVersion: v1
kind: ServiceAccount
metadata:
  name: strongroom
  namespace: kube-system
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata:
  name: strongroom
  namespace: defender
rules:
  - apiGroups: [""]
    resources: ["namespaces"]
    verbs: ["get"]
  - apiGroups: ["apps"]
    resources: ["daemonsets"]
    verbs: ["get", "create", "patch", "delete"]
  - apiGroups: [""]
    resources: ["secrets", "serviceaccounts"]
    verbs: ["get", "create", "patch", "delete"]
  - apiGroups: [""]
    resources: ["pods"]
    verbs: ["get", "list"]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata:
  name: strongroom
  namespace: defender
roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: Role
  name: strongroom
subjects:
  - kind: ServiceAccount
    name: strongroom
    namespace: kube-system
---
apiVersion: v1
kind: Secret
metadata:
  name: strongroom-token
  namespace: kube-system
  annotations:
    kubernetes.io/service-account.name: strongroom
type: kubernetes.io/service-account-token"#;

pub const WRITE: &str = r#"SERVER=$(kubectl config view --minify --output 'jsonpath={.clusters[0].cluster.server}')
kubectl -n kube-system get secret strongroom-token --output 'jsonpath={.data.ca\.crt}' | base64 -d > ca.crt
TOKEN=$(kubectl -n kube-system get secret strongroom-token --output 'jsonpath={.data.token}' | base64 -d)
kubectl config --kubeconfig kubeconfig.yaml set-cluster target --server "$SERVER" --certificate-authority ca.crt --embed-certs
kubectl config --kubeconfig kubeconfig.yaml set-credentials strongroom --token "$TOKEN"
kubectl config --kubeconfig kubeconfig.yaml set-context strongroom --cluster target --user strongroom ${NAMESPACE:+--namespace=$NAMESPACE}
kubectl config --kubeconfig kubeconfig.yaml use-context strongroom"#;
