//! The words of a message as every channel says them, made harmless as far as that is the same everywhere: no control
//! and no invisible character, no endless name. A vendor's own markup is the business of that vendor's file.

use chrono::{DateTime, Utc};
use unicode_properties::{GeneralCategory, UnicodeGeneralCategory};
use url::Url;

use super::{Event, Line, Message};

/// How much of a line is said, in characters.
pub(super) struct Extent {
    title: usize,
    detail: usize,
    remedy: usize,
    usages: usize,
}

pub(super) const FULL: Extent = Extent { title: 300, detail: 200, remedy: 600, usages: 10 };
/// For messages with a tight limit.
pub(super) const BRIEF: Extent = Extent { title: 120, detail: 0, remedy: 0, usages: 0 };

const SUBJECT: usize = 120;
const USAGE: usize = 100;

/// A line in words that are safe to read.
pub(super) struct Words {
    pub title: String,
    pub subject: String,
    pub detail: String,
    pub remedy: String,
    /// (`Registry Scan: mirror`, its page)
    pub usages: Vec<(String, Url)>,
    pub more_usages: u64,
}

impl Words {
    pub fn of(line: &Line, extent: &Extent) -> Self {
        let usages = line.usages.iter().take(extent.usages);
        let usages: Vec<_> = usages
            .map(|usage| (format!("{}: {}", usage.family, clean(&usage.name, USAGE)), usage.url.clone()))
            .collect();
        let left_out = (line.usages.len() - usages.len()) as u64;
        Self {
            title: clean(&line.title, extent.title),
            subject: clean(&line.subject, SUBJECT),
            detail: clean(&line.detail, extent.detail),
            remedy: clean(&line.remedy, extent.remedy),
            usages,
            more_usages: line.more_usages.saturating_add(left_out),
        }
    }
}

/// One line of text: what cannot be seen becomes a blank or goes, and of what is longer than `most` characters the
/// middle is left out, since a name stands in the midst of a sentence.
pub fn clean(text: &str, most: usize) -> String {
    let seen = text.chars().filter_map(|c| match c.general_category() {
        // Joiners make one sign of several; the other invisible ones reorder or hide text.
        GeneralCategory::Format => matches!(c, '\u{200c}' | '\u{200d}').then_some(c),
        GeneralCategory::Control
        | GeneralCategory::LineSeparator
        | GeneralCategory::ParagraphSeparator
        | GeneralCategory::PrivateUse
        | GeneralCategory::Unassigned => Some(' '),
        _ => Some(c),
    });
    let seen: String = seen.collect();
    let words: Vec<&str> = seen.split_whitespace().collect();
    middle_out(&words.join(" "), most)
}

fn middle_out(text: &str, most: usize) -> String {
    let length = text.chars().count();
    if length <= most {
        return text.to_owned();
    }
    let Some(kept) = most.checked_sub(1) else { return String::new() };
    let tail = kept / 3;
    let head: String = text.chars().take(kept - tail).collect();
    head + "…" + &text.chars().skip(length - tail).collect::<String>()
}

/// What a message is about, in one line of at most 200 characters.
pub(super) fn headline(message: &Message) -> String {
    if message.test {
        return "Strongroom: test alert".to_owned();
    }
    let number = (message.lines.len() as u64).saturating_add(message.more);
    match message.lines.as_slice() {
        [line] if number == 1 => format!("Strongroom: {}", clean(&line.title, 180)),
        _ => format!("Strongroom: {number} alerts"),
    }
}

/// `2026-11-22 03:16 UTC`
pub(super) fn time(at: DateTime<Utc>) -> String {
    at.format("%Y-%m-%d %H:%M UTC").to_string()
}

/// In front of a title.
pub fn word(event: Event) -> &'static str {
    match event {
        Event::Ahead => "Soon",
        Event::Raised => "New",
        Event::Reminder => "Still open",
        Event::Closed => "Closed",
    }
}

/// Whether the line closes its alert.
pub(super) fn is_closed(line: &Line) -> bool {
    line.event == Event::Closed
}

/// All that is said of a line, in plain paragraphs; `neutral` makes the words of people harmless to the vendor's
/// markup.
pub(super) fn paragraphs(line: &Line, test: bool, neutral: fn(&str) -> String) -> String {
    let words = Words::of(line, &FULL);
    let mut text = vec![neutral(&words.title)];
    if test {
        text.push("This is a test. Nothing is wrong, and there's nothing to do.".to_owned());
    }
    if !words.detail.is_empty() {
        text.push(neutral(&words.detail));
    }
    text.push(format!("Open since {}.", time(line.since)));
    if !words.usages.is_empty() || words.more_usages > 0 {
        text.push(used_by(&words, neutral));
    }
    if !words.remedy.is_empty() {
        text.push(neutral(&words.remedy));
    }
    text.push(format!("Alert: {}\nSubject: {}", line.url, line.subject_url));
    text.join("\n\n")
}

fn used_by(words: &Words, neutral: fn(&str) -> String) -> String {
    let mut lines = vec!["Used by:".to_owned()];
    lines.extend(words.usages.iter().map(|(name, url)| format!("- {} ({url})", neutral(name))));
    if words.more_usages > 0 {
        lines.push(format!("- {} more", words.more_usages));
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_seen_is_not_said() {
        assert_eq!(clean("a\r\nBcc: b\0\u{202e}c\u{2028}d\u{200b}", 99), "a Bcc: b c d");
        assert_eq!(clean("  \u{feff} ", 99), "");
        assert_eq!(clean("👩\u{200d}🚒 é", 99), "👩\u{200d}🚒 é");
    }

    #[test]
    fn an_endless_name_leaves_both_ends_of_its_sentence() {
        let title = format!("The access key of “{}” is 94 days old.", "x".repeat(10_000));
        let said = clean(&title, 300);
        assert_eq!(said.chars().count(), 300);
        assert!(said.starts_with("The access key of “x") && said.ends_with("x” is 94 days old."), "{said}");
        assert_eq!(clean("abc", 0), "");
    }
}
