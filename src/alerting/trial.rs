//! *Send test alert*: one message that says that it is a test, through a channel as it is saved or as it stands on the
//! form. Of a saved channel the outcome is kept among its deliveries.

use uuid::Uuid;

use super::lane::{self, Call};
use crate::connection_test::{self, Draft};
use crate::form::Values;
use crate::integrations::Spec;
use crate::integrations::alerts::{self, Channel, Failure, test_message};
use crate::models::events::Actor;
use crate::models::{self, DbError, IntegrationId, deliveries, integrations, recipients};
use crate::services::Services;

/// Sends a test message through a channel as it stands on a form, or as it is saved; the inner error is a sentence for
/// the person at the form.
pub async fn send(
    services: &Services,
    actor: Actor,
    channel: &'static Channel,
    draft: &Draft<'_>,
) -> Result<Result<(), Failure>, DbError> {
    let why = format!("for a test alert through {} to {}", draft.name, draft.host);
    let credential = match connection_test::open(services, actor, draft, why).await? {
        Ok(credential) => credential,
        Err(sentence) => return Ok(Err(Failure::never(sentence))),
    };
    let now = services.db.run(models::clock).await?;
    let message = test_message(Uuid::now_v7(), now, &services.public_url);
    let call = Call {
        channel,
        settings: draft.settings,
        credential: credential.as_ref(),
        name: draft.name,
        message: &message,
        letter: None,
        go_ahead: None,
        repeated: false,
        limit: alerts::CALL,
    };
    Ok(lane::call(services, call).await.map(drop))
}

/// What came of pressing the button on a channel's page.
pub enum Tried {
    /// It is written down among the deliveries.
    Done,
    /// So many mails are on their way.
    Queued,
    /// Nobody to send it to.
    Nobody,
    /// It is switched off.
    Off,
    /// Not a channel, or only to another release.
    Unknown,
}

/// Sends a test through a saved channel and keeps the outcome.
pub async fn saved(services: &Services, actor: Actor, id: IntegrationId) -> Result<Tried, DbError> {
    let vault = services.vault.clone();
    let row = services.db.run(move |conn| integrations::find(conn, &vault, id)).await?.trust()?;
    let settings = Values::from_json(row.settings.as_bytes());
    let (Some(spec), Some(settings)) = (Spec::find(&row.version), settings) else { return Ok(Tried::Unknown) };
    let Some(channel) = spec.channel() else { return Ok(Tried::Unknown) };
    if !row.active {
        return Ok(Tried::Off);
    }
    if channel.has_recipients {
        let vault = services.vault.clone();
        let queued = services.db.transaction(move |conn| {
            let people = recipients::of(conn, &vault, id)?.into_iter().filter_map(|person| person.judged().ok());
            let people: Vec<_> = people.filter(|person| person.wants_mail()).collect();
            for person in &people {
                deliveries::queue(conn, "test", id, Some(person.id))?;
            }
            Ok::<_, DbError>(people.len())
        });
        let queued = queued.await?;
        services.wake.messages.notify_one();
        return Ok(if queued == 0 { Tried::Nobody } else { Tried::Queued });
    }
    let (credential, name, host) = (row.credential_id, row.name.as_str(), row.host.as_str());
    let draft = Draft { spec, settings: &settings, credential, name, host };
    let error = send(services, actor, channel, &draft).await?.err().map(|error| error.to_string());
    let vault = services.vault.clone();
    let kept = services.db.transaction(move |conn| deliveries::keep_test(conn, &vault, id, error.as_deref())).await;
    // The message has left, so "nothing was changed" would not be true.
    kept.map_err(|_: DbError| DbError::OutcomeUnknown)?;
    Ok(Tried::Done)
}
