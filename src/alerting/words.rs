//! The sentences of an alert: what is wrong, how bad it is, what to do. The Alerts page and every message use the same.

use crate::credentials;
use crate::integrations::alerts::{Event, Severity, Trigger};

/// What a notice says, before it is put into words.
#[derive(Clone, Copy, Debug)]
pub struct Said<'a> {
    pub trigger: Trigger,
    pub event: Event,
    pub subject: &'a str,
    /// Slug of the credential's type, or [`CLIENT`]; empty for other subjects.
    pub kind: &'a str,
    /// Age, or days left.
    pub days: i32,
    pub of_days: i32,
    pub words: &'a str,
}

/// What stands for the type where a client's login is meant.
const CLIENT: &str = "client";

/// `1 day`, `94 days`
fn days(count: i32) -> String {
    format!("{count} day{}", if count == 1 { "" } else { "s" })
}

/// What people call the secret of a type.
fn secret(kind: &str) -> &'static str {
    match kind {
        "aws" => "access key",
        "ibm_cloud" => "API key",
        "api_token" | "github_token" | "gitlab_token" => "token",
        "basic" => "password",
        "certificate" => "certificate",
        "webhook" => "address",
        _ => "secret",
    }
}

/// One sentence that can stand alone.
pub fn title(said: &Said) -> String {
    let Said { subject, words, .. } = said;
    if said.event == Event::Closed {
        return format!("{}: closed, since {words}.", closed(said));
    }
    match said.trigger {
        Trigger::Stale => stale(said),
        Trigger::Expiring if said.kind == CLIENT && said.days <= 0 => {
            format!("A login of the client “{subject}” has expired.")
        }
        Trigger::Expiring if said.kind == CLIENT => {
            format!("A login of the client “{subject}” expires in {}.", days(said.days))
        }
        Trigger::Expiring if said.days <= 0 => format!("“{subject}” has expired."),
        Trigger::Expiring => format!("“{subject}” expires in {}.", days(said.days)),
        Trigger::FailedTest => format!("The test of “{subject}” failed: {words}"),
        Trigger::FailedScan => format!("“{subject}” keeps failing: {words}"),
        Trigger::OldCloudKey => format!("“{subject}” has old keys that are not stored here: {words}"),
        Trigger::OldRuntime => format!("“{subject}” runs on an old runtime: {words}"),
        Trigger::Drift => format!("“{subject}” is not as deployed: {words}"),
        Trigger::Integrity if !words.is_empty() => (*words).to_owned(),
        Trigger::Integrity => format!("“{subject}” is not what Strongroom saved, so it is not used any more."),
        Trigger::Delivery => format!("Messages through “{subject}” are not delivered: {words}"),
        Trigger::Lockout => format!("Too many failed logins as {subject} {words}."),
    }
}

fn stale(said: &Said) -> String {
    let (secret, subject, limit) = (secret(said.kind), said.subject, days(said.of_days));
    match said.event {
        Event::Ahead => {
            let left = days((said.of_days - said.days).max(1));
            format!("The {secret} of “{subject}” passes its limit of {limit} in {left}.")
        }
        _ => format!("The {secret} of “{subject}” is {} old; its limit is {limit}.", days(said.days)),
    }
}

/// The fault in two or three words, for a list that names the credential or integration beside it: `212 days`.
pub fn short(said: &Said) -> String {
    let words = said.words.to_owned();
    match (said.event, said.trigger) {
        (Event::Closed, _) => words,
        (Event::Ahead, Trigger::Stale) => {
            format!("{} days in {}", said.of_days, days((said.of_days - said.days).max(1)))
        }
        (_, Trigger::Stale) => days(said.days),
        (_, Trigger::Expiring) if said.days <= 0 => "expired".to_owned(),
        (_, Trigger::Expiring) => format!("in {}", days(said.days)),
        (_, Trigger::Integrity) if words.is_empty() => "The stored record has been tampered with.".to_owned(),
        (_, Trigger::Lockout) => format!("too many failed logins {words}"),
        _ => words,
    }
}

/// A group of alerts of a trigger.
pub fn group(trigger: Trigger) -> &'static str {
    match trigger {
        Trigger::Stale => "Secrets to rotate",
        Trigger::Expiring => "Expiring credentials and logins",
        Trigger::FailedTest => "Failed tests",
        Trigger::FailedScan => "Failing scans and deployments",
        Trigger::OldRuntime => "Old runtimes",
        Trigger::OldCloudKey => "Old keys in the cloud",
        Trigger::Drift => "Deployments to check",
        Trigger::Integrity => "Tampered records",
        Trigger::Delivery => "Undelivered alerts",
        Trigger::Lockout => "Login lockouts",
    }
}

fn closed(said: &Said) -> String {
    let subject = said.subject;
    match said.trigger {
        Trigger::Stale => format!("Old {} of “{subject}”", secret(said.kind)),
        Trigger::Expiring if said.kind == CLIENT => format!("Expiry of a login of the client “{subject}”"),
        Trigger::Expiring => format!("Expiry of “{subject}”"),
        Trigger::FailedTest => format!("Failed test of “{subject}”"),
        Trigger::FailedScan => format!("Failure of “{subject}”"),
        Trigger::OldCloudKey => format!("Old keys in “{subject}”"),
        Trigger::Drift => format!("Drift or failing pods of “{subject}”"),
        Trigger::OldRuntime => format!("Old runtime of “{subject}”"),
        Trigger::Integrity => format!("Integrity error of “{subject}”"),
        Trigger::Delivery => format!("Undelivered messages through “{subject}”"),
        Trigger::Lockout => format!("Failed logins as {subject}"),
    }
}

