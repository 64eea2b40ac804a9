//! A use case decides by itself what its principal may do, since a page is not the only thing that calls it.

use super::sources;

/// What does something for a principal, with the first line of its body.
fn use_cases(text: &str) -> Vec<(&str, &str)> {
    let functions = text.split("\npub async fn ").skip(1).filter_map(|function| function.split_once(" {\n"));
    let for_somebody = functions.filter(|(signature, _)| signature.contains("principal: &Principal"));
    for_somebody.map(|(signature, body)| (signature.split('(').next().unwrap_or(""), body.trim_start())).collect()
}

#[test]
fn use_cases_ask_for_the_role_first() {
    let text = "\npub async fn a(principal: &Principal) -> B {\n    c()\n}\npub async fn d(e: F) {\n}\n";
    assert_eq!(use_cases(text), [("a", "c()\n}")]);
    let (mut seen, mut wrong) = (0, Vec::new());
    for (name, text) in sources().into_iter().filter(|(name, _)| name.starts_with("src/usecases/")) {
        for (function, body) in use_cases(&text) {
            seen += 1;
            if !(body.starts_with("principal.require(") || body.starts_with("principal.require_fresh_as(")) {
                wrong.push(format!("{name}: {function}"));
            }
        }
    }
    assert!(seen > 25, "{seen} use cases are recognised");
    assert!(wrong.is_empty(), "say first which role may do it:\n{}", wrong.join("\n"));
}
