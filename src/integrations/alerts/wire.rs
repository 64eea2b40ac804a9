//! A message as JSON: what the generic webhook posts and what streams of events carry. Its shape is documented in the
//! guide of the Webhook URL type and is kept: members are added, never renamed. Names are in it as they are, JSON being
//! able to hold them, but for characters that nobody can see.

use serde_json::{Value, json};

use super::text::{self, Words};
use super::{Line, Message};

/// The whole message.
pub(super) fn message(message: &Message, profile: &str) -> Value {
    json!({
        "type": "strongroom.alerts",
        "id": message.id,
        "timestamp": timestamp(message),
        "console": message.console,
        "profile": text::clean(profile, 120),
        "test": message.test,
        "alerts": message.lines.iter().map(line).collect::<Vec<_>>(),
        "more": message.more,
    })
}

/// One alert of it.
pub(super) fn line(line: &Line) -> Value {
    let words = Words::of(line, &text::FULL);
    let usages: Vec<_> =
        line.usages.iter().zip(&words.usages).map(|(usage, (name, url))| usage_json(usage.family, name, url)).collect();
    json!({
        "id": line.alert,
        "trigger": line.trigger.slug(),
        "event": line.event.slug(),
        "severity": line.severity.slug(),
        "title": words.title,
        "subject": words.subject,
        "subject_url": line.subject_url,
        "detail": words.detail,
        "since": line.since.to_rfc3339_opts(chrono::SecondsFormat::Secs, true),
        "usages": usages,
        "more_usages": words.more_usages,
        "remedy": words.remedy,
        "url": line.url,
    })
}

fn usage_json(family: &str, named: &str, url: &url::Url) -> Value {
    let name = named.strip_prefix(family).and_then(|rest| rest.strip_prefix(": ")).unwrap_or(named);
    json!({ "family": family, "name": name, "url": url })
}

/// RFC 3339, in UTC, to the second.
pub(super) fn timestamp(message: &Message) -> String {
    message.at.to_rfc3339_opts(chrono::SecondsFormat::Secs, true)
}
