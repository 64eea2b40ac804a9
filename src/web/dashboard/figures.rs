//! The five figures at the top: a number, one line under it, and the list that it counts.

use chrono::NaiveDate;

use super::lines;
use crate::models::attention::{Attention, Why};
use crate::models::credential_summary::Summary;
use crate::models::daily_figures::{Day, Figures};
use crate::models::discovery::Counts;
use crate::models::unwell::{self, Cause};
use crate::web::integrations::shown::{counted, grouped};

pub struct Figure {
    /// As tests name it.
    pub name: &'static str,
    pub label: &'static str,
    pub href: String,
    pub value: String,
    pub hint: String,
    /// Of the number: bad, warn, or empty while it is 0.
    pub tone: &'static str,
    /// The path of its last weeks; `None` before two days were counted.
    pub line: Option<String>,
}

/// `limit`: the one limit of all secrets that have one, in days.
pub fn figures(
    summary: &Summary,
    limit: Option<i32>,
    (attention, unwell, discovered): (&[Attention], &[Cause], Counts),
) -> Vec<Figure> {
    let of = |name, label, href: &str, value: i64, tone, hint| Figure {
        name,
        label,
        href: href.to_owned(),
        value: grouped(value),
        hint,
        tone: if value > 0 { tone } else { "" },
        line: None,
    };
    let (unable, tests) = (unwell::failing(unwell), summary.failed_tests);
    let types = counted(summary.kinds.len() as i64, "type");
    let mut figures = vec![
        of("credentials", "Credentials", "/credentials", summary.total(), "", types),
        of("stale", "Keys to rotate", "/credentials?state=stale", summary.stale, "bad", older(summary.stale, limit)),
        of("failing", "Failing", fails_at(unable, tests), unable + tests, "bad", fails(unable, tests)),
    ];
    let next = next_end(summary.expiring, attention);
    figures.push(of("expiring", "Expire in 30 days", "/credentials?state=expiring", summary.expiring, "warn", next));
    let open = discovered.open_registries + discovered.open_functions;
    let mut not_covered = of("open", "Not covered", "/discovery?covered=no", open, "", not_scanned(discovered));
    if discovered.more {
        not_covered.value.push('+');
    }
    figures.push(not_covered);
    figures
}

/// One figure of a day.
type Value = fn(&Figures) -> i64;

/// Gives each figure the line of its last weeks, up to today.
pub fn draw(figures: &mut [Figure], past: &[Day], (today, now): (NaiveDate, Figures)) {
    let of: [(&str, Value); 5] = [
        ("credentials", |day| day.credentials),
        ("stale", |day| day.stale),
        ("failing", |day| day.failing),
        ("expiring", |day| day.expiring),
        ("open", |day| day.not_covered),
    ];
    for figure in figures {
        let Some((_, value)) = of.iter().find(|(name, _)| *name == figure.name) else { continue };
        let before = past.iter().map(|day| (day.day, value(&day.figures)));
        let values: Vec<(NaiveDate, i64)> = before.chain([(today, value(&now))]).collect();
        figure.line = lines::path(&values);
    }
}

fn older(stale: i64, limit: Option<i32>) -> String {
    match (stale, limit) {
        (0, Some(days)) => format!("none is older than {days} days"),
        (0, None) => "none is past its limit".to_owned(),
        (_, Some(days)) => format!("older than {days} days"),
        (_, None) => "older than their limit".to_owned(),
    }
}

/// Where only one sort fails, its list; where both do, the groups below.
fn fails_at(integrations: i64, tests: i64) -> &'static str {
    match (integrations, tests) {
        (0, 0) => "/integrations",
        (_, 0) => "/integrations?state=failing",
        (0, _) => "/credentials?state=failed-test",
        _ => "#failing",
    }
}

fn fails(integrations: i64, tests: i64) -> String {
    match (integrations, tests) {
        (0, 0) => "no integration, no test".to_owned(),
        _ => [(integrations, "integration"), (tests, "test")]
            .iter()
            .filter(|(number, _)| *number > 0)
            .map(|(number, noun)| counted(*number, noun))
            .collect::<Vec<_>>()
            .join(", "),
    }
}

fn next_end(expiring: i64, attention: &[Attention]) -> String {
    let first = attention.iter().find_map(|found| match found.why {
        Why::Expiring(days, _) => Some(days),
        _ => None,
    });
    match first {
        Some(..=0) if expiring == 1 => "it has expired".to_owned(),
        Some(..=0) => "some have expired".to_owned(),
        Some(days) => format!("next in {}", counted(days, "day")),
        None => "none".to_owned(),
    }
}

fn not_scanned(counts: Counts) -> String {
    let any = counts.registries + counts.functions + counts.clusters > 0;
    match (counts.open_registries, counts.open_functions) {
        (0, 0) if any => "all that was found is scanned".to_owned(),
        (0, 0) => "nothing was discovered yet".to_owned(),
        (_, 0) => "registries without a scan".to_owned(),
        (0, _) => "functions without a scan".to_owned(),
        _ => "registries and functions without a scan".to_owned(),
    }
}
