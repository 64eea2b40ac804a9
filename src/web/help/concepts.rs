//! The help on what is done every day: states, rotation, alerts, scans, import. What is a list in the code is read from
//! there.

use super::paths;
use super::topic::{Block, Section, Topic};
use crate::alerting::words::{self, Said};
use crate::integrations::alerts::{Event, Trigger};
use crate::models::alert_settings::{AHEAD_DAYS, EXPIRY_DAYS, REMIND_DAYS};
use crate::models::credential_query::EXPIRING_DAYS;
use crate::usecases::credentials::replace;

/// In the order of the index.
pub fn all() -> Vec<Topic> {
    vec![states(), rotate(), alerts(), scans(), import()]
}

fn states() -> Topic {
    let old = vec![
        Block::text(
            "A secret is old once it is older than its limit. AWS access keys have a limit of 90 days unless your \
             administrator sets another; other types have none until one is set. A limit on a credential overrides that of \
             its type; 0 means never.",
        ),
        Block::text(
            "The age counts from the day the provider created the secret, where a test or a scan was told that day, and \
             otherwise from the day the secret was stored here. Rotating starts the count again. Renaming or tagging does \
             not.",
        ),
        Block::links(&[("/alerts/settings", "Limits and channels"), (paths::ROTATE, "Rotate and replace")]),
    ];
    let expiring = format!(
        "A credential is expiring when its certificate, token or secret ends within {EXPIRING_DAYS} days, or has ended. The \
         day comes from the secret itself or from its provider; some providers don't report one."
    );
    let unused = "No integration and no client of this console uses it. It may still be used elsewhere, so this is no reason to delete it. An \
                  integration that is switched off still counts as a usage.";
    let covered = "A registry, or the functions of a region, that a cloud scan found is covered when a scan that is switched on \
                   reads it. What no scan reads is listed as not covered, with the scan to add. Clusters are listed only.";
    let failing = "A credential whose last test found that it doesn't work, or an integration whose last run failed. One that \
                   read a part and names the rest as gaps is shown as partly.";
    let tampered = "The stored record isn't what Strongroom saved: somebody changed it in the database. Its secret is not used \
                    until it is entered again.";
    Topic::concept(
        paths::STATES,
        "States",
        "What old, expiring, unused, not covered, failing and tampered mean.",
        vec![
            Section::new("old", "Old", old),
            Section::new("expiring", "Expiring", vec![Block::text(expiring)]),
            Section::new("unused", "Unused", vec![Block::text(unused)]),
            Section::new(
                "covered",
                "Not covered",
                vec![Block::text(covered), Block::links(&[("/discovery", "Discovery")])],
            ),
            Section::new(
                "failing",
                "Failing",
                vec![Block::text(failing), Block::links(&[(paths::SCANS, "Scans and gaps")])],
            ),
            Section::new(
                "tampered",
                "Tampered",
                vec![Block::text(tampered), Block::links(&[(paths::AUDIT, "Audit trail")])],
            ),
        ],
    )
}

fn rotate() -> Topic {
    let steps = [
        "Create the new secret at the provider. The old one stays valid.",
        "Choose Rotate on the credential, in its row, on its alert or on the dashboard, and enter the new secret.",
        "Test and save tries it at the provider and on every usage that has a test. If all is well, it is saved; if not, \
         nothing is, and you may save it anyway after seeing what fails.",
        "Every usage works with the new secret from its next call on. Its alert closes by itself.",
        "Delete the old secret at the provider: Strongroom doesn't do that.",
    ];
    let most = replace::MOST;
    let replace = format!(
        "Replace everywhere moves the usages of a credential to another one of a fitting type: all of them or those you tick, \
         {most} at a time. They are tested first, then moved all at once. Undo moves them back as long as nothing else changed."
    );
    let delete = "A credential that is in use can't be deleted: the database refuses it, and the page lists what uses it. Replace \
                  it everywhere first.";
    Topic::concept(
        paths::ROTATE,
        "Rotate and replace",
        "How to change a secret without breaking what uses it.",
        vec![
            Section::new("rotate", "Rotate", vec![Block::Steps(steps.map(str::to_owned).into())]),
            Section::new("replace", "Replace everywhere", vec![Block::text(replace)]),
            Section::new("delete", "Delete", vec![Block::text(delete)]),
        ],
    )
}

