//! The first word with a cluster: whether it knows the login.

use reqwest::Method;

use crate::providers::egress::Answer;
use crate::providers::kubernetes::{Cluster, WHO};
use crate::providers::{Failure, finding};

/// What the cluster says of its version: everybody whom it knows may ask, and a login that it does not know is refused.
pub(super) async fn greet(cluster: &Cluster) -> Result<Answer, Failure> {
    cluster.send(Method::GET, "/version", None).await.map_err(|error| finding(&error, WHO).into())
}