pub fn severity(said: &Said) -> Severity {
    match (said.event, said.trigger) {
        (Event::Closed, _) => Severity::Info,
        (Event::Ahead, _) => Severity::Warning,
        (_, Trigger::Integrity) => Severity::Critical,
        (_, Trigger::Expiring) if said.days <= 0 => Severity::Critical,
        (_, Trigger::Expiring) if said.days > 7 => Severity::Warning,
        (_, Trigger::Lockout | Trigger::OldRuntime) => Severity::Warning,
        _ => Severity::Error,
    }
}

/// What to do now.
pub fn remedy(said: &Said) -> &'static str {
    if said.event == Event::Closed {
        return "Nothing is left to do.";
    }
    match (said.trigger, said.kind) {
        (Trigger::Expiring, CLIENT) => {
            "Open the client, choose Rotate at the login, and give the new secret to the program. The current one works until \
             the overlap ends."
        }
        (Trigger::Stale | Trigger::Expiring, "aws") => {
            "Create a second access key for the same user in IAM, and choose Rotate on the credential's page: it tests the key \
             on everything that uses it. Then deactivate and delete the old key in IAM."
        }
        (Trigger::Stale | Trigger::Expiring, "certificate") => {
            "Have a new certificate issued, and enter it with its key under Rotate on the credential's page."
        }
        (Trigger::Stale | Trigger::Expiring, _) => {
            "Create a new secret at the provider, and choose Rotate on the credential's page: it tests the secret on everything \
             that uses it. Then revoke the old one."
        }
        (Trigger::FailedTest, _) => "Open the credential, press Test, and follow what it says.",
        (Trigger::FailedScan, _) => "Open the integration: its page names the step that failed and what to do.",
        (Trigger::OldCloudKey, _) => {
            "Open Cloud keys. Replace each key at its provider, store the new one here, and switch the old one off. The alert \
             closes with the next scan."
        }
        (Trigger::OldRuntime, _) => {
            "Move the function to a newer runtime: test its code with it, then change the setting and deploy. The alert closes \
             with the next scan."
        }
        (Trigger::Drift, _) => {
            "Open the integration to see what is wrong. To undo drift, preview and deploy. To keep it, change the \
             settings to match."
        }
        (Trigger::Integrity, _) => {
            "Someone may have changed the database. Find out who, then enter \
            the secret again, or delete the record and add it again."
        }
        (Trigger::Delivery, _) => "Open the channel, fix what its page names, then retry the waiting messages.",
        (Trigger::Lockout, _) => "Ask the account's owner. The Audit page lists the attempts with their addresses.",
    }
}

/// The page of what an alert is about, below the console's address.
pub fn place(trigger: Trigger, subject_kind: &str, id: uuid::Uuid) -> String {
    match (subject_kind, trigger) {
        (_, Trigger::OldCloudKey) => "cloud-keys?show=old".to_owned(),
        ("credential", _) => format!("credentials/{id}"),
        ("integration", _) => format!("integrations/{id}"),
        ("item", _) => format!("items/{id}"),
        ("client", _) => format!("clients/{id}"),
        ("store", _) => "audit?what=store.verification_failed".to_owned(),
        (_, Trigger::Integrity) => "audit?what=user.integrity_failure".to_owned(),
        _ => "audit?what=login.locked".to_owned(),
    }
}

/// What else tells the subject apart, never a whole key id: `AWS · ID ends in 6QXA`.
pub fn detail(kind: &str, identity: &str) -> String {
    let Some(kind) = credentials::find(kind) else { return String::new() };
    let characters: Vec<char> = identity.chars().collect();
    match (kind.slug, characters.len()) {
        (_, 0) => kind.label.to_owned(),
        ("aws", 8..) if identity.starts_with("AKIA") => {
            format!("{} · ID ends in {}", kind.label, characters[characters.len() - 4..].iter().collect::<String>())
        }
        _ => format!("{} · {identity}", kind.label),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(trigger: Trigger, event: Event, age: i32) -> Said<'static> {
        Said {
            trigger,
            event,
            subject: "prod-ci",
            kind: "aws",
            days: age,
            of_days: 90,
            words: "its secret was replaced",
        }
    }

    #[test]
    fn an_old_key_is_told_with_its_age_and_its_limit() {
        let title = title(&said(Trigger::Stale, Event::Raised, 94));
        assert_eq!(title, "The access key of “prod-ci” is 94 days old; its limit is 90 days.");
    }

    #[test]
    fn a_warning_ahead_counts_the_days_that_are_left() {
        let title = title(&said(Trigger::Stale, Event::Ahead, 89));
        assert_eq!(title, "The access key of “prod-ci” passes its limit of 90 days in 1 day.");
    }

    #[test]
    fn a_closed_alert_says_why() {
        let title = title(&said(Trigger::Stale, Event::Closed, 94));
        assert_eq!(title, "Old access key of “prod-ci”: closed, since its secret was replaced.");
    }

    #[test]
    fn an_end_that_has_come_is_critical() {
        assert_eq!(severity(&said(Trigger::Expiring, Event::Raised, 0)), Severity::Critical);
        assert_eq!(severity(&said(Trigger::Expiring, Event::Raised, 30)), Severity::Warning);
        assert_eq!(title(&said(Trigger::Expiring, Event::Raised, 0)), "“prod-ci” has expired.");
    }

    #[test]
    fn no_whole_key_id_is_told() {
        assert_eq!(detail("aws", "AKIAIOSFODNN7EXAMPLE"), "AWS · ID ends in MPLE");
        assert_eq!(detail("basic", "robot"), "Basic authentication · robot");
        assert_eq!(detail("", ""), "");
    }
}
