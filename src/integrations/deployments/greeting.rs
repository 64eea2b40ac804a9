//! The first word with a cluster: whether it knows the login, and *Test connection*.

use reqwest::Method;
use serde::Deserialize;

use super::deployment::Deployment;
use crate::integrations::context::Context;
use crate::providers::egress::Answer;
use crate::providers::kubernetes::{Cluster, WHO};
use crate::providers::{Failure, ProviderError, Sent, calls, finding};

#[derive(Deserialize)]
struct Version {
    #[serde(rename = "gitVersion")]
    git_version: String,
}

/// What the cluster says of its version: everybody whom it knows may ask, and a login that it does not know is refused.
pub(super) async fn greet(cluster: &Cluster) -> Result<Answer, Failure> {
    cluster.send(Method::GET, "/version", None).await.map_err(|error| finding(&error, WHO).into())
}

/// Signs in. Changes nothing.
pub(super) async fn check(deployment: &dyn Deployment, cx: &Context<'_>) -> Result<Option<String>, Failure> {
    let answer = greet(&deployment.open(cx).await?).await?;
    if answer.status == 403 {
        return Ok(Some("The cluster knows the login, and keeps its version to itself.".to_owned()));
    }
    let failed = |error: ProviderError| Failure::from(finding(&error, WHO));
    let Version { git_version } = answer.accepted(Sent::Token).and_then(|answer| answer.json()).map_err(failed)?;
    let version = calls::shown(&git_version).ok_or(ProviderError::BadAnswer).map_err(failed)?;
    Ok(Some(format!("The cluster knows the login and runs Kubernetes {version}.")))
}
