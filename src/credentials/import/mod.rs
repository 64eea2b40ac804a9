//! Files of other tools that hold several credentials, taken apart: each becomes a candidate with the values of its
//! kind's form. Nothing is kept, and no sentence repeats a value. A further file is a further reader in [`READERS`].

mod aws;
mod contents;
mod docker;
mod entry;
mod kubeconfig;
mod table;
#[cfg(test)]
mod tests;

pub use contents::{Candidate, Contents, Skipped};
pub use entry::entry;

/// Candidates that one file may give.
pub const MOST: usize = 500;

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
