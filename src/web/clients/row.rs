//! A row of the table of clients.

use chrono::{DateTime, TimeDelta, Utc};

use crate::models::ClientId;
use crate::models::client_list::{ENDING_DAYS, Line};
use crate::models::client_logins::Method;
use crate::web::integrations::shown;
use crate::web::numbers::counted;
use crate::web::page::{self, When};

pub struct Row {
    pub id: ClientId,
    pub name: String,
    pub description: String,
    pub tone: &'static str,
    pub state: &'static str,
    /// `Token, OIDC identity`
    pub logins: String,
    /// `3 rules`, `none yet`
    pub rules: String,
    /// Whether a stored value leaves by one of them.
    pub releases: bool,
    pub used: Option<When>,
    /// When the first of its logins ends, and the tone of that.
    pub ends: Option<(When, &'static str)>,
}

impl Row {
    pub fn new(line: Line, now: DateTime<Utc>) -> Self {
        let (tone, state) = state(&line, now);
        let used = (!line.is_unused()).then(|| page::when(line.last_used_at, now));
        let method = |word: &String| Method::ALL.iter().find(|method| method.word() == word).map(|one| one.label());
        let methods: Vec<&str> = line.methods.iter().filter_map(method).collect();
        Self {
            id: line.id,
            tone,
            state,
            logins: if methods.is_empty() { "none yet".to_owned() } else { methods.join(", ") },
            rules: if line.rules == 0 { "none yet".to_owned() } else { counted(line.rules, "rule") },
            releases: line.values > 0,
            used,
            ends: line.ends_at.map(|at| ends(at, now)),
            name: line.name,
            description: line.description,
        }
    }
}

/// Tone and word of a client.
pub fn state(line: &Line, now: DateTime<Utc>) -> (&'static str, &'static str) {
    match line.ends_at {
        _ if !line.active => ("off", "Disabled"),
        Some(at) if at <= now => ("bad", "Login expired"),
        Some(at) if at < now + TimeDelta::days(i64::from(ENDING_DAYS)) => ("warn", "Expiring"),
        _ if line.methods.is_empty() || line.rules == 0 => ("info", "Not set up"),
        _ if line.is_unused() => ("off", "Never used"),
        _ => ("good", "Active"),
    }
}

/// When a login ends, in words, and how near that is.
pub fn ends(at: DateTime<Utc>, now: DateTime<Utc>) -> (When, &'static str) {
    let tone = match at - now {
        left if left <= TimeDelta::zero() => "bad",
        left if left < TimeDelta::days(i64::from(ENDING_DAYS)) => "warn",
        _ => "neutral",
    };
    // What is over reads as the past.
    (if at <= now { page::when(at, now) } else { shown::until(at, now) }, tone)
}
