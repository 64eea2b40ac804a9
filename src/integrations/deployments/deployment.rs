//! What a way to a cluster has to offer: the sign-in, and the credentials that every deployment may have beside it.

use futures_util::future::BoxFuture;

use super::clusters::Clusters;
use crate::integrations::context::Context;
use crate::integrations::spec::Use;
use crate::providers::Failure;
use crate::providers::kubernetes::Cluster;

/// Role of the credential that the nodes pull the image with.
pub const PULL_SECRET: &str = "pull_secret";
/// Role of the credential that the agent gets.
pub const AGENT_SECRET: &str = "agent_secret";

/// Signs in to the cluster that the settings name.
pub trait Deployment: Sync {
    fn open<'a>(&'a self, cx: &'a Context<'a>) -> BoxFuture<'a, Result<Cluster, Failure>>;

    /// The clusters that the credential can see, to choose one from; the settings may lack all that is no part of how it
    /// signs in. `None` where a credential is of one cluster.
    fn clusters<'a>(&'a self, _cx: &'a Context<'a>) -> Option<BoxFuture<'a, Result<Clusters, Failure>>> {
        None
    }
}

/// The two credentials that go out to the cluster, where its administrators can read them. Amazon ECR is not among the
/// registries: its logins end after 12 hours.
pub(super) const PULL: Use = Use {
    role: PULL_SECRET,
    label: "Pull secret",
    kinds: &["basic", "gitlab_token", "github_token", "gcp", "azure", "ibm_cloud"],
    required: false,
};
pub(super) const AGENT: Use =
    Use { role: AGENT_SECRET, label: "Agent secret", kinds: &["api_token", "basic", "certificate"], required: false };
