//! The result of reading a file of another tool: credentials to choose from, and parts that give none.

use crate::credentials::Kind;
use crate::form::Values;

/// A credential that a file holds. What its values are worth, the kind's own checks say when it is saved.
pub struct Candidate {
    pub kind: &'static Kind,
    /// Proposed; the person may change it.
    pub name: String,
    /// Where in the file: `profile billing`, `line 3`.
    pub place: String,
    pub values: Values,
}

/// A part of the file that gives no credential.
#[derive(Debug, PartialEq, Eq)]
pub struct Skipped {
    pub place: String,
    pub reason: String,
}

/// The credentials in a file, and the parts that give none.
#[derive(Default)]
pub struct Contents {
    /// The kind of file, for the heading: `AWS credentials file`.
    pub what: &'static str,
    pub candidates: Vec<Candidate>,
    pub skipped: Vec<Skipped>,
}

impl Contents {
    pub fn new(what: &'static str) -> Self {
        Self { what, ..Self::default() }
    }

    pub fn skip(&mut self, place: impl Into<String>, reason: impl Into<String>) {
        self.skipped.push(Skipped { place: place.into(), reason: reason.into() });
    }
}
