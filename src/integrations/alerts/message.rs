//! A message, as every channel gets it: what happened to which alerts, and what to do about each. How it is written
//! for one service is that channel's business.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use url::Url;
use uuid::Uuid;

use crate::form::Values;

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
    /// A function runs on a runtime that its vendor supports no more, or soon will not.
    OldRuntime,
    /// An account in a cloud has old keys that are not stored here.
    OldCloudKey,
    /// A deployment has drifted from its settings, or its pods are not running as they should.
    Drift,
    /// A row is not what Strongroom saved.
    Integrity,
    /// A message could not be delivered, or a channel was switched off.
    Delivery,
    /// Somebody failed to log in too often.
    Lockout,
}

impl Trigger {
    pub const ALL: [Self; 10] = [
        Self::Stale,
        Self::Expiring,
        Self::FailedTest,
        Self::FailedScan,
        Self::OldRuntime,
        Self::OldCloudKey,
        Self::Drift,
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
            Self::OldRuntime => "old_runtime",
            Self::OldCloudKey => "old_cloud_key",
            Self::Drift => "drift",
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
            Self::OldRuntime => "Old runtime",
            Self::OldCloudKey => "Old key in the cloud",
            Self::Drift => "Drift",
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
            Self::OldRuntime => "on_old_runtime",
            Self::OldCloudKey => "on_old_cloud_key",
            Self::Drift => "on_drift",
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
    /// At least one; at most [`Channel::lines_at_once`](super::Channel::lines_at_once).
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
