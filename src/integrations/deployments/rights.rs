//! The rights that a cloud identity needs inside a cluster: the ClusterRole of the kubeconfig guide, bound to it.

use crate::credentials::kubeconfig;

/// The manifest for a subject, `Group` or `User`; `whose` as in `Rights of the group strongroom`.
pub(super) fn rights(whose: &str, (kind, name): (&str, &str)) -> (String, String) {
    let binding = format!(
        "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRoleBinding\nmetadata:\n  name: strongroom-cloud\n\
         roleRef:\n  apiGroup: rbac.authorization.k8s.io\n  kind: ClusterRole\n  name: strongroom\nsubjects:\n  \
         - apiGroup: rbac.authorization.k8s.io\n    kind: {kind}\n    name: {name}\n"
    );
    let caption = format!("Rights of {whose} in the cluster: may deploy. kubectl apply --filename -");
    (caption, format!("{}---\n{binding}", role()))
}

/// The ClusterRole out of the guide's manifest.
fn role() -> &'static str {
    let manifests = kubeconfig::KIND.guide.snippets.iter().flat_map(|(_, text)| text.split("---\n"));
    manifests.into_iter().find(|document| document.contains("kind: ClusterRole\n")).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_role_of_the_guide_is_bound_to_the_identity() {
        let (caption, text) = rights("the group strongroom", ("Group", "strongroom"));
        assert!(caption.starts_with("Rights of the group strongroom in the cluster"));
        let documents: Vec<&str> = text.split("---\n").collect();
        assert_eq!(documents.len(), 2, "{text}");
        assert!(documents[0].contains("daemonsets") && documents[0].contains("\n  name: strongroom\n"), "{text}");
        assert!(documents[1].contains("kind: Group") && documents[1].contains("kind: ClusterRoleBinding"), "{text}");
    }
}
