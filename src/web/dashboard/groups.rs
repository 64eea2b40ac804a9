//! What needs attention: one group for each sort of trouble, the worst sort first, each with its count, its three worst,
//! and the way to all of them.

use chrono::{DateTime, Utc};

use crate::form::in_sentence;
use crate::models::attention::{Attention, Why};
use crate::models::credential_summary::Summary;
use crate::models::discovery::{Counts, Line as Discovered};
use crate::models::unwell::{Cause, failing};
use crate::web::credentials::view::verdict_badge;
use crate::web::discovery::view::{ThingView, facts};
use crate::web::integrations::shown::{counted, grouped};
use crate::web::page::{self, When};

pub struct Group {
    /// As tests name it.
    pub name: &'static str,
    pub tone: &'static str,
    pub count: String,
    /// What is counted: `keys are older than 90 days`
    pub title: String,
    /// The list of exactly those.
    pub href: &'static str,
    pub rows: Vec<Row>,
}

/// One line.
pub struct Row {
    /// Slug of the type or version whose mark it has.
    pub mark: String,
    pub href: String,
    pub name: String,
    /// `and 5 more`, with the same cause; else empty.
    pub more: String,
    pub text: String,
    pub amount: Amount,
    /// Where its secret is replaced, for who may.
    pub rotate: Option<String>,
}

/// What stands at the end of a line.
pub enum Amount {
    At(When),
    Text(String),
    /// A link, its words, and what it is about.
    Do(String, &'static str),
}

/// What the groups are made of.
pub struct Found<'a> {
    pub summary: &'a Summary,
    /// The one limit of all secrets that have one, in days.
    pub limit: Option<i32>,
    pub attention: Vec<Attention>,
    pub unwell: Vec<Cause>,
    pub discovered: Counts,
    pub open: Vec<Discovered>,
    pub now: DateTime<Utc>,
}

impl Found<'_> {
    /// Without those that have nothing.
    pub fn groups(self, may_edit: bool) -> Vec<Group> {
        let Found { summary, limit, attention, unwell, discovered, open, now } = self;
        let any_expired = attention.iter().any(|found| matches!(found.why, Why::Expiring(..=0, _)));
        let mut rows: [Vec<Row>; 4] = Default::default();
        for found in attention {
            rows[sort(&found.why)].push(credential(found, may_edit, now));
        }
        let [tampered, tests, stale, expiring] = rows;
        let (failed, partly): (Vec<Cause>, Vec<Cause>) = unwell.into_iter().partition(|cause| cause.failed);
        let scans = |causes: Vec<Cause>| causes.into_iter().map(|cause| scan(cause, now)).collect::<Vec<_>>();
        let (failing, gaps) = (failing(&failed), partly.first().map_or(0, |cause| cause.of_all));
        let things = open.into_iter().map(|line| thing(line, may_edit, now)).collect();
        let counts = [
            ("tampered", summary.failed_integrity, said(summary.failed_integrity, TAMPERED), tampered),
            ("integrations", failing, said(failing, FAILING), scans(failed)),
            ("tests", summary.failed_tests, said(summary.failed_tests, FAILED), tests),
            ("stale", summary.stale, older(summary.stale, limit), stale),
            ("expiring", summary.expiring, ending(summary.expiring, any_expired), expiring),
            ("open", discovered.open_registries + discovered.open_functions, not_scanned(discovered), things),
            ("gaps", gaps, said(gaps, GAPS), scans(partly)),
        ];
        let counted = counts.into_iter().filter(|(_, number, ..)| *number > 0);
        let mut groups: Vec<Group> =
            counted.map(|(name, number, title, rows)| group(name, number, title, rows)).collect();
        if let Some(open) = groups.iter_mut().find(|group| group.name == "open" && discovered.more) {
            open.count.push('+');
        }
        groups
    }
}

/// One, and several.
type Words = (&'static str, &'static str);

const TAMPERED: Words = ("record was tampered with", "records were tampered with");
const FAILING: Words = ("integration fails", "integrations fail");
const FAILED: Words = ("credential failed its last test", "credentials failed their last test");
const GAPS: Words = ("integration works only in part", "integrations work only in part");
const STALE: Words = ("secret is older than its limit", "secrets are older than their limit");
const EXPIRED: Words = ("credential has expired", "credentials have expired or expire within 30 days");
const EXPIRING: Words = ("credential expires within 30 days", "credentials expire within 30 days");
const REGISTRIES: Words = ("registry is not scanned", "registries are not scanned");
const FUNCTIONS: Words = ("region with functions is not scanned", "regions with functions are not scanned");

