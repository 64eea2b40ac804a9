//! The tree that every syntax is read into, its bounds, and why a text is no document.

use std::collections::BTreeMap;

use zeroize::Zeroizing;

/// Longest document, in bytes.
pub(super) const MAX_BYTES: usize = 256 * 1024;
/// Deepest nesting of lists and maps.
pub(super) const MAX_DEPTH: usize = 32;
/// Most scalars, lists and maps together.
pub(super) const MAX_NODES: usize = 10_000;

/// One value of a document. Text is wiped from memory when dropped.
pub enum Node {
    Null,
    Bool(bool),
    /// A whole JSON number; `None` for any other. YAML has none: what is not quoted stays text, as kubectl reads it.
    Number(Option<i64>),
    Text(Zeroizing<String>),
    List(Vec<Node>),
    Map(BTreeMap<String, Node>),
}

impl Node {
    /// A member of a map; an absent one and a `null` one are the same.
    pub fn get(&self, name: &str) -> Option<&Node> {
        let Self::Map(members) = self else { return None };
        members.get(name).filter(|node| !matches!(node, Self::Null))
    }

    pub fn text(&self) -> Option<&str> {
        if let Self::Text(text) = self { Some(text) } else { None }
    }

    pub fn list(&self) -> Option<&[Node]> {
        if let Self::List(items) = self { Some(items) } else { None }
    }

    /// The names of a map's members that are not `null`.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        let members = if let Self::Map(members) = self { Some(members) } else { None };
        members.into_iter().flatten().filter(|(_, node)| !matches!(node, Self::Null)).map(|(name, _)| name.as_str())
    }

    pub fn is_map(&self) -> bool {
        matches!(self, Self::Map(_))
    }
}

/// Why a text is no document. Closed, and never with a word of the text in it: any of them may be a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    #[error("This is longer than 256 KiB.")]
    Long,
    #[error("This is nested more than 32 levels deep.")]
    Deep,
    #[error("This has more than 10,000 values.")]
    Many,
    #[error("Line {0} gives a member a second time. Each may be there once.")]
    Duplicate(usize),
    #[error("This JSON ends before its last }}: it was cut off. Paste the whole text, from {{ to }}.")]
    Cut,
    #[error("Line {0} is not valid JSON. Paste the whole text, from {{ to }}.")]
    Json(usize),
    #[error("This is not JSON, which begins with {{ and ends with }}. Paste the file or the output as it is.")]
    NotJson,
    #[error("Line {0} breaks off inside of a text in quotation marks. In JSON a line end in a text is written as \\n.")]
    LineBreak(usize),
    #[error("Line {0} is indented with unusual spaces, as web pages have them. Replace them by plain ones.")]
    Spaces(usize),
    #[error("Line {0} is indented with a tab. YAML accepts spaces only.")]
    Tab(usize),
    #[error("Line {0} is not valid YAML. Paste the whole file, with its indentation.")]
    Yaml(usize),
    #[error("Line {0} has an anchor, alias, tag, directive or merge key. Write the values out in full.")]
    Indirect(usize),
    #[error("Line {0} has a member whose name is not plain text.")]
    Key(usize),
    #[error("This holds several documents. Paste one.")]
    Several,
    #[error("This has no members with names. Paste the whole document.")]
    NotAMap,
}

/// The text without the mark that some editors put first, if it is short enough.
pub(super) fn admitted(text: &str) -> Result<&str, Fault> {
    if text.len() > MAX_BYTES { Err(Fault::Long) } else { Ok(text.trim_start_matches('\u{feff}')) }
}

/// Finds indentation by unusual spaces, which look like ordinary ones and which no parser takes.
pub(super) fn indentation(text: &str, tabs: bool) -> Option<Fault> {
    text.lines().enumerate().find_map(|(number, line)| {
        let odd = line.chars().take_while(|c| c.is_whitespace()).find(|c| *c != ' ' && (tabs || *c != '\t'))?;
        Some(if odd == '\t' { Fault::Tab(number + 1) } else { Fault::Spaces(number + 1) })
    })
}
