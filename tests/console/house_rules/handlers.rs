//! Handlers are short: they take the request apart, call a use case and show a page. What is done is in `usecases`, how
//! a page comes about beside its template.

use std::collections::{BTreeMap, BTreeSet};

use super::sources;

/// Lines that the body of a handler may have.
const MOST_LINES: usize = 40;
/// Lines that half of them may have at most.
const MEDIAN_LINES: usize = 10;

/// The handlers that the URL tree names, as `credentials::new::create`.
fn named_in(tree: &str) -> BTreeSet<&str> {
    let routes = tree.lines().map(str::trim).filter(|line| line.starts_with("get ") || line.starts_with("post "));
    routes.filter_map(|line| line.split_once(" => ")?.1.strip_suffix(';')).collect()
}

/// Lines between the braces of a function at the margin.
fn lines_of(function: &str, text: &str) -> Option<usize> {
    let mut lines = text.lines().skip_while(|line| !line.starts_with(&format!("pub async fn {function}(")));
    lines.find(|line| line.ends_with('{'))?;
    lines.position(|line| line == "}")
}

#[test]
fn a_handler_is_found_in_the_tree_and_measured() {
    let tree = "tree! {\n    get  \"/\"  => a::b;\n    post \"/\" => a::b;\n    get \"/c\" => a::c::d;\n}\n";
    assert_eq!(named_in(tree).into_iter().collect::<Vec<_>>(), ["a::b", "a::c::d"]);
    let text = "fn a() {\n}\npub async fn b(\n    c: D,\n) -> E {\n    f {\n    }\n    g\n}\n";
    assert_eq!(lines_of("b", text), Some(3));
}

#[test]
fn handlers_are_short() {
    let texts: BTreeMap<String, String> = sources().into_iter().collect();
    let tree = &texts["src/web/mod.rs"];
    let length = |handler: &str| {
        let (module, function) = handler.rsplit_once("::").expect("a path");
        let file = format!("src/web/{}", module.replace("::", "/"));
        let text = texts.get(&format!("{file}.rs")).or_else(|| texts.get(&format!("{file}/mod.rs")));
        (lines_of(function, text.expect("a file")).expect("a function"), handler.to_owned())
    };
    let mut lengths: Vec<_> = named_in(tree).into_iter().map(length).collect();
    lengths.sort_by(|one, other| other.cmp(one));
    assert!(lengths.len() > 70, "the tree names more handlers than {}", lengths.len());
    let listed = |longest: &[(usize, String)]| {
        longest.iter().map(|(lines, handler)| format!("{lines} {handler}")).collect::<Vec<_>>().join("\n")
    };
    let long: Vec<_> = lengths.iter().take_while(|(lines, _)| *lines > MOST_LINES).cloned().collect();
    assert!(long.is_empty(), "what a handler does belongs in a use case:\n{}", listed(&long));
    let (median, _) = lengths[lengths.len() / 2];
    assert!(median <= MEDIAN_LINES, "half of the handlers have {median} lines and more:\n{}", listed(&lengths[..12]));
}
