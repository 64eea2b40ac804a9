//! What people typed, and numbers and days, as mails show them.

use chrono::{DateTime, Utc};

use crate::integrations::alerts::text::clean;

/// Longest name, and longest sentence, that a mail shows, in characters.
const LONGEST_NAME: usize = 200;
pub(super) const LONGEST_SENTENCE: usize = 600;

/// What people typed, as a mail may show it. Mail programs make links of what looks like one: a name must not.
pub(super) fn shown(text: &str, longest: usize) -> String {
    clean(text, longest).replace("://", ": //")
}

/// A name, kept from turning the words around it when it is written from right to left (UAX #9).
pub(super) fn name(text: &str) -> String {
    let text = shown(text, LONGEST_NAME);
    if text.chars().any(is_right_to_left) { format!("\u{2068}{text}\u{2069}") } else { text }
}

/// A sentence with a name in it.
pub(super) fn sentence(text: &str, subject: &str) -> String {
    let (text, plain) = (shown(text, LONGEST_SENTENCE), shown(subject, LONGEST_SENTENCE));
    if plain.chars().any(is_right_to_left) { text.replace(&plain, &format!("\u{2068}{plain}\u{2069}")) } else { text }
}

fn is_right_to_left(c: char) -> bool {
    matches!(u32::from(c), 0x590..=0x8ff | 0xfb1d..=0xfdff | 0xfe70..=0xfeff | 0x10800..=0x10fff | 0x1e800..=0x1efff)
}

pub(super) fn date(at: DateTime<Utc>) -> String {
    at.format("%-d %B %Y").to_string()
}

pub(super) fn count(number: u64, one: &str, many: &str) -> String {
    if number == 1 { format!("1 {one}") } else { format!("{number} {many}") }
}
