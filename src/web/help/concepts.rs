//! The help on what holds for the whole console: states, roles, alerts, rotation, and the rest. What is a list in the
//! code is read from there.

use super::paths;
use super::topic::{Block, Link, Section, Topic};
use crate::accounts::Role;
use crate::alerting::words::{self, Said};
use crate::integrations::alerts::{Event, Trigger};
use crate::models::alert_settings::{AHEAD_DAYS, EXPIRY_DAYS, REMIND_DAYS};
use crate::models::credential_query::EXPIRING_DAYS;
use crate::providers;
use crate::usecases::credentials::replace;

/// In the order of the index.
pub fn all() -> Vec<Topic> {
    vec![
        states(),
        rotate(),
        alerts(),
        scans(),
        import(),
        roles(),
        two_step(),
        audit(),
        key_ring(),
        connections(),
        keyboard(),
    ]
}

fn topic(href: &str, title: &str, lead: &str, sections: Vec<Section>) -> Topic {
    let (href, title, lead) = (href.to_owned(), title.to_owned(), lead.to_owned());
    Topic { href, group: "How it works", mark: "", title, lead, sections, add: None }
}

fn links(list: &[(&str, &str)]) -> Block {
    Block::Links(list.iter().map(|(href, text)| Link::new(*href, *text)).collect())
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
        links(&[("/alerts/settings", "Limits and channels"), (paths::ROTATE, "Rotate and replace")]),
    ];
    let expiring = format!(
        "A credential is expiring when its certificate, token or secret ends within {EXPIRING_DAYS} days, or has ended. The \
         day comes from the secret itself or from its provider; some providers don't report one."
    );
    let unused = "No integration of this console uses it. It may still be used elsewhere, so this is no reason to delete it. An \
                  integration that is switched off still counts as a usage.";
    let covered = "A registry, or the functions of a region, that a cloud scan found is covered when a scan that is switched on \
                   reads it. What no scan reads is listed as not covered, with the scan to add. Clusters are listed only.";
    let failing = "A credential whose last test found that it doesn't work, or an integration whose last run failed. One that \
                   read a part and names the rest as gaps is shown as partly.";
    let tampered = "The stored record isn't what Strongroom saved: somebody changed it in the database. Its secret is not used \
                    until it is entered again.";
    topic(
        paths::STATES,
        "States",
        "What old, expiring, unused, not covered, failing and tampered mean.",
        vec![
            Section::new("old", "Old", old),
            Section::new("expiring", "Expiring", vec![Block::text(expiring)]),
            Section::new("unused", "Unused", vec![Block::text(unused)]),
            Section::new("covered", "Not covered", vec![Block::text(covered), links(&[("/discovery", "Discovery")])]),
            Section::new("failing", "Failing", vec![Block::text(failing), links(&[(paths::SCANS, "Scans and gaps")])]),
            Section::new("tampered", "Tampered", vec![Block::text(tampered), links(&[(paths::AUDIT, "Audit trail")])]),
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
    topic(
        paths::ROTATE,
        "Rotate and replace",
        "How a secret is exchanged without breaking what uses it.",
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
    topic(
        paths::ALERTS,
        "Alerts",
        "What raises an alert, who is notified, and how to handle one.",
        vec![
            Section::new("triggers", "What raises an alert, and what to do", vec![Block::terms(triggers)]),
            Section::new(
                "times",
                "When people are notified",
                vec![Block::text(times), links(&[("/alerts/settings", "Limits and channels")])],
            ),
            Section::new("care", "Acknowledge and snooze", vec![Block::text(care), links(&[("/alerts", "Alerts")])]),
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
    topic(
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
        "Import the chosen ones. Each is checked as if entered by hand, and is an event of its own.",
    ];
    topic(
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

fn roles() -> Topic {
    let may = |role| match role {
        Role::Auditor => "Sees everything but secrets, and changes nothing. Nobody sees a stored secret.",
        Role::Operator => "Adds, edits, tests, rotates and deletes credentials and integrations, and handles alerts.",
        Role::Administrator => "All of that; also users, limits of age, and who is notified.",
    };
    let roles = Role::ALL.map(|role| (role.label(), may(role)));
    let password = "Changes that give rights, send a secret to a new place or make alerts quieter ask for your password, unless you \
                    gave it within the last five minutes.";
    topic(
        paths::ROLES,
        "Roles",
        "Who may do what.",
        vec![
            Section::new("roles", "Roles", vec![Block::terms(roles)]),
            Section::new("password", "When your password is asked for", vec![Block::text(password)]),
        ],
    )
}

fn two_step() -> Topic {
    let steps = [
        "Open Account and choose two-step verification.",
        "Scan the code with an authenticator app, and enter the six digits that it shows.",
        "Keep the ten recovery codes where your phone isn't. Each lets you in once.",
    ];
    let lost = "Log in with a recovery code and set up another authenticator. Without codes, an administrator takes the \
                authenticator off your account; without an administrator, whoever runs the server does so at its command line.";
    topic(
        paths::TWO_STEP,
        "Two-step verification",
        "A code from your phone beside the password.",
        vec![
            Section::new(
                "on",
                "Turn it on",
                vec![Block::Steps(steps.map(str::to_owned).into()), links(&[("/account", "Account")])],
            ),
            Section::new("lost", "When the phone is lost", vec![Block::text(lost)]),
            Section::new(
                "required",
                "Required",
                vec![Block::text("An administrator can require it of a user, who then sets it up at the next login.")],
            ),
        ],
    )
}

fn audit() -> Topic {
    let held = "Every change and every use of a secret is an event. Each event carries a keyed code over itself and the one \
                before, so that a changed, removed or inserted event shows.";
    let checks = [
        "Each console follows what others write every few seconds, and reads the whole trail when it starts.",
        "Every night the whole store is verified: every secret is opened once, and every record is held against the trail.",
        "What is found raises an alert. While the trail is broken, no secret is used and nothing is changed.",
    ];
    let commands = Block::Code(
        "Verify by hand, and compare with heads kept elsewhere".to_owned(),
        "strongroom verify\nstrongroom audit verify\nstrongroom audit verify --anchor saved-mail.eml".to_owned(),
    );
    let rolled = "A database that was put back as a whole shows only beside heads kept elsewhere: the log names them every hour, \
                  and alert mails carry them.";
    topic(
        paths::AUDIT,
        "Audit trail",
        "What is recorded, and how it is verified.",
        vec![
            Section::new("held", "What it is", vec![Block::text(held), links(&[("/audit", "Audit")])]),
            Section::new("checks", "How it is verified", vec![Block::points(&checks), commands, Block::text(rolled)]),
        ],
    )
}

fn key_ring() -> Topic {
    let what = "The key ring is a file on the server with the master keys. The database holds secrets only encrypted under them: \
                without the key ring, no backup of the database can be read.";
    let backup = [
        "Copy the file to a place that the database's backups don't share. The first steps on the dashboard name its path.",
        "Copy it again after every new master key, and keep retired keys for as long as a backup needs them.",
        "Give every console of the same database the same file.",
    ];
    let rotate = "strongroom key add\nstrongroom key activate 2\nstrongroom key rewrap\nstrongroom key retire 1";
    topic(
        paths::KEY_RING,
        "Key ring",
        "Back up the file without which no secret can be read.",
        vec![
            Section::new("what", "What it is", vec![Block::text(what)]),
            Section::new("backup", "Back it up", vec![Block::points(&backup)]),
            Section::new(
                "rotate",
                "Exchange the master key",
                vec![
                    Block::text(
                        "While the console runs, on its server. The file goes to every console before the key is activated.",
                    ),
                    Block::Code("A new master key".to_owned(), rotate.to_owned()),
                ],
            ),
        ],
    )
}

fn connections() -> Topic {
    let allowed = "Integrations reach public addresses over https. Private addresses, plain http and unusual ports need the \
                   operator's setting STRONGROOM_EGRESS_ALLOW; addresses of cloud metadata services are never reached.";
    topic(
        paths::CONNECTIONS,
        "Connections",
        "Why a service isn't reached, and what to do.",
        vec![
            Section::new("allowed", "What may be reached", vec![Block::text(allowed)]),
            Section::new("faults", "What can go wrong", vec![Block::terms(providers::unreached())]),
        ],
    )
}

fn keyboard() -> Topic {
    let keys = [
        ("Ctrl K", "Search or jump to anything: credentials, integrations, pages, help, and what can be added."),
        ("/", "Search this page."),
        ("n", "Add something new."),
        (
            "g then d, c, i, k, o, a, t or u",
            "Go to the dashboard, credentials, integrations, cloud keys, discovery, alerts, the \
         audit trail or users.",
        ),
        ("g then h", "Go to the help."),
        ("?", "Show the list of shortcuts."),
    ];
    topic(
        paths::KEYBOARD,
        "Keyboard",
        "Keys that save the mouse.",
        vec![
            Section::new("keys", "Keys", vec![Block::terms(keys)]),
            Section::new(
                "off",
                "Switch them off",
                vec![
                    Block::text("Single keys can be switched off on your account page."),
                    links(&[("/account", "Account")]),
                ],
            ),
        ],
    )
}
