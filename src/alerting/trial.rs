//! *Send test alert*: one message that says that it is a test, through a channel as it is saved or as it stands on the
//! form. Of a saved channel the outcome is kept among its deliveries.

use uuid::Uuid;

use super::lane::{self, Call};
use crate::form::Values;
use crate::integrations::alerts::{self, Channel, SendError, test_message};
use crate::models::events::Actor;
use crate::models::{self, DbError, credentials, deliveries, integrations, recipients};
use crate::opening;
use crate::services::Services;

/// A channel as it stands on a form, or as it is saved.
pub struct Trial<'a> {
    pub channel: &'static dyn Channel,
    pub settings: &'a Values,
    pub credential: Option<Uuid>,
    pub name: &'a str,
    pub host: &'a str,
}

/// Sends a test message; the inner error is a sentence for the person at the form.
pub async fn send(services: &Services, actor: Actor, trial: &Trial<'_>) -> Result<Result<(), SendError>, DbError> {
    let credential = match trial.credential {
        None => None,
        Some(id) => {
            let (vault, why) =
                (services.vault.clone(), format!("for a test alert through {} to {}", trial.name, trial.host));
            let opened = services.db.transaction(move |conn| {
                let opened = opening::open(conn, &vault, &actor, id, why.clone())?;
                credentials::touch(conn, id)?;
                Ok::<_, DbError>(opened)
            });
            match opened.await? {
                Ok(opened) if trial.channel.credential_kinds().contains(&opened.kind.slug) => Some(opened),
                Ok(_) => return Ok(Err(SendError::never("The credential cannot be used here. Choose another."))),
                Err(closed) => {
                    return Ok(Err(SendError::never(format!("The credential cannot be used: {}", closed.sentence()))));
                }
            }
        }
    };
    let now = services.db.run(models::clock).await?;
    let message = test_message(Uuid::now_v7(), now, &services.public_url);
    let call = Call {
        channel: trial.channel,
        settings: trial.settings,
        credential: credential.as_ref(),
        name: trial.name,
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
pub async fn saved(services: &Services, actor: Actor, id: Uuid) -> Result<Tried, DbError> {
    let vault = services.vault.clone();
    let row = services.db.run(move |conn| integrations::find(conn, &vault, id)).await?.trust()?;
    let settings = Values::from_json(row.settings.as_bytes());
    let (Some(channel), Some(settings)) = (alerts::channel(&row.version), settings) else { return Ok(Tried::Unknown) };
    if !row.active {
        return Ok(Tried::Off);
    }
    if channel.has_recipients() {
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
    let trial = Trial { channel, settings: &settings, credential: row.credential_id, name: &row.name, host: &row.host };
    let error = send(services, actor, &trial).await?.err().map(|error| error.sentence);
    let vault = services.vault.clone();
    let kept = services.db.transaction(move |conn| deliveries::keep_test(conn, &vault, id, error.as_deref())).await;
    // The message has left, so "nothing was changed" would not be true.
    kept.map_err(|_: DbError| DbError::OutcomeUnknown)?;
    Ok(Tried::Done)
}
