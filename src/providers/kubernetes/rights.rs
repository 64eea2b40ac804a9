//! Asks a cluster which of the rights that a deployment needs a login has, in all namespaces or in the one that the
//! kubeconfig names. Creates nothing.

use futures_util::stream::{self, StreamExt as _, TryStreamExt as _};

use super::kinds::{self, Kind, MADE};
use super::{Answered, Cluster};

/// Server-side apply needs `patch`, and `create` for an object that does not exist yet.
const VERBS: [&str; 4] = ["create", "patch", "get", "delete"];
pub const HEADS: [&str; 5] = ["Resource", "Create", "Change", "Read", "Delete"];
/// Access reviews in flight at the same time.
const AT_ONCE: usize = 8;

type Right = (&'static str, &'static Kind);

/// Where the login has a right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Held {
    Everywhere,
    /// Only in the kubeconfig's namespace.
    There,
    No,
}

/// A kind of object, and the login's rights on it.
pub struct Row {
    pub kind: &'static Kind,
    /// In the order of [`HEADS`]; `None`: the right is not needed.
    pub held: [Option<Held>; 4],
}

pub struct Rights {
    pub rows: Vec<Row>,
    /// Whether the login may create and bind roles with rights that it does not have itself.
    pub grants_any: bool,
}

impl Rights {
    /// Asks for all rights. `namespace` is the kubeconfig's; blank if it names none.
    pub async fn of(cluster: &Cluster, namespace: &str) -> Result<Self, Answered> {
        let mut asked: Vec<Right> = Vec::new();
        for kind in MADE {
            asked.extend(VERBS.map(|verb| (verb, kind)));
        }
        asked.push(("list", &kinds::POD));
        asked.extend(["escalate", "bind"].map(|verb| (verb, &kinds::CLUSTER_ROLE)));
        let waiting: Vec<_> = asked.into_iter().map(|right| held(cluster, namespace, right)).collect();
        let held: Vec<Held> = stream::iter(waiting).buffered(AT_ONCE).try_collect().await?;
        let (objects, others) = held.split_at(MADE.len() * VERBS.len());
        let rows = MADE.into_iter().zip(objects.chunks(VERBS.len()));
        let mut rows: Vec<Row> =
            rows.map(|(kind, held)| Row { kind, held: std::array::from_fn(|at| held.get(at).copied()) }).collect();
        rows.push(Row { kind: &kinds::POD, held: [None, None, others.first().copied(), None] });
        let grants_any = others.iter().skip(1).all(|held| *held == Held::Everywhere);
        Ok(Self { rows, grants_any })
    }

    /// Whether the login has every right that a deployment may need.
    pub fn suffice_everywhere(&self) -> bool {
        self.rows.iter().flat_map(|row| row.held).flatten().all(|held| held == Held::Everywhere)
    }

    /// Whether the login can deploy to an existing namespace, without a ClusterRole for the agent.
    pub fn suffice_there(&self) -> bool {
        self.rows.iter().all(|row| match row.kind.kind {
            "Namespace" => matches!(row.held, [.., Some(Held::Everywhere | Held::There), _]),
            "ClusterRole" | "ClusterRoleBinding" => true,
            _ => row.held.iter().flatten().all(|held| *held != Held::No),
        })
    }

    /// Whether some rights apply only in the kubeconfig's namespace.
    pub fn needs_namespace(&self) -> bool {
        self.rows.iter().flat_map(|row| row.held).flatten().any(|held| held == Held::There)
    }

    /// The table that the test shows.
    pub fn table(&self) -> Vec<Vec<String>> {
        let cell = |held: &Option<Held>| match held {
            None => "–",
            Some(Held::Everywhere) => "Yes",
            Some(Held::There) => "In namespace",
            Some(Held::No) => "No",
        };
        let cells =
            |row: &Row| std::iter::once(row.kind.kind).chain(row.held.iter().map(cell)).map(str::to_owned).collect();
        self.rows.iter().map(cells).collect()
    }
}

/// Asks about the namespace only if the login does not have the right in all namespaces.
async fn held(cluster: &Cluster, namespace: &str, (verb, kind): Right) -> Result<Held, Answered> {
    if cluster.may(verb, kind, "").await? {
        return Ok(Held::Everywhere);
    }
    // A Role can grant `get` on its own namespace.
    let can_be_there = kind.is_namespaced || (*kind == kinds::NAMESPACE && verb == "get");
    let is_there = can_be_there && !namespace.is_empty() && cluster.may(verb, kind, namespace).await?;
    Ok(if is_there { Held::There } else { Held::No })
}
