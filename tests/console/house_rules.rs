//! The directions between the rooms of the house and the habits in them, read from the sources. A rule that is in the
//! way is changed here, with its reason, and not worked around there.

use std::fs;
use std::path::{Path, PathBuf};

mod circles;
mod dependencies;
mod endurance;
mod floors;
mod handlers;
mod usecases;

fn files(folder: &str, ending: &str) -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let (mut found, mut folders) = (Vec::new(), vec![root.join(folder)]);
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("a folder of the project").flatten() {
            let path: PathBuf = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.to_string_lossy().ends_with(ending) {
                let name = path.strip_prefix(root).expect("below the root").to_string_lossy().into_owned();
                found.push((name, fs::read_to_string(&path).expect("a text")));
            }
        }
    }
    found.sort();
    assert!(!found.is_empty(), "no {ending} in {folder}");
    found
}

/// The product's code: without test modules and comments.
fn sources() -> Vec<(String, String)> {
    let is_test = |name: &str| name.split('/').any(|part| part == "tests" || part == "tests.rs");
    let sources = files("src", ".rs").into_iter().filter(|(name, _)| !is_test(name));
    sources.map(|(name, text)| (name, code(&text))).collect()
}

/// Without comments, and without what is there for tests only: the item after `#[cfg(test)]`, up to its end.
fn code(text: &str) -> String {
    let mut kept = Vec::new();
    let mut lines = text.lines().filter(|line| !line.trim_start().starts_with("//"));
    while let Some(line) = lines.next() {
        if line.trim() != "#[cfg(test)]" {
            kept.push(line);
            continue;
        }
        let indent = line.len() - line.trim_start().len();
        let ends = |line: &&str| line.trim_end().ends_with(';') || *line == format!("{}}}", " ".repeat(indent));
        let item = lines.next().unwrap_or_default();
        if !ends(&item) {
            lines.by_ref().find(ends_at(indent));
        }
    }
    kept.join("\n")
}

/// The line that closes a block of that indent.
fn ends_at(indent: usize) -> impl FnMut(&&str) -> bool {
    let end = format!("{}}}", " ".repeat(indent));
    move |line: &&str| **line == end
}

#[test]
fn the_rules_read_every_file_to_its_end() {
    let text = "//! Docs.\nfn a() {}\n#[cfg(test)]\nmod tests;\nfn b() {}\n#[cfg(test)]\nmod more {\n    fn c() {}\n}\nfn d() {}";
    assert_eq!(code(text), "fn a() {}\nfn b() {}\nfn d() {}");
    let read: Vec<String> = sources().into_iter().map(|(name, _)| name).collect();
    for name in ["src/models/checkups.rs", "src/vault/mod.rs"] {
        assert!(read.iter().any(|other| other == name), "{name}");
    }
    assert!(sources().iter().any(|(name, code)| name == "src/vault/mod.rs" && code.contains("fn unpad(")));
}

/// Fails with every place in the files under `folder` (but `except`) that holds one of the words.
fn nowhere(folder: &str, words: &[&str], except: &[&str], why: &str) {
    let mut places = Vec::new();
    for (name, text) in sources() {
        if name.starts_with(folder) && !except.iter().any(|other| name.starts_with(other)) {
            places.extend(words.iter().filter(|word| text.contains(**word)).map(|word| format!("{name}: {word}")));
        }
    }
    assert!(places.is_empty(), "{why}:\n{}", places.join("\n"));
}

#[test]
fn forms_know_nothing_of_ours() {
    let words = [
        "crate::credentials",
        "crate::models",
        "crate::web",
        "crate::providers",
        "crate::vault",
        "diesel",
        "actix_web",
    ];
    nowhere("src/form", &words, &[], "a form is declared, shown and checked without anything else");
}

#[test]
fn what_speaks_to_providers_knows_neither_database_nor_web() {
    let words = ["diesel", "actix_web", "askama", "crate::models", "crate::web", "crate::services", "crate::vault"];
    for folder in ["src/credentials", "src/providers", "src/integrations"] {
        nowhere(folder, &words, &[], "a scan must run from values and a peer alone");
    }
}

#[test]
fn only_the_models_know_the_database() {
    // Health asks the database a question.
    let except = ["src/models", "src/web/health.rs", "src/web/error.rs"];
    nowhere("src", &["diesel::", "use diesel"], &except, "queries are in models");
}

#[test]
fn models_neither_render_nor_open_secrets() {
    nowhere(
        "src/models",
        &["askama", "actix_web", "crate::web", ".open(&", "vault.open"],
        &["src/models/events.rs"],
        "models store",
    );
}

/// "Who can see a secret" is answered by this list.
#[test]
fn secrets_are_opened_in_few_places() {
    let may = [
        "src/vault",
        "src/accounts/gate.rs",
        // For integrations, and for the daily test, which nobody presses.
        "src/opening.rs",
        "src/rewrap.rs",
        "src/verification",
    ];
    nowhere(
        "src",
        &["vault.open(", ".vault().open("],
        &may,
        "a new reader of secrets is a decision, to be listed here",
    );
}

/// Rows under a keyed check. Whoever reads one gets it as `Seen` or `Trusted`, and must choose.
const SIGNED: [&str; 15] = [
    "User",
    "ApiToken",
    "Session",
    "Credential",
    "Integration",
    "Recipient",
    "Hook",
    "Client",
    "ClientLogin",
    "ClientRule",
    "Kek",
    "Health",
    "Deployment",
    "Deployed",
    "Rollout",
];

