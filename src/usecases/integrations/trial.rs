//! *Test connection* of an integration as it was entered, and *Send test alert* of a channel as it was entered or as it
//! is saved. Of what was entered nothing is saved but what the audit trail says of it.

use std::time::Instant;

use super::destination::Found;
use super::{Checked, Entered, check, seen_row};
use crate::accounts::Role;
use crate::alerting::trial;
use crate::connection_test::{self, Draft, Outcome};
use crate::form::Values;
use crate::integrations::alerts::Channel;
use crate::models::IntegrationId;
use crate::models::events;
use crate::services::Services;
use crate::usecases::{Principal, Refusal, write};

/// What is tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trial {
    Connection,
    /// A message of a channel that says that it is a test.
    Alert,
}

/// What came of trying what was entered.
pub enum Tried {
    /// The connection works. What was found is in whole sentences.
    Connected(String),
    /// The connection does not work. Why is in whole sentences.
    NotConnected(String),
    /// The provider of that label has no call that only tests the connection.
    NoSuchCall(&'static str),
    /// The test alert was delivered.
    Delivered,
    /// The mail server answered; nobody is there to be sent a test.
    Answered { with_login: bool },
    /// The test alert was not delivered. Why is in whole sentences.
    NotDelivered(String),
}

/// Tries what was entered for a new integration, or over the version of a saved one. The destination of a secret is
/// confirmed as it is for saving.
pub async fn try_out(
    services: &Services,
    principal: &Principal,
    edited: Option<(IntegrationId, i64)>,
    entered: &Entered<'_>,
    what: Trial,
) -> Result<Tried, Refusal> {
    principal.require(Role::Operator)?;
    let row = match edited {
        Some(at) => Some(seen_row(services, at).await?),
        None => None,
    };
    let Checked { draft, found } = check(services, principal, entered, row).await?;
    let channel = draft.provider.channel();
    if what == Trial::Alert && channel.is_none() {
        return Err(Refusal::Unacceptable("Only a channel sends test alerts."));
    }
    allow(services, principal, &draft, &found).await?;
    let settings = Values::from_json(draft.settings().as_bytes()).unwrap_or_default();
    let asked = asked(&draft, &settings);
    match channel.filter(|_| what == Trial::Alert) {
        Some(channel) => test_alert(services, principal, channel, &asked).await,
        None => connection(services, principal, &asked).await,
    }
}

/// Counts the try, and records the destinations that were confirmed for it.
async fn allow(services: &Services, principal: &Principal, draft: &super::Draft, found: &Found) -> Result<(), Refusal> {
    services.checkups.take(principal.visitor().user_id, Instant::now())?;
    if found.destinations.is_empty() {
        return Ok(());
    }
    let (name, destinations) = (draft.name.clone(), found.destinations.clone());
    let record = move |conn: &mut _, vault: &_, actor: &_| {
        let mut allowed = destinations.iter().map(|one| one.allowed(None, &name));
        allowed.try_for_each(|event| events::record(conn, vault, actor, &event))
    };
    Ok(write(services, principal, record).await?)
}

/// Tries the connection of an integration that is about to be added.
pub(super) async fn connect(
    services: &Services,
    principal: &Principal,
    draft: &super::Draft,
    found: &Found,
) -> Result<Tried, Refusal> {
    allow(services, principal, draft, found).await?;
    let settings = Values::from_json(draft.settings().as_bytes()).unwrap_or_default();
    connection(services, principal, &asked(draft, &settings)).await
}

fn asked<'a>(draft: &'a super::Draft, settings: &'a Values) -> Draft<'a> {
    Draft { spec: draft.provider, settings, credential: draft.credential, name: &draft.name, host: &draft.host }
}

async fn connection(services: &Services, principal: &Principal, asked: &Draft<'_>) -> Result<Tried, Refusal> {
    Ok(match connection_test::run(services, principal.actor(), asked).await? {
        Outcome::Good(found) => Tried::Connected(found),
        Outcome::Failed(why) => Tried::NotConnected(why),
        Outcome::NoSuchCall => Tried::NoSuchCall(asked.spec.label),
    })
}

async fn test_alert(
    services: &Services,
    principal: &Principal,
    channel: &'static Channel,
    asked: &Draft<'_>,
) -> Result<Tried, Refusal> {
    Ok(match trial::send(services, principal.actor(), channel, asked).await? {
        Ok(()) if channel.has_recipients => Tried::Answered { with_login: asked.credential.is_some() },
        Ok(()) => Tried::Delivered,
        Err(error) => Tried::NotDelivered(error.to_string()),
    })
}

/// How a test of a saved channel goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TestAlert {
    /// It was tried; the outcome is among the deliveries.
    Done,
    /// It is on its way to everybody who has confirmed.
    Queued,
}

/// Sends a test through a saved channel.
pub async fn send_test(services: &Services, principal: &Principal, id: IntegrationId) -> Result<TestAlert, Refusal> {
    principal.require(Role::Operator)?;
    services.checkups.take(principal.visitor().user_id, Instant::now())?;
    match trial::saved(services, principal.actor(), id).await? {
        trial::Tried::Done => Ok(TestAlert::Done),
        trial::Tried::Queued => Ok(TestAlert::Queued),
        trial::Tried::Nobody => Err(Refusal::Conflict(
            "Nobody has confirmed their address yet. Add a recipient, and follow the link in the mail that they get.",
        )),
        trial::Tried::Off => Err(Refusal::Conflict("This channel is switched off. Switch it on to send a test.")),
        trial::Tried::Unknown => Err(crate::models::DbError::NotFound.into()),
    }
}
