//! What a way to a cluster has to offer: the sign-in. And the roles of the credentials beside it.

use futures_util::future::BoxFuture;

use super::clusters::Clusters;
use crate::integrations::context::Context;
use crate::providers::Failure;
use crate::providers::kubernetes::Cluster;

/// Role of the credential that the nodes pull the image with.
pub const PULL_SECRET: &str = "pull_secret";
/// Role of the credential that the agent gets.
pub const AGENT_SECRET: &str = "agent_secret";

/// Signs in to the cluster that the settings name.
pub trait Deployment: Sync {
    fn open<'a>(&'a self, cx: &'a Context<'a>) -> BoxFuture<'a, Result<Cluster, Failure>>;

    /// The clusters that the credential can see, to choose one from; the settings may lack all that is no part of how
    /// it signs in. `None` where a credential is of one cluster.
    fn clusters<'a>(&'a self, _cx: &'a Context<'a>) -> Option<BoxFuture<'a, Result<Clusters, Failure>>> {
        None
    }
}