/// What returns such a row bare, and why it may.
const BARE: [&str; 5] = [
    // For lists, which decide nothing.
    "src/models/sessions.rs: of",
    "src/models/keks.rs: list",
    // Without a row that counts, as if there were none.
    "src/models/channels.rs: health",
    // What a form may build on, because saving it replaces everything that decides.
    "src/models/trust.rs: into_replaceable",
    "src/models/trust.rs: into_shown",
];

#[test]
fn signed_rows_leave_the_models_judged() {
    let mut bare = Vec::new();
    for (name, text) in sources().into_iter().filter(|(name, _)| name.starts_with("src/models/")) {
        for function in text.split("pub fn ").skip(1) {
            let (signature, _) = function.split_once(" {\n").unwrap_or((function, ""));
            let Some((head, returned)) = signature.split_once("-> ") else { continue };
            let judged = returned.replace("Seen<", "(").replace("Trusted<", "(");
            let words = |text: &str| text.split(|c: char| !c.is_alphanumeric()).map(str::to_owned).collect::<Vec<_>>();
            let count = |text: &str| words(text).iter().filter(|word| SIGNED.contains(&word.as_str())).count();
            let inside = returned.matches("Seen<").count() + returned.matches("Trusted<").count();
            if count(&judged) > inside {
                bare.push(format!("{name}: {}", head.split(['(', '<']).next().unwrap_or_default()));
            }
        }
    }
    bare.retain(|place| !BARE.contains(&place.as_str()));
    assert!(bare.is_empty(), "return these as Seen or Trusted, or say why not:\n{}", bare.join("\n"));
}

#[test]
fn rows_that_were_not_trusted_are_only_shown() {
    // Names for sentences and for the audit trail; what a person sees; what a verification names.
    let may = [
        "src/models",
        "src/web",
        "src/usecases",
        "src/verification.rs",
        "src/jobs/verify.rs",
        "src/alerting",
        "src/accounts/gate.rs",
    ];
    let except = [&may[..], &["src/opening.rs", "src/commands/user.rs"]].concat();
    nowhere("src", &["shown()"], &except, "what decides must be trusted");
}

#[test]
fn htmx_headers_are_spelled_in_one_file() {
    nowhere("src", &["\"hx-", "\"HX-"], &["src/web/htmx.rs", "src/web/security.rs"], "htmx is spoken in htmx.rs");
}

#[test]
fn templates_escape_everything_and_hold_nothing_inline() {
    let banned = [
        "|safe",
        "| safe",
        "autoescape",
        " style=",
        "<style",
        "hx-on",
        "js:",
        "javascript:",
        " onclick",
        " onload",
        "hx-vals",
    ];
    let mut places = Vec::new();
    // Mails have no style sheet to ask for; their own rule is below.
    for (name, text) in files("templates", ".html").into_iter().filter(|(name, _)| !name.starts_with("templates/mail/"))
    {
        places.extend(banned.iter().filter(|word| text.contains(**word)).map(|word| format!("{name}: {word}")));
        let scripts = text.match_indices("<script").filter(|(at, _)| !text[*at..].starts_with("<script src="));
        places.extend(scripts.map(|_| format!("{name}: inline script")));
    }
    assert!(places.is_empty(), "the content security policy forbids it:\n{}", places.join("\n"));
}

#[test]
fn templates_fit_a_screen() {
    let long: Vec<String> = files("templates", ".html")
        .into_iter()
        .flat_map(|(name, text)| {
            let lines = text.lines().enumerate().filter(|(_, line)| line.chars().count() > 120);
            lines.map(|(at, _)| format!("{name}:{}", at + 1)).collect::<Vec<_>>()
        })
        .collect();
    assert!(long.is_empty(), "at most 120 characters a line, one element each:\n{}", long.join("\n"));
}

#[test]
fn mails_escape_everything_and_fetch_nothing() {
    let banned = [
        "|safe",
        "| safe",
        "autoescape",
        "<script",
        "<img",
        "<link",
        "<iframe",
        "<form",
        "<svg",
        " src=",
        "url(",
        "@import",
        " onclick",
        " onload",
        " onerror",
        "javascript:",
    ];
    let mut places = Vec::new();
    for (name, text) in files("templates/mail", ".html") {
        places.extend(banned.iter().filter(|word| text.contains(**word)).map(|word| format!("{name}: {word}")));
    }
    assert!(places.is_empty(), "a mail must show without asking anybody:\n{}", places.join("\n"));
}

#[test]
fn every_file_fits_one_room() {
    let long: Vec<String> = files("src", ".rs")
        .into_iter()
        .filter(|(name, _)| !name.ends_with("schema.rs"))
        .map(|(name, text)| (name, text.lines().count()))
        .filter(|(_, lines)| *lines > 350)
        .map(|(name, lines)| format!("{name}: {lines} lines"))
        .collect();
    assert!(long.is_empty(), "split these:\n{}", long.join("\n"));
}

#[test]
fn every_module_says_what_lives_in_it() {
    let silent: Vec<String> = files("src", ".rs")
        .into_iter()
        .filter(|(name, text)| {
            !text.trim_start().starts_with("//!") && !name.ends_with("schema.rs") && !name.ends_with("tests.rs")
        })
        .map(|(name, _)| name)
        .collect();
    assert!(silent.is_empty(), "open with what lives there:\n{}", silent.join("\n"));
}
