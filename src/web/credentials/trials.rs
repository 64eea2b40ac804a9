//! What came of trying a value at its provider and on the usages: one line each, as a table.

use std::time::Duration;

use crate::connection_test::Outcome;
use crate::connection_test::usages::Tried;
use crate::credentials::Kind;
use crate::credentials::aws::RoleArn;
use crate::integrations::Spec;
use crate::models::IntegrationId;
use crate::providers::probe::Finding;
use crate::usecases::credentials::trials::{OnUsage, Trials};

/// A line of the table.
pub struct Line {
    /// The integration; `None` for the provider itself.
    pub id: Option<IntegrationId>,
    /// Slug of its mark.
    pub mark: String,
    pub name: String,
    pub via: String,
    /// `good`, `bad`, or `off` where nothing could be tried.
    pub tone: &'static str,
    /// The same in a word.
    pub word: &'static str,
    /// The first sentence, and what follows it.
    pub text: String,
    pub more: String,
    pub took: String,
}

/// The first sentence of a text, and the rest.
fn parted(text: &str) -> (String, String) {
    match text.split_once(". ") {
        Some((first, rest)) => (format!("{first}."), rest.to_owned()),
        None => (text.to_owned(), String::new()),
    }
}

fn word(tone: &str) -> &'static str {
    match tone {
        "good" => "Works",
        "bad" => "Fails",
        _ => "Not tested",
    }
}

pub struct TrialsView {
    pub lines: Vec<Line>,
    pub took: String,
    /// How many do not work with the value, and the names of the first; the table marks them all.
    pub failing: usize,
    pub named: String,
    pub all_well: bool,
    /// Usages that were not tried.
    pub rest: usize,
    /// What to do about the provider's answer, with lines to copy.
    pub remedy: String,
    pub snippets: Vec<(String, String)>,
    /// Goes back with *Save anyway*.
    pub proof: String,
}

impl TrialsView {
    /// `kind` of the value that was tried by the Test of its type.
    pub fn new(kind: Option<&'static Kind>, trials: Trials, proof: String) -> Self {
        let (all_well, took) = (trials.all_well(), seconds(trials.took));
        let mut failing: Vec<String> =
            trials.usages.iter().filter(|on| on.fails()).map(|on| on.line.name.clone()).collect();
        let mut lines = Vec::new();
        let (mut remedy, mut snippets) = (String::new(), Vec::new());
        if let (Some(kind), Some((found, took))) = (kind, trials.test) {
            if found.verdict.is_unproven() {
                failing.insert(0, kind.label.to_owned());
            }
            lines.push(test_line(kind, &found, took));
            (remedy, snippets) = (found.remedy, found.snippets);
        }
        lines.extend(trials.usages.into_iter().map(usage_line));
        let named = names(&failing);
        let failing = failing.len();
        Self { lines, took, failing, named, all_well, rest: trials.rest, remedy, snippets, proof }
    }
}

fn test_line(kind: &'static Kind, found: &Finding, took: Duration) -> Line {
    let tone = if found.verdict.is_unproven() { "bad" } else { "good" };
    let (text, more) = parted(&found.sentence);
    Line {
        id: None,
        mark: kind.slug.to_owned(),
        name: kind.label.to_owned(),
        via: "Own test".to_owned(),
        tone,
        word: word(tone),
        text,
        more,
        took: seconds(took),
    }
}

fn usage_line(on: OnUsage) -> Line {
    let label = || Spec::find(&on.line.version).map_or("It", |spec| spec.label);
    let Tried { outcome, took } = on.tried;
    let (tone, text) = match outcome {
        Outcome::Good(sentence) => ("good", sentence),
        Outcome::Failed(sentence) => ("bad", sentence),
        Outcome::NoSuchCall => ("off", format!("Not tested: {} has no call for it.", label())),
    };
    let text = match (on.line.active, tone, on.line.last_state.as_deref()) {
        (false, "bad", _) => format!("{text} It is switched off."),
        (true, "bad", Some("failed" | "parked")) => format!("{text} Its last run failed, too."),
        _ => text,
    };
    let (text, more) = parted(&text);
    let tone = if tone == "bad" && !on.line.active { "off" } else { tone };
    Line {
        id: Some(on.line.id),
        mark: on.line.version.clone(),
        via: via(on.via.as_deref()),
        name: on.line.name,
        tone,
        word: word(tone),
        text,
        more,
        took: if tone == "off" && took.as_millis() < 50 { String::new() } else { seconds(took) },
    }
}

/// `role reader, 123456789012`
pub fn via(role: Option<&str>) -> String {
    match role.map(|role| (role, RoleArn::parse(role))) {
        None => "Directly".to_owned(),
        Some((_, Ok(arn))) => {
            let name = arn.as_str().rsplit('/').next().unwrap_or_default();
            format!("Role {name} in {}", arn.account())
        }
        Some((role, Err(_))) => format!("Role {role}"),
    }
}

/// `one, two and 17 more`
fn names(all: &[String]) -> String {
    const NAMED: usize = 6;
    match all.len() {
        ..=NAMED => all.join(", "),
        count => format!("{} and {} more", all[..NAMED].join(", "), count - NAMED),
    }
}

/// `0.3 s`
fn seconds(took: Duration) -> String {
    format!("{:.1} s", took.as_secs_f64())
}
