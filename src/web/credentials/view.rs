//! What several of these pages show: ages, states, usages. No secret can get here, since nothing here is opened.

use chrono::{DateTime, Duration, Utc};

use crate::integrations::Family;
use crate::integrations::issue::Form;
use crate::models::client_usages::{self, Using};
use crate::models::credential_query::EXPIRING_DAYS;
use crate::models::credentials::Credential;
use crate::models::integration_list::Line;
use crate::models::provider_facts::Told;
use crate::models::{Conn, CredentialId, DbError, integration_list};
use crate::providers::probe::{Finding, RoleFound, Verdict};
use crate::web::page::{self, When, when};

/// Most usages on one page; the count beside them is whole.
pub const MOST_USAGES: i64 = 500;

/// A bar and a badge.
#[derive(Clone, Copy, Debug)]
pub struct Age {
    pub days: i64,
    /// Whether old is bad.
    pub ages: bool,
    pub stale: bool,
    /// Days at which it turns; of a secret that does not age, a scale.
    pub limit: i64,
}

/// Half of the scale on which a secret without a limit is shown.
const SCALE_DAYS: i32 = 90;

impl Age {
    /// `limit` in days, if the secret has one.
    pub fn new(set_at: DateTime<Utc>, now: DateTime<Utc>, limit: Option<i32>) -> Self {
        let age = now.signed_duration_since(set_at).max(Duration::zero());
        let stale = limit.is_some_and(|days| age > Duration::days(days.into()));
        Self { days: age.num_days(), ages: limit.is_some(), stale, limit: limit.unwrap_or(SCALE_DAYS).into() }
    }
}

impl Age {
    /// On a scale of twice the limit, in the middle of which it turns.
    pub fn percent(&self) -> i64 {
        (self.days * 50 / self.limit.max(1)).clamp(1, 100)
    }

    /// Whether two thirds of the limit have passed, and not all of it.
    pub fn is_near(&self) -> bool {
        self.ages && !self.stale && self.days > self.limit - self.limit / 3
    }
}

/// What the provider says about a key, in words; nothing of it where the provider does not tell.
pub struct Ages {
    /// `created in AWS 140 days ago`
    pub made: Option<When>,
    /// `last used in AWS 2 days ago`
    pub used: Option<When>,
}

impl Ages {
    pub fn new(provider: &str, told: &Told, now: DateTime<Utc>) -> Self {
        let days = |at: DateTime<Utc>| now.signed_duration_since(at).num_days().max(0);
        let said = |done: &str, at: DateTime<Utc>| When {
            iso: page::iso(at),
            text: match days(at) {
                0 => format!("{done} in {provider} today"),
                1 => format!("{done} in {provider} 1 day ago"),
                days => format!("{done} in {provider} {days} days ago"),
            },
        };
        Self { made: told.made_at.map(|at| said("created", at)), used: told.used_at.map(|at| said("last used", at)) }
    }
}

/// (tone, text) of the badges that ask for attention.
pub type Badge = (&'static str, &'static str);

fn badges(age: Age, expires_at: Option<DateTime<Utc>>, quarantined: bool, now: DateTime<Utc>) -> Vec<Badge> {
    let mut badges = Vec::new();
    if quarantined {
        badges.push(("bad", "Integrity error"));
    }
    if age.stale {
        badges.push(("bad", "Stale"));
    }
    match expires_at {
        Some(at) if at <= now => badges.push(("bad", "Expired")),
        Some(at) if at <= now + Duration::days(EXPIRING_DAYS.into()) => badges.push(("warn", "Expiring")),
        _ => {}
    }
    badges
}

/// The badges of a credential's page; `intact` is whether its row check holds.
pub fn badges_of(row: &Credential, age: Age, intact: bool, now: DateTime<Utc>) -> Vec<Badge> {
    badges(age, row.expires_at, row.integrity_failed_at.is_some() || !intact, now)
}

/// `AWS` for `aws`; a type that only another version knows says so.
pub fn kind_label(slug: &str) -> String {
    crate::credentials::find(slug).map_or_else(|| format!("Unsupported type {slug}"), |kind| kind.label.to_owned())
}

/// A moment that may not have come: `None` shows as *never*.
pub fn used(at: DateTime<Utc>, now: DateTime<Utc>) -> Option<When> {
    (at > DateTime::UNIX_EPOCH).then(|| when(at, now))
}

/// How a verdict looks, and its words.
pub fn verdict_badge(slug: &str) -> Badge {
    match Verdict::find(slug) {
        Some(verdict) => (tone(verdict), verdict.label()),
        None => ("neutral", "Unknown outcome"),
    }
}

