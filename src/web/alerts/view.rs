//! How an alert, a message about it and a channel look on a page. The sentences are those of `alerting::words`, so that
//! a page says what the messages say.

use chrono::{DateTime, Utc};

use crate::alerting::words::{self, Said};
use crate::credentials;
use crate::integrations::Spec;
use crate::integrations::alerts::{Event, Trigger};
use crate::models::alerts::{Line, RAISED};
use crate::models::deliveries::DeliveryState;
use crate::models::delivery_list::Shown;
use crate::models::store_health::Verified;
use crate::models::{AlertId, DeliveryId, times};
use crate::web::credentials::view::{Badge, date};
use crate::web::integrations::shown;
use crate::web::page::{When, when};

/// An alert as lists and its own page show it.
pub struct AlertView {
    pub id: AlertId,
    pub title: String,
    pub icon: &'static str,
    pub badge: Badge,
    /// `Old secret`
    pub what: &'static str,
    /// `AWS · ID ends in 6QXA`; may be empty.
    pub detail: String,
    pub opened: When,
    pub usages: i32,
    pub acknowledged_by: Option<String>,
    /// Until when no reminders are sent.
    pub quiet: Option<When>,
    pub closed: Option<When>,
    /// Messages about it: handed over, waiting, parked.
    pub sent: i64,
    pub waiting: i64,
    pub parked: i64,
}

impl AlertView {
    pub fn new(line: &Line, now: DateTime<Utc>) -> Self {
        let trigger = Trigger::find(&line.trigger);
        let said = said(line, now);
        let open = line.closed_at.is_none();
        Self {
            id: line.id,
            // What a later release raises still has a subject.
            title: said.map_or_else(|| line.subject_name.clone(), |said| words::title(&said)),
            icon: trigger.map_or("bell", icon),
            badge: if open { severity(line) } else { ("neutral", "Closed") },
            what: trigger.map_or("Alert", Trigger::label),
            detail: words::detail(&line.kind, &line.identity),
            opened: when(line.opened_at, now),
            usages: line.usages,
            acknowledged_by: line.acknowledged_by.clone().filter(|_| open),
            quiet: line.snoozed_until.filter(|until| open && *until > now).map(date),
            closed: line.closed_at.map(|at| when(at, now)),
            sent: line.sent,
            waiting: line.waiting,
            parked: line.parked,
        }
    }

    pub fn lines(lines: &[Line], now: DateTime<Utc>) -> Vec<Self> {
        lines.iter().map(|line| Self::new(line, now)).collect()
    }

    /// Whether anybody was told, or will be.
    pub fn is_told(&self) -> bool {
        self.sent + self.waiting + self.parked > 0
    }
}

/// What an alert says today: the age of a week ago is not true any more. `None` for a trigger of a later release.
pub fn said(line: &Line, now: DateTime<Utc>) -> Option<Said<'_>> {
    let trigger = Trigger::find(&line.trigger)?;
    let whole = |days: i64| i32::try_from(days).unwrap_or(i32::MAX);
    let days = match (trigger, line.aged_from, line.expires_at) {
        (Trigger::Stale, Some(at), _) => whole(times::days_since(at, now)),
        (Trigger::Expiring, _, Some(at)) => whole(times::days_left(at, now)),
        _ => line.days,
    };
    let (event, words) = match &line.closed_why {
        Some(why) => (Event::Closed, why.as_str()),
        None => (Event::find(&line.event)?, line.words.as_str()),
    };
    let subject = line.subject_name.as_str();
    Some(Said { trigger, event, subject, kind: &line.kind, days, of_days: line.of_days, words })
}

pub fn icon(trigger: Trigger) -> &'static str {
    match trigger {
        Trigger::Stale => "clock",
        Trigger::Expiring => "certificate",
        Trigger::FailedTest => "key",
        Trigger::FailedScan => "scan",
        Trigger::OldRuntime => "clock",
        Trigger::OldCloudKey => "cloud",
        Trigger::Drift => "box",
        Trigger::Integrity => "shield",
        Trigger::Delivery => "bell",
        Trigger::Lockout => "lock",
    }
}

/// How bad an open alert is.
pub fn severity(line: &Line) -> Badge {
    match line.severity {
        _ if line.stage < RAISED => ("neutral", "Soon"),
        ..=1 => ("bad", "Critical"),
        2 => ("bad", "High"),
        _ => ("warn", "Medium"),
    }
}

