//! *Test connection* of an integration as it stands on a form: opens its credential and makes the one call of its
//! provider that changes nothing and that no person sees. Nothing is saved but the opening in the audit trail.

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use futures_util::FutureExt;

use crate::echoes::Echoes;
use crate::form::Values;
use crate::integrations::Spec;
use crate::integrations::context::Context;
use crate::models::events::Actor;
use crate::models::{CredentialId, DbError, credentials};
use crate::opening::{self, Opened};
use crate::services::Services;

/// Longest that it takes, whatever the service has it wait for.
const LIMIT: Duration = Duration::from_secs(20);

/// An integration as it stands on a form.
pub struct Draft<'a> {
    pub spec: &'static Spec,
    pub settings: &'a Values,
    pub credential: Option<CredentialId>,
    pub name: &'a str,
    pub host: &'a str,
}

/// The result, in whole sentences.
pub enum Outcome {
    Good(String),
    Failed(String),
    /// The provider's protocol has no such call, or not with this credential.
    NoSuchCall,
}

/// Tests the connection.
pub async fn run(services: &Services, actor: Actor, draft: &Draft<'_>) -> Result<Outcome, DbError> {
    let Some(check) = draft.spec.check else { return Ok(Outcome::NoSuchCall) };
    let why = format!("for a test of the connection of {} to {}", draft.name, draft.host);
    let opened = match open(services, actor, draft, why).await? {
        Ok(opened) => opened,
        Err(sentence) => return Ok(Outcome::Failed(sentence)),
    };
    let main = opened.as_ref().map(Opened::secret);
    let cx = Context::new(services.outside(), draft.settings, draft.name, main);
    let work = async { check(&cx).await };
    let mut outcome = match tokio::time::timeout(LIMIT, AssertUnwindSafe(work).catch_unwind()).await {
        Ok(Ok(Ok(Some(sentence)))) => Outcome::Good(sentence),
        Ok(Ok(Ok(None))) => Outcome::NoSuchCall,
        Ok(Ok(Err(failure))) => Outcome::Failed(failure.to_string()),
        Ok(Err(_)) => {
            tracing::error!(provider = draft.spec.slug, "a connection test panicked");
            Outcome::Failed(
                "It failed by a fault of Strongroom itself. It has been logged; please report it.".to_owned(),
            )
        }
        Err(_) => Outcome::Failed(format!("{} did not answer within {} seconds.", draft.spec.label, LIMIT.as_secs())),
    };
    if let Outcome::Good(sentence) | Outcome::Failed(sentence) = &mut outcome {
        Echoes::of_opened(opened.as_ref().map(|opened| (opened.kind, &opened.values))).take_out(sentence);
    }
    Ok(outcome)
}

/// Opens the credential of a draft, if it has one. The inner error is in whole sentences.
pub async fn open(
    services: &Services,
    actor: Actor,
    draft: &Draft<'_>,
    why: String,
) -> Result<Result<Option<Opened>, String>, DbError> {
    let Some(id) = draft.credential else { return Ok(Ok(None)) };
    let vault = services.vault.clone();
    let opened = services.db.transaction(move |conn| {
        let opened = opening::open(conn, &vault, &actor, id, why.clone())?;
        credentials::touch(conn, id)?;
        Ok::<_, DbError>(opened)
    });
    Ok(match opened.await? {
        Ok(opened) if draft.spec.credential_kinds().contains(&opened.kind.slug) => Ok(Some(opened)),
        Ok(_) => Err("The credential cannot be used here. Choose another.".to_owned()),
        Err(closed) => Err(format!("The credential cannot be used: {}", closed.sentence())),
    })
}
