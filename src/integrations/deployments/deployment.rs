//! The trait that each provider of clusters implements: it signs in. Also the roles of the other credentials.

use futures_util::future::BoxFuture;

use super::clusters::Clusters;
use crate::integrations::context::Context;
use crate::providers::Failure;
use crate::providers::kubernetes::Cluster;

/// Role of the credential with which the nodes pull the image.
pub const PULL_SECRET: &str = "pull_secret";
/// Role of the credential that is given to the agent.
pub const AGENT_SECRET: &str = "agent_secret";

/// Signs in to the cluster that the settings name.
pub trait Deployment: Sync {
    fn open<'a>(&'a self, cx: &'a Context<'a>) -> BoxFuture<'a, Result<Cluster, Failure>>;

    /// Lists the clusters that the credential can see. Only the settings that signing in needs have to be filled in.
    /// `None` if a credential belongs to a single cluster.
    fn clusters<'a>(&'a self, _cx: &'a Context<'a>) -> Option<BoxFuture<'a, Result<Clusters, Failure>>> {
        None
    }
}
