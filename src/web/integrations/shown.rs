//! How runs, sizes and moments of integrations read on a page.

use chrono::{DateTime, Utc};

use crate::integrations::deployments::syncs;
use crate::integrations::inventory::Inventory;
use crate::integrations::progress::{Progress, Step};
use crate::integrations::{Family, Spec};
use crate::models::runs::{Run, RunAction, RunState};
pub use crate::web::numbers::{bounded, counted, grouped};
use crate::web::page::{self, When};

/// `in 23 hours`; `now` when the moment has come.
pub fn until(at: DateTime<Utc>, now: DateTime<Utc>) -> When {
    let left = at.signed_duration_since(now);
    let counted = |count: i64, unit: &str| format!("in {count} {unit}{}", if count == 1 { "" } else { "s" });
    let text = match left.num_minutes() {
        ..1 => "now".to_owned(),
        minutes @ 1..120 => counted(minutes, "minute"),
        // Rounded, so that a day from now is not 23 hours a moment later.
        minutes @ 120..2_850 => counted((minutes + 30) / 60, "hour"),
        minutes => counted((minutes + 720) / 1_440, "day"),
    };
    When { iso: page::when(at, now).iso, text }
}

/// `84.2 MB`: decimal units, as registries and clouds count.
pub fn size(bytes: i64) -> String {
    const UNITS: [&str; 4] = ["kB", "MB", "GB", "TB"];
    if bytes < 1_000 {
        return format!("{bytes} B");
    }
    let mut value = bytes as f64 / 1_000.0;
    let mut unit = 0;
    while value >= 999.95 && unit < UNITS.len() - 1 {
        value /= 1_000.0;
        unit += 1;
    }
    format!("{value:.1} {}", UNITS[unit])
}

/// `sha256:9f2c1b4d0e55`: enough to tell two apart. Of the name of an image its end: `agent:2.14.1`.
pub fn short_fingerprint(whole: &str) -> &str {
    if let Some((_, last)) = whole.rsplit_once('/') {
        return last;
    }
    let end = whole.find(':').map_or(12, |at| at + 13);
    whole.get(..end).unwrap_or(whole)
}

/// Tone and word of a state.
pub fn state(state: &str) -> (&'static str, &'static str) {
    match state {
        "queued" | "waiting" => ("info", "Waiting"),
        "retrying" => ("warn", "Retrying"),
        "running" => ("info", "Scanning"),
        "succeeded" => ("good", "Succeeded"),
        "partly" => ("warn", "Partly read"),
        "failed" => ("bad", "Failed"),
        "stopped" => ("neutral", "Stopped"),
        "sent" => ("good", "Delivered"),
        "parked" => ("bad", "Undelivered"),
        _ => ("neutral", "Unknown"),
    }
}

/// The same, in the words of a family.
pub fn state_in(family: &str, state: &str) -> (&'static str, &'static str) {
    match (Family::find(family), state) {
        (Some(Family::SecretSync), "succeeded") => ("good", "In sync"),
        (Some(Family::DaemonSet | Family::SecretSync), "running") => ("info", "Running"),
        (Some(Family::DaemonSet), "succeeded") => ("good", "As deployed"),
        (Some(Family::DaemonSet | Family::SecretSync), "partly") => ("warn", "Needs attention"),
        _ => self::state(state),
    }
}

/// What people call a version; a slug that this release does not know says so.
pub fn version(slug: &str) -> String {
    Spec::find(slug).map_or_else(|| format!("{slug} (unsupported)"), |spec| spec.label.to_owned())
}

/// `Registry Scan · Amazon ECR`
pub fn kind(family: &str, version: &str) -> String {
    format!("{} · {}", self::family(family), self::version(version))
}

/// `Registry Scan`
pub fn family(slug: &str) -> &'static str {
    Family::find(slug).map_or("Unsupported", Family::label)
}

pub fn schedule(every_hours: Option<i32>) -> String {
    match every_hours {
        None => "Off".to_owned(),
        Some(1) => "Every hour".to_owned(),
        Some(168) => "Every 7 days".to_owned(),
        Some(hours) => format!("Every {hours} hours"),
    }
}

