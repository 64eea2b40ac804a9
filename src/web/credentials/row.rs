//! A line of the table of credentials, and the one word that says how it is.

use chrono::{DateTime, Duration, Utc};

use super::view::{Age, Badge, Usage, kind_label, verdict_badge};
use crate::models::CredentialId;
use crate::models::credential_limits::Limits;
use crate::models::credential_query::{EXPIRING_DAYS, Row};
use crate::web::page::{self, When};

/// A line of the table.
pub struct RowView {
    pub id: CredentialId,
    pub name: String,
    /// The slug of the type, and its short name.
    pub slug: String,
    pub kind: String,
    pub identity: String,
    pub owner: String,
    pub tags: Vec<String>,
    pub shipped: bool,
    pub age: Age,
    pub usages: i32,
    pub used: Option<When>,
    /// `stored 2 days ago`, where its secret is older than its stay here.
    pub stored: String,
    /// (tone, words)
    pub state: (&'static str, String),
    /// `Works, tested 2 hours ago`; empty where it was never tested.
    pub tested: String,
    /// On its page, from 1; 0 where it cannot be ticked.
    pub number: usize,
    /// Unfolded under the row.
    pub unfolded: Option<Vec<Usage>>,
}

impl RowView {
    pub fn new(row: Row, now: DateTime<Utc>, limits: &Limits) -> Self {
        let age = Age::new(row.aged_from, now, limits.days(&row.kind, row.ages, row.stale_after_days));
        Self {
            id: row.id,
            kind: short_kind(&row.kind),
            state: state(&row, age, now),
            stored: stored(row.secret_set_at, age, now),
            tested: tested(&row, now),
            used: (row.last_used_at > DateTime::UNIX_EPOCH).then(|| page::brief(row.last_used_at, now)),
            slug: row.kind,
            name: row.name,
            identity: row.identity,
            owner: row.owner,
            tags: row.tags,
            shipped: row.shipped,
            usages: row.usage_count,
            age,
            number: 0,
            unfolded: None,
        }
    }
}

/// `Basic` for `basic`: what fits a column.
fn short_kind(slug: &str) -> String {
    match slug {
        "basic" => "Basic".to_owned(),
        "webhook" => "Webhook".to_owned(),
        slug => kind_label(slug),
    }
}

fn stored(at: DateTime<Utc>, age: Age, now: DateTime<Utc>) -> String {
    match (now - at).num_days() {
        days if days >= age.days => String::new(),
        ..=0 => "stored today".to_owned(),
        1 => "stored 1 day ago".to_owned(),
        days => format!("stored {days} days ago"),
    }
}

fn tested(row: &Row, now: DateTime<Utc>) -> String {
    let last = row.test_verdict.as_ref().zip(row.tested_at);
    let words = |(slug, at): (&String, _)| format!("{}, tested {}", verdict_badge(slug).1, page::when(at, now).text);
    last.map(words).unwrap_or_default()
}

/// The worst that is known of it.
pub fn state(row: &Row, age: Age, now: DateTime<Utc>) -> (&'static str, String) {
    let said = |(tone, text): Badge| (tone, text.to_owned());
    let ends_in = row.expires_at.map(|at| at - now);
    // Whole days, a begun one counted: what ends tonight ends in 1 day.
    let days = |left: Duration| (left.num_seconds() + 86_399) / 86_400;
    let in_days = |what: &str, count: i64| {
        let unit = if count == 1 { "day" } else { "days" };
        ("warn", format!("{what} in {count} {unit}"))
    };
    if row.integrity_failed_at.is_some() {
        return said(("bad", "Tampered"));
    }
    if ends_in.is_some_and(|left| left <= Duration::zero()) {
        return said(("bad", "Expired"));
    }
    if age.stale {
        return said(("bad", "Rotate"));
    }
    if row.test_failed {
        return said(("bad", "Test failed"));
    }
    if age.is_near() {
        return in_days("Due", (age.limit - age.days).max(1));
    }
    if let Some(left) = ends_in.filter(|left| *left <= Duration::days(EXPIRING_DAYS.into())) {
        return in_days("Expires", days(left));
    }
    match row.test_verdict.as_deref() {
        None if row.shipped => said(("off", "Built in")),
        None => said(("off", "Not tested")),
        Some("ok") if row.usage_count == 0 && !row.shipped => said(("off", "Not used")),
        Some("ok") => said(("good", "Works")),
        Some(verdict) => said(verdict_badge(verdict)),
    }
}