fn said(number: i64, (one, several): Words) -> String {
    if number == 1 { one } else { several }.to_owned()
}

fn group(name: &'static str, number: i64, title: String, rows: Vec<Row>) -> Group {
    let (tone, href) = match name {
        "tampered" => ("bad", "/alerts?trigger=integrity"),
        "integrations" => ("bad", "/integrations?state=failing"),
        "tests" => ("bad", "/credentials?state=failed-test"),
        "stale" => ("bad", "/credentials?state=stale"),
        "expiring" => ("warn", "/credentials?state=expiring"),
        "gaps" => ("warn", "/integrations?state=partly"),
        _ => ("neutral", "/discovery?covered=no"),
    };
    Group { name, tone, count: grouped(number), title, href, rows }
}

fn sort(why: &Why) -> usize {
    match why {
        Why::Tampered(_) => 0,
        Why::FailedTest(..) => 1,
        Why::Stale(_) => 2,
        Why::Expiring(..) => 3,
    }
}

fn older(number: i64, limit: Option<i32>) -> String {
    match (limit, number) {
        (None, _) => said(number, STALE),
        (Some(days), 1) => format!("key is older than {days} days"),
        (Some(days), _) => format!("keys are older than {days} days"),
    }
}

fn ending(number: i64, any_expired: bool) -> String {
    said(number, if any_expired { EXPIRED } else { EXPIRING })
}

fn not_scanned(counts: Counts) -> String {
    match (counts.open_registries, counts.open_functions) {
        (number, 0) => said(number, REGISTRIES),
        (0, number) => said(number, FUNCTIONS),
        _ => "registries and regions with functions are not scanned".to_owned(),
    }
}

fn credential(found: Attention, may_edit: bool, now: DateTime<Utc>) -> Row {
    let old = matches!(found.why, Why::Stale(_));
    let used = match found.usages {
        0 => "not used".to_owned(),
        count => counted(count.into(), "usage"),
    };
    let (text, amount) = match found.why {
        Why::Tampered(at) => ("cannot be used".to_owned(), Amount::At(page::brief(at, now))),
        Why::FailedTest(verdict, at) => {
            (format!("{}, {used}", in_sentence(verdict_badge(&verdict).1)), Amount::At(page::brief(at, now)))
        }
        Why::Stale(days) => (used, Amount::Text(whole(days))),
        Why::Expiring(days, at) if days <= 0 => (format!("{used}, expired on {}", page::date(at)), expired()),
        Why::Expiring(days, at) => (format!("{used}, until {}", page::date(at)), Amount::Text(whole(days))),
    };
    let href = format!("/credentials/{}", found.id);
    let rotate = (old && may_edit).then(|| format!("{href}/rotate"));
    Row { mark: found.kind, href, name: found.name, more: String::new(), text, amount, rotate }
}

/// As tables write it.
fn whole(days: i64) -> String {
    format!("{days} day{}", if days == 1 { "" } else { "s" })
}

fn expired() -> Amount {
    Amount::Text("expired".to_owned())
}

fn scan(cause: Cause, now: DateTime<Utc>) -> Row {
    let more = match cause.number - 1 {
        ..=0 => String::new(),
        others => format!("and {} more", grouped(others)),
    };
    Row {
        mark: cause.version,
        href: format!("/integrations/{}", cause.id),
        name: cause.name,
        more,
        text: cause.error.unwrap_or_else(|| "No reason was recorded".to_owned()),
        amount: cause.at.map_or_else(|| Amount::Text(String::new()), |at| Amount::At(page::brief(at, now))),
        rotate: None,
    }
}

fn thing(line: Discovered, may_edit: bool, now: DateTime<Utc>) -> Row {
    let version = facts(&line).add.into_iter().find(|(name, _)| name == "version").map(|(_, version)| version);
    let view = ThingView::new(line, may_edit, now);
    let text = if view.alias.is_empty() { view.account } else { view.alias };
    let text = if view.details.is_empty() { text } else { format!("{text}, {}", view.details) };
    Row {
        mark: version.unwrap_or_default(),
        href: format!("/integrations/{}", view.integration.0),
        name: view.title,
        more: String::new(),
        text,
        amount: view.add.map_or_else(|| Amount::Text(String::new()), |href| Amount::Do(href, "Add scan")),
        rotate: None,
    }
}
