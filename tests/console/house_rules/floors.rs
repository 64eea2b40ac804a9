//! The rooms of the house, one above the other: which may name which.

use super::{nowhere, sources};

/// The rooms from the roof to the ground. A room may name those of lower lines only, so no two can name each other.
const FLOORS: [&[&str]; 16] = [
    &["main", "client"],
    &["commands"],
    &["cli", "console"],
    &["api"],
    &["web", "jobs"],
    &["usecases"],
    &["runs", "alerting", "checkup", "rewrap", "audit_export"],
    &["connection_test", "entries"],
    &["services", "store", "opening", "verification", "telemetry"],
    &["draft", "accounts", "mail", "config", "echoes"],
    &["models", "integrations", "postgres"],
    &["providers"],
    &["credentials"],
    &["form", "vault"],
    &["names", "hosts", "trail"],
    &["pasted"],
];

/// The rooms that a text names, as `crate::room` or in a list, `use crate::{room, other::Thing};`.
fn named_rooms(text: &str) -> Vec<String> {
    let mut rooms = Vec::new();
    for rest in text.split("crate::").skip(1) {
        let list = match rest.strip_prefix('{') {
            Some(list) => list.split_once("};").map_or(list, |(list, _)| list),
            None => rest.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap_or_default(),
        };
        let mut depth = 0;
        let outer = list.split(|c: char| {
            depth += i32::from(c == '{') - i32::from(c == '}');
            c == ',' && depth == 0
        });
        rooms.extend(outer.filter_map(|part| part.trim().split([':', ' ']).next()).map(str::to_owned));
    }
    rooms
}

#[test]
fn rooms_name_only_rooms_of_lower_floors() {
    assert_eq!(named_rooms("use crate::{a, b::{C, D}, e};\ncrate::f::g()"), ["a", "b", "e", "f"]);
    let floor = |room: &str| FLOORS.iter().position(|rooms| rooms.contains(&room));
    let mut wrong = Vec::new();
    for (name, text) in sources().into_iter().filter(|(name, _)| name != "src/lib.rs") {
        let room = name.split('/').nth(1).unwrap_or_default().trim_end_matches(".rs");
        let Some(own) = floor(room) else {
            wrong.push(format!("{name}: give the room {room} a floor"));
            continue;
        };
        let higher = |other: &String| other != room && floor(other).is_some_and(|floor| floor <= own);
        wrong.extend(named_rooms(&text).into_iter().filter(higher).map(|other| format!("{name}: {other}")));
    }
    assert!(wrong.is_empty(), "a lower room names a higher one:\n{}", wrong.join("\n"));
}

/// HTTP is a matter of the pages. The command starts the runtime that they need.
#[test]
fn only_pages_programs_and_the_console_name_actix() {
    let except = ["src/web", "src/api", "src/console.rs", "src/commands/serve.rs"];
    nowhere("src", &["actix_web", "crate::web"], &except, "rooms below the pages work without a request");
}

#[test]
fn only_the_console_names_pages_and_jobs_together() {
    nowhere("src", &["crate::jobs", "jobs::start"], &["src/console.rs", "src/jobs"], "jobs know no pages");
}