/// Of its badge.
pub fn tone(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Ok => "good",
        Verdict::NotHere => "neutral",
        Verdict::Throttled => "warn",
        _ => "bad",
    }
}

/// What a test found.
pub struct FindingView {
    pub badge: Badge,
    pub sentence: String,
    pub remedy: String,
    pub facts: Vec<(&'static str, String)>,
    pub snippets: Vec<(String, String)>,
    pub heads: Vec<&'static str>,
    pub rows: Vec<Vec<String>>,
    pub roles: Vec<RoleView>,
}

/// A role that was tried.
pub struct RoleView {
    pub used_by: String,
    pub role: String,
    pub badge: Badge,
    pub sentence: String,
}

impl FindingView {
    pub fn new(found: Finding) -> Self {
        let (heads, rows) = found.table.unwrap_or_default();
        Self {
            badge: (tone(found.verdict), found.verdict.label()),
            sentence: found.sentence,
            remedy: found.remedy,
            facts: found.facts,
            snippets: found.snippets,
            heads,
            rows,
            roles: found.roles.into_iter().map(RoleView::new).collect(),
        }
    }
}

impl RoleView {
    fn new(found: RoleFound) -> Self {
        Self {
            used_by: found.used_by.join(", "),
            role: found.role,
            badge: (tone(found.verdict), found.verdict.label()),
            sentence: found.sentence,
        }
    }
}

/// A day, for what happens on one.
pub fn date(at: DateTime<Utc>) -> When {
    When { iso: page::iso(at), text: page::date(at) }
}

/// One integration that refers to the credential.
pub struct Usage {
    /// Its page.
    pub href: String,
    pub name: String,
    pub family: String,
    /// Slug of what it is, for its mark.
    pub version: String,
    pub host: String,
    pub active: bool,
    pub used: Option<When>,
    pub tone: &'static str,
    pub outcome: &'static str,
    /// Why the last run failed.
    pub failure: Option<String>,
}

impl Usage {
    pub fn new(line: Line, now: DateTime<Utc>) -> Self {
        let (tone, outcome) = match line.last_state.as_deref() {
            Some("succeeded") => ("good", "Succeeded"),
            Some("partly") => ("warn", "Partly read"),
            Some("failed") => ("bad", "Failed"),
            Some("running") => ("info", "Under way"),
            Some("queued" | "waiting") => ("info", "Waiting"),
            Some("retrying") => ("warn", "Retrying"),
            Some("stopped") => ("off", "Stopped"),
            Some("sent") => ("good", "Delivered"),
            Some("parked") => ("bad", "Undelivered"),
            _ => ("off", "Not used yet"),
        };
        Self {
            href: format!("/integrations/{}", line.id),
            family: Family::find(&line.family).map_or(line.family, |family| family.label().to_owned()),
            name: line.name,
            version: line.version,
            host: line.host,
            active: line.active,
            used: line.last_at.map(|at| when(at, now)),
            failure: line.last_error.filter(|_| tone == "bad"),
            tone,
            outcome,
        }
    }

    pub fn list(lines: Vec<Line>, now: DateTime<Utc>) -> Vec<Self> {
        lines.into_iter().map(|line| Self::new(line, now)).collect()
    }

    /// A rule of a client, or a login that is verified with the credential.
    fn of_client(using: Using, now: DateTime<Utc>) -> Self {
        let form = using.form.as_deref().map(|form| Form::find(form).map_or(form, |form| form.label));
        let (tone, outcome) = match using.used_at {
            Some(_) => ("good", "Fetched"),
            None => ("off", "Not used yet"),
        };
        Self {
            href: format!("/clients/{}", using.client),
            name: using.client_name,
            family: "Client".to_owned(),
            version: "client".to_owned(),
            host: match (using.rule, form) {
                (Some(rule), Some(form)) => format!("{rule}: {form}"),
                _ => "verifies its login".to_owned(),
            },
            active: using.active,
            used: using.used_at.map(|at| when(at, now)),
            tone,
            outcome,
            failure: None,
        }
    }
}

/// Everything that uses a credential.
pub struct Used {
    pub lines: Vec<Line>,
    pub clients: Vec<Using>,
}

impl Used {
    /// At most so many of either.
    pub fn read(conn: &mut Conn, id: CredentialId, most: i64) -> Result<Self, DbError> {
        let (lines, clients) = (integration_list::usages(conn, id, most)?, client_usages::using(conn, id, most)?);
        Ok(Self { lines, clients })
    }

    /// Integrations, then clients.
    pub fn list(self, now: DateTime<Utc>) -> Vec<Usage> {
        let clients = self.clients.into_iter().map(|using| Usage::of_client(using, now));
        self.lines.into_iter().map(|line| Usage::new(line, now)).chain(clients).collect()
    }
}
