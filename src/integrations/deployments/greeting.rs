//! The first request to a cluster: it shows whether the cluster knows the login.

use reqwest::Method;

use crate::providers::egress::Answer;
use crate::providers::kubernetes::{Cluster, WHO};
use crate::providers::{Failure, finding};

/// Reads the cluster's version. Any login that the cluster knows may do that; an unknown one is refused with 401.
pub(super) async fn greet(cluster: &Cluster) -> Result<Answer, Failure> {
    cluster.send(Method::GET, "/version", None).await.map_err(|error| finding(&error, WHO).into())
}
