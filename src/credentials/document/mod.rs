//! JSON and YAML as people paste them, read into one strict tree: bounded in size, depth and nodes, duplicates refused,
//! no aliases, anchors, tags or merge keys. What a document must contain is said by the kind that owns it, not here.
//! A further syntax is a further file that builds [`Node`]s.

mod json;
mod node;
mod yaml;

pub use json::parse as json;
pub use node::{Fault, Node};
pub use yaml::parse as yaml;

#[cfg(test)]
mod tests;
