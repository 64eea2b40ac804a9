//! The *List clusters* button on the form of a deployment: opens the credential and asks the cloud which clusters there
//! are. Nothing is saved, but the audit trail records that the credential was opened.

use std::panic::AssertUnwindSafe;

use futures_util::FutureExt;

use super::{Draft, LIMIT, open, seconds};
use crate::echoes::Echoes;
use crate::integrations::context::Context;
use crate::integrations::deployments::Clusters;
use crate::models::DbError;
use crate::models::events::Actor;
use crate::services::Services;

/// The clusters that the credential can see. The inner error says in sentences why they could not be listed.
pub async fn run(services: &Services, actor: Actor, draft: &Draft<'_>) -> Result<Result<Clusters, String>, DbError> {
    let why = format!("to list the clusters for {}", draft.spec.label);
    let opened = match open(services, actor, draft, why).await? {
        Ok(opened) => opened,
        Err(sentence) => return Ok(Err(sentence)),
    };
    let secret = opened.as_ref().map(crate::opening::Opened::secret);
    let echoes = Echoes::of_opened(secret.map(|secret| (secret.kind, secret.values)));
    let cx = Context::new(services.outside(), draft.settings, draft.name, secret);
    let Some(asked) = draft.spec.cluster().and_then(|deployment| deployment.clusters(&cx)) else {
        return Ok(Err(format!("{} has no list of clusters.", draft.spec.label)));
    };
    let mut found = match tokio::time::timeout(LIMIT, AssertUnwindSafe(asked).catch_unwind()).await {
        Ok(Ok(found)) => found.map_err(|failure| failure.to_string()),
        Ok(Err(_)) => {
            tracing::error!(provider = draft.spec.slug, "a list of clusters panicked");
            Err("It failed by a fault of Strongroom itself. It has been logged; please report it.".to_owned())
        }
        Err(_) => Err(format!("{} did not answer within {}.", draft.spec.label, seconds(LIMIT))),
    };
    match &mut found {
        Ok(clusters) => clusters.for_each_text(|text| echoes.take_out(text)),
        Err(sentence) => echoes.take_out(sentence),
    }
    Ok(found)
}
