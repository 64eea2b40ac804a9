use super::*;

fn fault(read: Result<Node, Fault>) -> Fault {
    read.err().expect("a refusal")
}

#[test]
fn json_members_are_read_with_their_types() {
    let node = json("{\"a\": \"x\", \"b\": {\"c\": [1, 1.5, true, null]}, \"d\": null}").unwrap_or(Node::Null);
    assert_eq!(node.get("a").and_then(Node::text), Some("x"));
    let list = node.get("b").and_then(|b| b.get("c")).and_then(Node::list).expect("a list");
    let types = matches!(list, [Node::Number(Some(1)), Node::Number(None), Node::Bool(true), Node::Null]);
    assert!(types && node.get("d").is_none());
    assert_eq!(node.names().collect::<Vec<_>>(), ["a", "b"]);
}

#[test]
fn yaml_keeps_unquoted_numbers_as_they_were_written() {
    let node =
        yaml("token: 0123\nversion: 1.10\nno: off\ntrue: false\nnothing: ~\nquoted: 'true'\n").unwrap_or(Node::Null);
    let text = |name: &str| node.get(name).and_then(Node::text);
    assert_eq!((text("token"), text("version"), text("no")), (Some("0123"), Some("1.10"), Some("off")));
    assert!(matches!(node.get("true"), Some(Node::Bool(false))) && node.get("nothing").is_none());
    assert_eq!(text("quoted"), Some("true"));
}

#[test]
fn json_is_yaml_too() {
    let text = "{\"a\": \"x\\n\\\"\\u00e9\", \"b\": [{\"c\": false}]}";
    let (one, two) = (json(text).unwrap_or(Node::Null), yaml(text).unwrap_or(Node::Null));
    assert_eq!(one.get("a").and_then(Node::text), Some("x\n\"é"));
    assert_eq!(one.get("a").and_then(Node::text), two.get("a").and_then(Node::text));
}

#[test]
fn a_member_given_twice_is_refused_at_its_line() {
    assert_eq!(fault(json("{\"a\": 1,\n\"a\": 2}")), Fault::Duplicate(2));
    assert_eq!(fault(json("{\"x\": [{\"a\": 1, \"\\u0061\": 2}]}")), Fault::Duplicate(1));
    assert_eq!(fault(yaml("a: 1\nb: 2\n'a': 3\n")), Fault::Duplicate(3));
    assert_eq!(fault(yaml("x: {1: a, '1': b}")), Fault::Duplicate(1));
}

#[test]
fn nesting_ends_at_32_levels() {
    let nested = |depth: usize| format!("{}1{}", "{\"a\":".repeat(depth), "}".repeat(depth));
    assert!(json(&nested(32)).is_ok() && yaml(&nested(32)).is_ok());
    assert_eq!(fault(json(&nested(33))), Fault::Deep);
    assert_eq!(fault(yaml(&nested(33))), Fault::Deep);
    assert!(yaml(&"[".repeat(200 * 1024)).is_err());
}

#[test]
fn size_and_number_of_values_are_bounded() {
    let many = format!("{{\"a\": [{}0]}}", "0,".repeat(node::MAX_NODES));
    assert_eq!(fault(json(&many)), Fault::Many);
    assert_eq!(fault(yaml(&many)), Fault::Many);
    let long = format!("{{\"a\": \"{}\"}}", "x".repeat(node::MAX_BYTES));
    assert_eq!(fault(json(&long)), Fault::Long);
    assert_eq!(fault(yaml(&long)), Fault::Long);
}

#[test]
fn yaml_that_points_elsewhere_is_refused() {
    for text in
        ["a: &x b", "a: &x [b]", "a: &x {b: c}", "&x a: b", "a: !!str b", "a: !x [b]", "!x {a: b}", "<<: {a: b}"]
    {
        assert_eq!(fault(yaml(text)), Fault::Indirect(1), "{text}");
    }
    assert_eq!(fault(yaml("a: &x b\nc: *x")), Fault::Indirect(1));
    assert!(yaml("c: *x").is_err() && yaml("%YAML 1.2\n---\na: b").is_err());
    assert!(yaml("'<<': a").is_ok(), "a quoted << is a name like any other");
}

#[test]
fn a_key_that_is_not_text_is_refused() {
    for text in ["? [a]\n: b", "? {a: b}\n: c", "{[a]: b}", "'': b"] {
        assert_eq!(fault(yaml(text)), Fault::Key(1), "{text}");
    }
}

#[test]
fn anything_but_one_map_is_refused() {
    for text in ["", "[]", "\"a\"", "1"] {
        assert!(json(text).is_err() && yaml(text).is_err(), "{text}");
    }
    assert_eq!(fault(yaml("a: b\n---\nc: d\n")), Fault::Several);
    assert_eq!(fault(json("{\"a\": 1} x")), Fault::Json(1));
    assert_eq!(fault(json("{\n\"a\": }")), Fault::Json(2));
    for cut in ["{", "{\"a\": 1", "{\"a\": \"x", "{\n\"a\": {\"b\": 1}", "{\"a\":"] {
        assert_eq!(fault(json(cut)), Fault::Cut, "{cut}");
    }
}

#[test]
fn the_mark_that_some_editors_put_first_is_passed_over() {
    assert!(json("\u{feff}{\"a\": 1}").is_ok() && yaml("\u{feff}a: b\n").is_ok());
    assert!(yaml("---\na: b\n...\n").is_ok());
}
