//! The digest of alerts: what needs attention, since when, where it is used and what to do, grouped by what raised it.

use askama::Template;
use url::Url;

use super::words::{LONGEST_SENTENCE, count, date, name, sentence, shown};
use crate::integrations::alerts::email::{Letter, host};
use crate::integrations::alerts::text::word;
use crate::integrations::alerts::{Event, Line, Message, Severity, Trigger};

#[derive(Template)]
#[template(path = "mail/digest.html")]
struct Page<'a>(&'a Digest<'a>);

#[derive(Template)]
#[template(path = "mail/digest.txt", escape = "none")]
struct Text<'a>(&'a Digest<'a>);

struct Digest<'a> {
    subject: String,
    headline: String,
    /// (tone, words) of each count.
    counts: Vec<(&'static str, String)>,
    groups: Vec<Group<'a>>,
    more: u64,
    console: &'a Url,
    alerts: Url,
    on: String,
    profile: String,
    to: &'a str,
    unsubscribe: Option<&'a Url>,
    test: bool,
    anchors: &'a str,
}

struct Group<'a> {
    label: &'static str,
    lines: Vec<Shown<'a>>,
}

struct Shown<'a> {
    number: usize,
    tone: &'static str,
    word: &'static str,
    title: String,
    detail: String,
    since: String,
    subject: String,
    subject_url: &'a Url,
    url: &'a Url,
    /// (family, name, page) of each.
    usages: Vec<(&'static str, String, &'a Url)>,
    more_usages: u64,
    /// Nothing stops whoever wants to replace it.
    unused: bool,
    remedy: String,
}

/// The letter to one recipient of a profile. `unsubscribe` is the page of its subscription, `anchors` are the heads of
/// the audit trail.
pub fn digest(
    to: &str,
    profile: &str,
    message: &Message,
    unsubscribe: Option<&Url>,
    anchors: &str,
) -> Result<Letter, askama::Error> {
    let digest = Digest { anchors, ..Digest::new(to, profile, message, unsubscribe) };
    Ok(Letter {
        id: message.id,
        at: message.at,
        host: host(&message.console),
        to: to.to_owned(),
        text: Text(&digest).render()?,
        html: Page(&digest).render()?,
        subject: digest.subject,
        unsubscribe: unsubscribe.cloned(),
    })
}

impl<'a> Digest<'a> {
    fn new(to: &'a str, profile: &str, message: &'a Message, unsubscribe: Option<&'a Url>) -> Self {
        let of = |event: fn(Event) -> bool| message.lines.iter().filter(|line| event(line.event)).count() as u64;
        let open = of(|event| matches!(event, Event::Raised | Event::Reminder)) + message.more;
        let (ahead, closed) = (of(|event| event == Event::Ahead), of(|event| event == Event::Closed));
        let headline = match (message.test, open, ahead) {
            (true, ..) => "This is a test".to_owned(),
            (_, 0, 0) => count(closed, "alert was closed", "alerts were closed"),
            (_, 0, _) => count(ahead, "alert is coming up", "alerts are coming up"),
            _ => count(open, "alert needs attention", "alerts need attention"),
        };
        let counts = counts(message);
        let words: Vec<&str> = counts.iter().map(|(_, words)| words.as_str()).collect();
        let subject = match (message.test, &*message.lines, message.more) {
            (true, ..) => "Test alert from Strongroom".to_owned(),
            (_, [only], 0) => shown(only.title.trim_end_matches('.'), 120),
            _ => format!("{headline}: {}", words.join(", ")),
        };
        Self {
            subject,
            headline,
            groups: groups(message),
            more: message.more,
            console: &message.console,
            alerts: message.console.join("alerts").unwrap_or_else(|_| message.console.clone()),
            on: message.at.format("%-d %B %Y, %H:%M UTC").to_string(),
            profile: name(profile),
            to,
            unsubscribe,
            test: message.test,
            anchors: "",
            counts,
        }
    }
}

