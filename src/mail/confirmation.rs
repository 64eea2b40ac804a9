//! The mail that asks a new recipient whether they want the others. Nothing else is sent before they say so.

use askama::Template;
use chrono::{DateTime, Utc};
use url::Url;
use uuid::Uuid;

use super::words::{date, name};
use crate::integrations::alerts::Trigger;
use crate::integrations::alerts::email::{Letter, host};

/// Who asks whom for what.
pub struct Confirmation<'a> {
    /// Of the delivery.
    pub id: Uuid,
    pub at: DateTime<Utc>,
    pub to: &'a str,
    /// The profile's name.
    pub profile: &'a str,
    /// Who added the recipient.
    pub by: &'a str,
    pub triggers: &'a [Trigger],
    pub console: &'a Url,
    /// Where the recipient says yes.
    pub link: &'a Url,
    /// When the link ends.
    pub until: DateTime<Utc>,
}

#[derive(Template)]
#[template(path = "mail/confirmation.html")]
struct Page<'a>(&'a Shown<'a>);

#[derive(Template)]
#[template(path = "mail/confirmation.txt", escape = "none")]
struct Text<'a>(&'a Shown<'a>);

struct Shown<'a> {
    profile: String,
    by: String,
    host: String,
    triggers: Vec<&'static str>,
    to: &'a str,
    console: &'a Url,
    link: &'a Url,
    until: String,
}

pub fn confirmation(asked: &Confirmation<'_>) -> Result<Letter, askama::Error> {
    let host = host(asked.console);
    let shown = Shown {
        profile: name(asked.profile),
        by: name(asked.by),
        host: host.clone(),
        triggers: asked.triggers.iter().map(|trigger| trigger.label()).collect(),
        to: asked.to,
        console: asked.console,
        link: asked.link,
        until: date(asked.until),
    };
    Ok(Letter {
        id: asked.id,
        at: asked.at,
        to: asked.to.to_owned(),
        subject: format!("Confirm that you want alerts from {host}"),
        text: Text(&shown).render()?,
        html: Page(&shown).render()?,
        host,
        unsubscribe: None,
    })
}
