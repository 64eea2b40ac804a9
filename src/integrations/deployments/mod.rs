//! Deployments: an agent on the nodes of a Kubernetes cluster, as one DaemonSet with the objects it needs. A provider
//! of clusters is one file with a [`Spec`] that signs in, and a line in [`VERSIONS`]; everything after the sign-in is
//! shared. The desired objects are a pure function of settings, secrets and [`Mark`].

use super::spec::Spec;

mod access;
mod additions;
pub(in crate::integrations) mod aks;
mod apply;
mod clusters;
mod compare;
mod deployment;
mod door;
pub(in crate::integrations) mod eks;
mod faults;
mod fields;
pub(in crate::integrations) mod gke;
mod greeting;
mod image;
mod judge;
mod kubernetes;
mod lines;
mod mark;
mod names;
mod namespace;
mod node;
mod nodes;
mod objects;
mod observe;
mod parts;
mod paths;
mod pod;
mod pods;
mod preflight;
mod preview;
mod pull;
mod remove;
mod rights;
mod rollout;
mod rules;
mod secrets;
mod sight;
mod state;
mod status;
mod survey;
pub mod syncs;
mod uses;

pub use apply::apply;
pub use clusters::{Clusters, Seen};
pub use deployment::{AGENT_SECRET, Deployment, PULL_SECRET};
pub(in crate::integrations) use door::Door;
pub use faults::known_faults;
pub use fields::end;
pub use mark::{Made, Mark, ObjectRef, Options};
pub use node::INVENTORY;
pub use observe::observe;
pub use preflight::preview;
pub use preview::{Access, Change, ChangeKind, Conflict, Preview};
pub use remove::{may_make, remove};
pub use rules::{Rule, of as rules};
pub use state::{Difference, Outcome, State};

/// The setting with the minutes between two drift checks, or `off`. Changing it does not call for a new deployment,
/// since it affects nothing in the cluster.
pub const DRIFT_CHECK: &str = "drift_check";

/// The providers of clusters, in the order of the form's list.
pub static VERSIONS: &[&Spec] = &[&kubernetes::KUBERNETES, &eks::EKS, &gke::GKE, &aks::AKS];
