//! What came of *Test connection* and *Send test alert* on the form of an integration, and *Send test alert* on a
//! channel's page.

use actix_web::HttpResponse;
use actix_web::web::{Data, Path};

use crate::models::IntegrationId;
use crate::services::Services;
use crate::usecases::integrations::{self, TestAlert, Tried};
use crate::web::error::Error;
use crate::web::page;
use crate::web::posted::Posted;
use crate::web::session::{As, Operator};

/// What came of a trial, above the form.
pub struct Shown {
    pub tone: &'static str,
    pub text: String,
}

impl Shown {
    pub fn new(tried: Tried) -> Self {
        let (tone, text) = match tried {
            Tried::Connected(found) => ("good", format!("The connection works. {found} Nothing is saved yet.")),
            Tried::NotConnected(why) => ("bad", format!("The connection does not work. {why}")),
            Tried::NoSuchCall(label) => {
                ("info", format!("{label} has no call that only tests this connection. Send a test alert."))
            }
            Tried::Delivered => ("good", "The test alert was delivered. Nothing is saved yet.".to_owned()),
            Tried::Answered { with_login } => {
                let what = if with_login { "accepted the login" } else { "answered; no login was tried" };
                let text = format!("The mail server {what}. Nothing was sent: people are added once it is saved.");
                ("good", text)
            }
            Tried::NotDelivered(why) => ("bad", format!("The test alert was not delivered. {why}")),
        };
        Self { tone, text }
    }

    /// A store that was to be added.
    pub fn not_saved(why: &str) -> Self {
        Self { tone: "bad", text: format!("Not added, since the connection doesn't work. {why}") }
    }
}

/// Sends a test through a saved channel; its page says how it went.
pub async fn create(
    services: Data<Services>,
    visitor: As<Operator>,
    id: Path<IntegrationId>,
    posted: Posted,
) -> Result<HttpResponse, Error> {
    posted.only([])?;
    let word = match integrations::send_test(&services, &visitor.principal(), *id).await? {
        TestAlert::Done => "",
        TestAlert::Queued => "test-queued",
    };
    Ok(page::see_other(&format!("/integrations/{id}"), word))
}
