//! Letters, from what is said in them to what a mail server and a mail program make of them. Everything here runs from
//! values alone; the outbox and the recipients are in `outbox` and `recipients`.

use chrono::{DateTime, TimeDelta, Utc};
use strongroom::credentials;
use strongroom::form::Values;
use strongroom::integrations::alerts::email::{Connections, EMAIL, Letter, Limits};
use strongroom::integrations::alerts::{
    Dispatch, Event, Failure, GoAhead, Line, Message, Receipt, Severity, Trigger, Usage,
};
use strongroom::integrations::context::{Context, Outside, Secret};
use strongroom::mail;
use strongroom::providers::egress::Egress;
use strongroom::providers::endpoints::Endpoints;
use strongroom::providers::tokens::Stored;
use url::Url;
use uuid::Uuid;

use crate::support::outside::World;
use crate::support::peers::smtp::{MailServer, PASSWORD, USER};

mod addresses;
mod connections;
mod hostile;
mod letters;
mod look;
mod oauth;
mod refusals;
mod relays;
mod servers;

pub const CONSOLE: &str = "https://console.example.com/";

pub fn now() -> DateTime<Utc> {
    "2026-11-22T06:00:00Z".parse().unwrap()
}

pub fn page(path: &str) -> Url {
    Url::parse(CONSOLE).unwrap().join(path).unwrap()
}

/// A stale key of that name.
pub fn stale(name: &str) -> Line {
    let (alert, credential) = (Uuid::new_v4(), Uuid::new_v4());
    Line {
        alert,
        trigger: Trigger::Stale,
        event: Event::Raised,
        severity: Severity::Warning,
        title: format!("The access key of “{name}” is 94 days old; its limit is 90 days."),
        subject: name.to_owned(),
        detail: "AWS · ID ends in 6QXA".to_owned(),
        subject_url: page(&format!("credentials/{credential}")),
        url: page(&format!("alerts/{alert}")),
        since: now() - TimeDelta::days(4),
        usages: vec![Usage {
            family: "Registry Scan",
            name: format!("scan of {name}"),
            url: page(&format!("integrations/{}", Uuid::new_v4())),
        }],
        more_usages: 0,
        remedy: "Make a new access key in IAM, store it here, then delete the old one in IAM.".to_owned(),
        reference: None,
    }
}

pub fn message(lines: Vec<Line>) -> Message {
    Message { id: Uuid::new_v4(), at: now(), console: page(""), lines, more: 0, test: false }
}

pub fn unsubscribe() -> Url {
    page(&format!("recipients/unsubscribe/{}/{}", Uuid::nil(), "0123456789abcdef".repeat(4)))
}

/// Heads of the audit trail, as a mail has them.
pub const ANCHORS: &str = "3:120:9f86d081884c7d65";

/// The digest as one recipient gets it.
pub fn letter(to: &str, message: &Message) -> Letter {
    mail::digest(to, "On call", message, Some(&unsubscribe()), ANCHORS).unwrap()
}

pub fn loopback() -> Egress {
    Egress::new(vec!["127.0.0.0/8".parse().unwrap(), "::1/128".parse().unwrap()])
}

/// Who sends, how, and with what login.
pub struct Sender {
    pub settings: Values,
    pub login: Option<Values>,
    /// Of the login.
    pub kind: &'static str,
    pub endpoints: Endpoints,
    /// The console's address.
    pub console: Url,
    pub stored: Option<(Uuid, i32)>,
    pub egress: Egress,
    pub smtp: Connections,
}

impl Sender {
    /// To a server, with the login that it wants.
    pub fn to(server: &MailServer) -> Self {
        let login = [("username", USER), ("password", PASSWORD)].into_iter().collect();
        Self { login: Some(login), stored: Some((Uuid::new_v4(), 1)), ..Self::without_login(server) }
    }

    pub fn without_login(server: &MailServer) -> Self {
        let (settings, smtp) = (server.settings(), Connections::default());
        let (endpoints, console) = (Endpoints::default(), page(""));
        Self { settings, login: None, kind: "basic", endpoints, console, stored: None, egress: loopback(), smtp }
    }

    pub async fn send(&self, letter: &Letter) -> Result<Receipt, Failure> {
        self.hand(Some(letter), &message(vec![stale("prod-ci")]), None).await
    }

    async fn hand(
        &self,
        letter: Option<&Letter>,
        message: &Message,
        go_ahead: Option<&GoAhead>,
    ) -> Result<Receipt, Failure> {
        let message = &Message { console: self.console.clone(), ..message.clone() };
        let world = World::new(self.egress.clone(), self.endpoints.clone());
        let outside = Outside { smtp: &self.smtp, ..world.outside() };
        let stored = self.stored.map(|(credential, secret_version)| Stored { credential, secret_version });
        let kind = credentials::find(self.kind).unwrap();
        let secret = self.login.as_ref().map(|values| Secret { kind, values, stored });
        let cx = Context::new(outside, &self.settings, "On call", secret);
        (EMAIL.channel().unwrap().send)(&cx, Dispatch { message, letter, go_ahead, repeated: false }).await
    }

    /// A test of a profile that is not saved yet.
    pub async fn knock(&self) -> Result<Receipt, Failure> {
        let mut message = message(vec![stale("prod-ci")]);
        message.test = true;
        self.hand(None, &message, None).await
    }

    /// A letter about one key to that address, once that is allowed.
    pub async fn write_after(&self, to: &str, go_ahead: &GoAhead) -> Result<Receipt, Failure> {
        let message = message(vec![stale("prod-ci")]);
        self.hand(Some(&letter(to, &message)), &message, Some(go_ahead)).await
    }

    /// A letter about one key to that address.
    pub async fn write(&self, to: &str) -> Result<Receipt, Failure> {
        self.send(&letter(to, &message(vec![stale("prod-ci")]))).await
    }
}