/// An unfinished run, as its progress is shown.
#[derive(Clone, Debug)]
pub struct Going {
    pub label: String,
    pub done: u64,
    pub total: u64,
    pub counts: String,
    pub stopping: bool,
}

impl Going {
    pub fn new(run: &Run, inventory: &Inventory) -> Self {
        let progress: Progress = serde_json::from_value(run.progress.clone()).unwrap_or_default();
        let (done, total, saving) = (progress.done, progress.total, progress.step == Step::SAVING.label);
        let waiting = run.state == RunState::Queued;
        let label = match (run.stop_requested, waiting) {
            (true, _) => "Stopping".to_owned(),
            (_, true) => "Waiting for a free worker".to_owned(),
            _ => pause(&progress, inventory.source).unwrap_or_else(|| step(&progress).to_owned()),
        };
        let counts = if waiting || total == 0 {
            String::new()
        } else if saving {
            format!("{} of {}", grouped(done.into()), counted(total.into(), inventory.noun))
        } else {
            let items = counted(progress.items.into(), inventory.noun);
            let gaps = match progress.gaps {
                0 => String::new(),
                gaps => format!(" · {}", counted(gaps.into(), "gap")),
            };
            format!("{} of {} · {items}{gaps}", grouped(done.into()), counted(total.into(), inventory.part))
        };
        let known = if waiting { 0 } else { total.into() };
        Self { label, done: done.into(), total: known, counts, stopping: run.stop_requested }
    }
}

/// Where a scan is. One that has just begun has said nothing yet.
fn step(progress: &Progress) -> &str {
    if progress.step.is_empty() { Step::SIGNING_IN.label } else { &progress.step }
}

/// That a scan waits, until when and why.
fn pause(progress: &Progress, source: &str) -> Option<String> {
    let until = progress.waits_until?.format("%H:%M:%S UTC");
    Some(if progress.waits_as_asked {
        format!("Waiting until {until}, as the {source} asks")
    } else {
        format!("Waiting until {until}: the {source} limits requests")
    })
}

/// A line of the history.
#[derive(Clone, Debug)]
pub struct Past {
    pub tone: &'static str,
    pub word: &'static str,
    pub at: When,
    pub cause: String,
    pub detail: String,
}

impl Past {
    pub fn new(run: &Run, inventory: &Inventory, now: DateTime<Utc>) -> Self {
        let (tone, word) = if inventory.noun == syncs::INVENTORY.noun { of_sync(run) } else { ended(run) };
        let by = &run.requested_by;
        let cause = match run.cause.as_str() {
            "schedule" => "by schedule".to_owned(),
            "secret" => "after a secret was rotated".to_owned(),
            "rollout" => format!("in an upgrade by {by}"),
            "added" => format!("added by {by}"),
            "webhook" => format!("asked for by {by}{}", about(run.places.as_deref())),
            _ => format!("asked for by {by}"),
        };
        let items = counted(run.found.into(), inventory.noun);
        let detail = match run.state {
            RunState::Partly if is_of_deployment(run) => run.error.clone().unwrap_or_default(),
            RunState::Succeeded if run.action == RunAction::Remove => String::new(),
            RunState::Succeeded => format!("{items}{}", difference(run)),
            RunState::Partly => {
                let gaps = counted(run.gaps.into(), "gap");
                format!("{items}{} · {gaps}. {}", difference(run), run.error.as_deref().unwrap_or_default())
            }
            _ => run.error.clone().unwrap_or_default(),
        };
        let at = page::when(run.ended_at.or(run.started_at).unwrap_or(run.queued_at), now);
        Self { tone, word, at, cause, detail }
    }
}

fn is_of_deployment(run: &Run) -> bool {
    matches!(run.action, RunAction::Deploy | RunAction::Observe | RunAction::Remove)
}

