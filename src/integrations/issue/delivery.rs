//! How a program that `strongroom-client exec` starts gets a value, as its rule says: as variables or as files, and
//! what happens when the value changes or cannot be read.

use serde::Serialize;

use crate::form::{Field, Values};
use crate::pasted::Wanted;

const COMMAND: &str = "command";
const ENVIRONMENT: &str = "environment";
const FILES: &str = "files";
const SIGNAL: &str = "signal";
const WAIT: &str = "wait";

/// Longest that a value is used before it is read again.
const DAY_MINUTES: u32 = 1_440;
/// Most keys of one rule.
const MOST_KEYS: usize = 100;

pub const KEYS: Field = Field::document("keys", "Keys")
    .optional()
    .wants(Wanted::Lines)
    .placeholder("password = DB_PASSWORD")
    .help("One per line, with the name of its variable or file after =. Leave blank for all, named after the rule.")
    .max(8_192)
    .check(keys);
pub const AS: Field = Field::choice(
    "deliver",
    "Delivered as",
    &[(COMMAND, "What the command line says"), (ENVIRONMENT, "Environment variables"), (FILES, "Files")],
)
.optional()
.advanced()
.help("Other processes of the same user can read a program's variables, so prefer files.");
pub const FOLDER: Field = Field::text("folder", "Folder")
    .optional()
    .advanced()
    .when("deliver", &[FILES])
    .default("/run/secrets")
    .max(512)
    .check(folder)
    .help("In memory (tmpfs). Outside /run/secrets, strongroom-client needs --allow-folder.");
pub const OWNER: Field = Field::text("owner", "Owner")
    .optional()
    .advanced()
    .when("deliver", &[FILES])
    .placeholder("1000:1000")
    .max(21)
    .check(owner)
    .help("User and group by number. Leave blank for the user that strongroom-client runs as.");
pub const REFRESH: Field = Field::number("refresh", "Read again every (minutes)", 0, DAY_MINUTES)
    .optional()
    .advanced()
    .default("5")
    .help("While the program runs. 0: only when somebody presses Refresh.");
pub const ON_CHANGE: Field = Field::choice(
    "on_change",
    "When the value changes",
    &[
        (COMMAND, "What the command line says"),
        ("restart", "Restart the program"),
        (SIGNAL, "Send it a signal"),
        ("nothing", "Nothing: files are replaced"),
    ],
)
.optional()
.advanced();
pub const WHICH_SIGNAL: Field = Field::choice(
    "signal",
    "Signal",
    &[("HUP", "SIGHUP"), ("USR1", "SIGUSR1"), ("USR2", "SIGUSR2"), ("INT", "SIGINT"), ("TERM", "SIGTERM")],
)
.optional()
.advanced()
.when("on_change", &[SIGNAL]);
pub const OUTAGE: Field = Field::choice(
    "outage",
    "When it can't be read",
    &[("fail", "The program is not started"), (WAIT, "Wait until it can be read")],
)
.optional()
.help("Running programs keep the value that they have.");

/// What a program is told of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Delivery {
    /// `environment` or `files`; `None`: as the command line says.
    #[serde(rename = "as", skip_serializing_if = "Option::is_none")]
    pub how: Option<String>,
    /// Names of variables or files: (name, key).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub names: Vec<(String, String)>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub folder: Option<String>,
    /// `user:group`, by number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// Minutes between two readings; 0: never.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refresh: Option<u32>,
    /// `restart`, `nothing`, or the name of a signal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub on_change: Option<String>,
}

impl Delivery {
    /// As the settings of a rule say.
    pub fn of(settings: &Values) -> Self {
        let said = |name: &str| Some(settings.get(name)).filter(|value| !["", COMMAND].contains(value));
        let files = said("deliver") == Some(FILES);
        let on_change = match said("on_change") {
            Some(SIGNAL) => Some(said("signal").unwrap_or("HUP")),
            other => other,
        };
        Self {
            how: said("deliver").map(str::to_owned),
            names: wanted(settings).filter_map(|(name, key)| Some((name?.to_owned(), key.to_owned()))).collect(),
            folder: said("folder").filter(|_| files).map(str::to_owned),
            owner: said("owner").filter(|_| files).map(str::to_owned),
            refresh: said("refresh").and_then(|minutes| minutes.parse().ok()),
            on_change: on_change.map(str::to_owned),
        }
    }

    /// Whether the rule leaves all to the command line.
    pub fn is_plain(&self) -> bool {
        *self == Self::default()
    }
}

