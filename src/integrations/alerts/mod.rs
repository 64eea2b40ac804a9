//! Alert channels: tell people, or a service of theirs, what needs attention. One channel a file, and a line in
//! [`CHANNELS`]; what raises an alert and who gets which message is decided elsewhere. A channel makes one call from a
//! finished [`Message`] and says how it went; the wire structs of a vendor are private at the bottom of its file.

use std::time::Duration;

use chrono::{DateTime, Utc};
use futures_util::future::BoxFuture;
use serde::{Deserialize, Serialize};
use url::Url;
use uuid::Uuid;

use self::email::Letter;
use super::context::Context;
use super::spec::Spec;
use crate::form::{Field, Values};

mod call;
pub mod email;
mod fields;
mod go_ahead;
pub mod ibm;
pub mod jira;
mod outcome;
pub mod pagerduty;
pub mod pubsub;
pub mod security_hub;
pub mod servicenow;
pub mod slack;
pub mod splunk;
pub mod teams;
mod test_message;
pub mod text;
pub mod webhook;
mod wire;

#[doc(hidden)]
pub use call::pause;
pub use go_ahead::{Giver, GoAhead, go_ahead};
pub use outcome::{Again, Receipt, SendError};
pub use test_message::test_message;

/// Longest that one call takes while somebody waits at a page, and usually.
pub const CALL: Duration = Duration::from_secs(40);

/// Every channel, in the order of the form's list.
pub static CHANNELS: &[&Spec] = &[
    &email::EMAIL,
    &slack::SLACK,
    &teams::TEAMS,
    &servicenow::SERVICENOW,
    &jira::JIRA,
    &pagerduty::PAGERDUTY,
    &webhook::WEBHOOK,
    &splunk::SPLUNK,
    &security_hub::SECURITY_HUB,
    &pubsub::PUBSUB,
    &ibm::IBM,
];

/// The channel of that slug; `None` for one that this release does not know.
pub fn channel(slug: &str) -> Option<&'static Channel> {
    Spec::find(slug)?.channel()
}

/// One way to reach people: `E-mail`, `Slack` …
pub struct Channel {
    /// Most lines that one call carries. What is more goes into further calls, so 1 means a call for each alert.
    pub lines_at_once: usize,
    /// Whether a message goes to people one by one: then each call carries [`Dispatch::letter`] for one of them.
    pub has_recipients: bool,
    /// Longest that one call may take in the background, whatever the channel waits for by itself.
    pub patience: Duration,
    /// Makes one call. Returning is proof: `Ok` only when the peer said that it has the whole message.
    pub send: for<'a> fn(&'a Context<'a>, Dispatch<'a>) -> BoxFuture<'a, Result<Receipt, SendError>>,
}

impl Channel {
    /// A service that gets each message in one call and passes it on by itself.
    pub const fn service(
        lines_at_once: usize,
        send: for<'a> fn(&'a Context<'a>, Dispatch<'a>) -> BoxFuture<'a, Result<Receipt, SendError>>,
    ) -> Self {
        Self { lines_at_once, has_recipients: false, patience: CALL, send }
    }
}

/// What people are told about. Closed: each has its checkbox on a profile's form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Trigger {
    /// A secret is older than its limit, or soon will be.
    Stale,
    /// A certificate, secret or token ends soon, or has ended.
    Expiring,
    FailedTest,
    FailedScan,
    /// A row is not what Strongroom saved.
    Integrity,
    /// A message could not be delivered, or a channel was switched off.
    Delivery,
    /// Somebody failed to log in too often.
    Lockout,
}

impl Trigger {
    pub const ALL: [Self; 7] = [
        Self::Stale,
        Self::Expiring,
        Self::FailedTest,
        Self::FailedScan,
        Self::Integrity,
        Self::Delivery,
        Self::Lockout,
    ];

    /// As it is stored, and as payloads name it.
    pub fn slug(self) -> &'static str {
        match self {
            Self::Stale => "stale",
            Self::Expiring => "expiring",
            Self::FailedTest => "failed_test",
            Self::FailedScan => "failed_scan",
            Self::Integrity => "integrity",
            Self::Delivery => "delivery",
            Self::Lockout => "lockout",
        }
    }

    pub fn find(slug: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|trigger| trigger.slug() == slug)
    }

    pub fn label(self) -> &'static str {
        match self {
            Self::Stale => "Old secret",
            Self::Expiring => "Expiring credential",
            Self::FailedTest => "Failed test",
            Self::FailedScan => "Failed scan",
            Self::Integrity => "Integrity error",
            Self::Delivery => "Undelivered alert",
            Self::Lockout => "Login lockout",
        }
    }

    /// Its checkbox on the form of a profile.
    pub fn field(self) -> &'static str {
        match self {
            Self::Stale => "on_stale",
            Self::Expiring => "on_expiring",
            Self::FailedTest => "on_failed_test",
            Self::FailedScan => "on_failed_scan",
            Self::Integrity => "on_integrity",
            Self::Delivery => "on_delivery",
            Self::Lockout => "on_lockout",
        }
    }

    /// Whether a profile with these settings wants to be told.
    pub fn wanted(self, settings: &Values) -> bool {
        settings.get(self.field()) == "on"
    }
}

