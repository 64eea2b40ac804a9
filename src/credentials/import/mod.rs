//! Files of other tools that hold several credentials, taken apart: each becomes a candidate with the values of its
//! kind's form. Nothing is kept, and no sentence repeats a value. A further file is a further reader in [`READERS`].

mod aws;
mod docker;
mod kubeconfig;
mod table;
#[cfg(test)]
mod tests;

use super::Kind;
use crate::form::Values;

/// Candidates that one file may give.
pub const MOST: usize = 500;

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

/// What a file holds.
#[derive(Default)]
pub struct Contents {
    /// What the file is: `AWS credentials file`.
    pub what: &'static str,
    pub candidates: Vec<Candidate>,
    pub skipped: Vec<Skipped>,
}

impl Contents {
    fn new(what: &'static str) -> Self {
        Self { what, ..Self::default() }
    }

    fn skip(&mut self, place: impl Into<String>, reason: impl Into<String>) {
        self.skipped.push(Skipped { place: place.into(), reason: reason.into() });
    }
}

/// Knows its file by what no other has (`None`: it is another), and reads it or says what is wrong with it.
type Reader = fn(&str) -> Option<Result<Contents, String>>;

const READERS: [Reader; 5] = [aws::created, aws::console, docker::config, kubeconfig::contexts, aws::profiles];

/// Reads the text of a file.
///
/// # Errors
/// A sentence that says what is wrong, when it is no file that is known, or holds too much.
pub fn read(text: &str) -> Result<Contents, String> {
    let text = text.trim_start_matches('\u{feff}').trim();
    if text.is_empty() {
        return Err("Choose a file, or paste its text.".to_owned());
    }
    let mut contents = match READERS.iter().find_map(|reader| reader(text)) {
        Some(read) => read?,
        None => table::rows(text)?,
    };
    let rest = contents.candidates.len().saturating_sub(MOST);
    if rest > 0 {
        contents.candidates.truncate(MOST);
        contents.skip("the end of the file", format!("{rest} more. Import those with a second file."));
    }
    Ok(contents)
}