/// Whether a program that starts waits for a value that cannot be read.
pub fn waits(settings: &Values) -> bool {
    settings.get(OUTAGE.name) == WAIT
}

/// What a rule gives of these keys: all, or those that it names. An error is the key that is not there.
pub fn pick(settings: &Values, keys: &Values) -> Result<Values, String> {
    let named: Vec<&str> = wanted(settings).map(|(_, key)| key).collect();
    if let Some(missing) = named.iter().find(|key| !keys.contains(key)) {
        return Err((*missing).to_owned());
    }
    let given = keys.names().filter(|key| named.is_empty() || named.contains(key));
    Ok(given.map(|key| (key, keys.get(key))).collect())
}

/// The keys that a rule gives, each with the name that it is given; none: all keys.
pub fn wanted(settings: &Values) -> impl Iterator<Item = (Option<&str>, &str)> {
    settings.get(KEYS.name).lines().map(|line| match line.rsplit_once(" = ") {
        Some((key, name)) => (Some(name), key),
        None => (None, line),
    })
}

/// Blank lines and spaces around names and keys are dropped.
fn keys(text: &str) -> Result<String, String> {
    let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    if lines.len() > MOST_KEYS {
        return Err(format!("Enter {MOST_KEYS} lines at most."));
    }
    let mut clean = Vec::new();
    for line in lines {
        let (key, name) = match line.rsplit_once('=') {
            Some((key, name)) => (key.trim(), Some(name.trim())),
            None => (line, None),
        };
        if key.is_empty() || key.chars().any(char::is_control) {
            return Err(format!("Enter a key before the name: {line}"));
        }
        if name.is_some_and(|name| !is_name(name)) {
            return Err(format!("Use letters, digits, dots, hyphens and underscores in a name: {line}"));
        }
        clean.push(name.map_or_else(|| key.to_owned(), |name| format!("{key} = {name}")));
    }
    Ok(clean.join("\n"))
}

/// Of a variable or a file.
fn is_name(name: &str) -> bool {
    let fits = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    (1..=128).contains(&name.len()) && name.chars().all(fits) && !name.starts_with(['.', '-'])
}

fn folder(text: &str) -> Result<String, String> {
    let text = text.trim_end_matches('/');
    let parts = text.strip_prefix('/').unwrap_or_default().split('/');
    let fits = |part: &str| !["", ".", ".."].contains(&part) && !part.chars().any(char::is_control);
    if parts.clone().all(fits) { Ok(text.to_owned()) } else { Err("Enter a whole path: /run/secrets".to_owned()) }
}

fn owner(text: &str) -> Result<String, String> {
    let (user, group) = text.split_once(':').unwrap_or((text, text));
    match (user.parse::<u32>(), group.parse::<u32>()) {
        // The highest number stands for no change.
        (Ok(user), Ok(group)) if user < u32::MAX && group < u32::MAX => Ok(format!("{user}:{group}")),
        _ => Err("Enter numbers: 1000 or 1000:1000".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_says_which_keys_are_given_and_how() {
        let settings: Values = [
            ("keys", keys(" password = DB_PASSWORD \n\nuser").unwrap().as_str()),
            ("deliver", "files"),
            ("folder", folder("/run/app/").unwrap().as_str()),
            ("owner", owner("1000").unwrap().as_str()),
            ("refresh", "10"),
            ("on_change", "signal"),
            ("signal", "USR1"),
            ("outage", "wait"),
        ]
        .into_iter()
        .collect();
        let all: Vec<_> = wanted(&settings).collect();
        assert_eq!(all, [(Some("DB_PASSWORD"), "password"), (None, "user")]);
        let said = serde_json::to_value(Delivery::of(&settings)).unwrap();
        let expected = serde_json::json!({
            "as": "files", "names": [["DB_PASSWORD", "password"]], "folder": "/run/app", "owner": "1000:1000",
            "refresh": 10, "on_change": "USR1",
        });
        assert_eq!(said, expected);
        assert!(waits(&settings) && !waits(&Values::default()));
        assert!(Delivery::of(&Values::default()).is_plain());
    }

    #[test]
    fn what_names_no_file_and_no_user_is_refused() {
        for text in ["y = ../x", "c = a b", "= NAME", "y = -x"] {
            assert!(keys(text).is_err(), "{text}");
        }
        for text in ["run", "/", "/run/../etc", ""] {
            assert!(folder(text).is_err(), "{text}");
        }
        for text in ["root", "1000:", "-1", "4294967295"] {
            assert!(owner(text).is_err(), "{text}");
        }
    }
}
