//! Asks the cluster for the rights that a sync needs, and writes the roles that grant no more. Listing Secrets is never
//! asked for: it would be reading all of them.

use std::collections::BTreeMap;

use futures_util::StreamExt;

use super::item::Item;
use crate::integrations::deployments::faults::{Deed, Fault};
use crate::integrations::deployments::preview::Access;
use crate::integrations::progress::Step;
use crate::providers::kubernetes::Cluster;
use crate::providers::kubernetes::kinds::{Kind, SECRET, WORKLOADS};

/// Access reviews in flight at the same time.
const AT_ONCE: usize = 8;

/// In the order of [`Access::VERBS`].
const KEPT: [bool; 5] = [true, true, true, true, false];
const RESTARTED: [bool; 5] = [false, true, false, false, true];

/// What is asked about the Secrets of one namespace.
struct Place<'a> {
    namespace: &'a str,
    secrets: Vec<&'a str>,
    restarts: bool,
}

fn places(items: &[Item]) -> Vec<Place<'_>> {
    let mut by_name: BTreeMap<&str, (Vec<&str>, bool)> = BTreeMap::new();
    for item in items {
        for namespace in &item.namespaces {
            let place = by_name.entry(namespace).or_default();
            place.0.push(&item.secret);
            place.1 |= item.restart;
        }
    }
    let place = |(namespace, (secrets, restarts))| Place { namespace, secrets, restarts };
    by_name.into_iter().map(place).collect()
}

struct Question<'a> {
    kind: &'static Kind,
    namespace: &'a str,
    name: &'a str,
    needed: [bool; 5],
}

impl Question<'_> {
    async fn ask(&self, cluster: &Cluster) -> Result<Access, Fault> {
        let named = if self.name.is_empty() { String::new() } else { format!(" {}", self.name) };
        let resource = format!("{}{named} in {}", self.kind.plural, self.namespace);
        let mut verbs = [None; 5];
        for at in (0..verbs.len()).filter(|at| self.needed[*at]) {
            let answer = cluster.is_allowed_for(Access::VERBS[at], self.kind, self.namespace, self.name).await;
            let failed = |error| Fault { step: Step::READING_CLUSTER, at: String::new(), deed: Deed::Read, error };
            verbs[at] = Some(answer.map_err(failed)?);
        }
        Ok(Access { resource, verbs })
    }
}

async fn ask(cluster: &Cluster, questions: Vec<Question<'_>>) -> Result<Vec<Access>, Fault> {
    let asked = questions.iter().map(|question| question.ask(cluster));
    futures_util::stream::iter(asked).buffered(AT_ONCE).collect::<Vec<_>>().await.into_iter().collect()
}

/// One row for each namespace, or for each Secret where the login may not use all of them.
pub(super) async fn access(cluster: &Cluster, items: &[Item]) -> Result<Vec<Access>, Fault> {
    let places = places(items);
    let of_secrets = |namespace, name| Question { kind: &SECRET, namespace, name, needed: KEPT };
    let wide = ask(cluster, places.iter().map(|place| of_secrets(place.namespace, "")).collect()).await?;
    let mut rows = Vec::new();
    for (place, row) in places.iter().zip(wide) {
        if row.verbs.contains(&Some(false)) {
            let named = place.secrets.iter().map(|name| of_secrets(place.namespace, name));
            rows.extend(ask(cluster, named.collect()).await?);
        } else {
            rows.push(row);
        }
        if place.restarts {
            let of_kind = |kind| Question { kind, namespace: place.namespace, name: "", needed: RESTARTED };
            rows.extend(ask(cluster, WORKLOADS.into_iter().map(of_kind).collect()).await?);
        }
    }
    Ok(rows)
}

/// The missing rights in two lists: those without which an apply fails, and the right to delete.
pub(super) fn missing(rows: &[Access]) -> (Vec<String>, Vec<String>) {
    let (mut vital, mut later) = (Vec::new(), Vec::new());
    for row in rows {
        let refused = (0..row.verbs.len()).filter(|at| row.verbs[*at] == Some(false)).map(|at| Access::VERBS[at]);
        let (then, now): (Vec<&str>, Vec<&str>) = refused.partition(|verb| *verb == "delete");
        let told = |verbs: Vec<&str>| (!verbs.is_empty()).then(|| format!("{} {}", verbs.join(", "), row.resource));
        vital.extend(told(now));
        later.extend(told(then));
    }
    (vital, later)
}

/// A Role and its binding for each namespace, with no more than the items need. `subject` as YAML, below `subjects`.
pub fn manifest(items: &[Item], subject: &str) -> String {
    let role = |place: Place<'_>| {
        let mut names = place.secrets.clone();
        names.sort_unstable();
        names.dedup();
        let names: Vec<String> = names.iter().map(|name| format!("\"{name}\"")).collect();
        let restarts = match place.restarts {
            true => {
                "  - apiGroups: [\"apps\"]\n    resources: [\"deployments\", \"statefulsets\", \"daemonsets\"]\n    \
                 verbs: [\"list\", \"patch\"]\n"
            }
            false => "",
        };
        format!(
            "apiVersion: rbac.authorization.k8s.io/v1\nkind: Role\nmetadata:\n  name: strongroom-sync\n  namespace: {at}\n\
             rules:\n  - apiGroups: [\"\"]\n    resources: [\"secrets\"]\n    resourceNames: [{names}]\n    \
             verbs: [\"get\", \"create\", \"patch\", \"delete\"]\n{restarts}---\n\
             apiVersion: rbac.authorization.k8s.io/v1\nkind: RoleBinding\nmetadata:\n  name: strongroom-sync\n  \
             namespace: {at}\nroleRef:\n  apiGroup: rbac.authorization.k8s.io\n  kind: Role\n  name: strongroom-sync\n\
             subjects:\n{subject}",
            at = place.namespace,
            names = names.join(", "),
        )
    };
    places(items).into_iter().map(role).collect::<Vec<_>>().join("---\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item(secret: &str, namespaces: &[&str], restart: bool) -> Item {
        let namespaces = namespaces.iter().map(|name| (*name).to_owned()).collect();
        Item { secret: secret.to_owned(), namespaces, restart, ..Item::default() }
    }

    #[test]
    fn the_roles_name_each_secret_and_list_no_secrets() {
        let text = manifest(&[item("db", &["shop", "pay"], false), item("tls", &["shop"], true)], "  - kind: User\n");
        let documents: Vec<&str> = text.split("---\n").collect();
        assert_eq!(documents.len(), 4, "{text}");
        assert!(documents[0].contains("namespace: pay") && documents[0].contains("[\"db\"]"), "{text}");
        assert!(!documents[0].contains("deployments") && documents[2].contains("deployments"), "{text}");
        assert!(documents[2].contains("[\"db\", \"tls\"]"), "{text}");
        assert!(!text.replace("[\"list\", \"patch\"]", "").contains("list"), "{text}");
    }

    #[test]
    fn only_the_right_to_delete_can_wait() {
        let row = |verbs| Access { resource: "secrets db in shop".to_owned(), verbs };
        let no = Some(false);
        let (vital, later) = missing(&[row([Some(true), no, Some(true), no, None])]);
        assert_eq!((vital, later), (vec!["patch secrets db in shop".into()], vec!["delete secrets db in shop".into()]));
    }
}