/// The page of what an alert is about, while there is one.
pub fn subject_page(line: &Line) -> Option<String> {
    let trigger = Trigger::find(&line.trigger)?;
    let there = line.there || matches!(line.subject_kind.as_str(), "user" | "store");
    there.then(|| format!("/{}", words::place(trigger, &line.subject_kind, line.subject_id)))
}

/// A message as pages list it.
pub struct DeliveryView {
    pub id: DeliveryId,
    /// `3 alerts`, or the other things that a message can be.
    pub what: String,
    pub channel: String,
    pub channel_page: String,
    /// `Slack`, with the address where a person is written to.
    pub to: String,
    pub state: Badge,
    pub at: When,
    pub attempts: i32,
    /// Why the last try failed.
    pub error: Option<String>,
    /// When it is tried, if it waits for its time.
    pub next: Option<When>,
    /// Waits for a person.
    pub parked: bool,
    /// Alerts that it tells of.
    pub alerts: i64,
}

impl DeliveryView {
    pub fn new(listed: Shown, now: DateTime<Utc>) -> Self {
        let delivery = listed.delivery;
        let next = (delivery.state == DeliveryState::Ready && listed.active && listed.next_at > now)
            .then(|| shown::until(listed.next_at, now));
        let state = match (delivery.state, delivery.attempts) {
            (DeliveryState::Sent, _) => ("good", "Delivered"),
            (DeliveryState::Parked, _) => ("bad", "Undelivered"),
            (DeliveryState::Dropped, _) if delivery.kind == "test" => ("bad", "Failed"),
            (DeliveryState::Dropped, _) => ("off", "Discarded"),
            (DeliveryState::Sending, _) => ("info", "Sending"),
            (DeliveryState::Ready, _) if !listed.active => ("warn", "Waiting: channel is off"),
            (DeliveryState::Ready, 1..) => ("warn", "Retrying"),
            _ => ("info", "Waiting"),
        };
        let alerts = listed.lines + i64::from(delivery.more);
        let what = match delivery.kind.as_str() {
            "confirmation" => "Confirmation of the address".to_owned(),
            "test" => "Test alert".to_owned(),
            "invitation" => "Invitation".to_owned(),
            "reset" => "Password reset".to_owned(),
            "password_notice" => "Notice: password reset".to_owned(),
            "email_notice" => "Notice: e-mail address changed".to_owned(),
            "value_notice" => "Notice: stored value released".to_owned(),
            _ => shown::counted(alerts, "alert"),
        };
        let channel = Spec::find(&listed.version).map_or("Channel", |spec| spec.label);
        Self {
            id: delivery.id,
            channel: listed.channel,
            channel_page: format!("/integrations/{}", delivery.integration_id),
            to: listed.address.unwrap_or_else(|| channel.to_owned()),
            at: when(
                delivery.ended_at.filter(|_| delivery.state != DeliveryState::Ready).unwrap_or(delivery.created_at),
                now,
            ),
            attempts: delivery.attempts,
            error: delivery.error.filter(|_| delivery.state != DeliveryState::Sent),
            parked: delivery.state == DeliveryState::Parked,
            alerts,
            what,
            state,
            next,
        }
    }
}

/// `AWS access keys older than 90 days`; what the page of a quiet console says is watched.
pub fn watched(limits: &crate::models::credential_limits::Limits) -> String {
    let aged = limits.0.iter().map(|limit| {
        let label = credentials::find(&limit.kind).map_or(limit.kind.as_str(), |kind| kind.label);
        let what = if limit.by_nature { format!("{label} access keys") } else { label.to_owned() };
        format!("{what} older than {} days", limit.days)
    });
    aged.chain(["credentials that end within 30 days".to_owned()]).collect::<Vec<_>>().join(", ")
}

/// When the whole store was last verified.
pub fn verified(verified: Option<Verified>) -> String {
    let Some(verified) = verified else { return String::new() };
    let hours = verified.age.num_hours();
    let ago = match hours {
        0 => "less than an hour ago".to_owned(),
        1 => "an hour ago".to_owned(),
        2..48 => format!("{hours} hours ago"),
        _ => format!("{} days ago", verified.age.num_days()),
    };
    match verified.at {
        Some(_) => format!("The whole store was last verified {ago}."),
        None => format!(
            "The whole store has not been verified yet. It was founded {ago}; the first check comes a day later."
        ),
    }
}
