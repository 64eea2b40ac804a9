//! The help on who may do what, and on looking after the console itself.

use super::paths;
use super::topic::{Block, Section, Topic};
use crate::accounts::Role;
use crate::providers;

/// In the order of the index.
pub fn all() -> Vec<Topic> {
    vec![roles(), two_step(), audit(), key_ring(), connections(), keyboard(), sample()]
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
    Topic::concept(
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
    Topic::concept(
        paths::TWO_STEP,
        "Two-step verification",
        "A code from your phone beside the password.",
        vec![
            Section::new(
                "on",
                "Turn it on",
                vec![Block::Steps(steps.map(str::to_owned).into()), Block::links(&[("/account", "Account")])],
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
    Topic::concept(
        paths::AUDIT,
        "Audit trail",
        "What is recorded, and how it is verified.",
        vec![
            Section::new("held", "What it is", vec![Block::text(held), Block::links(&[("/audit", "Audit")])]),
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
    Topic::concept(
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
    Topic::concept(
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
    Topic::concept(
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
                    Block::links(&[("/account", "Account")]),
                ],
            ),
        ],
    )
}

fn sample() -> Topic {
    let what = "Made-up credentials of every type and integrations that use them, for a look at a console that is full. An \
                administrator of an empty console loads them on the dashboard.";
    let quiet = [
        "Every row has the tag sample.",
        "The integrations are switched off, and lead to names below sample.example, which nobody can have.",
        "No provider is asked: tests of these credentials stop before any call.",
        "Alerts about them are shown and notify no one.",
    ];
    let remove = "Remove sample data deletes these rows and no others. What you use for something of your own stays and is named: \
                  a credential that an integration of yours uses, one whose secret you replaced, an integration that you \
                  switched on, and whatever you took the tag off.";
    Topic::concept(
        paths::SAMPLE,
        "Sample data",
        "A full console to look at, and how to empty it again.",
        vec![
            Section::new("what", "What it is", vec![Block::text(what), Block::points(&quiet)]),
            Section::new("remove", "Remove it", vec![Block::text(remove), Block::links(&[("/", "Dashboard")])]),
        ],
    )
}
