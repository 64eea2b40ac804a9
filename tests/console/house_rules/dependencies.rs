//! The crates that are built in, read from the lock file and from what each says of itself.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

/// Why none of these is to come in, not even by another crate's choice.
const UNWANTED: [(&str, &str); 4] = [
    ("rsa", "its timing tells of the key (RUSTSEC-2023-0071), and aws-lc-rs does the same"),
    ("native-tls", "it would be a second TLS, with roots and versions of its own"),
    ("quick-xml", "XML comes from AWS only, and its SDK reads that with a parser that knows no entities"),
    ("xml-rs", "as quick-xml"),
];

/// Crates of which the lock file has several versions, since crates that we use have not moved to the last one. A name
/// that is not here is a second copy of something that one copy could do; one that is here in vain is taken out.
const SEVERAL: [&str; 39] = [
    "base64",
    "convert_case",
    "cookie",
    "derive_more",
    "getrandom",
    "h2",
    "hashbrown",
    "http",
    "icu_collections",
    "icu_provider",
    "litemap",
    "lock_api",
    "nom",
    "parking_lot",
    "parking_lot_core",
    "r-efi",
    "rand",
    "rand_chacha",
    "rand_core",
    "redox_syscall",
    "syn",
    "synstructure",
    "thiserror",
    "thiserror-impl",
    "tinystr",
    "untrusted",
    "windows-core",
    "windows-implement",
    "windows-interface",
    "windows-link",
    "windows-result",
    "windows-strings",
    "windows-sys",
    "winnow",
    "writeable",
    "yoke",
    "yoke-derive",
    "zerovec",
    "zerovec-derive",
];

/// Licences that a binary may be given away under, with the notice that each asks for.
const LICENCES: [&str; 11] = [
    "0BSD",
    "Apache-2.0",
    "BSD-3-Clause",
    "CC0-1.0",
    "CDLA-Permissive-2.0",
    "ISC",
    "MIT",
    "PostgreSQL",
    "Unicode-3.0",
    "Unlicense",
    "Zlib",
];

/// Under MPL-2.0, whose source would have to be offered with the binary: in the tests only.
const TESTS_ONLY: [&str; 5] = ["cssparser", "cssparser-macros", "dtoa-short", "selectors", "webdriver"];

fn lock() -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.lock")).expect("a lock file")
}

fn value<'a>(package: &'a str, key: &str) -> Option<&'a str> {
    let line = package.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(" = "));
    line.map(|value| value.trim_matches('"'))
}

#[test]
fn the_lock_file_holds_no_crate_that_is_unwanted_and_none_from_elsewhere() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let lock = lock();
    let mut wrong = Vec::new();
    for package in lock.split("[[package]]").skip(1) {
        let value = |key: &str| value(package, key);
        let name = value("name").expect("a name");
        wrong.extend(UNWANTED.iter().filter(|(other, _)| *other == name).map(|(_, why)| format!("{name}: {why}")));
        let known = value("source") == Some("registry+https://github.com/rust-lang/crates.io-index");
        // Only we ourselves come from nowhere.
        if name != "strongroom" && !(known && value("checksum").is_some()) {
            wrong.push(format!("{name}: from {:?}, not from crates.io", value("source")));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let manifest = fs::read_to_string(root.join("Cargo.toml")).expect("a manifest");
    let dependencies =
        manifest.split("\n[").filter(|section| section.lines().next().unwrap_or("").contains("dependencies"));
    let elsewhere = ["git = ", "path = ", "registry = "];
    let lines = dependencies.flat_map(str::lines).filter(|line| elsewhere.iter().any(|word| line.contains(word)));
    assert_eq!(lines.collect::<Vec<_>>(), Vec::<&str>::new());
    assert!(!manifest.contains("[patch") && !manifest.contains("[replace"), "patched crates are nobody's release");
}

#[test]
fn only_known_crates_are_there_in_several_versions() {
    let lock = lock();
    let mut versions = BTreeMap::<&str, u8>::new();
    for package in lock.split("[[package]]").skip(1) {
        *versions.entry(value(package, "name").expect("a name")).or_default() += 1;
    }
    let several: Vec<&str> = versions.into_iter().filter(|(_, count)| *count > 1).map(|(name, _)| name).collect();
    assert_eq!(several, SEVERAL);
}

/// Whether a licence expression (SPDX) leaves a choice of [`LICENCES`]. None has alternatives that are joined by AND.
fn is_allowed(expression: &str) -> bool {
    let parts = expression.replace('/', " OR ").replace(['(', ')'], "");
    parts.split(" AND ").all(|part| part.split(" OR ").any(|licence| LICENCES.contains(&licence.trim())))
}

#[test]
fn every_crate_has_a_licence_that_lets_us_give_it_away() {
    assert!(is_allowed("(MIT OR GPL-3.0) AND ISC") && !is_allowed("MIT AND GPL-3.0") && is_allowed("GPL-2.0/MIT"));
    let target = format!("{}-unknown-linux-gnu", std::env::consts::ARCH);
    let asked = ["metadata", "--locked", "--offline", "--format-version", "1", "--filter-platform", &target];
    let answer = Command::new(env!("CARGO")).args(asked).current_dir(env!("CARGO_MANIFEST_DIR")).output();
    let answer: Value = serde_json::from_slice(&answer.expect("cargo").stdout).expect("what cargo knows of each crate");
    let packages = answer["packages"].as_array().expect("packages");
    assert!(packages.len() > 100, "{}", packages.len());
    let text = |package: &Value, key: &str| package[key].as_str().unwrap_or("none").to_owned();
    let all = packages.iter().map(|package| (text(package, "name"), text(package, "license")));
    let wrong: Vec<(String, String)> =
        all.filter(|(name, licence)| !is_allowed(licence) && !TESTS_ONLY.contains(&name.as_str())).collect();
    assert!(wrong.is_empty(), "{wrong:?}");
}
