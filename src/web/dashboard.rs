//! The first page: how many credentials of which type, how old, what needs attention, the last runs.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;
use chrono::{DateTime, Utc};

use super::credentials::view::verdict_badge;
use super::error::Error;
use super::integrations::inventory;
use super::integrations::shown::grouped;
use super::page::{self, Shell, When};
use super::session::{As, Auditor};
use crate::credentials;
use crate::models::attention::{self, Attention, Why};
use crate::models::credential_summary::{self, Summary};
use crate::models::discovery::{self, Counts};
use crate::models::runs::RunState;
use crate::models::{self, DbError, cloud_keys, runs};
use crate::services::Services;

/// Entries a list of this page has at the most.
const EACH: i64 = 5;

#[derive(Template)]
#[template(path = "dashboard/show.html")]
struct Show {
    shell: Shell,
    /// The one limit of all that have one, in days; `None` when they differ.
    limit: Option<i32>,
    total: i64,
    types: Vec<Bar>,
    most: i64,
    stale: i64,
    expiring: i64,
    unused: i64,
    ages: Vec<Column>,
    /// Of the keys in cloud accounts that are not stored here; empty where there are none.
    found: Vec<Column>,
    /// The greatest of all columns.
    highest: i64,
    stored_ages: bool,
    attention: Vec<Line>,
    runs: Vec<RunLine>,
}

struct Bar {
    slug: String,
    label: String,
    count: i64,
}

struct Column {
    label: String,
    count: i64,
    tone: &'static str,
}

/// Something that needs attention.
pub struct Line {
    pub icon: &'static str,
    pub href: String,
    pub title: String,
    pub text: String,
    pub tone: &'static str,
    pub badge: String,
}

struct RunLine {
    href: String,
    name: String,
    text: String,
    at: When,
}

struct Found {
    summary: Summary,
    found_ages: [i64; 4],
    discovered: Counts,
    attention: Vec<Attention>,
    unwell: Vec<runs::Unwell>,
    recent: Vec<runs::Recent>,
    now: DateTime<Utc>,
}

pub async fn show(services: Data<Services>, request: HttpRequest, visitor: As<Auditor>) -> Result<HttpResponse, Error> {
    let limits = services.limits();
    // Of what is not stored yet.
    let usual = limits.of_kind(credentials::aws::KIND.slug, true);
    let found = services
        .db
        .run(move |conn| {
            Ok::<_, DbError>(Found {
                summary: credential_summary::summary(conn, &limits)?,
                found_ages: cloud_keys::ages(conn, usual.unwrap_or(0))?.map(|count| count.number),
                discovered: discovery::counts(conn)?,
                attention: attention::list(conn, &limits, EACH)?,
                unwell: runs::unwell(conn, EACH)?,
                recent: runs::recent(conn, EACH)?,
                now: models::clock(conn)?,
            })
        })
        .await?;
    page::html(&Show::new(Shell::new(&request, &visitor, "dashboard"), found, usual))
}

impl Show {
    fn new(shell: Shell, found: Found, usual: Option<i32>) -> Self {
        let summary = found.summary;
        let limit = summary.limits.map_or(usual, |(least, greatest)| (least == greatest).then_some(least));
        let types: Vec<Bar> = summary.kinds.iter().map(|(slug, count)| bar(slug, *count)).collect();
        let unwell = found.unwell.into_iter().map(unwell);
        let attention = found.attention.into_iter().map(line).chain(unwell).take(2 * EACH as usize);
        let attention = attention.chain(not_scanned(found.discovered)).collect();
        Self {
            shell,
            limit,
            total: types.iter().map(|bar| bar.count).sum(),
            most: types.iter().map(|bar| bar.count).max().unwrap_or(0),
            types,
            stale: summary.ages[3],
            expiring: summary.expiring,
            unused: summary.unused,
            ages: columns(summary.ages, limit),
            found: if found.found_ages == [0; 4] { Vec::new() } else { columns(found.found_ages, usual) },
            highest: summary.ages.into_iter().chain(found.found_ages).max().unwrap_or(0),
            stored_ages: summary.ages != [0; 4],
            attention,
            runs: found.recent.into_iter().map(|recent| run_line(recent, found.now)).collect(),
        }
    }
}

fn bar(slug: &str, count: i64) -> Bar {
    let label = credentials::find(slug).map_or("Unsupported type", |kind| kind.label);
    Bar { slug: slug.to_owned(), label: label.to_owned(), count }
}

