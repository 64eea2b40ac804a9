//! *Send test alert*, on a channel's page and on its form before it is saved.

use actix_web::HttpResponse;
use actix_web::web::{Data, Path};
use std::time::Instant;
use uuid::Uuid;

use super::destination::Destination;
use super::draft::Draft;
use crate::alerting::trial::{self, Trial, Tried as Outcome};
use crate::form::Values;
use crate::integrations::Provider;
use crate::models::events::Action;
use crate::models::{DbError, events};
use crate::services::Services;
use crate::web::error::Error;
use crate::web::page;
use crate::web::posted::Posted;
use crate::web::session::{As, Operator};

/// What came of it, above the form.
pub struct Tried {
    pub tone: &'static str,
    pub text: String,
}

/// Sends a test with what stands on the form. The destination has been confirmed as it is for saving.
pub async fn on_form(
    services: &Services,
    visitor: &As<Operator>,
    draft: &Draft,
    destination: Option<Destination>,
) -> Result<Tried, Error> {
    let Provider::Channel(channel) = draft.provider else { return Err(Error::Malformed) };
    services.checkups.take(visitor.user_id, Instant::now())?;
    if let Some(destination) = destination {
        let (vault, actor, name) = (services.vault.clone(), visitor.actor(), draft.name.clone());
        let allowed = services.db.transaction(move |conn| {
            let event = destination.event(Action::IntegrationDestinationAllowed, &name);
            events::record(conn, &vault, &actor, &event)
        });
        allowed.await.map_err(|error: DbError| error)?;
    }
    let settings = Values::from_json(draft.settings().as_bytes()).unwrap_or_default();
    let (credential, name, host) = (draft.credential, draft.name.as_str(), draft.host.as_str());
    let trial = Trial { channel, settings: &settings, credential, name, host };
    Ok(match trial::send(services, visitor.actor(), &trial).await? {
        Ok(()) if channel.has_recipients() => {
            let what = if credential.is_some() { "accepted the login" } else { "answered; no login was tried" };
            let text = format!("The mail server {what}. Nothing was sent: people are added once it is saved.");
            Tried { tone: "good", text }
        }
        Ok(()) => Tried { tone: "good", text: "The test alert was delivered. Nothing is saved yet.".into() },
        Err(error) => Tried { tone: "bad", text: format!("The test alert was not delivered. {}", error.sentence) },
    })
}

/// Sends a test through a saved channel; its page says how it went.
pub async fn create(
    services: Data<Services>,
    visitor: As<Operator>,
    id: Path<Uuid>,
    posted: Posted,
) -> Result<HttpResponse, Error> {
    posted.only([])?;
    services.checkups.take(visitor.user_id, Instant::now())?;
    let page = format!("/integrations/{id}");
    match trial::saved(&services, visitor.actor(), *id).await? {
        Outcome::Done => Ok(page::see_other(&page, "")),
        Outcome::Queued => Ok(page::see_other(&page, "test-queued")),
        Outcome::Nobody => {
            let text = "Nobody has confirmed their address yet. Add a recipient, and follow the link in the mail that they get.";
            Err(Error::Conflict(text.to_owned()))
        }
        Outcome::Off => Err(Error::Conflict("This channel is switched off. Switch it on to send a test.".to_owned())),
        Outcome::Unknown => Err(Error::NotFound),
    }
}
