//! YAML 1.2 into a [`Node`], from the events of granit-parser (the parser below serde-saphyr): only events show
//! anchors, tags and merge keys, all of which are refused. The parser's own errors go nowhere.

use std::collections::BTreeMap;

use granit_parser::{Event, Parser, ScalarStyle, options};
use zeroize::Zeroizing;

use super::node::{self, Fault, MAX_DEPTH, MAX_NODES, Node};

/// A list or map whose end has not come yet.
enum Open {
    List(Vec<Node>),
    /// The members so far, and the name that waits for its value.
    Map(BTreeMap<String, Node>, Option<String>),
}

/// Reads one YAML document that is a map.
pub fn parse(text: &str) -> Result<Node, Fault> {
    let text = node::admitted(text)?;
    // They would become parts of names.
    node::indentation(text, false).map_or(Ok(()), Err)?;
    let options = options! {
        flow_nesting_limit: MAX_DEPTH + 1,
        block_nesting_limit: MAX_DEPTH + 1,
        disallow_directives: true,
    };
    let (mut open, mut nodes, mut root) = (Vec::<Open>::new(), 0_usize, None);
    for event in Parser::new_from_str_with_options(text, options) {
        let (event, span) = event.map_err(|error| broken(text, error.marker().line()))?;
        let line = span.start.line();
        let node = match event {
            Event::Alias(_) => return Err(Fault::Indirect(line)),
            Event::Scalar(_, _, anchor, tag) if anchor != 0 || tag.is_some() => {
                return Err(Fault::Indirect(line));
            }
            Event::SequenceStart(_, anchor, tag) | Event::MappingStart(_, anchor, tag)
                if anchor != 0 || tag.is_some() =>
            {
                return Err(Fault::Indirect(line));
            }
            Event::Scalar(text, style, ..) => {
                nodes += 1;
                if let Some(Open::Map(members, name @ None)) = open.last_mut() {
                    *name = Some(key(&text, style, members, line)?);
                    continue;
                }
                scalar(&text, style)
            }
            Event::SequenceStart(..) | Event::MappingStart(..) => {
                nodes += 1;
                if matches!(open.last(), Some(Open::Map(_, None))) {
                    return Err(Fault::Key(line));
                }
                if open.len() == MAX_DEPTH {
                    return Err(Fault::Deep);
                }
                open.push(match event {
                    Event::SequenceStart(..) => Open::List(Vec::new()),
                    _ => Open::Map(BTreeMap::new(), None),
                });
                continue;
            }
            Event::SequenceEnd | Event::MappingEnd => match open.pop() {
                Some(Open::List(items)) => Node::List(items),
                Some(Open::Map(members, _)) => Node::Map(members),
                None => return Err(Fault::Yaml(line)),
            },
            Event::StreamStart | Event::StreamEnd | Event::DocumentStart(..) | Event::DocumentEnd => continue,
            _ => return Err(Fault::Indirect(line)),
        };
        if nodes > MAX_NODES {
            return Err(Fault::Many);
        }
        match open.last_mut() {
            // A last line --- begins a document in which nothing is.
            None if root.is_none() || matches!(root, Some(Node::Null)) => root = Some(node),
            None if matches!(node, Node::Null) => {}
            None => return Err(Fault::Several),
            Some(Open::List(items)) => items.push(node),
            Some(Open::Map(members, name)) => {
                let name = name.take().ok_or(Fault::Key(line))?;
                members.insert(name, node);
            }
        }
    }
    root.filter(Node::is_map).ok_or(Fault::NotAMap)
}

fn broken(text: &str, line: usize) -> Fault {
    node::indentation(text, !text.starts_with('{')).unwrap_or(Fault::Yaml(line.max(1)))
}

fn key(text: &str, style: ScalarStyle, members: &BTreeMap<String, Node>, line: usize) -> Result<String, Fault> {
    match text {
        "<<" if style == ScalarStyle::Plain => Err(Fault::Indirect(line)),
        "" => Err(Fault::Key(line)),
        name if members.contains_key(name) => Err(Fault::Duplicate(line)),
        name => Ok(name.to_owned()),
    }
}

/// The core schema's null and booleans; numbers stay as they were written.
fn scalar(text: &str, style: ScalarStyle) -> Node {
    match text {
        _ if style != ScalarStyle::Plain => Node::Text(Zeroizing::new(text.to_owned())),
        "" | "~" | "null" | "Null" | "NULL" => Node::Null,
        "true" | "True" | "TRUE" => Node::Bool(true),
        "false" | "False" | "FALSE" => Node::Bool(false),
        _ => Node::Text(Zeroizing::new(text.to_owned())),
    }
}