/// The page of a profile says in one line which are ticked, and not among its settings.
const fn trigger(name: &'static str, label: &'static str) -> Field {
    Field::checkbox(name, label).default("on").after_credential().summary(|_| None)
}

/// The checkboxes that every profile ends with; all are ticked on a new form.
pub const TRIGGER_FIELDS: [Field; 7] = [
    trigger("on_stale", "Tell about old secrets"),
    trigger("on_expiring", "Tell about expiring credentials"),
    trigger("on_failed_test", "Tell about failed tests"),
    trigger("on_failed_scan", "Tell about failed scans"),
    trigger("on_integrity", "Tell about integrity errors"),
    trigger("on_delivery", "Tell about undelivered alerts"),
    trigger("on_lockout", "Tell about login lockouts"),
];

/// What happened to an alert.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// It will be raised soon: 14 or 3 days before the limit.
    Ahead,
    Raised,
    /// Still open after another week, or closer to its end.
    Reminder,
    Closed,
}

impl Event {
    pub const ALL: [Self; 4] = [Self::Ahead, Self::Raised, Self::Reminder, Self::Closed];

    pub fn slug(self) -> &'static str {
        match self {
            Self::Ahead => "ahead",
            Self::Raised => "raised",
            Self::Reminder => "reminder",
            Self::Closed => "closed",
        }
    }

    pub fn find(slug: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|event| event.slug() == slug)
    }
}

/// The four levels that PagerDuty, Security Hub and others can all express.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    Info,
    Warning,
    Error,
    Critical,
}

impl Severity {
    pub fn slug(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Error => "error",
            Self::Critical => "critical",
        }
    }
}

/// One message, as every channel gets it. It holds no secret and no whole key id; any text in it but the URLs may be
/// hostile, since people name credentials as they like: each channel neutralises it by its own rules.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Of the delivery: the same at every attempt, so that a receiver can tell a repetition.
    pub id: Uuid,
    /// When it was decided.
    pub at: DateTime<Utc>,
    /// The console, from the configured public URL.
    pub console: Url,
    /// At least one; at most [`Channel::lines_at_once`].
    pub lines: Vec<Line>,
    /// Alerts beyond the lines, on the console's Alerts page.
    pub more: u64,
    /// Sent by *Send test alert*: says so, and names no real credential.
    pub test: bool,
}

/// What is said of one alert.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// The same from its raising to its closing: the key to find an incident again by.
    pub alert: Uuid,
    pub trigger: Trigger,
    pub event: Event,
    pub severity: Severity,
    /// One sentence: `The access key of “prod-ci” is 94 days old; its limit is 90 days.`
    pub title: String,
    /// Name of the credential, integration or user.
    pub subject: String,
    /// `AWS · ID ends in 6QXA`; empty where there is nothing to add.
    pub detail: String,
    /// The subject's page.
    pub subject_url: Url,
    /// The alert's page.
    pub url: Url,
    /// When the alert was opened.
    pub since: DateTime<Utc>,
    /// Where the credential is used.
    pub usages: Vec<Usage>,
    /// Usages beyond those.
    pub more_usages: u64,
    /// What to do now, in one or two sentences.
    pub remedy: String,
    /// What this channel answered when the alert was raised there: the incident's own id.
    pub reference: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Usage {
    /// `Registry Scan`
    pub family: &'static str,
    pub name: String,
    pub url: Url,
}

/// One message on its way through a channel.
#[derive(Clone, Copy)]
pub struct Dispatch<'a> {
    pub message: &'a Message,
    /// The message as one recipient gets it, for a channel that has recipients.
    pub letter: Option<&'a Letter>,
    /// A channel that has recipients waits for it before the step that cannot be taken back; the others get none, since
    /// they are not called before.
    pub go_ahead: Option<&'a GoAhead>,
    /// An earlier attempt ended without an answer, so the peer may have the message already: look before creating.
    pub repeated: bool,
}