fn alerts() -> Topic {
    let said = |trigger| Said { trigger, event: Event::Raised, subject: "", kind: "", days: 0, of_days: 0, words: "" };
    let triggers = Trigger::ALL.map(|trigger| (trigger.label(), words::remedy(&said(trigger))));
    let [first, second] = AHEAD_DAYS;
    let [month, week, day] = EXPIRY_DAYS;
    let times = format!(
        "A secret that grows old is announced {first} and {second} days ahead, an expiry {month}, {week} and {day} days ahead. An \
         open alert is repeated every {REMIND_DAYS} days. It closes by itself once its cause is gone, and that is sent too. An \
         administrator can switch off the warnings ahead and the reminders."
    );
    let care = "Acknowledge makes you the owner of an alert. Snooze stops its reminders for a day, a week or a month: the alert \
                stays open and counted. Both work on a whole group. Old keys of a cloud account are snoozed one by one, or all \
                keys of a user; a snoozed key no longer counts in the alert.";
    let delivery = [
        "A receiver that is down is tried again for as long as it takes, at most five minutes apart.",
        "A message that is refused waits on the Alerts page for Retry or Discard.",
        "A channel that refuses twenty messages in a row is switched off, and the other channels say so.",
        "After a crash, the one message that was on its way may arrive twice, under the same ID.",
    ];
    Topic::concept(
        paths::ALERTS,
        "Alerts",
        "What raises an alert, who is notified, and how to handle one.",
        vec![
            Section::new("triggers", "What raises an alert, and what to do", vec![Block::terms(triggers)]),
            Section::new(
                "times",
                "When people are notified",
                vec![Block::text(times), Block::links(&[("/alerts/settings", "Limits and channels")])],
            ),
            Section::new(
                "care",
                "Acknowledge and snooze",
                vec![Block::text(care), Block::links(&[("/alerts", "Alerts")])],
            ),
            Section::new("delivery", "When a message isn't delivered", vec![Block::points(&delivery)]),
        ],
    )
}

fn scans() -> Topic {
    let runs = [
        "A scan runs when you choose Scan now, and on the schedule of its integration.",
        "It only reads. It can be stopped; what was read until then isn't kept.",
        "While one runs, another of the same integration waits.",
        "Several failures in a row raise an alert; how many is set on the page Limits and channels.",
    ];
    let gaps = "What a scan couldn't read is a gap, with its reason: a repository, a region, an API. The rest is kept, the run is \
                shown as partly, and what the gap may hide stays in the inventory until a later scan has read it.";
    let host = "A stored secret goes to the host of the integration only. A new host, or another private CA, asks for your \
                password first. Redirects are not followed.";
    Topic::concept(
        paths::SCANS,
        "Scans and gaps",
        "How scans run, and what it means when one reads only a part.",
        vec![
            Section::new("runs", "Runs", vec![Block::points(&runs)]),
            Section::new("gaps", "When a scan reads only a part", vec![Block::text(gaps)]),
            Section::new("host", "Where a secret goes", vec![Block::text(host)]),
        ],
    )
}

fn import() -> Topic {
    let files = [
        ("accessKeys.csv", "The file that the AWS console offers with a new access key."),
        ("~/.aws/credentials", "One credential for each profile with a long-term key."),
        ("kubeconfig", "One credential for each context."),
        ("config.json", "The logins that Docker stored in clear; those in a credential helper aren't in the file."),
        (
            "CSV",
            "The columns type and name, and others named after the fields of each type, such as username and password.",
        ),
    ];
    let steps = [
        "Choose the file, or paste it. Look inside lists what it holds and which of it is already stored.",
        "Tick what to import, and change names where you like.",
        "Import selected. Each is checked as if entered by hand, and is an event of its own.",
    ];
    Topic::concept(
        paths::IMPORT,
        "Import",
        "How many credentials are added from one file.",
        vec![
            Section::new("files", "What can be imported", vec![Block::terms(files)]),
            Section::new("steps", "How", vec![Block::Steps(steps.map(str::to_owned).into())]),
            Section::new(
                "kept",
                "What is kept",
                vec![Block::text("Nothing of the file but the credentials you chose. Delete the file afterwards.")],
            ),
        ],
    )
}