/// How many of each kind, the open ones first.
fn counts(message: &Message) -> Vec<(&'static str, String)> {
    let mut counts = Vec::new();
    for trigger in Trigger::ALL {
        let lines = message.lines.iter().filter(|line| line.trigger == trigger && line.event != Event::Closed);
        let (number, worst) = (lines.clone().count() as u64, lines.map(|line| line.severity).max());
        if let Some(worst) = worst {
            let one = trigger.label().to_lowercase();
            counts.push((tone(worst), count(number, &one, &plural(trigger).to_lowercase())));
        }
    }
    let closed = message.lines.iter().filter(|line| line.event == Event::Closed).count() as u64;
    if closed > 0 {
        counts.push(("good", format!("{closed} closed")));
    }
    if message.more > 0 {
        counts.push(("info", format!("{} more", message.more)));
    }
    counts
}

/// By trigger, in the order of the console; what is over comes last.
fn groups(message: &Message) -> Vec<Group<'_>> {
    let mut groups = Vec::new();
    let mut number = 0;
    let mut group = |label, belongs: &dyn Fn(&Line) -> bool| {
        let lines: Vec<_> = message
            .lines
            .iter()
            .filter(|line| belongs(line))
            .map(|line| {
                number += 1;
                Shown::new(number, line, message)
            })
            .collect();
        if !lines.is_empty() {
            groups.push(Group { label, lines });
        }
    };
    for trigger in Trigger::ALL {
        group(plural(trigger), &|line| line.trigger == trigger && line.event != Event::Closed);
    }
    group("Closed", &|line| line.event == Event::Closed);
    groups
}

impl<'a> Shown<'a> {
    fn new(number: usize, line: &'a Line, message: &Message) -> Self {
        let closed = line.event == Event::Closed;
        let days = (message.at - line.since).num_days().max(0).unsigned_abs();
        let since = match (line.event, days) {
            (Event::Ahead, _) => String::new(),
            (Event::Closed, _) => format!("opened on {}", date(line.since)),
            (_, 0) => "open since today".to_owned(),
            _ => format!("open for {}, since {}", count(days, "day", "days"), date(line.since)),
        };
        let of_credential = matches!(line.trigger, Trigger::Stale | Trigger::Expiring) && !message.test;
        let usages = if closed { &[][..] } else { &line.usages[..] };
        Self {
            number,
            tone: if closed { "good" } else { tone(line.severity) },
            word: word(line.event),
            title: sentence(&line.title, &line.subject),
            detail: shown(&line.detail, LONGEST_SENTENCE),
            since,
            subject: name(&line.subject),
            subject_url: &line.subject_url,
            url: &line.url,
            usages: usages.iter().map(|usage| (usage.family, name(&usage.name), &usage.url)).collect(),
            unused: of_credential && !closed && line.usages.is_empty() && line.more_usages == 0,
            more_usages: if closed { 0 } else { line.more_usages },
            remedy: if closed { String::new() } else { shown(&line.remedy, LONGEST_SENTENCE) },
        }
    }
}

fn tone(severity: Severity) -> &'static str {
    match severity {
        Severity::Info => "info",
        Severity::Warning => "warn",
        Severity::Error | Severity::Critical => "bad",
    }
}

fn plural(trigger: Trigger) -> &'static str {
    match trigger {
        Trigger::Stale => "Old secrets",
        Trigger::Expiring => "Expiring credentials",
        Trigger::FailedTest => "Failed tests",
        Trigger::FailedScan => "Failed scans",
        Trigger::OldRuntime => "Old runtimes",
        Trigger::OldCloudKey => "Old keys in the cloud",
        Trigger::Drift => "Drift",
        Trigger::Integrity => "Integrity errors",
        Trigger::Delivery => "Undelivered alerts",
        Trigger::Lockout => "Login lockouts",
    }
}