fn columns(ages: [i64; 4], limit: Option<i32>) -> Vec<Column> {
    let labels = match limit {
        Some(days) => {
            let third = days / 3;
            let second = format!("{}–{}", third + 1, third * 2);
            [format!("0–{third}"), second, format!("{}–{days}", third * 2 + 1), format!("over {days}")]
        }
        None => ["1st third", "2nd third", "last third", "over it"].map(str::to_owned),
    };
    let tones = ["neutral", "neutral", "warn", "bad"];
    let columns = labels.into_iter().zip(ages).zip(tones);
    columns.map(|((label, count), tone)| Column { label, count, tone }).collect()
}

/// A credential that needs attention, in words.
pub fn line(attention: Attention) -> Line {
    let href = format!("/credentials/{}", attention.id);
    let used = match attention.usages {
        0 => "not used by anything".to_owned(),
        1 => "used by 1 integration".to_owned(),
        count => format!("used by {count} integrations"),
    };
    let (icon, tone, text, badge) = match attention.why {
        Why::Integrity => {
            ("warning", "bad", format!("Altered in the database; cannot be used, {used}"), "Integrity".to_owned())
        }
        Why::FailedTest(verdict) => {
            let (_, outcome) = verdict_badge(&verdict);
            (
                "key",
                "bad",
                format!("Last test: {}, {used}", crate::form::in_sentence(outcome)),
                "Failed test".to_owned(),
            )
        }
        Why::Stale(days) => ("clock", "bad", format!("Its secret is {days} days old, {used}"), "Stale".to_owned()),
        Why::Expiring(days, at) if days < 0 => {
            ("certificate", "bad", format!("Expired on {}, {used}", at.format("%-d %B %Y")), "Expired".to_owned())
        }
        Why::Expiring(days, at) => {
            let badge = if days == 1 { "1 day".to_owned() } else { format!("{days} days") };
            ("certificate", "warn", format!("Expires on {}, {used}", at.format("%-d %B %Y")), badge)
        }
    };
    Line { icon, href, title: attention.name, text, tone, badge }
}

/// An integration whose last run failed, or left gaps.
pub fn unwell(found: runs::Unwell) -> Line {
    let (tone, badge) = if found.state == RunState::Partly { ("warn", "Partly read") } else { ("bad", "Failed") };
    Line {
        icon: "box",
        href: format!("/integrations/{}", found.id),
        title: found.name,
        text: found.error.unwrap_or_else(|| "The last run failed".to_owned()),
        tone,
        badge: badge.to_owned(),
    }
}

/// What scans found in the clouds and no integration scans, a line a sort.
fn not_scanned(counts: Counts) -> impl Iterator<Item = Line> {
    let more = if counts.more { "+" } else { "" };
    let number = |number: i64| format!("{}{more}", grouped(number));
    let registries = match counts.open_registries {
        0 => None,
        1 => Some("1 registry is not scanned".to_owned()),
        several => Some(format!("{} registries are not scanned", number(several))),
    };
    let functions = match counts.open_functions {
        0 => None,
        1 => Some("The functions of 1 region are not scanned".to_owned()),
        several => Some(format!("The functions of {} regions are not scanned", number(several))),
    };
    [("registries", registries), ("functions", functions)].into_iter().filter_map(|(kind, title)| {
        Some(Line {
            icon: "globe",
            href: format!("/discovery?kind={kind}&covered=no"),
            title: title?,
            text: "Found in your cloud accounts, and no integration covers it".to_owned(),
            tone: "warn",
            badge: "Not covered".to_owned(),
        })
    })
}

fn run_line(recent: runs::Recent, now: DateTime<Utc>) -> RunLine {
    let runs::Recent { run, integration, name, family } = recent;
    let at = run.ended_at.or(run.started_at).unwrap_or(run.queued_at);
    let text = match (run.state, run.started_at, run.ended_at) {
        (RunState::Succeeded | RunState::Partly, Some(start), Some(end)) => {
            let counted = |number: i32, noun: &str| format!("{number} {noun}{}", if number == 1 { "" } else { "s" });
            let gaps = if run.gaps > 0 { format!(", {},", counted(run.gaps, "gap")) } else { String::new() };
            format!(
                "{}{gaps} in {} s",
                counted(run.found, inventory::of(&family).noun),
                (end - start).num_seconds().max(1)
            )
        }
        (RunState::Failed, ..) => run.error.unwrap_or_else(|| "Failed".to_owned()),
        (RunState::Stopped, ..) => "Stopped".to_owned(),
        (RunState::Running, ..) => "Running".to_owned(),
        _ => "Waiting for its turn".to_owned(),
    };
    RunLine { href: format!("/integrations/{integration}"), name, text, at: page::when(at, now) }
}
