//! What a login may do in a cluster, asked of the cluster itself: the rights that a deployment needs, in all namespaces
//! or in the one that the kubeconfig names. Nothing is created.

use futures_util::stream::{self, StreamExt as _, TryStreamExt as _};

use super::kinds::{self, Kind, MADE};
use super::{Answered, Cluster};

/// Server-side apply is a patch, and needs `create` as well where there is no object yet.
const VERBS: [&str; 4] = ["create", "patch", "get", "delete"];
pub const HEADS: [&str; 5] = ["Resource", "Create", "Change", "Read", "Delete"];
/// Reviews under way at once.
const AT_ONCE: usize = 8;

type Right = (&'static str, &'static Kind);

/// A right, and where the login has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Held {
    Everywhere,
    /// In the kubeconfig's namespace only.
    There,
    No,
}

/// A kind of object, and what may be done with it.
pub struct Row {
    pub kind: &'static Kind,
    /// In the order of [`HEADS`]; `None`: not needed.
    pub held: [Option<Held>; 4],
}

pub struct Rights {
    pub rows: Vec<Row>,
    /// Whether the login may put rights into a role that it does not have itself, and bind such a role.
    pub grants_any: bool,
}

impl Rights {
    /// A blank namespace is not asked for by itself.
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

    /// All that any deployment needs.
    pub fn suffice_everywhere(&self) -> bool {
        self.rows.iter().flat_map(|row| row.held).flatten().all(|held| held == Held::Everywhere)
    }

    /// All that a deployment needs in a namespace that is there, without a cluster role of its own.
    pub fn suffice_there(&self) -> bool {
        self.rows.iter().all(|row| match row.kind.kind {
            "Namespace" => matches!(row.held, [.., Some(Held::Everywhere | Held::There), _]),
            "ClusterRole" | "ClusterRoleBinding" => true,
            _ => row.held.iter().flatten().all(|held| *held != Held::No),
        })
    }

    /// Whether some of them are held in the kubeconfig's namespace only.
    pub fn needs_namespace(&self) -> bool {
        self.rows.iter().flat_map(|row| row.held).flatten().any(|held| held == Held::There)
    }

    /// As the test shows it.
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

/// Asks for the namespace only where the login may not do it in all of them.
async fn held(cluster: &Cluster, namespace: &str, (verb, kind): Right) -> Result<Held, Answered> {
    if cluster.may(verb, kind, "").await? {
        return Ok(Held::Everywhere);
    }
    // A role in a namespace may read the namespace itself.
    let can_be_there = kind.is_namespaced || (*kind == kinds::NAMESPACE && verb == "get");
    let is_there = can_be_there && !namespace.is_empty() && cluster.may(verb, kind, namespace).await?;
    Ok(if is_there { Held::There } else { Held::No })
}
