//! What *Send test alert* sends: one line that says so, and that names nothing of the store.

use chrono::{DateTime, Utc};
use url::Url;
use uuid::Uuid;

use super::{Event, Line, Message, Severity, Trigger};

/// A message of one line. `id` is of its own making for each press, and the alert's as well: an incident of a test is
/// never confused with another.
pub fn test_message(id: Uuid, at: DateTime<Utc>, console: &Url) -> Message {
    let alerts = console.join("alerts").unwrap_or_else(|_| console.clone());
    let line = Line {
        alert: id,
        trigger: Trigger::Stale,
        event: Event::Raised,
        severity: Severity::Info,
        title: "This is a test alert from Strongroom.".to_owned(),
        subject: "Test alert".to_owned(),
        detail: "Someone pressed Send test alert on this profile's page.".to_owned(),
        subject_url: alerts.clone(),
        url: alerts,
        since: at,
        usages: Vec::new(),
        more_usages: 0,
        remedy: "There's nothing to do. If you can read this, the profile works.".to_owned(),
        reference: None,
    };
    Message { id, at, console: console.clone(), lines: vec![line], more: 0, test: true }
}