/// Tone and word of a finished run.
fn ended(run: &Run) -> (&'static str, &'static str) {
    match (run.action, run.state) {
        (RunAction::Deploy, RunState::Succeeded) => ("good", "Deployed"),
        (RunAction::Deploy, RunState::Partly) => ("warn", "Deployed, not ready"),
        (RunAction::Deploy, RunState::Failed) => ("bad", "Deployment failed"),
        (RunAction::Observe, RunState::Succeeded) => ("good", "As deployed"),
        (RunAction::Observe, RunState::Partly) => ("warn", "Not as deployed"),
        (RunAction::Observe, RunState::Failed) => ("bad", "Check failed"),
        (RunAction::Remove, RunState::Succeeded) => ("neutral", "Removed"),
        (RunAction::Remove, RunState::Partly) => ("warn", "Partly removed"),
        (RunAction::Remove, RunState::Failed) => ("bad", "Not removed"),
        (_, state) => self::state(state.word()),
    }
}

/// The same for a Secret Sync.
fn of_sync(run: &Run) -> (&'static str, &'static str) {
    match (run.action, run.state) {
        (RunAction::Deploy, RunState::Succeeded) => ("good", "Applied"),
        (RunAction::Deploy, RunState::Partly) => ("warn", "Partly applied"),
        (RunAction::Deploy, RunState::Failed) => ("bad", "Not applied"),
        (RunAction::Observe, RunState::Succeeded) => ("good", "In sync"),
        (RunAction::Observe, RunState::Partly) => ("warn", "Not in sync"),
        _ => ended(run),
    }
}

/// ` about team/app`, ` about team/app and 2 more`; blank where it is all that there is.
fn about(places: Option<&[String]>) -> String {
    match places {
        None | Some([]) => String::new(),
        Some([place]) => format!(" about {place}"),
        Some([place, others @ ..]) => format!(" about {place} and {} more", others.len()),
    }
}

/// `: 2 new, 1 changed, 3 gone`; nothing when nothing changed.
pub fn difference(run: &Run) -> String {
    let parts = [(run.added, "new"), (run.changed, "changed"), (run.removed, "gone")];
    let said: Vec<String> =
        parts.iter().filter(|(n, _)| *n > 0).map(|(n, word)| format!("{} {word}", grouped((*n).into()))).collect();
    if said.is_empty() { String::new() } else { format!(": {}", said.join(", ")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_sizes_read_like_speech() {
        assert_eq!([0, 999, 1_204, -12_345_678].map(grouped), ["0", "999", "1,204", "-12,345,678"]);
        assert_eq!(counted(1, "repository"), "1 repository");
        assert_eq!(counted(1_000, "repository"), "1,000 repositories");
        assert_eq!(counted(0, "image"), "0 images");
        assert_eq!(counted(3, "key"), "3 keys");
        assert_eq!(
            [999, 1_000, 84_249_000, 999_999, 1_200_000_000].map(size),
            ["999 B", "1.0 kB", "84.2 MB", "1.0 MB", "1.2 GB"]
        );
    }

    #[test]
    fn only_a_pause_that_was_asked_for_is_called_the_registrys_wish() {
        let waits_until = DateTime::<Utc>::from_timestamp(1_800_000_000, 0);
        let label =
            |waits_as_asked| pause(&Progress { waits_until, waits_as_asked, ..Progress::default() }, "registry");
        assert_eq!(label(true).as_deref(), Some("Waiting until 08:00:00 UTC, as the registry asks"));
        assert_eq!(label(false).as_deref(), Some("Waiting until 08:00:00 UTC: the registry limits requests"));
        assert_eq!(pause(&Progress::default(), "registry"), None);
    }

    #[test]
    fn a_fingerprint_of_any_form_is_shortened_without_a_panic() {
        assert_eq!(short_fingerprint("sha256:9f2c1b4d0e55aa"), "sha256:9f2c1b4d0e55");
        assert_eq!(short_fingerprint("sha256:é"), "sha256:é");
        assert_eq!(short_fingerprint("registry.example.com:5000/team/agent:2.14.1"), "agent:2.14.1");
        assert_eq!(short_fingerprint(""), "");
    }

    #[test]
    fn moments_to_come_are_told_from_now() {
        let now = DateTime::<Utc>::from_timestamp(1_800_000_000, 0).unwrap();
        let text = |seconds| until(now + chrono::Duration::seconds(seconds), now).text;
        assert_eq!(
            [-5, 60, 7_200, 86_400, 86_400 * 7].map(text),
            ["now", "in 1 minute", "in 2 hours", "in 24 hours", "in 7 days"]
        );
    }
}
