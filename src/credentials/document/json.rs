//! JSON (RFC 8259) into a [`Node`]. serde_json reads it; its own errors quote the text and go nowhere.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use zeroize::Zeroizing;

use super::node::{self, Fault, MAX_DEPTH, MAX_NODES, Node};

/// Reads one JSON object.
pub fn parse(text: &str) -> Result<Node, Fault> {
    let text = node::admitted(text)?;
    let state = State { nodes: Cell::new(0), fault: Cell::new(None) };
    let mut json = serde_json::Deserializer::from_str(text);
    let read = Seed { state: &state, depth: 0 }.deserialize(&mut json).and_then(|node| json.end().map(|()| node));
    match read {
        Ok(node) if node.is_map() => Ok(node),
        Ok(_) => Err(Fault::NotAMap),
        Err(error) => Err(match state.fault.get() {
            Some(Fault::Duplicate(_)) => Fault::Duplicate(error.line()),
            Some(fault) => fault,
            None if error.is_eof() && text.trim_start().starts_with('{') => Fault::Cut,
            None => broken(text, error.line().max(1)),
        }),
    }
}

/// Why a text is no JSON.
fn broken(text: &str, line: usize) -> Fault {
    if !text.trim_start().starts_with('{') {
        return Fault::NotJson;
    }
    let unusual = node::indentation(text, false);
    unusual.or_else(|| open_line(text).map(Fault::LineBreak)).unwrap_or(Fault::Json(line))
}

/// The line that ends inside of a text in quotation marks.
fn open_line(text: &str) -> Option<usize> {
    let (mut inside, mut escaped) = (false, false);
    for (number, line) in text.lines().enumerate() {
        for c in line.chars() {
            match c {
                _ if escaped => escaped = false,
                '\\' if inside => escaped = true,
                '"' => inside = !inside,
                _ => {}
            }
        }
        if inside {
            return Some(number + 1).filter(|_| text.lines().nth(number + 1).is_some());
        }
    }
    None
}

struct State {
    nodes: Cell<usize>,
    fault: Cell<Option<Fault>>,
}

#[derive(Clone, Copy)]
struct Seed<'s> {
    state: &'s State,
    depth: usize,
}

impl Seed<'_> {
    fn refuse<E: Error>(&self, fault: Fault) -> E {
        self.state.fault.set(Some(fault));
        E::custom("refused")
    }

    fn deeper<E: Error>(self) -> Result<Self, E> {
        if self.depth == MAX_DEPTH { Err(self.refuse(Fault::Deep)) } else { Ok(Self { depth: self.depth + 1, ..self }) }
    }
}

impl<'de> DeserializeSeed<'de> for Seed<'_> {
    type Value = Node;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Node, D::Error> {
        let nodes = self.state.nodes.get() + 1;
        self.state.nodes.set(nodes);
        if nodes > MAX_NODES { Err(self.refuse(Fault::Many)) } else { deserializer.deserialize_any(self) }
    }
}

impl<'de> Visitor<'de> for Seed<'_> {
    type Value = Node;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E: Error>(self) -> Result<Node, E> {
        Ok(Node::Null)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Node, E> {
        Ok(Node::Bool(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Node, E> {
        Ok(Node::Number(Some(value)))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Node, E> {
        Ok(Node::Number(i64::try_from(value).ok()))
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<Node, E> {
        Ok(Node::Number(None))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Node, E> {
        Ok(Node::Text(Zeroizing::new(value.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Node, A::Error> {
        let inner = self.deeper()?;
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(inner)? {
            list.push(item);
        }
        Ok(Node::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Node, A::Error> {
        let inner = self.deeper()?;
        let mut map = BTreeMap::new();
        while let Some(name) = members.next_key::<String>()? {
            if map.contains_key(&name) {
                return Err(self.refuse(Fault::Duplicate(0)));
            }
            map.insert(name, members.next_value_seed(inner)?);
        }
        Ok(Node::Map(map))
    }
}
