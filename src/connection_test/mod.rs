//! *Test connection* of an integration as it stands on a form: opens its credential and makes the one call of its
//! provider that changes nothing and that no person sees. Nothing is saved but the opening in the audit trail. A secret
//! that is at hand is tried on the integrations that use it in [`usages`].

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use futures_util::FutureExt;

use crate::echoes::Echoes;
use crate::form::Values;
use crate::integrations::Spec;
use crate::integrations::context::{Context, Secret};
use crate::models::events::Actor;
use crate::models::{CredentialId, DbError, credentials};
use crate::opening::{self, Opened};
use crate::services::Services;

pub mod clusters;
pub mod usages;

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
    if draft.spec.check.is_none() {
        return Ok(Outcome::NoSuchCall);
    }
    let why = format!("for a test of the connection of {} to {}", draft.name, draft.host);
    let opened = match open(services, actor, draft, why).await? {
        Ok(opened) => opened,
        Err(sentence) => return Ok(Outcome::Failed(sentence)),
    };
    let call = Call { spec: draft.spec, settings: draft.settings, name: draft.name };
    Ok(call.make(services, opened.as_ref().map(Opened::secret), LIMIT).await)
}

/// The integration whose connection is tested. The secret comes separately.
struct Call<'a> {
    spec: &'static Spec,
    settings: &'a Values,
    /// Name of the integration.
    name: &'a str,
}

impl Call<'_> {
    /// Makes it, for at most `limit`. What the service sends back of the secret is taken out.
    async fn make(&self, services: &Services, secret: Option<Secret<'_>>, limit: Duration) -> Outcome {
        let Some(check) = self.spec.check else { return Outcome::NoSuchCall };
        let cx = Context::new(services.outside(), self.settings, self.name, secret);
        let work = async { check(&cx).await };
        let mut outcome = match tokio::time::timeout(limit, AssertUnwindSafe(work).catch_unwind()).await {
            Ok(Ok(Ok(Some(sentence)))) => Outcome::Good(sentence),
            Ok(Ok(Ok(None))) => Outcome::NoSuchCall,
            Ok(Ok(Err(failure))) => Outcome::Failed(failure.to_string()),
            Ok(Err(_)) => {
                tracing::error!(provider = self.spec.slug, "a connection test panicked");
                Outcome::Failed(
                    "It failed by a fault of Strongroom itself. It has been logged; please report it.".to_owned(),
                )
            }
            Err(_) => Outcome::Failed(format!("{} did not answer within {}.", self.spec.label, seconds(limit))),
        };
        if let Outcome::Good(sentence) | Outcome::Failed(sentence) = &mut outcome {
            Echoes::of_opened(secret.map(|secret| (secret.kind, secret.values))).take_out(sentence);
        }
        outcome
    }
}

/// `1 second`, `20 seconds`; begun ones count whole.
fn seconds(limit: Duration) -> String {
    match limit.as_millis().div_ceil(1_000) {
        1 => "1 second".to_owned(),
        seconds => format!("{seconds} seconds"),
    }
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
