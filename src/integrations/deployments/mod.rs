//! Deployments: an agent on the nodes of a Kubernetes cluster, as one DaemonSet with what it needs beside it. A way to
//! a cluster is a file with one literal of [`Spec`] that signs in, and a line in [`VERSIONS`]; everything after the
//! sign-in is the same for all of them. The desired objects are a pure function of settings, secrets and [`Mark`].

use super::spec::Spec;

mod aks;
mod clusters;
mod deployment;
mod eks;
mod fields;
mod gke;
mod greeting;
mod image;
mod kubernetes;
mod lines;
mod mark;
mod names;
mod node;
mod preview;
mod rights;
mod rules;
mod state;
mod work;

pub use clusters::{Clusters, Seen};
pub use deployment::{AGENT_SECRET, Deployment, PULL_SECRET};
pub use fields::{NAMESPACE, registry_host};
pub use mark::{Made, Mark, ObjectRef, Options};
pub use node::INVENTORY;
pub use preview::{Access, Change, ChangeKind, Conflict, Preview};
pub use rules::{Rule, of as rules};
pub use state::{Difference, Outcome, State};
pub use work::{apply, observe, preview, remove};

/// The setting that says how often the cluster is compared with what was deployed, in minutes; `off`: never. It changes
/// nothing in the cluster.
pub const DRIFT_CHECK: &str = "drift_check";

/// Every way to a cluster, in the order of the form's list.
pub static VERSIONS: &[&Spec] = &[&kubernetes::KUBERNETES, &eks::EKS, &gke::GKE, &aks::AKS];
