//! The Test of a certificate: its dates. No call is made; who trusts it, the integration that uses it finds out.

use chrono::{DateTime, TimeDelta, Utc};

use super::clock;
use super::probe::{Finding, Verdict};
use crate::credentials::certificate::KIND;
use crate::credentials::pem;
use crate::form::Values;

/// Fewer days than this left: the finding says to renew.
const SOON: i64 = 30;

pub(super) fn probe(values: &Values) -> Finding {
    let (Ok(facts), Some(summary)) = ((KIND.examine)(values), pem::summary_of(values.get("certificate"))) else {
        return Finding::unreadable();
    };
    let mut finding = dates(summary.not_before, summary.not_after);
    finding.facts.push(("Subject", facts.identity));
    finding.facts.extend(facts.lines);
    finding
}

/// What it finds wrong, for the help.
pub(super) fn known_refusals() -> Vec<String> {
    let (past, future) = (clock::now() - TimeDelta::days(1), clock::now() + TimeDelta::days(2));
    let said = |finding: Finding| format!("{} {}", finding.sentence, finding.remedy);
    [dates(past - TimeDelta::days(1), past), dates(future, future)].map(said).into()
}

/// What the dates of a certificate say today.
pub(super) fn dates(not_before: DateTime<Utc>, not_after: DateTime<Utc>) -> Finding {
    let now = clock::now();
    let (first, last) = (not_before.format("%Y-%m-%d"), not_after.format("%Y-%m-%d"));
    let days = (not_after - now).num_days();
    let mut finding = if not_after <= now {
        Finding::new(
            Verdict::Expired,
            format!("The certificate expired on {last}."),
            "Get a new one issued and store it here.",
        )
    } else if not_before > now {
        Finding::new(
            Verdict::Denied,
            format!("The certificate is not valid before {first}."),
            "Wait until then, or get one issued that is valid now. If the date has passed, check this machine's clock.",
        )
    } else {
        let unit = if days == 1 { "day" } else { "days" };
        let remedy = if days < SOON { "Get a new one issued soon and store it here." } else { "" };
        Finding::new(Verdict::Ok, format!("The certificate is valid until {last}: {days} more {unit}."), remedy)
    };
    finding.expires_at = Some(not_after);
    finding
}
