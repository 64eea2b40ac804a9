//! *Test connection* on the form of an integration, and *Send test alert* on a channel's page and on its form.

use actix_web::HttpResponse;
use actix_web::web::{Data, Path};
use std::time::Instant;
use uuid::Uuid;

use super::destination::Destination;
use super::draft::Draft;
use crate::alerting::trial::{self, Tried as Outcome};
use crate::connection_test::{self, Outcome as Connection};
use crate::form::Values;
use crate::integrations::alerts::Channel;
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

/// The buttons of a form that try what stands on it: the values of its field `try`.
pub const CONNECTION: &str = "connection";

/// Tries what stands on the form: tests the connection, or sends a test alert. The destination has been confirmed as it
/// is for saving.
pub async fn on_form(
    services: &Services,
    visitor: &As<Operator>,
    draft: &Draft,
    destination: Option<Destination>,
    button: &str,
) -> Result<Tried, Error> {
    let channel = draft.provider.channel();
    if button != CONNECTION && channel.is_none() {
        return Err(Error::Malformed);
    }
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
    let asked = connection_test::Draft {
        spec: draft.provider,
        settings: &settings,
        credential: draft.credential,
        name: &draft.name,
        host: &draft.host,
    };
    match channel.filter(|_| button != CONNECTION) {
        Some(channel) => test_alert(services, visitor, channel, &asked).await,
        None => connection(services, visitor, &asked).await,
    }
}

async fn connection(
    services: &Services,
    visitor: &As<Operator>,
    asked: &connection_test::Draft<'_>,
) -> Result<Tried, Error> {
    let (tone, text) = match connection_test::run(services, visitor.actor(), asked).await? {
        Connection::Good(found) => ("good", format!("The connection works. {found} Nothing is saved yet.")),
        Connection::Failed(why) => ("bad", format!("The connection does not work. {why}")),
        Connection::NoSuchCall => {
            let text = format!("{} has no call that only tests this connection. Send a test alert.", asked.spec.label);
            ("info", text)
        }
    };
    Ok(Tried { tone, text })
}

async fn test_alert(
    services: &Services,
    visitor: &As<Operator>,
    channel: &'static Channel,
    asked: &connection_test::Draft<'_>,
) -> Result<Tried, Error> {
    Ok(match trial::send(services, visitor.actor(), channel, asked).await? {
        Ok(()) if channel.has_recipients => {
            let what = if asked.credential.is_some() { "accepted the login" } else { "answered; no login was tried" };
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
